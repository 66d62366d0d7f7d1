"""The queue between the requests and the sink: nothing is lost, nothing waits, nothing grows."""

import asyncio
import errno
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit import AuditWriter, FileSink, Journal, Record, Sink
from gateway.audit.journal import LINE_BYTES
from gateway.audit.record import encode
from gateway.errors import AuditUnavailable
from gateway.wire.outbox import Outbox
from policy import Missing
from tests.support.audit import FakeSink, a_record, ids_of, record_all, until, without_fragments
from tests.support.wire import FakeTransport

NEVER = 3_600.0

PLACE = 3 * 1024
"""What one request under way takes of the queue, its note and the room for its line."""


class AsTheyAre:
    """These tests hand over records; the gateway hands over exchanges."""

    def note(self, record: Record) -> bytes:
        return record.id.encode()

    def line(self, record: Record) -> bytes:
        return encode([record])


RECORDS = AsTheyAre()


def disk_full() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


@asynccontextmanager
async def started(sink: Sink, **options: Any) -> AsyncIterator[AuditWriter]:
    """A writer in a hurry, closed at the end without patience."""
    hurry = {"flush_seconds": 0.001, "retry_seconds": 0.001}
    writer = AuditWriter(sink, RECORDS, **(hurry | options))
    await writer.start()
    try:
        yield writer
    finally:
        await writer.close(patience_seconds=0)


def some(count: int, name: str = "r") -> list[Any]:
    return [a_record(f"{name}-{number}") for number in range(count)]


# Writing


async def test_a_line_that_was_reserved_and_written_reaches_the_sink() -> None:
    sink = FakeSink()
    async with started(sink) as writer:
        record_all(writer, some(1))
        await until(lambda: writer.lines_written == 1)

    assert sink.ids == ["r-0"]


async def test_the_lines_of_one_interval_change_hands_together_and_in_order() -> None:
    sink = FakeSink()
    async with started(sink) as writer:
        record_all(writer, some(200))
        await until(lambda: writer.lines_written == 200)

    assert len(sink.writes) == 1
    assert sink.ids == [f"r-{number}" for number in range(200)]


async def test_a_long_queue_is_written_in_pieces() -> None:
    sink = FakeSink()
    async with started(sink) as writer:
        record_all(writer, some(4_200))
        await until(lambda: writer.lines_written == 4_200)

    assert [len(write) <= sink.most_bytes for write in sink.writes] == [True, True]
    assert sink.ids == [f"r-{number}" for number in range(4_200)]


async def test_a_queue_that_is_half_full_does_not_wait_for_the_interval() -> None:
    sink = FakeSink()
    async with started(sink, flush_seconds=NEVER, queue_bytes=4 * PLACE) as writer:
        record_all(writer, some(1))
        writer.commit()
        while writer._carrier._timer is not None:
            record_all(writer, some(1))
            writer.commit()
        count = writer.queue_length
        await until(lambda: writer.lines_written == count)

    half = 4 * LINE_BYTES // 2
    assert half < len(sink.taken) < half + 1_000


async def test_an_idle_writer_keeps_no_timer() -> None:
    async with started(FakeSink()) as writer:
        assert writer._carrier._timer is None
        record_all(writer, some(1))
        await until(lambda: writer.lines_written == 1)

        assert writer._carrier._timer is None


async def test_a_sink_that_blocks_does_not_block_the_loop() -> None:
    gate = threading.Event()
    sink = FakeSink(gate)
    async with started(sink) as writer:
        record_all(writer, some(1))
        await until(lambda: not sink.script)
        record_all(writer, some(3, "later"))
        assert writer.queue_length == 4
        assert sink.ids == []

        gate.set()
        await until(lambda: writer.lines_written == 4)

    assert sink.ids == ["r-0", "later-0", "later-1", "later-2"]


# The journal


