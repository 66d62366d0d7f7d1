"""Where audit lines end up."""

import fcntl
import os
import select
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.audit import FileSink, NullSink, Sink, StdoutSink, sink_for
from gateway.audit.journal import Place
from tests.support.audit import ids_of, without_fragments

ROOT = Path(__file__).resolve().parents[2]


def put(sink: Sink, text: bytes) -> Place | None:
    """One write from its beginning to its end."""
    try:
        place = sink.begin()
        assert sink.write(text) == len(text)
    finally:
        sink.end()
    return place


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "audit.jsonl")

    sink.open()
    sink.close()

    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


def test_a_file_is_appended_to_and_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_bytes(b"before\n")
    sink = FileSink(tmp_path / "audit.jsonl")

    sink.open()
    put(sink, b"after\n")
    sink.close()

    assert (tmp_path / "audit.jsonl").read_bytes() == b"before\nafter\n"


def test_a_line_torn_by_a_crash_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_bytes(b'{"v":1,"id":"to')
    sink = FileSink(tmp_path / "audit.jsonl")

    sink.open()
    put(sink, b'{"v":1}\n')
    sink.close()

    assert (tmp_path / "audit.jsonl").read_bytes() == b'{"v":1,"id":"to\n{"v":1}\n'


def test_a_rotated_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = FileSink(path)
    sink.open()
    put(sink, b"old\n")

    path.rename(tmp_path / "audit.jsonl.1")
    put(sink, b"still old\n")
    assert sink.reopen()
    put(sink, b"new\n")
    sink.close()

    assert (tmp_path / "audit.jsonl.1").read_bytes() == b"old\nstill old\n"
    assert path.read_bytes() == b"new\n"


def test_a_rotated_file_that_others_made_anew_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = FileSink(path)
    sink.open()

    path.rename(tmp_path / "audit.jsonl.1")
    path.touch()
    assert sink.reopen()
    put(sink, b"new\n")
    sink.close()

    assert path.read_bytes() == b"new\n"


def test_reopening_without_a_rotation_stays_where_it_is(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "audit.jsonl")
    sink.open()
    put(sink, b"one\n")

    assert not sink.reopen()
    put(sink, b"two\n")
    sink.close()

    assert (tmp_path / "audit.jsonl").read_bytes() == b"one\ntwo\n"


def test_the_old_file_is_kept_when_the_new_one_cannot_be_had(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = FileSink(folder / "audit.jsonl")
    sink.open()

    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        sink.reopen()
    put(sink, b"line\n")
    sink.close()

    assert (tmp_path / "elsewhere" / "audit.jsonl").read_bytes() == b"line\n"


def test_reopening_and_closing_leave_no_descriptor_behind(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    before = len(list(Path("/proc/self/fd").iterdir()))
    sink = FileSink(path)
    sink.open()
    for number in range(3):
        path.rename(tmp_path / f"audit.{number}")
        sink.reopen()

    sink.close()
    sink.close()

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_pipe_can_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = FileSink(path)

    sink.open()
    put(sink, b"line\n")
    sink.close()

    assert os.read(reader, 100) == b"line\n"
    os.close(reader)


def test_standard_output_is_written_to_and_left_open() -> None:
    reader, writer = os.pipe()
    sink = StdoutSink(writer)

    sink.open()
    put(sink, b"line\n")
    assert not sink.reopen()
    sink.close()
    os.write(writer, b"still open\n")

    assert os.read(reader, 100) == b"line\nstill open\n"
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("kind", ["stdout", "fifo"])
def test_a_pipe_is_given_no_more_than_it_takes_in_one_piece(kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "pipe", os.O_WRONLY)
    sink: Sink = StdoutSink(writer) if kind == "stdout" else FileSink(tmp_path / "pipe")

    sink.open()

    assert sink.most_bytes == select.PIPE_BUF
    sink.close()
    os.close(reader)
    os.close(writer)


def test_a_line_that_a_pipe_tore_is_ended_before_the_next() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    room = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    os.write(writer, b"x" * (room - 4096))
    sink = StdoutSink(writer)
    sink.open()
    sink.begin()
    assert sink.write(b"y" * 5_000 + b"\n") == 4096
    os.read(reader, room)

    put(sink, b"line\n")

    assert os.read(reader, room) == b"\nline\n"
    os.close(reader)
    os.close(writer)


def test_a_standard_output_that_was_closed_is_told_at_the_start() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)

    with pytest.raises(OSError, match="Bad file descriptor"):
        StdoutSink(writer).open()


def test_a_setting_names_its_sink(tmp_path: Path) -> None:
    assert isinstance(sink_for(None), NullSink)
    assert isinstance(sink_for(Path("-")), StdoutSink)
    assert repr(sink_for(tmp_path / "a")) == f"FileSink('{tmp_path}/a')"


def test_no_audit_takes_everything_and_keeps_nothing() -> None:
    sink = NullSink()

    sink.open()
    assert put(sink, b"line\n") is None
    assert sink.landed(Place(0, 0, 0), b"line\n") == 5
    assert not sink.reopen()
    sink.close()


# Several writers


def test_where_a_write_begins_is_known_before_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b'{"v":1,"id":"to')
    sink = FileSink(path)
    sink.open()

    place = put(sink, b"one\ntwo\n")

    status = path.stat()
    assert place == Place(status.st_dev, status.st_ino, 16)
    assert path.read_bytes()[16:] == b"one\ntwo\n"
    sink.close()


