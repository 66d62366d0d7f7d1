"""Audit files are read as they come, and nothing that is in them is a traceback."""

import gzip
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.record import MOST_LINE_BYTES, encode
from gateway.learning import AuditLog, Flips, Oddity, Usage
from tests.support.audit import a_record
from tests.support.audit_files import write_log
from tests.support.policies import table

LINE = encode([a_record("r-1")])
SHOP = table()


def read(*files: str, **when: str) -> tuple[list[str], AuditLog]:
    log = AuditLog(files, **when)
    return [line.id for line in log], log


def changed(**changes: Any) -> bytes:
    whole = json.loads(LINE) | changes
    return json.dumps({k: v for k, v in whole.items() if v != "gone"}).encode() + b"\n"


def test_lines_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    older = write_log(tmp_path / "audit.jsonl.1", [encode([a_record(f"a-{n}") for n in range(3)])])
    newer = write_log(tmp_path / "audit.jsonl", [encode([a_record("b-0")])])
    assert read(older, newer)[0] == ["a-0", "a-1", "a-2", "b-0"]


def test_a_packed_file_is_unpacked_whatever_it_is_called(tmp_path: Path) -> None:
    packed = write_log(tmp_path / "audit.old", [gzip.compress(LINE)])
    assert read(packed)[0] == ["r-1"]


@pytest.mark.parametrize("content", [LINE, gzip.compress(LINE)])
def test_a_dash_is_standard_input(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(content)))
    monkeypatch.setattr("sys.stdin", stdin)
    assert read("-")[0] == ["r-1"]


@pytest.mark.parametrize(
    ("line", "oddity"),
    [
        (b'{"v":1,"id":"r-', Oddity.BROKEN),
        (b"\n", Oddity.BROKEN),
        (b"\xff\xfe\n", Oddity.BROKEN),
        (b"[" * 50_000 + b"\n", Oddity.BROKEN),
        (b'"text"\n', Oddity.FOREIGN),
        (b'{"level":"info","event":"started"}\n', Oddity.FOREIGN),
        (changed(kind="robot"), Oddity.FOREIGN),
        (changed(effect="deny"), Oddity.FOREIGN),
        (changed(time="yesterday"), Oddity.FOREIGN),
        (changed(claims="gone"), Oddity.OLDER),
        (changed(unread="gone"), Oddity.OLDER),
        (changed(v=2), Oddity.NEWER),
        (changed(v=2, reason={}), Oddity.NEWER),
        (b"x" * (3 * MOST_LINE_BYTES) + b"\n", Oddity.BROKEN),
    ],
)
def test_what_is_odd_is_counted_with_its_place_and_costs_no_other_line(
    line: bytes, oddity: Oddity, tmp_path: Path
) -> None:
    file = write_log(tmp_path / "audit.jsonl", [LINE, line.removesuffix(b"\n") + b"\n", LINE])
    ids, log = read(file)
    assert ids == ["r-1", "r-1"]
    assert dict(log.odd) == {oddity: 1}
    assert log.places == {oddity: [f"{file}:2"]}


def test_only_the_first_places_are_told(tmp_path: Path) -> None:
    _, log = read(write_log(tmp_path / "audit.jsonl", [b"?\n"] * 9))
    assert log.odd[Oddity.BROKEN] == 9
    assert len(log.places[Oddity.BROKEN]) == 3


def test_a_packed_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    packed = gzip.compress(encode([a_record(f"r-{n}", peer=str(n) * 50) for n in range(500)]))
    ids, log = read(
        write_log(tmp_path / "audit.gz", [packed[:-20]]), write_log(tmp_path / "b", [LINE])
    )
    assert ids[-1] == "r-1"
    assert log.odd[Oddity.UNREADABLE] == 1


def test_a_folder_is_no_file_and_said_to_be_none(tmp_path: Path) -> None:
    ids, log = read(str(tmp_path))
    assert (ids, log.odd[Oddity.UNREADABLE]) == ([], 1)


def test_lines_of_another_time_are_counted_and_left_out(tmp_path: Path) -> None:
    times = [f"2026-11-2{day}T00:00:00.000000Z" for day in range(5)]
    file = write_log(
        tmp_path / "a", [encode([a_record(f"r-{n}", time=time)]) for n, time in enumerate(times)]
    )
    ids, log = read(file, since=times[1], until=times[3])
    assert (ids, log.outside) == (["r-1", "r-2"], 3)


pieces = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([LINE, LINE[:-9], b"\n", b"{}", b"\x1f\x8b", gzip.compress(LINE)]),
    st.sampled_from(
        [changed(v=3), changed(claims="gone"), changed(policy=""), changed(route=None)]
    ),
    st.builds(
        lambda field, value: changed(**{field: value}),
        st.sampled_from(sorted(json.loads(LINE))),
        st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=3))),
    ),
)


@given(st.lists(pieces, max_size=6).map(b"".join))
def test_no_bytes_whatever_are_a_traceback(content: bytes) -> None:
    log = _FromBytes(content)
    flips, usage = Flips(SHOP, SHOP), Usage(SHOP)
    for line in log:
        flips.add(line)
        usage.add(line)
    counted = flips.replayed + flips.unknown.total() + flips.undecided
    passed_over = log.outside + sum(log.odd.values()) - log.odd[Oddity.UNREADABLE]
    assert counted + passed_over == log.read
    assert flips.flipped == 0
    assert usage.removable() == usage.removable()


class _FromBytes(AuditLog):
    """What is on standard input, without one."""

    def __init__(self, content: bytes) -> None:
        super().__init__(["-"])
        self._content = content

    def __iter__(self) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            buffer = io.BufferedReader(io.BytesIO(self._content))
            patch.setattr("sys.stdin", SimpleNamespace(buffer=buffer))
            yield from super().__iter__()
