"""What a soak has found, and whether that is good: every criterion in one table."""

import json
import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.hostile import HOSTILE_ADDRESS
from benchmarks.process_tree import Sample
from tests.support.load import Counts

__all__ = ["Findings", "verdict"]

# What may be added from the second third of the time to the last, and still be called flat.
_GROWTH = 0.05
# Idle connections to the upstream that were not there at first are no leak.
_DESCRIPTORS_OVER = 8

_FINE = {"denied": {403}}
# While the node is dead; 503 where a service says that all its nodes are.
_FINE_ELSE = {200, 502, 503, 504}

_DEFECTS = ("Traceback", "internal-fault", '"level": "error"', '"level": "critical"')


@dataclass
class Findings:
    """What has been seen, until it is judged; samples by process id, counts by kind of request."""

    counts: dict[str, Counts] = field(default_factory=dict)
    samples: dict[int, list[Sample]] = field(default_factory=dict)
    before: dict[int, Sample] = field(default_factory=dict)
    after: dict[int, Sample] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    audit: list[tuple[str, str]] = field(default_factory=list)
    """Id and peer of each line."""
    defects: list[str] = field(default_factory=list)
    clients: int = 0
    reloads: int = 0
    deaths: int = 0
    writes_twice: int = 0

    def take(self, samples: dict[int, Sample]) -> None:
        for pid, now in samples.items():
            self.samples.setdefault(pid, []).append(now)

    def read(self, folder: Path) -> None:
        """The audit files and the log, once the gateway has ended."""
        for path in folder.glob("audit*.jsonl"):
            for line in path.read_text().splitlines():
                record = json.loads(line)
                self.audit.append((record["id"], record["peer"]))
        log = (folder / "log").read_text().splitlines()
        self.defects = [line for line in log if any(word in line for word in _DEFECTS)]


def verdict(found: Findings) -> bool:
    """Print everything; whether every criterion is met."""
    _print_what_happened(found)
    met_all = True
    for words, met in _criteria(found).items():
        print(f"  {'pass' if met else 'FAIL'}  {words}")
        met_all = met_all and met
    for line in found.defects[:5]:
        print(f"    {line}")
    return met_all


def _print_what_happened(found: Findings) -> None:
    hostile = sum(peer == HOSTILE_ADDRESS for _, peer in found.audit)
    print(
        f"soak: {found.deaths} deaths of the node, {found.reloads} reloads, "
        f"{hostile:,} requests of hostile clients, and of honest ones:"
    )
    for name, count in found.counts.items():
        statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(count.by_status.items()))
        print(
            f"  {name:7} {count.sent:8,} sent; {statuses}; unanswered {count.unanswered}, "
            f"broken off {count.broken}"
        )
    most = max(map(len, found.samples.values()), default=0)
    lasting = {pid: each for pid, each in found.samples.items() if 2 * len(each) > most}
    print(f"  {len(found.samples) - len(lasting)} processes came and went; those that stayed:")
    for pid, samples in lasting.items():
        rss = [each.rss_mib for each in samples]
        descriptors = [each.descriptors for each in samples]
        print(
            f"  process {pid}: RSS {rss[0]:.1f} MiB at first, {max(rss):.1f} at most, "
            f"{rss[-1]:.1f} at last; descriptors {min(descriptors)} to {max(descriptors)}"
        )


def _criteria(found: Findings) -> dict[str, bool]:
    counts = found.counts.values()
    growth = max(map(_growth, found.samples.values()), default=0.0)
    over = max(
        (now.descriptors - found.before[pid].descriptors
         for pid, now in found.after.items() if pid in found.before),
        default=0,
    )  # fmt: skip
    held = found.held["client"] + found.held["busy"]
    wrong = sum(_wrong(name, count) for name, count in found.counts.items())
    stuck = sum(count.stuck for count in counts)
    lost = sum(count.unanswered + count.broken for count in counts)
    in_flight = found.deaths * found.clients
    sent, answered = sum(count.sent for count in counts), sum(count.answered for count in counts)
    lines = sum(peer != HOSTILE_ADDRESS for _, peer in found.audit)
    return {
        f"memory flat: {growth:+.1%} from the second third to the last": growth <= _GROWTH,
        f"no descriptor leaks: {over:+} when all is over": over <= _DESCRIPTORS_OVER,
        f"nothing stuck: {held} connections held, {stuck} requests never answered": (
            held + stuck == 0
        ),
        f"wrong answers to honest clients: {wrong}": wrong == 0,
        f"cut off with the dying node: {lost} of {in_flight} that may have been in flight": (
            lost <= in_flight
        ),
        f"writes that arrived twice: {found.writes_twice}": found.writes_twice == 0,
        f"audit: {lines:,} lines of honest clients for {answered:,} answered of {sent:,}": (
            answered <= lines <= sent
        ),
        "audit: no id twice": len({id_ for id_, _ in found.audit}) == len(found.audit),
        f"defects in the log: {len(found.defects)}": not found.defects,
    }


def _growth(samples: list[Sample]) -> float:
    third = len(samples) // 3
    if not third:
        return 0.0
    middle, last = (
        statistics.median(each.rss_mib for each in part)
        for part in (samples[third : 2 * third], samples[2 * third :])
    )
    return last / middle - 1


def _wrong(name: str, count: Counts) -> int:
    fine = _FINE.get(name, _FINE_ELSE)
    return count.wrong + sum(n for status, n in count.by_status.items() if status not in fine)