def left_in(journal: Journal) -> list[str]:
    """The ids in the ring, in front of those in the slots."""
    lines = ids_of(journal.unread(1 << 20, journal.written)) if journal.unread_bytes else []
    return lines + [note.decode() for _, note in journal.open_slots()]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def journal() -> Iterator[Journal]:
    journal = Journal.create(8 * PLACE)
    yield journal
    for thread in threading.enumerate():
        if thread.name == "audit":  # a writer that lost its patience left it at its work
            thread.join(30)
    journal.close()


async def test_what_was_written_in_a_turn_is_in_the_journal_at_its_end(journal: Journal) -> None:
    async with started(FakeSink(), journal=journal, flush_seconds=NEVER) as writer:
        record_all(writer, some(3))
        assert left_in(journal) == []
        await asyncio.sleep(0)

        assert left_in(journal) == ["r-0", "r-1", "r-2"]
        assert journal.read == 0


async def test_it_is_there_sooner_if_somebody_asks_and_not_twice(journal: Journal) -> None:
    async with started(FakeSink(), journal=journal, flush_seconds=NEVER) as writer:
        record_all(writer, some(3))
        writer.commit()
        assert left_in(journal) == ["r-0", "r-1", "r-2"]

        await asyncio.sleep(0)
        assert left_in(journal) == ["r-0", "r-1", "r-2"]


async def test_it_is_left_to_an_outbox_that_will_ask_for_it(journal: Journal) -> None:
    writer = AuditWriter(FakeSink(), RECORDS, journal=journal, flush_seconds=NEVER)
    outbox = Outbox(asyncio.get_running_loop(), before=writer.commit)
    await writer.start(outbox)
    transport = FakeTransport()
    written_before: list[list[str]] = []
    transport.write = lambda _: written_before.append(left_in(journal))
    outbox.put(transport, b"a reply")
    record_all(writer, some(2))
    await asyncio.sleep(0)
    assert written_before == [["r-0", "r-1"]]

    record_all(writer, some(1, "nobody-was-answered"))
    await asyncio.sleep(0)
    assert left_in(journal) == ["r-0", "r-1", "nobody-was-answered-0"]
    await writer.close()


async def test_a_request_is_noted_until_its_line_is_there(journal: Journal) -> None:
    async with started(FakeSink(), journal=journal, flush_seconds=NEVER) as writer:
        first, second = some(2)
        for record in (first, second):
            writer.reserve()
            writer.note(record)
        assert sorted(left_in(journal)) == ["r-0", "r-1"]
        writer.write(first)
        assert sorted(left_in(journal)) == ["r-0", "r-1"]
        writer.commit()

        assert left_in(journal) == ["r-0", "r-1"]
        assert [note for _, note in journal.open_slots()] == [b"r-1"]
        writer.write(second)


async def test_slots_are_used_again_and_again(journal: Journal) -> None:
    async with started(FakeSink(), journal=journal) as writer:
        for round_ in range(50):
            records = some(journal.places, f"r-{round_}")
            for record in records:
                writer.reserve()
                writer.note(record)
            assert len(journal.open_slots()) == journal.places
            for record in records:
                writer.write(record)
            await until(lambda: writer.queue_length == 0)
        assert journal.open_slots() == []


async def test_a_note_that_cannot_be_made_does_not_stop_the_request(
    journal: Journal, log: list[dict[str, Any]]
) -> None:
    async with started(FakeSink(), journal=journal) as writer:
        writer.reserve()
        writer.note(a_record("a\udcff"))  # cannot be encoded by the maker of notes above
        writer.write(a_record("a"))
        await until(lambda: writer.lines_written == 1)

    assert log[0]["event"] == "a request could not be noted before it was forwarded"


async def test_what_a_broken_sink_has_not_taken_is_left_in_a_journal_that_was_given(
    journal: Journal, log: list[dict[str, Any]]
) -> None:
    sink = FakeSink()
    sink.refuses_for_ever = True
    async with started(sink, journal=journal) as writer:
        record_all(writer, some(2))
        await until(lambda: not writer.check()[0])
        await writer.close(patience_seconds=0)
        writer.write(a_record("late"))
        await asyncio.sleep(0)

    assert left_in(journal) == ["r-0", "r-1", "late"]
    assert writer.lines_failed == 0
    assert (log[-1]["event"], log[-1]["lines"]) == ("audit lines are left in the journal", 2)


