"""An upstream's replies, read as strictly as a client's requests; after anything odd the
connection is never used again (threats F-10, F-11).
"""

import pytest
from hypothesis import given, settings

from gateway.errors import UpstreamFailed
from gateway.http.framing import LAST_CHUNK, BodyKind, chunk
from gateway.http.head import ReplyHead
from tests.support.strategies import cuts, in_pieces
from tests.support.wire import FIVE, GET, INTERIM, OK, Upstream, an_upstream, pull, the_reply
from tests.support.wire import read_reply as read


def reply_of(upstream: Upstream, method: str = "GET") -> ReplyHead:
    return pull(the_reply(upstream.connection, method)).result()


# --- whole replies -----------------------------------------------------------------------------

REPLIES = {
    "a length": ("GET", FIVE, (200, b"hello")),
    "chunks": (
        "GET",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"hel") + chunk(b"lo") + LAST_CHUNK,
        (200, b"hello"),
    ),
    "no body by its length": ("POST", OK + b"Content-Length: 0\r\n\r\n", (200, b"")),
    "no body by its method": ("HEAD", OK + b"Content-Length: 5\r\n\r\n", (200, b"")),
    "no chunks by its method": ("HEAD", OK + b"Transfer-Encoding: chunked\r\n\r\n", (200, b"")),
    "no end by its method": ("HEAD", OK + b"\r\n", (200, b"")),
    "no body by its status": ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
    "not modified": ("GET", b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n", (304, b"")),
    "after an interim reply": ("GET", b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + FIVE, (200, b"hello")),
    "after 100 Continue": ("PUT", b"HTTP/1.1 100 Continue\r\n\r\n" + FIVE, (200, b"hello")),
}  # fmt: skip

whole = pytest.mark.parametrize("case", REPLIES)


@whole
@settings(max_examples=30)
@given(places=cuts)
def test_a_reply_means_the_same_however_it_arrives(case: str, places: list[int]) -> None:
    method, raw, expected = REPLIES[case]
    for pieces in ([raw], in_pieces(raw, places), in_pieces(raw, range(len(raw)))):
        upstream = an_upstream()
        reading = pull(read(upstream, method))
        for piece in pieces:
            assert reading.waits
            upstream.feed(piece)
        assert reading.result() == expected


@whole
def test_after_a_whole_reply_the_connection_is_clean(case: str) -> None:
    method, raw, _ = REPLIES[case]
    upstream = an_upstream(pieces=[raw])
    head = reply_of(upstream, method)
    while pull(upstream.connection.body_piece()).result():
        pass
    assert upstream.connection.is_clean_after(head)


@whole
def test_bytes_after_a_whole_reply_make_the_connection_unclean(case: str) -> None:
    """F-10: a second reply would be given to the next caller."""
    method, raw, _ = REPLIES[case]
    upstream = an_upstream(pieces=[raw, FIVE])
    head = reply_of(upstream, method)
    while pull(upstream.connection.body_piece()).result():
        pass
    assert not upstream.connection.is_clean_after(head)
    assert not upstream.connection.usable


def test_a_body_smuggled_behind_a_reply_that_has_none_makes_it_unclean() -> None:
    upstream = an_upstream(pieces=[OK + b"Content-Length: 5\r\n\r\nhello"])
    head = reply_of(upstream, "HEAD")
    assert pull(upstream.connection.body_piece()).result() == b""
    assert not upstream.connection.is_clean_after(head)


def test_a_close_delimited_body_ends_with_the_connection() -> None:
    upstream = an_upstream(pieces=[OK + b"\r\nhel"])
    reading = pull(read(upstream, "GET"))
    assert reading.waits
    assert upstream.connection.body_kind is BodyKind.CLOSE
    upstream.feed(b"lo")
    assert reading.waits
    upstream.end()
    assert reading.result() == (200, b"hello")
    assert not upstream.connection.usable


