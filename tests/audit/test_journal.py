"""Memory that several processes can see, with a ring of lines and slots for notes in it."""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.journal import LINE_BYTES, MOST_NOTE_BYTES, Journal, Place, unlinked_file

PLACE = 3 * 1024


@pytest.fixture
def journal() -> Iterator[Journal]:
    journal = Journal.create(4 * PLACE)
    yield journal
    journal.close()


def everything(journal: Journal) -> bytes:
    return journal.unread(1 << 20, journal.written) if journal.unread_bytes else b""


def notes(journal: Journal) -> list[bytes]:
    return [note for _, note in journal.open_slots()]


def test_what_is_committed_can_be_read_by_whoever_has_the_descriptor(journal: Journal) -> None:
    journal.note(journal.slot(1), b"about to")
    journal.commit(b"one\ntwo\n", ())

    other = Journal.attach(os.dup(journal.fd))

    assert everything(other) == b"one\ntwo\n"
    assert notes(other) == [b"about to"]
    other.close()


def test_nothing_is_there_before_it_is_committed(journal: Journal) -> None:
    assert (journal.read, journal.written, journal.unread_bytes) == (0, 0, 0)
    assert notes(journal) == []


def test_capacity_is_counted_in_places_for_a_note_and_a_line(journal: Journal) -> None:
    assert journal.places == 4
    assert journal.ring_bytes >= 4 * LINE_BYTES
    assert os.fstat(journal.fd).st_size <= 4 * PLACE + 3 * mmap.PAGESIZE


def test_a_look_at_its_notes_takes_no_memory_for_those_that_were_never_made() -> None:
    journal = Journal.create(64 << 20)
    journal.note(journal.slot(2), b"about to")

    assert notes(journal) == [b"about to"]
    assert os.fstat(journal.fd).st_blocks * 512 <= 4 * mmap.PAGESIZE
    journal.close()


def test_there_is_room_for_one_request_at_least() -> None:
    journal = Journal.create(1)

    journal.note(journal.slot(0), b"x" * MOST_NOTE_BYTES)
    journal.commit(b"y" * LINE_BYTES, ())

    assert notes(journal) == [b"x" * MOST_NOTE_BYTES]
    assert everything(journal) == b"y" * LINE_BYTES
    journal.close()


def test_the_fullest_slot_touches_neither_its_neighbours_nor_the_ring(journal: Journal) -> None:
    journal.commit(b"line\n", ())
    for number in (0, 2, 1, 3):
        journal.note(journal.slot(number), bytes([number]) * MOST_NOTE_BYTES)

    assert notes(journal) == [bytes([number]) * MOST_NOTE_BYTES for number in range(4)]
    assert everything(journal) == b"line\n"


def test_a_slot_is_told_in_the_same_instant_as_its_line_appears(journal: Journal) -> None:
    slots = [journal.slot(number) for number in range(3)]
    for slot in slots:
        journal.note(slot, b"n%d" % slot)

    journal.commit(b"one\n", slots[:2])

    assert notes(journal) == [b"n%d" % slots[2]]


def test_a_slot_that_was_told_can_be_used_again_with_a_shorter_note(journal: Journal) -> None:
    slot = journal.slot(0)
    journal.note(slot, b"a long note")
    journal.commit(b"one\n", (slot,))

    journal.note(slot, b"short")

    assert notes(journal) == [b"short"]


def test_a_slot_can_be_told_without_a_line(journal: Journal) -> None:
    slot = journal.slot(0)
    journal.note(slot, b"note")
    journal.commit(b"", (slot,))

    assert notes(journal) == []
    assert journal.unread_bytes == 0


@given(
    st.lists(st.tuples(st.integers(1, 1_500), st.integers(0, 5)), max_size=60),
    st.integers(1, 4_000),
)
def test_what_comes_out_is_what_went_in_however_often_it_goes_round(
    steps: list[tuple[int, int]], most_bytes: int
) -> None:
    journal = Journal.create(2 * PLACE)
    went_in = came_out = b""
    for number, (length, readings) in enumerate(steps):
        line = b"%d" % number * length
        line = line[: length - 1] + b"\n"
        for _ in range(readings + 1):
            if journal.unread_bytes and (
                readings or journal.unread_bytes + len(line) > journal.ring_bytes
            ):
                lines = journal.unread(most_bytes, journal.written)
                assert lines.endswith(b"\n")
                journal.advance(len(lines))
                came_out += lines
        if journal.unread_bytes + len(line) <= journal.ring_bytes:
            journal.commit(line, ())
            went_in += line
    assert came_out + everything(journal) == went_in
    journal.close()


def test_memory_that_was_read_is_given_back_and_what_was_not_is_kept() -> None:
    journal = Journal.create(8 << 20)
    line = b"x" * 1023 + b"\n"
    for _ in range(40_000):  # some 40 MiB
        journal.commit(line, ())
        if journal.unread_bytes > 64 * 1024:
            journal.advance(len(journal.unread(32 * 1024, journal.written)))

    assert os.fstat(journal.fd).st_blocks * 512 < 1 << 20
    assert everything(journal) == line * (journal.unread_bytes // 1024)
    journal.close()


def test_the_place_of_a_write_is_kept(journal: Journal) -> None:
    journal.place = Place(2**63, 77, 123)

    assert journal.place == Place(2**63, 77, 123)


def test_without_anonymous_memory_a_file_without_a_name_will_do() -> None:
    journal = Journal.create(PLACE, memory=unlinked_file)
    journal.commit(b"line\n", ())

    other = Journal.attach(os.dup(journal.fd))

    assert everything(other) == b"line\n"
    assert os.fstat(journal.fd).st_nlink == 0
    assert os.fstat(journal.fd).st_blocks * 512 >= PLACE  # a full disk is told now
    other.close()
    journal.close()


@pytest.mark.parametrize("content", [b"", b"x", bytes(3 * mmap.PAGESIZE)], ids=len)
def test_a_descriptor_of_something_else_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb+") as file, pytest.raises(ValueError, match="not an audit"):
        Journal.attach(file.fileno())


def test_a_journal_that_was_cut_off_is_refused(journal: Journal) -> None:
    other = os.memfd_create("cut")
    os.ftruncate(other, 2 * mmap.PAGESIZE)
    os.pwrite(other, os.pread(journal.fd, mmap.PAGESIZE, 0), 0)

    with pytest.raises(ValueError, match="not an audit journal"):
        Journal.attach(other)
    os.close(other)


def test_closing_leaves_no_descriptor_behind() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    Journal.create(PLACE).close()

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_its_repr_tells_how_much_is_unread(journal: Journal) -> None:
    journal.commit(b"line\n", ())

    assert repr(journal) == "Journal(5 bytes unread)"
