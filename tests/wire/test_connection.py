"""A socket that collects and a reader that pulls: buffers, waiting, back-pressure, deadlines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import FramingRejected
from gateway.http.framing import LAST_CHUNK, BodyKind, chunk
from gateway.wire.connection import Connection
from gateway.wire.outbox import Outbox
from gateway.wire.watch import NEVER
from tests.support.strategies import cuts, in_pieces
from tests.support.wire import Side, pull

MARK = 64 * 1024


def a_side() -> Side[Connection]:
    return Side(Connection, None)


# --- collecting -------------------------------------------------------------------------------


def test_bytes_lie_in_order_until_they_are_taken() -> None:
    side = a_side()
    side.feed(b"abc", b"def")
    connection = side.connection
    assert (connection.buffer, connection.bytes_in) == (b"abcdef", 6)
    assert connection.take(4) == b"abcd"
    assert connection.take(4) == b"ef"
    assert connection.take(4) == b""
    assert connection.bytes_in == 6


def test_what_is_written_is_counted() -> None:
    side = a_side()
    side.connection.write(b"abc")
    side.connection.write(b"d")
    assert (side.transport.written, side.connection.bytes_out) == (b"abcd", 4)


def test_the_end_of_the_stream_is_not_the_end_of_the_connection() -> None:
    side = a_side()
    side.end()
    assert side.connection.ended
    assert not side.connection.lost
    side.connection.write(b"still")


def test_a_lost_connection_has_ended_and_is_no_longer_watched() -> None:
    side = a_side()
    side.lose(ConnectionResetError())
    assert side.connection.ended
    assert side.connection.lost
    assert len(side.watch) == 0


# --- back-pressure ----------------------------------------------------------------------------


def test_a_peer_that_sends_faster_than_it_is_read_is_made_to_wait() -> None:
    side = a_side()
    side.feed(b"x" * MARK)
    assert side.transport.reading
    side.feed(b"x")
    assert not side.transport.reading
    side.connection.take(1)
    assert side.transport.reading
    assert side.transport.calls == ["pause", "resume"]


def test_bytes_that_were_on_the_way_when_reading_paused_are_kept() -> None:
    side = a_side()
    side.feed(b"x" * (MARK + 1))
    side.connection.data_received(b"y" * 10)
    assert len(side.connection.buffer) == MARK + 11
    assert side.transport.calls == ["pause"]
    side.connection.take(5)
    assert not side.transport.reading
    side.connection.take(6)
    assert side.transport.reading


def test_a_lost_peer_is_not_read_from_again() -> None:
    side = a_side()
    side.feed(b"x" * (MARK + 1))
    side.lose()
    assert len(side.connection.take(MARK + 1)) == MARK + 1
    assert side.transport.calls == ["pause"]


def test_a_peer_that_does_not_read_is_seen_and_its_relief_wakes() -> None:
    side = a_side()
    side.connection.pause_writing()
    assert side.connection.blocked
    waiting = pull(side.connection.wait())
    assert waiting.waits
    side.connection.resume_writing()
    assert not side.connection.blocked
    assert not waiting.waits


# --- waiting ----------------------------------------------------------------------------------

HAPPENINGS = {
    "bytes": lambda side: side.feed(b"x"),
    "the end": lambda side: side.end(),
    "loss": lambda side: side.lose(),
    "relief": lambda side: side.connection.resume_writing(),
    "expiry": lambda side: side.connection.expire(),
}


@pytest.mark.parametrize("happening", HAPPENINGS)
@pytest.mark.parametrize("other", [False, True], ids=["here", "there"])
def test_whatever_happens_wakes_whoever_waits(happening: str, other: bool) -> None:
    here, there = a_side(), a_side()
    waiting = pull(here.connection.wait(there.connection))
    assert waiting.waits
    HAPPENINGS[happening](there if other else here)
    assert not waiting.waits


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_what_happens_while_nobody_waits_is_there_to_be_seen(happening: str) -> None:
    side = a_side()
    HAPPENINGS[happening](side)
    assert pull(side.connection.wait()).waits


def test_two_happenings_wake_once() -> None:
    """Both sides of a pair may stir in one turn of the loop."""
    here, there = a_side(), a_side()
    waiting = pull(here.connection.wait(there.connection))
    here.feed(b"a", b"b")
    there.feed(b"c")
    here.end()
    assert not waiting.waits


def test_after_waiting_for_two_neither_remembers() -> None:
    here, there = a_side(), a_side()
    waiting = pull(here.connection.wait(there.connection))
    here.feed(b"a")
    assert not waiting.waits
    later = pull(here.connection.wait())
    there.feed(b"b")
    assert later.waits


def test_who_was_cancelled_while_waiting_leaves_nothing_behind() -> None:
    here, there = a_side(), a_side()
    waiting = pull(here.connection.wait(there.connection))
    waiting.cancel()
    assert not waiting.waits
    here.feed(b"a")
    there.feed(b"b")
    assert (here.connection.buffer, there.connection.buffer) == (b"a", b"b")


# --- deadlines --------------------------------------------------------------------------------


def test_a_deadline_is_set_from_now_and_taken_away_again() -> None:
    side = a_side()
    assert side.connection.deadline == NEVER
    side.connection.within(5)
    assert side.connection.deadline == side.loop.time() + 5
    side.connection.at_leisure()
    side.advance(10)
    assert not side.connection.expired


# --- the end ----------------------------------------------------------------------------------


def test_a_connection_can_be_dropped_at_once_and_only_once_it_is_one() -> None:
    side = a_side()
    side.connection.abort()
    assert side.transport.calls == ["abort"]
    side.lose()
    side.connection.abort()
    assert side.transport.calls == ["abort"]
    Connection(side.loop, side.watch, Outbox(side.loop)).abort()


# --- bodies -----------------------------------------------------------------------------------

KINDS = {
    BodyKind.LENGTH: lambda data: data,
    BodyKind.CLOSE: lambda data: data,
    BodyKind.CHUNKED: lambda data: chunk(data) + LAST_CHUNK,
}


@given(
    kind=st.sampled_from(sorted(KINDS, key=str)),
    data=st.binary(min_size=1, max_size=99),
    places=cuts,
)
def test_a_body_of_any_kind_comes_out_as_it_went_in(
    kind: BodyKind, data: bytes, places: list[int]
) -> None:
    side = a_side()
    side.connection.begin_body(kind, len(data))
    assert not side.connection.body_taken
    taken = b""
    for piece in in_pieces(KINDS[kind](data), places):
        side.feed(piece)
        taken += side.connection.take_body() or b""
    side.end()
    assert side.connection.take_body() == b""
    assert side.connection.body_taken
    assert taken == data


def test_no_body_is_over_at_once() -> None:
    side = a_side()
    side.feed(b"next")
    side.connection.begin_body(BodyKind.NONE, None)
    assert side.connection.body_taken
    assert side.connection.take_body() == b""
    assert side.connection.buffer == b"next"


@pytest.mark.parametrize("kind", [BodyKind.LENGTH, BodyKind.CHUNKED])
def test_a_body_that_stops_short_is_not_over(kind: BodyKind) -> None:
    """F-10, B-3: the end of the stream is not the end of a body that has an end of its own."""
    side = a_side()
    side.connection.begin_body(kind, 9)
    side.feed(chunk(b"abc") if kind is BodyKind.CHUNKED else b"abc")
    assert side.connection.take_body() == b"abc"
    side.end()
    assert side.connection.take_body() is None
    assert not side.connection.body_taken


def test_what_follows_a_body_is_left_alone() -> None:
    side = a_side()
    side.connection.begin_body(BodyKind.LENGTH, 3)
    side.feed(b"abcdef")
    assert side.connection.take_body() == b"abc"
    assert side.connection.take_body() == b""
    assert side.connection.buffer == b"def"


def test_a_piece_of_framing_is_no_data_yet() -> None:
    side = a_side()
    side.connection.begin_body(BodyKind.CHUNKED, None)
    side.feed(b"3\r")
    assert side.connection.take_body() is None
    side.feed(b"\nabc")
    assert side.connection.take_body() == b"abc"


def test_a_malformed_chunk_is_refused() -> None:
    side = a_side()
    side.connection.begin_body(BodyKind.CHUNKED, None)
    side.feed(b"zz\r\n")
    with pytest.raises(FramingRejected, match="chunk size"):
        side.connection.take_body()