def test_a_close_delimited_body_that_was_cut_off_is_not_complete() -> None:
    """A reset is not an end: half a reply must not pass for a whole one."""
    upstream = an_upstream(pieces=[OK + b"\r\nhel"])
    reading = pull(read(upstream, "GET"))
    assert reading.waits
    upstream.lose(ConnectionResetError())
    with pytest.raises(UpstreamFailed):
        reading.result()


@pytest.mark.parametrize(
    "line",
    [b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n"],
    ids=["HTTP/1.0", "close"],
)
def test_a_connection_that_the_upstream_will_close_is_not_clean(line: bytes) -> None:
    upstream = an_upstream(pieces=[line + b"Content-Length: 0\r\n\r\n"])
    assert not upstream.connection.is_clean_after(reply_of(upstream))


def test_a_connection_is_not_clean_before_the_body_is_taken_or_the_request_is_out() -> None:
    upstream = an_upstream(pieces=[FIVE])
    head = reply_of(upstream)
    assert not upstream.connection.is_clean_after(head)
    assert upstream.connection.take_available() == b"hello"
    assert upstream.connection.is_clean_after(head)
    upstream.transport.unsent = 1
    assert not upstream.connection.is_clean_after(head)


def test_the_same_head_is_not_read_twice() -> None:
    upstream = an_upstream(pieces=[FIVE, FIVE, FIVE.replace(b"OK", b"Ok")])
    heads = []
    for _ in range(3):
        heads.append(reply_of(upstream))
        assert upstream.connection.take_available() == b"hello"
    assert heads[0] is heads[1]
    assert (heads[2].start, heads[2].length) == (b"HTTP/1.1 200 Ok\r\n", 5)


def test_a_remembered_head_is_held_against_each_new_method() -> None:
    """The same bytes answer HEAD without a body and GET with one."""
    head_only = FIVE.removesuffix(b"hello")
    upstream = an_upstream(pieces=[head_only])
    remembered = reply_of(upstream, "HEAD")
    assert pull(upstream.connection.body_piece()).result() == b""
    upstream.feed(FIVE)
    assert reply_of(upstream, "GET") is remembered
    assert pull(upstream.connection.body_piece()).result() == b"hello"
    upstream.feed(head_only)
    assert reply_of(upstream, "HEAD") is remembered
    assert pull(upstream.connection.body_piece()).result() == b""
    assert upstream.connection.is_clean_after(remembered)


def test_a_reply_that_is_not_here_yet_is_asked_for_again() -> None:
    upstream = an_upstream(pieces=[FIVE[:30]])
    assert upstream.connection.take_reply("GET") is None
    assert upstream.connection.take_reply("GET") is None
    upstream.feed(FIVE[30:])
    head = upstream.connection.take_reply("GET")
    assert head is not None
    assert head.status == 200


# --- replies that are none ---------------------------------------------------------------------


def test_eight_interim_replies_are_skipped_and_a_ninth_is_a_flood() -> None:
    assert reply_of(an_upstream(pieces=[INTERIM * 8 + FIVE])).status == 200
    with pytest.raises(UpstreamFailed) as failure:
        reply_of(an_upstream(pieces=[INTERIM * 9 + FIVE]))
    assert failure.value.detail == "the upstream sent too many interim replies"


def test_interim_replies_are_counted_over_an_exchange_however_they_arrive() -> None:
    """F-10: one at a time, nine are a flood all the same."""
    upstream = an_upstream()
    upstream.connection.send_request(GET)
    reply = pull(the_reply(upstream.connection))
    for _ in range(8):
        upstream.feed(INTERIM)
        assert reply.waits
    upstream.feed(INTERIM)
    with pytest.raises(UpstreamFailed) as failure:
        reply.result()
    assert failure.value.detail == "the upstream sent too many interim replies"


def test_each_exchange_may_have_its_interim_replies() -> None:
    upstream = an_upstream()
    for _ in range(3):
        upstream.connection.send_request(GET)
        upstream.feed(INTERIM * 8 + FIVE)
        assert pull(read(upstream, "GET")).result() == (200, b"hello")


@pytest.mark.parametrize("section", [b"", b"Connection: upgrade\r\nUpgrade: websocket\r\n"])
def test_a_switch_of_protocols_nobody_asked_for_is_a_failure(section: bytes) -> None:
    upstream = an_upstream(pieces=[b"HTTP/1.1 101 Switching\r\n" + section + b"\r\n"])
    with pytest.raises(UpstreamFailed) as refusal:
        reply_of(upstream)
    assert refusal.value.detail == "the upstream switched protocols unasked"


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "the reply's head is malformed: "),
        (b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n", "the reply's head is malformed: "),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "the reply's head is malformed: "),
        (OK + b"A: b\n\r\n\r\n", "the reply's head is malformed: "),
        (OK + b"Transfer-Encoding: gzip\r\n\r\n", "the reply's framing is ambiguous"),
    ],
)
def test_a_head_that_cannot_be_read_is_a_failure(raw: bytes, detail: str) -> None:
    with pytest.raises(UpstreamFailed) as failure:
        reply_of(an_upstream(pieces=[raw]))
    assert failure.value.detail.startswith(detail)


