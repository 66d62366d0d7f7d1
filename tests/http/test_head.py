"""Heads as llhttp reads them, and what is refused on top of it.

The rows marked "llhttp" pin what the library refuses for us: if a new release grows lenient, a
row fails. The request rows go through `read_request_fields`; the request line is not its business.
"""

import httptools
import pytest

from gateway.errors import (
    FramingRejected,
    GatewayError,
    HeaderRejected,
    HeadTooLarge,
    UpstreamFailed,
)
from gateway.http.framing import BodyKind
from gateway.http.head import ReplyHead, read_reply_head, read_request_fields
from gateway.http.headers import FORWARDED, Headers


def fields(section: bytes) -> Headers:
    return read_request_fields(b"\r\n" + section + b"\r\n", max_headers=5, passable=FORWARDED)


def reply(section: bytes = b"", line: bytes = b"HTTP/1.1 200 OK") -> ReplyHead:
    return read_reply_head(line + b"\r\n" + section + b"\r\n", max_headers=5)


# --- requests ---------------------------------------------------------------------------------

REFUSED_BY_LLHTTP = {
    "F-1 both framings": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "F-1 both framings, the other way round": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "F-1 repeated length": b"Content-Length: 5\r\nContent-Length: 5\r\n",
    "F-1 two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "F-1 signed length": b"Content-Length: +5\r\n",
    "F-1 list of lengths": b"Content-Length: 5, 5\r\n",
    "F-1 no length": b"Content-Length:\r\n",
    "F-1 huge length": b"Content-Length: 99999999999999999999999\r\n",
    "F-1 xchunked": b"Transfer-Encoding: xchunked\r\n",
    "F-1 chunked not last": b"Transfer-Encoding: chunked, identity\r\n",
    "F-1 vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
    "F-1 space before the colon": b"Transfer-Encoding : chunked\r\n",
    "F-1 split over two fields": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "F-4 bare LF": b"A: b\nC: d\r\n",
    "F-4 bare CR": b"A: b\rC: d\r\n",
    "F-4 folded line": b"A: b\r\n c\r\n",
    "F-4 folded first line": b" A: b\r\n",
    "F-4 NUL in a value": b"A: b\x00\r\n",
    "F-4 NUL in a name": b"A\x00: b\r\n",
    "F-4 control in a value": b"A: b\x1b\r\n",
    "F-4 DEL in a value": b"A: b\x7f\r\n",
    "H-14 byte above ASCII in a name": b"\xc3\xa9: b\r\n",
    "no colon": b"A\r\n",
    "no name": b": b\r\n",
}


@pytest.mark.parametrize("threat", REFUSED_BY_LLHTTP)
def test_llhttp_refuses(threat: str) -> None:
    with pytest.raises(FramingRejected) as refusal:
        fields(REFUSED_BY_LLHTTP[threat])
    assert refusal.value.detail.startswith("llhttp: ")


LET_THROUGH_BY_LLHTTP = {
    "D0-13 padded length": (b"Content-Length: 05\r\n", FramingRejected),
    "D0-1 another coding before chunked": (
        b"Transfer-Encoding: gzip, chunked\r\n",
        FramingRejected,
    ),
    "H-2 underscore in a name": (b"X_Auth_User: a\r\n", HeaderRejected),
    "H-2 dot in a name": (b"X.Auth.User: a\r\n", HeaderRejected),
    "H-14 byte above ASCII in a value that is read": (b"Accept: \xff\r\n", HeaderRejected),
    "H-7 empty Host": (b"Host:\r\n", HeaderRejected),
    "H-3 repeated Host": (b"Host: a\r\nHost: b\r\n", HeaderRejected),
}


@pytest.mark.parametrize("threat", LET_THROUGH_BY_LLHTTP)
def test_what_llhttp_lets_through_is_refused_here(threat: str) -> None:
    section, kind = LET_THROUGH_BY_LLHTTP[threat]
    with pytest.raises(GatewayError) as refusal:
        fields(section)
    assert type(refusal.value) is kind
    assert not refusal.value.detail.startswith("llhttp: ")


@pytest.mark.parametrize(
    "section",
    [
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n",
        b"Upgrade: H2C\r\n",
    ],
)
def test_an_offer_of_http_2_is_ignored_and_never_passed_on(section: bytes) -> None:
    """RFC 9110 section 7.8 allows it; Java's client makes it by default (D0-14, F-9)."""
    assert fields(section + b"Accept: a\r\n").passing == {b"accept": b"a"}


