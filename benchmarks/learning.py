"""What it costs to look back, and to look at a second policy while requests are served.

    python -m benchmarks.learning

`replay` and `mine` read an audit of some 200,000 lines, as callers of a large site leave it: lines a
second, and the memory that the lines add. Then the price of a candidate policy for each request:
none is there (one comparison), one is there and the other table decides for the caller, and the
comparison itself.
"""

import resource
import tempfile
from pathlib import Path
from time import perf_counter

import policy
from benchmarks.decision import best_microseconds, table_of
from gateway.candidate import Candidate
from gateway.learning import AuditLog, Flips, Usage
from gateway.rollout import Plan
from policy import Caller, Decision, DecisionTable, Inquiry, Kind, Means
from tests.support.audit_files import line_of

_LINES = 200_000
_CALLERS = 2_000
_OPERATIONS = 100


def run() -> None:
    """Print the numbers."""
    table = table_of(1_000, 1_000, 400, users=_CALLERS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audit.jsonl"
        _write(file, table)
        print(f"\n{_LINES:,} lines, {file.stat().st_size >> 20} MiB")
        flips = Flips(table, table)
        _timed("replay", AuditLog([str(file)]), flips)
        usage = Usage(table)
        _timed("mine", AuditLog([str(file)]), usage)
    _candidate(table)


def _inquiry(table: DecisionTable, caller: Caller, number: int) -> Inquiry:
    kinds = ((), ("17",), ("17", "parts"), ("17", "parts", "1"))
    return Inquiry(
        caller=caller,
        held=table.held_by(caller),
        method="GET",
        segments=("api", "v2", f"area{number % 61}", f"things{number}", *kinds[number % 4]),
    )


def _caller(number: int) -> Caller:
    return Caller(subject=f"user{number}", kind=Kind.USER, means=Means.JWT)


def _write(file: Path, table: DecisionTable) -> None:
    """Twenty callers are busy at a time, as in a shift."""
    callers = [_caller(number) for number in range(_CALLERS)]
    with file.open("wb") as out:
        for shift in range(_CALLERS // 20):
            lines = [
                line_of(
                    table, _inquiry(table, callers[shift * 20 + number % 20], number % _OPERATIONS)
                )
                for number in range(100)
            ]
            for _ in range(_LINES // len(lines) // (_CALLERS // 20)):
                out.writelines(lines)


def _timed(name: str, log: AuditLog, into: Flips | Usage) -> None:
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, perf_counter()
    for line in log:
        into.add(line)
    seconds = perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{name:<8}{log.read / seconds:>12,.0f} lines a second, {grown:.0f} MiB more")


def _candidate(table: DecisionTable) -> None:
    caller = Caller(subject="boss", kind=Kind.USER, means=Means.JWT)
    asked = _inquiry(table, caller, 3)
    decision = policy.decide(table, asked)
    assert isinstance(decision, Decision)
    other = table_of(1_000, 999, 400)
    trial = Candidate(table, other, Plan(share=0.5), key=b"k" * 16)
    none: Candidate | None = None
    times = {
        "no candidate": best_microseconds(lambda: none is not None),
        "whose table decides": best_microseconds(lambda: trial.table_for(caller)),
        "the comparison": best_microseconds(lambda: trial.compare("r", asked, decision)),
        "a decision, for scale": best_microseconds(lambda: policy.decide(table, asked)),
    }
    print()
    for name, microseconds in times.items():
        print(f"{name:<24}{microseconds:>8.2f} µs a request")


if __name__ == "__main__":
    run()