def test_a_head_without_end_is_a_failure() -> None:
    upstream = an_upstream(max_head_bytes=1000)
    reply = pull(the_reply(upstream.connection))
    upstream.feed(OK + b"A: " + b"b" * 900)
    assert reply.waits
    upstream.feed(b"b" * 100)
    with pytest.raises(UpstreamFailed) as failure:
        reply.result()
    assert failure.value.detail == "the reply's head is too long"


def test_a_head_over_the_limit_is_too_long_even_when_it_is_complete() -> None:
    """The limit does not depend on how the bytes arrive."""
    upstream = an_upstream(pieces=[OK + b"A: " + b"b" * 2000 + b"\r\n\r\n"], max_head_bytes=1000)
    with pytest.raises(UpstreamFailed) as failure:
        reply_of(upstream)
    assert failure.value.detail == "the reply's head is too long"


def test_too_many_fields_are_a_failure() -> None:
    with pytest.raises(UpstreamFailed):
        reply_of(an_upstream(pieces=[OK + b"A: b\r\n" * 3 + b"\r\n"], max_headers=2))


@pytest.mark.parametrize("so_far", [b"", b"HTTP/1.1 20", OK, INTERIM])
@pytest.mark.parametrize("how", ["end", "lose"])
def test_a_connection_closed_before_the_answer_is_a_failure(so_far: bytes, how: str) -> None:
    upstream = an_upstream(pieces=[so_far] if so_far else [])
    reply = pull(the_reply(upstream.connection))
    assert reply.waits
    getattr(upstream, how)()
    with pytest.raises(UpstreamFailed) as failure:
        reply.result()
    assert failure.value.detail == "the upstream closed the connection before it answered"


SHORT = {
    "a length": OK + b"Content-Length: 9\r\n\r\nhello",
    "chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"hello"),
    "a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhello",
    "trailers": OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"hello") + b"0\r\nA: b\r\n",
}


@pytest.mark.parametrize("case", SHORT)
@pytest.mark.parametrize("how", ["end", "lose"])
def test_a_body_that_stops_short_is_a_failure(case: str, how: str) -> None:
    """F-10: never passed on as if it were whole."""
    upstream = an_upstream(pieces=[SHORT[case]])
    reading = pull(read(upstream, "GET"))
    assert reading.waits
    getattr(upstream, how)()
    with pytest.raises(UpstreamFailed) as failure:
        reading.result()
    assert failure.value.detail == "the reply's body ended early"


@pytest.mark.parametrize("body", [b"zz\r\n", b"5;a=b\r\nhello\r\n", b"2\r\nhello", b"5\nhello\n"])
def test_a_malformed_chunk_is_a_failure_of_the_upstream(body: bytes) -> None:
    """Not the client's: FramingRejected would blame it with 400."""
    upstream = an_upstream(pieces=[OK + b"Transfer-Encoding: chunked\r\n\r\n" + body])
    with pytest.raises(UpstreamFailed) as failure:
        pull(read(upstream, "GET")).result()
    assert failure.value.detail.startswith("the reply's body is malformed: a chunk")