@pytest.mark.parametrize("what", ["line", "note"])
async def test_a_journal_that_holds_what_others_left_is_not_begun_with(
    what: str, journal: Journal
) -> None:
    if what == "line":
        journal.commit(b"line\n", ())
    else:
        journal.note(journal.slot(0), b"note")
    sink = FakeSink()

    with pytest.raises(AuditUnavailable, match="recover what is in it first"):
        await AuditWriter(sink, RECORDS, journal=journal).start()
    assert sink.opened == 0


async def test_a_writer_without_a_journal_makes_one_and_closes_it() -> None:
    before = descriptors()
    async with started(FakeSink()) as writer:
        record_all(writer, some(1))
        assert descriptors() > before
        await writer.close()

    assert descriptors() == before


# Lines that are not like the others


def longer(id_: str, count: int) -> Record:
    """A line with `count` permissions of 100 bytes."""
    return a_record(id_, missing=Missing(all_of=tuple(f"{n:0>97}" for n in range(count))))


async def test_a_line_longer_than_its_place_takes_from_what_is_free(journal: Journal) -> None:
    async with started(FakeSink(), journal=journal, flush_seconds=NEVER) as writer:
        free = writer._free
        record_all(writer, [a_record("r-0"), longer("r-1", 60), a_record("r-2")])
        writer.commit()

        assert left_in(journal) == ["r-0", "r-1", "r-2"]
        assert writer._free == free - journal.unread_bytes


async def test_a_long_line_waits_for_room_and_goes_before_new_reservations(
    journal: Journal,
) -> None:
    gate = threading.Event()
    sink = FakeSink(gate)
    async with started(sink, journal=journal) as writer:
        record_all(writer, [longer("r-0", 100)])  # 10 of 16 KiB
        await until(lambda: not sink.script)
        for record in (long_one := longer("r-1", 100), short_one := a_record("r-2")):
            writer.reserve()
            writer.note(record)
        writer.write(long_one)
        writer.write(short_one)
        writer.commit()

        assert left_in(journal) == ["r-0", "r-2", "r-1"]  # the last one as a note
        assert writer.queue_length == 3
        with pytest.raises(AuditUnavailable, match="is full"):
            writer.reserve()

        gate.set()
        await until(lambda: writer.lines_written == 3)
        assert writer._free == journal.places * LINE_BYTES
        assert left_in(journal) == []

    assert sink.ids == ["r-0", "r-2", "r-1"]


async def test_more_long_lines_than_the_queue_can_hold_come_one_after_the_other(
    journal: Journal,
) -> None:
    sink = FakeSink()
    async with started(sink, journal=journal) as writer:
        record_all(writer, [longer(f"r-{number}", 150) for number in range(8)])
        await until(lambda: writer.lines_written == 8)

        assert writer._free == journal.places * LINE_BYTES

    assert sink.ids == [f"r-{number}" for number in range(8)]


async def test_a_request_that_cannot_be_composed_costs_the_others_nothing(
    journal: Journal, log: list[dict[str, Any]]
) -> None:
    class Faulty(AsTheyAre):
        def line(self, record: Record) -> bytes:
            if record.id == "r-1":
                raise ValueError("a defect")
            return super().line(record)

    sink = FakeSink()
    writer = AuditWriter(sink, Faulty(), journal=journal, flush_seconds=0.001)
    await writer.start()
    for record in (records := some(3)):
        writer.reserve()
        writer.note(record)
    for record in records:
        writer.write(record)
    await until(lambda: writer.lines_written == 2)

    assert sink.ids == ["r-0", "r-2"]
    assert (writer.lines_failed, writer.queue_length) == (1, 0)
    assert journal.open_slots() == []
    assert writer._free == journal.places * LINE_BYTES
    assert log[0]["event"] == "audit line lost: it could not be composed"
    await writer.close()


# Back-pressure


