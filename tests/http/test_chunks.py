"""Chunked bodies: one reading only, however the bytes happen to arrive."""

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import FramingRejected
from gateway.http.framing import LAST_CHUNK, ChunkDecoder, chunk
from tests.support.strategies import chunked_bodies, cuts, hostile_chunks, in_pieces


def decode(pieces: list[bytes], decoder: ChunkDecoder | None = None) -> tuple[bytes, bytes, bool]:
    """(data, what is left, done) after feeding `pieces` as a socket would."""
    decoder = decoder or ChunkDecoder()
    data = left = b""
    for piece in pieces:
        more, left = decoder.decode(left + piece)
        data += more
    return data, left, decoder.done


def outcome(pieces: list[bytes]) -> tuple[bytes, bytes, bool] | str:
    try:
        return decode(pieces)
    except FramingRejected:
        return "refused"


def singly(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


SIZE = "a chunk size is malformed or has an extension"
LONGER = "a chunk is longer than its size"
TRAILER = "a trailer is malformed"


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"5;a=b\r\nhello\r\n0\r\n\r\n", SIZE),
        (b'5;a="\r\n"\r\nhello\r\n0\r\n\r\n', SIZE),
        (b"5;\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"5 \r\nhello\r\n0\r\n\r\n", SIZE),
        (b" 5\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"5\t\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"0x5\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"+5\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"-5\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"0_5\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"\xd9\xa5\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"g\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"5\nhello\n0\n\n", SIZE),
        (b"5\r\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"5\rhello\r\n0\r\n\r\n", SIZE),
        (b"\r\n5\r\nhello\r\n0\r\n\r\n", SIZE),
        (b"100000000\r\nhello", SIZE),
        (b"10000000000000000\r\nhello", SIZE),
        (b"5\r\nhello\r\n\r\n", SIZE),
        (b"5\r\nhello0\r\n\r\n", LONGER),
        (b"5\r\nhello\n0\r\n\r\n", LONGER),
        (b"4\r\nhello\r\n0\r\n\r\n", LONGER),
        (b"5\r\nhello\r0\r\n\r\n", LONGER),
        (b"0\r\n\n", TRAILER),
        (b"0\r\nA: b\n\r\n", TRAILER),
        (b"0\r\nA : b\r\n\r\n", TRAILER),
        (b"0\r\nA: b\r\n c\r\n\r\n", TRAILER),
        (b"0\r\n: b\r\n\r\n", TRAILER),
        (b"0\r\nGET / HTTP/1.1\r\n\r\n", TRAILER),
        (b"0\r\nA: \x00\r\n\r\n", TRAILER),
        (b"0\r\nA: b\rc\r\n\r\n", TRAILER),
        (b"0\r\n" + b"A: b\r\n" * 1400, "the trailer section is too long"),
        (b"0\r\nA: " + b"b" * 8200, "the trailer section is too long"),
    ],
)
def test_a_chunk_out_of_place_is_refused_however_it_arrives(raw: bytes, detail: str) -> None:
    """F-2, F-3, F-4."""
    for pieces in ([raw], singly(raw)):
        with pytest.raises(FramingRejected) as refusal:
            decode(pieces)
        assert refusal.value.detail == detail


@pytest.mark.parametrize("raw", [b"123456789", b"5 ", b"5;", b"\r\r", b"x", b"5\rx"])
def test_a_size_that_cannot_become_one_is_refused_without_waiting(raw: bytes) -> None:
    with pytest.raises(FramingRejected):
        ChunkDecoder().decode(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"5", b"5\r", b"12345678", b"12345678\r", b"0\r\nX-Long: and s"]
)
def test_what_may_still_become_right_waits(raw: bytes) -> None:
    decoder = ChunkDecoder()
    assert decoder.decode(raw)[0] == b""
    assert not decoder.done


def test_trailers_are_dropped_whatever_they_say() -> None:
    """F-3: not even framing or credentials in a trailer mean anything."""
    raw = (
        b"2\r\nab\r\n0\r\nContent-Length: 99\r\nAuthorization: Bearer a\r\n"
        b"Transfer-Encoding: gzip\r\n\r\nnext"
    )
    assert decode([raw]) == (b"ab", b"next", True)


def test_the_longest_trailer_section_is_a_parameter() -> None:
    assert decode([b"0\r\nA:\r\n\r\n"], ChunkDecoder(max_trailer_bytes=6)) == (b"", b"", True)
    with pytest.raises(FramingRejected, match="trailer section"):
        decode([b"0\r\nA:\r\n\r\n"], ChunkDecoder(max_trailer_bytes=5))


def test_after_its_end_the_decoder_takes_nothing() -> None:
    decoder = ChunkDecoder()
    assert decoder.decode(b"0\r\n\r\nGET") == (b"", b"GET")
    assert decoder.decode(b"GET /") == (b"", b"GET /")


def test_an_encoded_request_inside_a_chunk_is_data() -> None:
    """D0-1."""
    smuggled = b"0\r\n\r\nDELETE /profiles/X HTTP/1.1\r\nHost: h\r\n\r\n"
    assert decode([chunk(smuggled) + LAST_CHUNK]) == (smuggled, b"", True)


@given(pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=6), rest=st.binary(max_size=9))
def test_what_is_encoded_is_decoded_again(pieces: list[bytes], rest: bytes) -> None:
    encoded = b"".join(chunk(piece) for piece in pieces) + LAST_CHUNK
    assert decode([encoded + rest]) == (b"".join(pieces), rest, True)


@given(body=chunked_bodies(), places=cuts, rest=st.binary(max_size=9))
def test_the_same_bytes_give_the_same_body_wherever_they_are_cut(
    body: tuple[bytes, bytes], places: list[int], rest: bytes
) -> None:
    """RFC 9112 section 7.1: sizes of either case and with leading zeros, trailers dropped."""
    data, encoded = body
    raw = encoded + rest
    assert decode([raw]) == (data, rest, True)
    assert decode(singly(raw)) == (data, rest, True)
    assert decode(in_pieces(raw, places)) == (data, rest, True)


@given(raw=hostile_chunks, places=cuts)
@example(raw=b"0\r\n\r", places=[])
def test_any_bytes_end_the_same_way_wherever_they_are_cut(raw: bytes, places: list[int]) -> None:
    """Nothing but FramingRejected is ever raised, and it does not depend on segmentation."""
    whole = outcome([raw])
    assert outcome(singly(raw)) == whole
    assert outcome(in_pieces(raw, places)) == whole


class Llhttp:
    """A second reader of the same chunks."""

    def __init__(self) -> None:
        self.data = b""
        self.complete = False
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.feed = parser.feed_data

    def on_body(self, piece: bytes) -> None:
        self.data += piece

    def on_message_complete(self) -> None:
        self.complete = True


@given(raw=hostile_chunks | chunked_bodies().map(lambda body: body[1]))
def test_what_is_accepted_here_llhttp_reads_alike(raw: bytes) -> None:
    """The decoder is a subset of llhttp. One exception is drawn by nobody: llhttp refuses trailers
    that speak of framing, which are dropped here like all others (F-3).
    """
    try:
        data, left, done = decode([raw])
    except FramingRejected:
        return
    second = Llhttp()
    second.feed(raw[: len(raw) - len(left)])
    assert (second.data, second.complete) == (data, done)