@pytest.mark.parametrize(
    ("there", "landed"),
    [
        (b"one\ntwo\n", 8),
        (b"one\ntwo\nothers\n", 8),
        (b"one\ntw", 4),
        (b"one\ntw\nothers\n", 4),
        (b"one\ntwo", 8),
        (b"others\none\ntwo\n", 0),
        (b"", 0),
        (b"two\n", 0),
    ],
)
def test_what_landed_are_the_whole_lines_at_that_place(
    there: bytes, landed: int, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"before\n" + there)
    sink = FileSink(path)
    sink.open()
    status = path.stat()

    assert sink.landed(Place(status.st_dev, status.st_ino, 7), b"one\ntwo\n") == landed
    assert sink.landed(Place(status.st_dev, status.st_ino + 1, 7), b"one\ntwo\n") == 0
    sink.close()


def test_two_do_not_write_at_once_not_even_after_a_failure(tmp_path: Path) -> None:
    one, other = FileSink(tmp_path / "audit.jsonl"), (tmp_path / "audit.jsonl").open("a")
    one.open()
    one.begin()
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    one.end()

    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    other.close()
    one.close()


_WRITE_MANY = """
import errno, json, os, sys
from pathlib import Path
from gateway.audit import FileSink, Journal
from gateway.audit.record import encode
from gateway.audit.spool import Spool
from tests.support.audit import a_record

name, path, lines, tear = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "tear"


class Torn(FileSink):
    turn = 0

    def write(self, data):
        self.turn += 1
        if tear and self.turn % 3 == 0:
            super().write(data[: self.turn * 7919 % len(data)])
            raise OSError(errno.ENOSPC, "No space left on device") if self.turn % 2 else SystemExit
        if tear and self.turn % 3 == 1:
            return super().write(data[: max(1, self.turn * 7919 % len(data))])
        return super().write(data)


journal, sink = Journal.create(1 << 20), Torn(path)
sink.open()
spool = Spool(journal, sink)
print("ready", flush=True)
sys.stdin.read(1)
for first in range(0, lines, 10):
    records = [a_record(f"{name}-{n}") for n in range(first, first + 10)]
    journal.commit(encode(records), ())
    while journal.unread_bytes:
        try:
            spool.resume()
            spool.drain(journal.written)
        except (OSError, SystemExit):
            pass
"""


@pytest.mark.parametrize("how", ["whole", "tear"])
def test_two_processes_write_one_file_and_each_line_is_whole_once(how: str, tmp_path: Path) -> None:
    path, lines = tmp_path / "audit.jsonl", 3_000
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITE_MANY, name, str(path), str(lines), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        for name in ("a", "b")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.communicate(b"!", timeout=100)
        assert process.returncode == 0

    content = path.read_bytes()
    ids = ids_of(without_fragments(content) if how == "tear" else content)
    assert len(ids) == len(set(ids)) == 2 * lines
    for name in ("a", "b"):
        assert [id_ for id_ in ids if id_[0] == name] == [f"{name}-{n}" for n in range(lines)]
    assert (len(content.splitlines()) > len(ids)) is (how == "tear")