async def test_no_place_is_given_out_twice() -> None:
    async with started(FakeSink(), queue_bytes=2 * PLACE, flush_seconds=NEVER) as writer:
        writer.reserve()
        writer.reserve()

        with pytest.raises(AuditUnavailable, match="the queue of 6144 bytes is full"):
            writer.reserve()


async def test_a_place_becomes_free_only_when_its_line_is_in_the_sink() -> None:
    gate = threading.Event()
    async with started(FakeSink(gate), queue_bytes=PLACE) as writer:
        record_all(writer, some(1))
        writer.commit()
        with pytest.raises(AuditUnavailable):
            writer.reserve()

        gate.set()
        await until(lambda: writer.lines_written == 1)
        writer.reserve()


async def test_a_line_gives_back_what_it_did_not_need_of_its_place() -> None:
    async with started(FakeSink(), queue_bytes=2 * PLACE, flush_seconds=NEVER) as writer:
        record_all(writer, some(2))
        writer.commit()

        writer.reserve()
        with pytest.raises(AuditUnavailable):
            writer.reserve()


async def test_nothing_can_be_reserved_before_the_start() -> None:
    with pytest.raises(AuditUnavailable, match="not started"):
        AuditWriter(FakeSink(), RECORDS).reserve()


# Trouble


@pytest.mark.parametrize(
    "failure",
    [disk_full(), BrokenPipeError(32, "Broken pipe"), ValueError("a defect in the sink")],
    ids=lambda failure: type(failure).__name__,
)
async def test_lines_are_kept_through_a_failure_and_written_once(failure: Exception) -> None:
    sink = FakeSink(failure, failure, failure)
    async with started(sink) as writer:
        record_all(writer, some(3))
        await until(lambda: not writer.check()[0])
        record_all(writer, some(3, "later"))
        await until(lambda: writer.lines_written == 6)

        assert writer.check() == (True, "0 lines waiting")
        assert writer.lines_failed == 0

    assert sink.ids == ["r-0", "r-1", "r-2", "later-0", "later-1", "later-2"]


async def test_requests_go_on_while_the_sink_is_broken_until_the_queue_is_full() -> None:
    sink = FakeSink()
    sink.refuses_for_ever = True
    async with started(sink, queue_bytes=3 * PLACE) as writer:
        record_all(writer, some(1))
        await until(lambda: not writer.check()[0])
        carried_out = 1
        while writer._free >= LINE_BYTES:
            record_all(writer, some(1, f"later-{carried_out}"))
            writer.commit()
            carried_out += 1
        with pytest.raises(AuditUnavailable, match="No space left on device"):
            writer.reserve()

        sink.refuses_for_ever = False
        await until(lambda: writer.lines_written == carried_out)
        writer.reserve()

    assert carried_out > 5
    assert sink.ids == ["r-0", *(f"later-{number}-0" for number in range(1, carried_out))]


async def test_a_broken_sink_is_tried_less_and_less_often() -> None:
    sink = FakeSink()
    sink.refuses_for_ever = True
    async with started(sink, retry_seconds=0.000_1, max_retry_seconds=0.000_5) as writer:
        record_all(writer, some(1))
        delays = set()

        def slowed_down() -> bool:
            delays.add(writer._carrier.next_retry_seconds)
            return writer._carrier.next_retry_seconds == 0.000_5

        await until(slowed_down)
        assert delays <= {0.000_1, 0.000_2, 0.000_4, 0.000_5}

        sink.refuses_for_ever = False
        await until(lambda: writer.lines_written == 1)
        assert writer._carrier.next_retry_seconds == 0.000_1


async def test_trouble_and_its_end_are_told_once_each(log: list[dict[str, Any]]) -> None:
    sink = FakeSink(disk_full(), disk_full(), disk_full())
    async with started(sink) as writer:
        record_all(writer, some(1))
        await until(lambda: writer.lines_written == 1)

    assert [entry["event"] for entry in log] == [
        "audit lines cannot be written, they are kept",
        "audit lines are written again",
    ]
    assert "No space left" in log[0]["why"]


