"""What the process that watches a worker does with what it left behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.audit import Composer, FileSink, Journal, Recovered, StdoutSink, recover_into
from gateway.audit.record import encode
from gateway.audit.spool import Spool
from tests.support.audit import FakeSink, a_record, an_exchange, ids_of
from tests.support.clock import FakeClock

STORIES = Composer(b"k" * 32)


@pytest.fixture
def journal() -> Iterator[Journal]:
    journal = Journal.create(1 << 20)
    yield journal
    journal.close()


def begin(journal: Journal, number: int) -> int:
    slot = journal.slot(number)
    journal.note(slot, STORIES.note(an_exchange(f"begun-{number}")))
    return slot


def test_lines_come_first_and_then_those_who_were_under_way(journal: Journal) -> None:
    begin(journal, 7)
    slot = begin(journal, 3)
    begin(journal, 5)
    journal.commit(encode([a_record("ended"), a_record("begun-3")]), (slot,))
    sink = FakeSink()

    assert recover_into(journal, sink, FakeClock()) == Recovered(lines=2, intents=2)

    assert sink.ids == ["ended", "begun-3", "begun-5", "begun-7"]
    assert (sink.opened, sink.closed) == (1, 1)


def test_after_an_orderly_end_there_is_nothing_to_do(journal: Journal) -> None:
    sink = FakeSink()
    journal.commit(encode([a_record()]), (begin(journal, 0),))
    Spool(journal, sink).drain(journal.written)

    assert recover_into(journal, sink, FakeClock()) == (0, 0)
    assert sink.ids == ["r-1"]


def test_a_broken_sink_is_told_and_what_was_not_written_is_written_the_next_time(
    journal: Journal,
) -> None:
    for number in range(3):
        begin(journal, number)
    journal.commit(encode([a_record()]), ())
    sink = FakeSink(1_000_000, OSError(28, "No space left on device"))

    with pytest.raises(OSError, match="No space"):
        recover_into(journal, sink, FakeClock())
    assert sink.closed == 1
    recover_into(journal, sink, FakeClock())

    assert sink.ids == ["r-1", "begun-0", "begun-1", "begun-2"]


def test_more_requests_under_way_than_the_ring_holds_lines_of_are_all_told() -> None:
    journal = Journal.create(12 * 1024)  # four places
    journal.commit(encode([a_record(f"r-{number}") for number in range(17)]), ())
    for number in range(4):
        begin(journal, number)
    sink = FakeSink()
    sink.most_bytes = 1_000

    assert recover_into(journal, sink, FakeClock()) == (17, 4)
    assert len(sink.ids) == 21
    journal.close()


def test_a_note_that_cannot_be_read_does_not_keep_the_others_back(
    journal: Journal, log: list[dict[str, Any]]
) -> None:
    begin(journal, 0)
    journal.note(journal.slot(1), b"not a note")
    begin(journal, 2)
    sink = FakeSink()

    assert recover_into(journal, sink, FakeClock()) == (0, 2)
    assert sink.ids == ["begun-0", "begun-2"]
    assert [entry["event"] for entry in log] == ["the note of a lost request cannot be read"]
    assert recover_into(journal, sink, FakeClock()) == (0, 0)


def test_lines_that_the_worker_wrote_before_it_could_say_so_are_not_written_again(
    journal: Journal, tmp_path: Path
) -> None:
    sink, path = FileSink(tmp_path / "audit.jsonl"), tmp_path / "audit.jsonl"
    path.write_bytes(encode([a_record("others")]))
    journal.commit(encode([a_record("r-1"), a_record("r-2")]), ())
    sink.open()
    place = sink.begin()
    assert place is not None
    journal.place = place
    sink.write(journal.unread(1 << 20, journal.written))  # and here it is killed
    sink.close()
    with path.open("ab") as file:
        file.write(encode([a_record("others-again")]))
    journal.commit(encode([a_record("r-3")]), ())

    assert recover_into(journal, FileSink(path), FakeClock()).lines == 1

    assert ids_of(path.read_bytes()) == ["others", "r-1", "r-2", "others-again", "r-3"]


@pytest.mark.parametrize("kept", [10, -1], ids=["in-mid-line", "before-the-newline"])
def test_a_line_that_the_worker_tore_is_whole_in_the_end(
    kept: int, journal: Journal, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    journal.commit(encode([a_record("r-1")]), ())
    first = journal.written
    journal.commit(encode([a_record("r-2")]), ())
    sink = FileSink(path)
    sink.open()
    place = sink.begin()
    assert place is not None
    journal.place = place
    lines = journal.unread(1 << 20, journal.written)
    sink.write(lines[: first + kept] if kept > 0 else lines[:kept])
    sink.close()

    recover_into(journal, FileSink(path), FakeClock())
    journal.commit(encode([a_record("r-3")]), ())
    recover_into(journal, FileSink(path), FakeClock())

    lines = path.read_bytes()
    fragment = b"" if kept < 0 else lines.splitlines(keepends=True)[1]
    assert len(fragment) == max(0, kept + 1)
    assert ids_of(lines.replace(fragment, b"", 1)) == ["r-1", "r-2", "r-3"]


def test_another_file_of_that_name_is_not_looked_into_for_what_the_worker_wrote(
    journal: Journal, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    journal.commit(encode([a_record("r-1")]), ())
    sink = FileSink(path)
    sink.open()
    Spool(journal, sink)._write(journal.unread(1 << 20, journal.written))
    sink.close()
    path.rename(tmp_path / "audit.jsonl.1")

    recover_into(journal, FileSink(path), FakeClock())

    assert ids_of(path.read_bytes()) == ["r-1"]


def test_a_stream_cannot_be_looked_into_and_gets_what_it_may_have_already(
    journal: Journal, tmp_path: Path
) -> None:
    journal.commit(encode([a_record("r-1")]), ())
    with (tmp_path / "out").open("wb", buffering=0) as out:
        sink = StdoutSink(out.fileno())
        Spool(journal, sink)._write(journal.unread(1 << 20, journal.written))

        recover_into(journal, sink, FakeClock())

    assert ids_of((tmp_path / "out").read_bytes()) == ["r-1", "r-1"]


def test_the_journal_is_good_for_another_worker_afterwards(journal: Journal) -> None:
    begin(journal, 0)
    recover_into(journal, FakeSink(), FakeClock())

    assert (journal.unread_bytes, journal.open_slots()) == (0, [])
