"""A client's bodies: asked for, streamed, limited, skipped, or given up for an early answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BodyTooLarge
from gateway.http.framing import LAST_CHUNK, chunk
from tests.support.strategies import cuts, in_pieces
from tests.support.wire import GET, a_client, an_upstream, chunked, head_of, post, pull

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


# --- bodies ---
@given(body=st.binary(max_size=300), places=cuts, in_chunks=st.booleans())
def test_a_body_is_what_was_sent_however_it_arrives(
    body: bytes, places: list[int], in_chunks: bool
) -> None:
    if in_chunks:
        raw = chunked() + b"".join(chunk(body[i : i + 7]) for i in range(0, len(body), 7))
        raw += LAST_CHUNK
    else:
        raw = post(len(body)) + body
    client = a_client()
    first = pull(client.connection.next_head())
    pieces = in_pieces(raw + GET, places)
    while first.waits:
        client.feed(pieces.pop(0))
    assert first.result() is not None
    whole = pull(client.connection.whole_body(300))
    for piece in pieces:
        client.feed(piece)
        assert whole.waits or client.connection.body_taken
    assert whole.result() == body
    assert head_of(client).method == "GET"


def test_a_body_is_given_piece_by_piece() -> None:
    client = a_client(pieces=[post(5), b"he"])
    head_of(client)
    assert pull(client.connection.body_piece()).result() == b"he"
    assert not client.connection.body_taken
    piece = pull(client.connection.body_piece())
    assert piece.waits
    client.feed(b"lloGET")
    assert piece.result() == b"llo"
    assert client.connection.body_taken
    assert pull(client.connection.body_piece()).result() == b""
    assert client.connection.buffer == b"GET"


@pytest.mark.parametrize("raw", [post(0), GET, chunked() + LAST_CHUNK])
def test_no_body_and_an_empty_body_are_both_over_at_once(raw: bytes) -> None:
    client = a_client(pieces=[raw])
    head_of(client)
    assert pull(client.connection.body_piece()).result() == b""


@pytest.mark.parametrize("raw", [post(11) + b"hello world", chunked() + chunk(b"hello world")])
def test_a_body_over_the_limit_is_too_large_before_it_is_complete(raw: bytes) -> None:
    """B-2."""
    client = a_client(pieces=[raw])
    head_of(client)
    with pytest.raises(BodyTooLarge) as refusal:
        pull(client.connection.whole_body(10)).result()
    assert refusal.value.detail == "the body is larger than max_inspected_body_bytes"


def test_a_body_at_the_limit_is_not() -> None:
    client = a_client(pieces=[post(10) + b"0123456789"])
    head_of(client)
    assert pull(client.connection.whole_body(10)).result() == b"0123456789"


# --- Expect: 100-continue (F-8) ---
EXPECT = b"Expect: 100-continue\r\n"


def test_the_client_is_told_to_go_on_when_its_body_is_asked_for_and_not_before() -> None:
    client = a_client(pieces=[post(2, more=EXPECT)])
    head_of(client)
    assert client.transport.take_written() == b""
    body = pull(client.connection.whole_body(9))
    assert body.waits
    assert client.transport.take_written() == CONTINUE
    client.feed(b"a")
    assert body.waits
    client.feed(b"b")
    assert body.result() == b"ab"
    assert client.transport.take_written() == b""


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([post(2, more=EXPECT), b"a"], id="its body is on the way already"),
        pytest.param([post(0, more=EXPECT)], id="there is no body"),
        pytest.param([GET.replace(b"\r\n\r\n", b"\r\n" + EXPECT + b"\r\n")], id="GET"),
        pytest.param([post(2, more=EXPECT).replace(b"/1.1", b"/1.0")], id="HTTP/1.0"),
    ],
)
def test_a_client_that_need_not_be_told_is_not(pieces: list[bytes]) -> None:
    client = a_client(pieces=pieces)
    head_of(client)
    body = pull(client.connection.body_piece())
    assert isinstance(body.waits, bool)
    assert client.transport.take_written() == b""


def test_the_next_request_is_not_told_to_go_on_for_the_last() -> None:
    client = a_client(pieces=[post(0, more=EXPECT), post(1)])
    head_of(client)
    head_of(client)
    assert pull(client.connection.body_piece()).waits
    assert client.transport.take_written() == b""


# --- skipping what nobody read (F-6, F-8) ---
@pytest.mark.parametrize(
    ("raw", "worth_it"),
    [
        pytest.param(GET, True, id="no body"),
        pytest.param(post(100), True, id="little"),
        pytest.param(post(101), False, id="much"),
        pytest.param(chunked(), False, id="unknown"),
        pytest.param(post(5, more=EXPECT), False, id="perhaps never sent"),
        pytest.param(post(0, more=EXPECT), True, id="nothing to send"),
    ],
)
def test_a_connection_is_worth_keeping_when_little_is_left_to_skip(
    raw: bytes, worth_it: bool
) -> None:
    client = a_client(pieces=[raw], drain_body_bytes=100)
    head_of(client)
    assert client.connection.can_skip_body() is worth_it


def test_a_skipped_body_is_gone_and_the_next_request_is_read() -> None:
    client = a_client(pieces=[post(5), b"he"])
    head_of(client)
    skipping = pull(client.connection.skip_body())
    assert skipping.waits
    client.feed(b"lloGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
    skipping.result()
    assert head_of(client).target == b"/next"


# --- with an eye on the upstream ---
def test_an_upload_ends_when_the_upstream_has_answered() -> None:
    client, upstream = a_client(pieces=[post(5)]), an_upstream()
    head_of(client)
    piece = pull(client.connection.body_piece(upstream.connection))
    assert piece.waits
    upstream.feed(b"HTTP/1.1 413 ")
    assert piece.result() is None


def test_an_upload_ends_when_the_upstream_is_gone() -> None:
    client, upstream = a_client(pieces=[post(5)]), an_upstream()
    head_of(client)
    piece = pull(client.connection.body_piece(upstream.connection))
    assert piece.waits
    upstream.lose(ConnectionResetError())
    assert piece.result() is None


def test_an_upload_goes_on_when_the_upstream_merely_reads() -> None:
    client, upstream = a_client(pieces=[post(5)]), an_upstream()
    head_of(client)
    upstream.connection.pause_writing()
    piece = pull(client.connection.body_piece(upstream.connection))
    upstream.connection.resume_writing()
    assert piece.waits
    client.feed(b"hello")
    assert piece.result() == b"hello"