async def test_readiness_says_what_is_wrong() -> None:
    sink = FakeSink()
    sink.refuses_for_ever = True
    async with started(sink) as writer:
        assert writer.check() == (True, "0 lines waiting")
        record_all(writer, some(1))
        await until(lambda: not writer.check()[0])

        assert writer.check()[1].endswith("No space left on device; 1 lines waiting")


async def test_readiness_says_when_every_place_is_taken() -> None:
    async with started(FakeSink(), queue_bytes=PLACE, flush_seconds=NEVER) as writer:
        writer.reserve()

        assert writer.check() == (False, "the queue of 3072 bytes is full")


# The end


async def test_closing_writes_what_waits_without_waiting_for_the_interval() -> None:
    sink = FakeSink()
    async with started(sink, flush_seconds=NEVER) as writer:
        record_all(writer, some(3_000))
        await writer.close()

    assert sink.ids == [f"r-{number}" for number in range(3_000)]
    assert sink.closed == 1


async def test_closing_tries_a_broken_sink_again_at_once() -> None:
    sink = FakeSink(disk_full())
    async with started(sink, retry_seconds=NEVER) as writer:
        record_all(writer, some(2))
        await until(lambda: not writer.check()[0])
        await writer.close()

    assert sink.ids == ["r-0", "r-1"]
    assert writer.lines_failed == 0


async def test_closing_does_not_try_less_and_less_often() -> None:
    sink = FakeSink(*(disk_full() for _ in range(40)))
    async with started(sink, retry_seconds=0.000_01, max_retry_seconds=NEVER) as writer:
        record_all(writer, some(2))
        await writer.close()

    assert sink.ids == ["r-0", "r-1"]
    assert writer.lines_failed == 0


async def test_closing_loses_patience_with_a_sink_that_stays_broken_and_counts_the_lines(
    log: list[dict[str, Any]],
) -> None:
    sink = FakeSink()
    sink.refuses_for_ever = True
    async with started(sink) as writer:
        record_all(writer, some(2))
        await until(lambda: not writer.check()[0])
        record_all(writer, some(1, "later"))
        await writer.close(patience_seconds=0)

    assert writer.lines_failed == 3
    assert (log[-1]["event"], log[-1]["lines"]) == ("audit lines lost at shutdown", 3)


async def test_closing_does_not_hang_on_a_sink_that_blocks() -> None:
    gate = threading.Event()
    sink = FakeSink(gate)
    async with started(sink) as writer:
        record_all(writer, some(1))
        await until(lambda: not sink.script)
        await writer.close(patience_seconds=0)

    assert writer.lines_failed == 1
    gate.set()
    await until(lambda: bool(sink.closed))
    assert writer.lines_written == 0


async def test_a_line_reserved_before_the_close_and_written_during_it_is_not_lost() -> None:
    gate = threading.Event()
    sink = FakeSink(gate)
    async with started(sink) as writer:
        writer.reserve()
        record_all(writer, some(1))
        await until(lambda: not sink.script)
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.close())
            await until(lambda: writer._closing)
            writer.write(a_record("late"))
            gate.set()

    assert sink.ids == ["r-0", "late"]


async def test_a_line_that_comes_after_the_close_is_counted_as_failed() -> None:
    async with started(FakeSink()) as writer:
        writer.reserve()
        await writer.close()
        writer.write(a_record())
        await asyncio.sleep(0)

    assert writer.lines_failed == 1


async def test_nothing_can_be_reserved_once_closing_began() -> None:
    async with started(FakeSink()) as writer:
        await writer.close()

        with pytest.raises(AuditUnavailable, match="closed"):
            writer.reserve()


async def test_closing_twice_and_closing_unstarted_are_harmless() -> None:
    sink = FakeSink()
    await AuditWriter(sink, RECORDS).close()
    async with started(sink) as writer:
        await writer.close()
        await writer.close()

    assert sink.closed == 1


async def test_a_file_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    writer = AuditWriter(FileSink(tmp_path / "nowhere" / "audit.jsonl"), RECORDS)

    with pytest.raises(AuditUnavailable, match="No such file"):
        await writer.start()


# Rotation


