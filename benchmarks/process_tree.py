"""A process and its descendants: who they are, and what each holds."""

import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import rss_mib

__all__ = ["Sample", "family", "samples_of", "worker_of"]

_PROC = Path("/proc")
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Sample:
    """What one process held at one moment."""

    rss_mib: float
    descriptors: int


def family(pid: int) -> list[int]:
    """`pid` and all that came of it, in the order of their ids."""
    parents: dict[int, int] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2]
            except OSError:  # ended meanwhile
                continue
            parents[int(entry.name)] = int(after_name.split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def worker_of(pid: int) -> int:
    """The one worker of a gateway: what its nursery forked. Waits until it is there."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        _, *below = family(pid)
        if len(below) > 1:
            return below[-1]
        time.sleep(0.05)
    sys.exit(f"no worker came of process {pid}")


def samples_of(pid: int) -> dict[int, Sample]:
    """What each of the family holds just now."""
    found = {}
    for each in family(pid):
        with suppress(OSError):  # ended meanwhile
            found[each] = Sample(rss_mib(each), len(list((_PROC / str(each) / "fd").iterdir())))
    return found
