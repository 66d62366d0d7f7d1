"""Where audit lines end up."""

import os
import stat
from pathlib import Path

import pytest

from gateway.audit import FileSink, NullSink, StdoutSink, sink_for


def put(sink: FileSink, text: bytes) -> None:
    assert sink.write(memoryview(text)) == len(text)


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
    put(sink, b"half a l")

    assert not sink.reopen()
    put(sink, b"ine\n")
    sink.close()

    assert (tmp_path / "audit.jsonl").read_bytes() == b"half a line\n"


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
    sink.write(memoryview(b"line\n"))
    assert not sink.reopen()
    sink.close()
    os.write(writer, b"still open\n")

    assert os.read(reader, 100) == b"line\nstill open\n"
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
    assert sink.write(memoryview(b"line\n")) == 5
    assert not sink.reopen()
    sink.close()
