"""Lines on their way into a sink that takes what it likes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.record import encode
from gateway.audit.spool import Spool
from tests.support.audit import FakeSink, a_record, ids_of

RECORDS = [a_record(f"r-{number}") for number in range(5)]
LINE = len(encode(RECORDS[:1]))


def test_a_batch_is_one_write_of_whole_lines() -> None:
    sink = FakeSink()
    spool = Spool(sink)

    spool.add(RECORDS)
    spool.drain()

    assert sink.writes == [encode(RECORDS)]


@given(st.lists(st.integers(1, LINE * 2), max_size=40))
def test_a_sink_may_take_any_part_at_a_time(parts: list[int]) -> None:
    sink = FakeSink(*parts)
    spool = Spool(sink)

    spool.add(RECORDS)
    spool.drain()

    assert bytes(sink.taken) == encode(RECORDS)


def test_after_a_failure_in_mid_line_the_rest_follows_from_the_very_byte() -> None:
    sink = FakeSink(LINE + 10, OSError(28, "No space left on device"))
    spool = Spool(sink)
    spool.add(RECORDS)

    with pytest.raises(OSError, match="No space"):
        spool.drain()
    assert len(sink.taken) == LINE + 10
    spool.drain()

    assert bytes(sink.taken) == encode(RECORDS)


def test_a_sink_that_takes_nothing_is_broken_and_not_asked_for_ever() -> None:
    spool = Spool(FakeSink(0))
    spool.add(RECORDS)

    with pytest.raises(OSError, match="took nothing"):
        spool.drain()


def test_a_torn_line_starts_over_in_the_file_after_a_rotation() -> None:
    sink = FakeSink(LINE + 10, OSError(28, "No space left on device"))
    sink.moves = True
    spool = Spool(sink)
    spool.add(RECORDS)
    with pytest.raises(OSError, match="No space"):
        spool.drain()
    sink.taken.clear()

    spool.reopen()
    spool.drain()

    assert ids_of(bytes(sink.taken)) == ["r-1", "r-2", "r-3", "r-4"]


def test_a_rotation_that_leads_to_the_same_file_repeats_nothing() -> None:
    sink = FakeSink(LINE + 10, OSError(28, "No space left on device"))
    spool = Spool(sink)
    spool.add(RECORDS)
    with pytest.raises(OSError, match="No space"):
        spool.drain()

    spool.reopen()
    spool.drain()

    assert sink.ids == ["r-0", "r-1", "r-2", "r-3", "r-4"]


def test_records_added_behind_unwritten_ones_keep_their_order() -> None:
    sink = FakeSink(OSError(5, "Input/output error"))
    spool = Spool(sink)
    spool.add(RECORDS[:2])
    with pytest.raises(OSError, match="Input/output"):
        spool.drain()

    spool.add(RECORDS[2:])
    spool.drain()

    assert sink.ids == ["r-0", "r-1", "r-2", "r-3", "r-4"]