async def test_lines_after_a_rotation_are_in_the_new_file_and_none_is_in_both(
    tmp_path: Path,
) -> None:
    path = tmp_path / "audit.jsonl"
    async with started(FileSink(path)) as writer:
        record_all(writer, some(3))
        await until(lambda: writer.lines_written == 3)
        path.rename(tmp_path / "audit.jsonl.1")
        writer.reopen()
        record_all(writer, some(2, "later"))
        await writer.close()

    assert ids_of((tmp_path / "audit.jsonl.1").read_bytes()) == ["r-0", "r-1", "r-2"]
    assert ids_of(path.read_bytes()) == ["later-0", "later-1"]


async def test_a_rotation_has_a_broken_sink_tried_again_at_once() -> None:
    sink = FakeSink(disk_full())
    async with started(sink, retry_seconds=NEVER) as writer:
        record_all(writer, some(1))
        await until(lambda: not writer.check()[0])
        writer.reopen()
        await until(lambda: writer.lines_written == 1)

    assert sink.reopened == 1
    assert sink.ids == ["r-0"]


async def test_a_rotation_that_fails_keeps_the_old_file_and_says_so(
    tmp_path: Path, log: list[dict[str, Any]]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    async with started(FileSink(folder / "audit.jsonl")) as writer:
        folder.rename(tmp_path / "elsewhere")
        writer.reopen()
        record_all(writer, some(1))
        await writer.close()

    assert ids_of((tmp_path / "elsewhere" / "audit.jsonl").read_bytes()) == ["r-0"]
    assert log[0]["event"] == "audit file not reopened, the old one is kept"


# Many at once


class Script:
    """Steps of a sink that is never well for long."""

    steps = st.lists(
        st.one_of(st.integers(1, 2_000), st.builds(disk_full), st.builds(BlockingIOError)),
        max_size=30,
    )


async def _write_as_many(writer: AuditWriter, name: str, count: int) -> None:
    for number in range(count):
        writer.reserve()
        if number % 3 == 0:
            await asyncio.sleep(0)
        writer.write(a_record(f"{name}-{number}", subject="x\n" * (number % 7)))


@settings(max_examples=50, deadline=None)
@given(counts=st.lists(st.integers(0, 60), min_size=1, max_size=6), steps=Script.steps)
def test_n_records_of_m_writers_are_exactly_n_lines_in_each_writers_order(
    counts: list[int], steps: list[Any]
) -> None:
    sink = FakeSink(*steps)

    async def story() -> AuditWriter:
        hurry = {"retry_seconds": 0.000_01, "max_retry_seconds": 0.000_1}
        async with started(sink, flush_seconds=0.000_1, **hurry) as writer:
            async with asyncio.TaskGroup() as group:
                for name, count in enumerate(counts):
                    group.create_task(_write_as_many(writer, str(name), count))
            await writer.close()
        return writer

    writer = asyncio.run(story())

    assert (writer.lines_written, writer.lines_failed) == (sum(counts), 0)
    ids = ids_of(without_fragments(bytes(sink.taken)))
    assert len(ids) == sum(counts)
    for name, count in enumerate(counts):
        own = [id_ for id_ in ids if id_.startswith(f"{name}-")]
        assert own == [f"{name}-{number}" for number in range(count)]


async def test_several_workers_may_append_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writers = [AuditWriter(FileSink(path), RECORDS, flush_seconds=0.001) for _ in range(4)]
    for writer in writers:
        await writer.start()
    async with asyncio.TaskGroup() as group:
        for name, writer in enumerate(writers):
            group.create_task(_write_as_many(writer, str(name), 500))
    for writer in writers:
        await writer.close()

    ids = ids_of(path.read_bytes())
    assert len(ids) == len(set(ids)) == 2_000


async def test_its_repr_tells_the_sink_and_the_trouble() -> None:
    sink = FakeSink()
    sink.refuses_for_ever = True
    async with started(sink) as writer:
        record_all(writer, some(1))
        await until(lambda: not writer.check()[0])

        assert "1 lines waiting" in repr(writer)
        assert "No space left" in repr(writer)
