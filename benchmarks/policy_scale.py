"""What it costs to compare two policies of 3,000 operations and 1,000 roles.

    python -m benchmarks diff

Each row is another change, from none to one of everything. Memory is the peak of what the
comparison and its text and JSON allocate beside the two tables, measured in a run of its own,
because measuring it takes time.
"""

import gc
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from time import process_time

import msgspec

from benchmarks.large_policy import LargePolicy
from gateway.cli.difference_report import report_of
from gateway.cli.difference_text import lines_of
from policy import DecisionTable, UseRole
from policy.analysis import difference

OPERATIONS, ROLES, USERS = 3_000, 1_000, 10_000


def _one_role(changed: LargePolicy) -> None:
    changed.roles["role500"]["permissions"].append(changed.permissions[17])


def _every_tenth_role(changed: LargePolicy) -> None:
    for number in range(0, ROLES, 10):
        changed.roles[f"role{number}"]["permissions"][0] = changed.permissions[number * 3 + 1]


def _every_demand(changed: LargePolicy) -> None:
    for number, entry in enumerate(changed.operations.values()):
        entry["requires"] = changed.permissions[(number * 7 + 5) % len(changed.permissions)]


def _every_role(changed: LargePolicy) -> None:
    held = [role["permissions"] for role in changed.roles.values()]
    for role, others in zip(changed.roles.values(), held[1:] + held[:1], strict=True):
        role["permissions"] = others


def _nothing_enforced(changed: LargePolicy) -> None:
    changed.use_role = UseRole.OFF


CHANGES: dict[str, Callable[[LargePolicy], None]] = {
    "nothing": lambda _: None,
    "one permission of one role": _one_role,
    "every tenth role": _every_tenth_role,
    "what every operation demands": _every_demand,
    "every role": _every_role,
    "roles obeyed no more": _nothing_enforced,
}


def run() -> None:
    """Print time and memory of each change."""
    before = LargePolicy.of(OPERATIONS, ROLES, USERS)
    old = before.table()
    print(
        f"{OPERATIONS:,} operations, {ROLES:,} roles, {USERS:,} users, in seconds of processor time"
    )
    columns = ("compare", "text", "JSON", "peak MiB", "JSON MiB", "kinds of requests gained, lost")
    print(f"{'changed':<30}" + "".join(f"{name:>10}" for name in columns[:-1]) + f"  {columns[-1]}")
    for name, change in CHANGES.items():
        after = before.copy()
        change(after)
        new = after.table()
        gc.collect()
        _row(name, old, new)


def _row(name: str, old: DecisionTable, new: DecisionTable) -> None:
    times = [process_time()]
    found = difference(old, new)
    times.append(process_time())
    "\n".join(lines_of(found, 10))
    times.append(process_time())
    size = len(msgspec.json.encode(report_of(found)))
    times.append(process_time())
    spent = [end - start for start, end in pairwise(times)]
    gains, losses = len(found.gains), len(found.losses)
    del found
    peak = _peak(old, new)
    print(
        f"{name:<30}"
        + "".join(f"{seconds:>10.2f}" for seconds in spent)
        + f"{peak / 2**20:>10.1f}{size / 2**20:>10.1f}  {gains:,}, {losses:,}",
        flush=True,
    )


def _peak(old: DecisionTable, new: DecisionTable) -> int:
    tracemalloc.start()
    found = difference(old, new)
    "\n".join(lines_of(found, 10))
    msgspec.json.encode(report_of(found))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
