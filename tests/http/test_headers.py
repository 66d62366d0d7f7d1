"""A header section is read once, and whatever could be read in two ways is refused."""

import pytest

from gateway.errors import FramingRejected, GatewayError, HeaderRejected
from gateway.http.headers import FORWARDED, Headers, read_headers

NAME = "a header name has a character besides letters, digits and `-`"
OVERRIDE = "a header overrides the method"
REPEATED = "a header that may stand once is repeated"
NOMINATED = "`Connection` nominates a header that the gateway reads"
INVISIBLE = "a header value has a byte outside visible ASCII"
LENGTH = "`Content-Length` is not a plain decimal number"
ENCODING = "`Transfer-Encoding` is not exactly `chunked`"
BOTH = "both `Transfer-Encoding` and `Content-Length`"
EXPECT = "`Expect` is not `100-continue`"


def read(text: str, passable: frozenset[bytes] = FORWARDED) -> Headers:
    """Headers from lines such as `Host: h`, bytes above ASCII written as latin-1."""
    lines = [line.split(":", 1) for line in text.encode("latin-1").decode("latin-1").split("|")]
    return read_headers(
        [(name.encode("latin-1"), value.removeprefix(" ").encode("latin-1")) for name, value in lines],
        passable,
    )  # fmt: skip