@pytest.mark.parametrize(
    "offer",
    [b"websocket", b"WebSocket", b"h2c, websocket", b"TLS/1.0, HTTP/1.1", b"h2", b"HTTP/2.0", b""],
)
@pytest.mark.parametrize("connection", [b"Connection: Upgrade\r\n", b""])
def test_an_offer_of_any_other_protocol_is_refused(offer: bytes, connection: bytes) -> None:
    """H-17: what such a client sends next may be in that protocol already."""
    with pytest.raises(FramingRejected) as refusal:
        fields(connection + b"Upgrade: " + offer + b"\r\n")
    assert refusal.value.detail == "`Upgrade` offers another protocol"


def test_a_head_that_ends_before_it_began_is_refused() -> None:
    with pytest.raises(FramingRejected) as refusal:
        read_request_fields(b"\r\nA: b\r\n", max_headers=5, passable=FORWARDED)
    assert refusal.value.detail == "the head did not end where its empty line stands"


def test_a_section_may_be_empty() -> None:
    assert fields(b"").passing == {}


def test_fields_are_counted() -> None:
    """H-15."""
    assert fields(b"A: b\r\n" * 5).passing == {}
    with pytest.raises(HeadTooLarge) as refusal:
        fields(b"A: b\r\n" * 6)
    assert refusal.value.detail == "more header fields than max_headers"


def test_a_defect_of_ours_is_not_blamed_on_the_client() -> None:
    """Only HeadTooLarge may leave a callback as a refusal; here, a limit that cannot be compared."""
    with pytest.raises(httptools.HttpParserCallbackError):
        read_request_fields(b"\r\nA: b\r\n\r\n", max_headers=None, passable=FORWARDED)


def test_an_empty_value_is_a_value() -> None:
    assert fields(b"Authorization:\r\nAccept: \r\n").authorization == b""
    assert fields(b"Accept:\r\nRange:\r\n").passing == {b"accept": b"", b"range": b""}


# --- replies ----------------------------------------------------------------------------------


def test_a_reply_is_read_to_what_frames_it_and_what_passes() -> None:
    head = reply(b"Content-Type: a/b\r\nSet-Cookie: c\r\nset-cookie: d\r\nContent-Length: 12\r\n")
    assert head == ReplyHead(
        status=200,
        length=12,
        kind=BodyKind.LENGTH,
        keep_alive=True,
        start=b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nSet-Cookie: c\r\nset-cookie: d\r\n",
    )


def test_hop_by_hop_fields_and_the_gateways_own_do_not_pass_back() -> None:
    not_passed = (
        b"Connection: X-Hop, keep-alive", b"X-Hop: a", b"Keep-Alive: timeout=5", b"Upgrade: h2c",
        b'Alt-Svc: h2=":8081"',
        b"Proxy-Authenticate: Basic", b"Proxy-Connection: a", b"TE: a", b"Trailer: a",
        b"Transfer-Encoding: chunked", b"X-Gateway-Refusal: permitted", b"x-request-id: 1",
    )  # fmt: skip
    raw = b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(not_passed) + b"\r\nServer: s\r\n\r\n"
    head = read_reply_head(raw, max_headers=20)
    assert head.start == b"HTTP/1.1 200 OK\r\nServer: s\r\n"
    assert head.kind is BodyKind.CHUNKED


@pytest.mark.parametrize(
    ("line", "section", "expected"),
    [
        (b"HTTP/1.1 200 OK", b"", True),
        (b"HTTP/1.1 200 OK", b"Connection: close\r\n", False),
        (b"HTTP/1.1 200 OK", b"Connection: a, Close\r\n", False),
        (b"HTTP/1.0 200 OK", b"", False),
        (b"HTTP/1.0 200 OK", b"Connection: keep-alive\r\n", False),
        (b"HTTP/1.1 204 No", b"Content-Length: 0\r\n", True),
        (b"HTTP/1.1 204 No", b"Content-Length: 5\r\n", False),
        (b"HTTP/1.1 204 No", b"Transfer-Encoding: chunked\r\n", False),
        (b"HTTP/1.1 304 No", b"Content-Length: 5\r\n", True),
    ],
)
def test_a_connection_is_kept_only_after_a_plain_1_1_reply(
    line: bytes, section: bytes, expected: bool
) -> None:
    assert reply(section, line).keep_alive is expected


