"""One line is found in a file of any size, and what is broken is said to be."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit import LineBroken, LineMissing, record_with
from gateway.audit.record import encode
from tests.support.audit import a_record


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.mark.parametrize("block_bytes", [64, 500, 1 << 20])
def test_every_line_is_found_however_the_file_is_cut_into_blocks(
    audit: Path, block_bytes: int
) -> None:
    audit.write_bytes(encode([a_record(f"r-{n}", status=n) for n in range(30)]))
    for n in range(30):
        assert record_with(f"r-{n}", audit, block_bytes=block_bytes).status == n


def test_the_last_of_two_lines_is_the_one(audit: Path) -> None:
    audit.write_bytes(encode([a_record(status=200), a_record(status=403), a_record("r-2")]))
    assert record_with("r-1", audit).status == 403


def test_a_last_line_without_its_end_is_a_line(audit: Path) -> None:
    audit.write_bytes(encode([a_record("r-0"), a_record()]).rstrip(b"\n"))
    assert record_with("r-1", audit) == a_record()


def test_an_id_inside_another_lines_text_is_not_that_line(audit: Path) -> None:
    audit.write_bytes(encode([a_record(), a_record("r-2", subject="r-1")]))
    assert record_with("r-1", audit) == a_record()
    audit.write_bytes(encode([a_record("r-2", subject="r-1")]))
    with pytest.raises(LineMissing):
        record_with("r-1", audit)


def test_a_fragment_of_a_killed_writer_does_not_hide_the_whole_line(audit: Path) -> None:
    line = encode([a_record()])
    audit.write_bytes(line[:150] + b"\n" + line)
    assert record_with("r-1", audit) == a_record()
    audit.write_bytes(line + line[:150] + b"\n")
    assert record_with("r-1", audit) == a_record()


@pytest.mark.parametrize(
    "line",
    [
        encode([a_record()])[:150],
        b'{"id":"r-1"}',
        b'{"id":"r-1","status":"many"}',
        b'{"id":"r-1",\xff}',
        b'{"id":"r-1","x":' + b"[" * 50_000,
        encode([a_record(v=2)]),
    ],
)
def test_a_broken_line_is_told_from_none(audit: Path, line: bytes) -> None:
    audit.write_bytes(encode([a_record("r-0")]) + line)
    with pytest.raises(LineBroken):
        record_with("r-1", audit)


def test_a_file_without_lines_has_none(audit: Path) -> None:
    audit.write_bytes(b"\0" * 5_000)
    with pytest.raises(LineMissing):
        record_with("r-1", audit, block_bytes=100)
    audit.write_bytes(b"")
    with pytest.raises(LineMissing):
        record_with("r-1", audit)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 60), st.integers(0, 8))
def test_whatever_else_is_in_the_file_the_line_is_found(
    tmp_path_factory: pytest.TempPathFactory, others: list[bytes], block_bytes: int, place: int
) -> None:
    audit = tmp_path_factory.getbasetemp() / "any.jsonl"
    lines = [other.replace(b"\n", b"") + b"\n" for other in others]
    lines.insert(min(place, len(lines)), encode([a_record()]))
    audit.write_bytes(b"".join(lines))
    assert record_with("r-1", audit, block_bytes=block_bytes) == a_record()