REFUSED = {
    # H-2, D0-8: what a servlet or CGI container folds into another name
    "X_Auth_User: root": (HeaderRejected, NAME),
    "X.Auth.User: root": (HeaderRejected, NAME),
    "x-auth_user: root": (HeaderRejected, NAME),
    "X-Auth-User : root": (HeaderRejected, NAME),
    "X-Auth\xdcser: root": (HeaderRejected, NAME),
    ": nameless": (HeaderRejected, NAME),
    # M-1
    "X-HTTP-Method-Override: DELETE": (HeaderRejected, OVERRIDE),
    "x-http-method: GET": (HeaderRejected, OVERRIDE),
    "X-Method-Override: PUT": (HeaderRejected, OVERRIDE),
    # H-3, D0-9: decided on the first, sent with the last
    "Authorization: Bearer a|authorization: Bearer b": (HeaderRejected, REPEATED),
    "Host: h|Host: h": (HeaderRejected, REPEATED),
    "Content-Length: 5|Content-Length: 5": (HeaderRejected, REPEATED),
    "Transfer-Encoding: chunked|Transfer-Encoding: chunked": (HeaderRejected, REPEATED),
    "Expect: 100-continue|Expect: 100-continue": (HeaderRejected, REPEATED),
    "Content-Type: application/json|content-type: text/plain": (HeaderRejected, REPEATED),
    "Content-Encoding: gzip|Content-Encoding: identity": (HeaderRejected, REPEATED),
    "User-Agent: a|User-Agent: b": (HeaderRejected, REPEATED),
    "Range: bytes=0-1|Range: bytes=2-3": (HeaderRejected, REPEATED),
    # H-6
    "Connection: Content-Length": (HeaderRejected, NOMINATED),
    "Connection: close, Transfer-Encoding": (HeaderRejected, NOMINATED),
    "Connection: Authorization": (HeaderRejected, NOMINATED),
    "Connection: host": (HeaderRejected, NOMINATED),
    "Connection: keep-alive|Connection: EXPECT": (HeaderRejected, NOMINATED),
    "Connection: a,content-type ,b": (HeaderRejected, NOMINATED),
    "Connection: Content-Encoding": (HeaderRejected, NOMINATED),
    "Connection: X-Forwarded-For": (HeaderRejected, NOMINATED),
    "Connection: x-forwarded-proto": (HeaderRejected, NOMINATED),
    # H-14, D0-12
    "Authorization: Bearer \xff": (HeaderRejected, INVISIBLE),
    "Authorization: Bearer a\x00": (HeaderRejected, INVISIBLE),
    "Accept: \xff\xfe": (HeaderRejected, INVISIBLE),
    "User-Agent: a\x7f": (HeaderRejected, INVISIBLE),
    "Host: h\xa0": (HeaderRejected, INVISIBLE),
    "Connection: close\xa0": (HeaderRejected, INVISIBLE),
    # H-7, D0-11; the rest is in test_host.py
    "Host: h:80@evil": (HeaderRejected, "`Host` is not a host with an optional port"),
    # H-17; the rest is in test_head.py
    "Upgrade: h2c|Upgrade: h2c": (HeaderRejected, REPEATED),
    # F-8
    "Expect: foo": (HeaderRejected, EXPECT),
    "Expect:": (HeaderRejected, EXPECT),
    "Expect: 100-continue, 100-continue": (HeaderRejected, EXPECT),
    # F-1, D0-13
    "Content-Length: 05": (FramingRejected, LENGTH),
    "Content-Length: +5": (FramingRejected, LENGTH),
    "Content-Length: -1": (FramingRejected, LENGTH),
    "Content-Length: 0x5": (FramingRejected, LENGTH),
    "Content-Length: 0_5": (FramingRejected, LENGTH),
    "Content-Length: 5, 5": (FramingRejected, LENGTH),
    "Content-Length: 5.0": (FramingRejected, LENGTH),
    "Content-Length:": (FramingRejected, LENGTH),
    "Content-Length: 1000000000000000000": (FramingRejected, LENGTH),
    "Transfer-Encoding: gzip, chunked": (FramingRejected, ENCODING),
    "Transfer-Encoding: chunked, identity": (FramingRejected, ENCODING),
    "Transfer-Encoding: chunked, chunked": (FramingRejected, ENCODING),
    "Transfer-Encoding: xchunked": (FramingRejected, ENCODING),
    "Transfer-Encoding: identity": (FramingRejected, ENCODING),
    'Transfer-Encoding: "chunked"': (FramingRejected, ENCODING),
    "Transfer-Encoding: chunked;q=1": (FramingRejected, ENCODING),
    "Transfer-Encoding:": (FramingRejected, ENCODING),
    "Transfer-Encoding: chunked|Content-Length: 5": (FramingRejected, BOTH),
    "Content-Length: 0|Transfer-Encoding: CHUNKED": (FramingRejected, BOTH),
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_a_section_that_can_be_read_in_two_ways_is_refused(text: str) -> None:
    kind, detail = REFUSED[text]
    with pytest.raises(GatewayError) as refusal:
        read(text)
    assert (type(refusal.value), refusal.value.detail) == (kind, detail)


def test_an_empty_section_says_nothing() -> None:
    assert read_headers([], FORWARDED) == Headers(
        authorization=None,
        content_type=None,
        content_encoding=None,
        content_length=None,
        chunked=False,
        expects_continue=False,
        keep_alive=None,
        host=None,
        has_body=False,
        said_for=None,
        said_scheme=None,
        passing={},
    )


def test_what_the_gateway_reads_is_found_whatever_its_case() -> None:
    headers = read(
        "AUTHORIZATION: Bearer a|HOST: Example.org:8080|content-length: 17|eXPECT: 100-Continue|"
        "CONTENT-type: \tapplication/json |Content-Encoding: identity"
    )
    assert headers.authorization == b"Bearer a"
    assert headers.host == ("example.org", 8080)
    assert headers.content_length == 17
    assert headers.expects_continue
    assert headers.content_type == b"application/json"
    assert headers.content_encoding == b"identity"


def test_what_a_proxy_says_is_kept_unread_and_never_passed_on() -> None:
    """H-5: who may say it is not known here."""
    said = read("X-Forwarded-For: \xff, 1.2.3.4|x-forwarded-for: b|X-Forwarded-Proto: c")
    assert (said.said_for, said.said_scheme, said.passing) == (b"\xff, 1.2.3.4,b", b"c", {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Accept: */*", None),
        ("Connection: close", False),
        ("Connection: Keep-Alive", True),
        ("Connection: keep-alive, close", False),
        ("Connection: keep-alive|Connection: close", False),
        ("Connection: TE", None),
        ("Connection:", None),
        ("Connection: xclose", None),
    ],
)
def test_connection_says_whether_to_keep_it(text: str, expected: bool | None) -> None:
    assert read(text).keep_alive is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Accept: a", False),
        ("Content-Length: 0", False),
        ("Content-Length: 1", True),
        ("Content-Length: 999999999999999999", True),
        ("Transfer-Encoding: chunked", True),
        ("Transfer-Encoding: Chunked", True),
    ],
)
def test_a_body_is_there_when_the_framing_says_so(text: str, expected: bool) -> None:
    assert read(text).has_body is expected


def test_nothing_passes_but_what_is_listed() -> None:
    """H-1, H-4, H-5, H-11, H-12, D0-1: identity, forwarding, cookies and framing never do."""
    headers = read(
        "X-Auth-User: root|X-Roles: admin|X-Genesys-TenantId: 1|X-Forwarded-For: 1.2.3.4|"
        "Forwarded: for=1.2.3.4|X-Original-URL: /admin|Cookie: a=b|Authorization: Bearer a|"
        "Host: h|Content-Length: 0|Expect: 100-continue|Upgrade: h2c|TE: trailers|Keep-Alive: 5|"
        "Trailer: A|Proxy-Authorization: Basic a|Accept: text/html"
    )
    assert headers.passing == {b"accept": b"text/html"}


def test_the_default_list_holds_nothing_that_frames_or_identifies() -> None:
    assert not FORWARDED & {
        b"authorization", b"connection", b"content-length", b"cookie", b"expect", b"forwarded",
        b"host", b"keep-alive", b"proxy-authorization", b"te", b"trailer", b"transfer-encoding",
        b"upgrade",
    }  # fmt: skip


def test_a_repeated_list_becomes_one_line_in_order() -> None:
    headers = read("Accept: a|X-Other: b|ACCEPT: c;q=0.5")
    assert headers.passing == {b"accept": b"a, c;q=0.5"}


def test_a_repeated_header_that_goes_nowhere_is_nobodys_business() -> None:
    assert read("X-Trace: a|X-Trace: b|X-High: \xff").passing == {}


def test_a_service_may_let_one_more_header_pass() -> None:
    passable = FORWARDED | {b"x-trace"}
    assert read("X-Trace: a", passable).passing == {b"x-trace": b"a"}
    with pytest.raises(HeaderRejected, match="repeated"):
        read("X-Trace: a|X-Trace: b", passable)


def test_what_connection_nominates_does_not_pass() -> None:
    """RFC 9110 section 7.6.1: it was meant for this hop only."""
    headers = read("If-Match: a|Connection: close, If-Match|Accept: b")
    assert headers.passing == {b"accept": b"b"}
    assert headers.keep_alive is False


def test_lines_are_written_for_the_names_asked_for_and_no_others() -> None:
    headers = read("User-Agent: c|Range: bytes=0-1|Accept: a")
    names = frozenset({b"accept", b"prefer", b"user-agent"})
    assert headers.lines(names) == b"user-agent: c\r\naccept: a\r\n"
    assert headers.lines(frozenset()) == b""