def test_a_reply_may_lack_a_reason_and_a_length() -> None:
    head = reply(line=b"HTTP/1.1 404")
    assert (head.status, head.length, head.kind) == (404, None, BodyKind.CLOSE)
    # RFC 9112 section 4: the space before an absent reason stays.
    assert head.start == b"HTTP/1.1 404 \r\n"


def test_a_reply_goes_on_in_our_own_version() -> None:
    """RFC 9112 section 2.3: an intermediary sends its own version."""
    assert reply(line=b"HTTP/1.0 200 Fine").start == b"HTTP/1.1 200 Fine\r\n"


@pytest.mark.parametrize(
    ("status", "section", "expected"),
    [
        (200, b"Content-Length: 5\r\n", BodyKind.LENGTH),
        (200, b"Content-Length: 0\r\n", BodyKind.NONE),
        (200, b"Transfer-Encoding: Chunked\r\n", BodyKind.CHUNKED),
        (200, b"", BodyKind.CLOSE),
        (204, b"Content-Length: 5\r\n", BodyKind.NONE),
        (304, b"Transfer-Encoding: chunked\r\n", BodyKind.NONE),
    ],
)
def test_a_replys_own_fields_say_how_its_body_ends(
    status: int, section: bytes, expected: BodyKind
) -> None:
    """`reply_body` has every case; here, that each field reaches it."""
    assert reply(section, b"HTTP/1.1 %d Why" % status).kind is expected


