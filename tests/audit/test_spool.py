"""Lines on their way into a sink that takes what it likes."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.journal import Journal
from gateway.audit.record import encode
from gateway.audit.spool import Spool
from tests.support.audit import FakeSink, a_record, ids_of, without_fragments

RECORDS = [a_record(f"r-{number}") for number in range(5)]
IDS = [record.id for record in RECORDS]
LINE = len(encode(RECORDS[:1]))


def disk_full() -> OSError:
    return OSError(28, "No space left on device")


@pytest.fixture
def journal() -> Iterator[Journal]:
    journal = Journal.create(64 * 1024)
    yield journal
    journal.close()


def drained(journal: Journal, sink: FakeSink) -> int:
    """Tried again for as long as the sink fails; how many lines were written the last time."""
    journal.commit(encode(RECORDS), ())
    while True:
        try:
            return Spool(journal, sink).drain(journal.written)
        except OSError:
            continue


def test_a_batch_is_one_write_of_whole_lines(journal: Journal) -> None:
    sink = FakeSink()

    assert drained(journal, sink) == 5

    assert sink.writes == [encode(RECORDS)]
    assert journal.unread_bytes == 0


def test_a_batch_that_is_too_long_for_one_write_is_cut_between_lines(journal: Journal) -> None:
    sink = FakeSink()
    sink.most_bytes = 2 * LINE + 10

    assert drained(journal, sink) == 5

    assert [ids_of(write) for write in sink.writes] == [IDS[:2], IDS[2:4], IDS[4:]]


def test_a_line_that_is_too_long_for_one_write_is_a_write_of_its_own(journal: Journal) -> None:
    sink = FakeSink()
    sink.most_bytes = LINE // 2

    drained(journal, sink)

    assert [ids_of(write) for write in sink.writes] == [[id_] for id_ in IDS]


def test_nothing_behind_the_given_position_is_written(journal: Journal) -> None:
    sink = FakeSink()
    journal.commit(encode(RECORDS[:2]), ())
    stop = journal.written
    journal.commit(encode(RECORDS[2:]), ())

    assert Spool(journal, sink).drain(stop) == 2

    assert sink.ids == IDS[:2]


def test_wherever_a_write_stops_each_line_is_whole_once() -> None:
    for taken in range(1, 2 * LINE + 2):
        sink, journal = FakeSink(taken, disk_full()), Journal.create(6 * 1024)

        drained(journal, sink)

        assert ids_of(without_fragments(bytes(sink.taken))) == IDS, taken
        journal.close()


@given(parts=st.lists(st.integers(1, LINE * 2), max_size=20))
def test_a_sink_may_take_any_part_at_a_time(parts: list[int]) -> None:
    sink, journal = FakeSink(*parts), Journal.create(64 * 1024)

    drained(journal, sink)

    assert ids_of(without_fragments(bytes(sink.taken))) == IDS
    journal.close()


def test_a_torn_line_begins_anew_and_not_behind_what_others_wrote(journal: Journal) -> None:
    sink = FakeSink(LINE + 10, disk_full())
    journal.commit(encode(RECORDS), ())
    with pytest.raises(OSError, match="No space"):
        Spool(journal, sink).drain(journal.written)
    sink.begin()
    sink.taken += encode([a_record("another-process")])
    sink.end()

    Spool(journal, sink).drain(journal.written)

    content = bytes(sink.taken)
    assert content[LINE : LINE + 11] == encode(RECORDS[1:2])[:10] + b"\n"
    assert ids_of(without_fragments(content)) == ["r-0", "another-process", *IDS[1:]]


@pytest.mark.parametrize("taken", [0, 1])
def test_a_sink_that_takes_hardly_anything_is_broken_and_not_asked_for_ever(
    taken: int, journal: Journal
) -> None:
    journal.commit(encode(RECORDS), ())

    with pytest.raises(OSError, match="less than a line"):
        Spool(journal, FakeSink(taken)).drain(journal.written)


def test_a_write_that_fails_ends_nevertheless(journal: Journal) -> None:
    sink = FakeSink(disk_full())
    journal.commit(encode(RECORDS), ())
    with pytest.raises(OSError, match="No space"):
        Spool(journal, sink).drain(journal.written)

    assert not sink.busy  # or nobody else could write to that file


def test_a_rotation_is_followed_with_whole_lines_only(journal: Journal) -> None:
    sink = FakeSink(LINE + 10, disk_full())
    spool = Spool(journal, sink)
    journal.commit(encode(RECORDS), ())
    with pytest.raises(OSError, match="No space"):
        spool.drain(journal.written)

    spool.reopen()
    sink.taken.clear()  # another file
    spool.drain(journal.written)

    assert sink.reopened == 1
    assert sink.ids == IDS[1:]