MALFORMED_REPLIES = {
    "no status": (b"HTTP/1.1 OK", b""),
    "TAB for a space": (b"HTTP/1.1\t200 OK", b""),
    "a line before it": (b"\r\nHTTP/1.1 200 OK", b""),
    "HTTP/2 without a minor version": (b"HTTP/2 200 OK", b""),
    "HTTP/1.2": (b"HTTP/1.2 200 OK", b""),
    "lower case": (b"http/1.1 200 OK", b""),
    "status line ended by LF": (b"HTTP/1.1 200 OK\nA: b", b""),
    "two-digit status": (b"HTTP/1.1 99 X", b""),
    "four-digit status": (b"HTTP/1.1 1000 X", b""),
    "two spaces": (b"HTTP/1.1  200 OK", b""),
    "another protocol": (b"ICY 200 OK", b""),
    "bare CR in the reason": (b"HTTP/1.1 200 O\rK", b""),
    "bare LF": (b"HTTP/1.1 200 OK", b"A: b\nC: d\r\n"),
    "folded line": (b"HTTP/1.1 200 OK", b"A: b\r\n c\r\n"),
    "NUL in a value": (b"HTTP/1.1 200 OK", b"A: \x00\r\n"),
    "space in a name": (b"HTTP/1.1 200 OK", b"A b: c\r\n"),
    "space behind a name": (b"HTTP/1.1 200 OK", b"Content-Length : 5\r\n"),
    "no name": (b"HTTP/1.1 200 OK", b": b\r\n"),
    "no colon": (b"HTTP/1.1 200 OK", b"Abc\r\n"),
    "8-bit name": (b"HTTP/1.1 200 OK", b"\xc9: b\r\n"),
    "a second status line": (b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\n"),
    "folded before the first field": (b"HTTP/1.1 200 OK", b" A: b\r\n"),
    "bare CR in a value": (b"HTTP/1.1 200 OK", b"A: b\rContent-Length: 5\r\n"),
    "two CR": (b"HTTP/1.1 200 OK", b"A: b\r\r\n"),
    "an empty line by LF": (b"HTTP/1.1 200 OK", b"A: b\n\nC: d\r\n"),
    "vertical tab in a value": (b"HTTP/1.1 200 OK", b"A: \x0b\r\n"),
    "negative length": (b"HTTP/1.1 200 OK", b"Content-Length: -5\r\n"),
    "signed length": (b"HTTP/1.1 200 OK", b"Content-Length: +5\r\n"),
    "hexadecimal length": (b"HTTP/1.1 200 OK", b"Content-Length: 0x5\r\n"),
    "two lengths in one": (b"HTTP/1.1 200 OK", b"Content-Length: 5 5\r\n"),
    "length beyond 64 bits": (b"HTTP/1.1 200 OK", b"Content-Length: 18446744073709551621\r\n"),
    "repeated length": (b"HTTP/1.1 200 OK", b"Content-Length: 5\r\nContent-Length: 5\r\n"),
    "list of lengths": (b"HTTP/1.1 200 OK", b"Content-Length: 5, 5\r\n"),
    "empty length": (b"HTTP/1.1 200 OK", b"Content-Length:\r\n"),
    "length and chunked": (
        b"HTTP/1.1 200 OK",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    ),
    "too many fields": (b"HTTP/1.1 200 OK", b"A: b\r\n" * 6),
}


@pytest.mark.parametrize("case", MALFORMED_REPLIES)
def test_a_reply_that_llhttp_cannot_read_is_the_upstreams_failure(case: str) -> None:
    """F-10."""
    line, section = MALFORMED_REPLIES[case]
    with pytest.raises(UpstreamFailed) as refusal:
        reply(section, line)
    assert refusal.value.detail.startswith("the reply's head is malformed: ")


@pytest.mark.parametrize(
    ("section", "detail"),
    [
        (b"Transfer-Encoding: gzip\r\n", "the reply's framing is ambiguous"),
        (b"Transfer-Encoding: gzip, chunked\r\n", "the reply's framing is ambiguous"),
        (b"Transfer-Encoding: chunked\r\n" * 2, "the reply's framing is ambiguous"),
        (b"Transfer-Encoding: chunked, chunked\r\n", "the reply's framing is ambiguous"),
        (b"Transfer-Encoding: xchunked\r\n", "the reply's framing is ambiguous"),
        (b"Transfer-Encoding: chunked;a=b\r\n", "the reply's framing is ambiguous"),
        (b"Content-Length: 1000000000000000000\r\n", "the reply's length is malformed or repeated"),
        (b"Content-Length: 05\r\n", "the reply's length is malformed or repeated"),
    ],
)
def test_a_reply_whose_end_is_in_doubt_is_the_upstreams_failure(
    section: bytes, detail: str
) -> None:
    with pytest.raises(UpstreamFailed) as refusal:
        reply(section)
    assert refusal.value.detail == detail


def test_chunks_before_http_1_1_are_the_upstreams_failure() -> None:
    """RFC 9112 section 6.1: such framing is faulty, and an older reader would not see it."""
    with pytest.raises(UpstreamFailed) as refusal:
        reply(b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0 200 OK")
    assert refusal.value.detail == "the reply's framing is ambiguous"


@pytest.mark.parametrize("section", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_an_interim_reply_that_announces_a_body_is_the_upstreams_failure(section: bytes) -> None:
    """F-10: the body would be read as the reply."""
    with pytest.raises(UpstreamFailed) as refusal:
        reply(section, b"HTTP/1.1 103 Early Hints")
    assert refusal.value.detail == "an interim reply announces a body"


def test_a_reply_that_ends_before_it_began_is_the_upstreams_failure() -> None:
    with pytest.raises(UpstreamFailed) as refusal:
        read_reply_head(b"\r\n\r\n", max_headers=5)
    assert refusal.value.detail == "the reply's head is malformed: the status line is malformed"


@pytest.mark.parametrize("section", [b"", b"Connection: upgrade\r\nUpgrade: websocket\r\n"])
def test_a_switch_of_protocols_is_the_upstreams_failure(section: bytes) -> None:
    """F-10: nobody asked for one."""
    with pytest.raises(UpstreamFailed) as refusal:
        reply(section, b"HTTP/1.1 101 Switching Protocols")
    assert refusal.value.detail == "the upstream switched protocols unasked"


@pytest.mark.parametrize("line", [b"HTTP/1.1 000 X", b"HTTP/1.1 099 X"])
def test_a_status_that_http_does_not_know_is_the_upstreams_failure(line: bytes) -> None:
    """RFC 9110 section 15: it begins at 100; one below would pass for an interim reply."""
    with pytest.raises(UpstreamFailed):
        reply(line=line)


@pytest.mark.parametrize("line", [b"HTTP/2.0 200 OK", b"HTTP/0.9 200 OK"])
def test_a_reply_of_another_version_is_the_upstreams_failure(line: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        reply(line=line)


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 \x1b[31mred"])
def test_control_characters_in_a_reason_never_reach_the_client(line: bytes) -> None:
    """RFC 9112 section 4: a reason is tabs, spaces, visible and 8-bit characters only."""
    try:
        start = reply(line=line).start
    except UpstreamFailed:
        return
    assert not any(byte < 0x20 for byte in start.removesuffix(b"\r\n"))
