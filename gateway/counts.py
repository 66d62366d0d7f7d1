"""Counting, in plain integers that are read when scraped.

A labelled counter of prometheus_client costs 0.4 µs for each `inc`, several of them a request
more than the decision itself. So a request adds to integers in dicts and lists, on the event
loop's thread, and `snapshot` tells them when somebody looks. What already has an owner that
counts (connections, the audit queue) is read from that owner at the same moment.

Each worker process counts for itself. A snapshot is a plain value that travels between processes;
`merged` makes one of several, and `gateway/exposition.py` the text that Prometheus reads.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import get_args

import msgspec
import structlog

from gateway.candidate import Compared
from gateway.errors import GatewayError
from gateway.metrics import BUCKETS, METRICS, Declaration
from policy import Reason

__all__ = ["Histogram", "Metrics", "Reading", "Snapshot", "merged"]

_log = structlog.get_logger("gateway.metrics")

_EFFECTS = {reason.label: reason.effect.value for reason in Reason}

_DECLARED = {declaration.name: declaration for declaration in METRICS}

Reading = Callable[[], float | Mapping[tuple[str, ...], float]]
"""Asked at each scrape: one number, or a number for each tuple of label values."""


class Snapshot(msgspec.Struct, frozen=True):
    """Everything counted at one moment: values by metric and labels, counts and sum of durations.

    Values of label tuples stand in the order of the declaration; the counts of a histogram are
    one for each bucket, not accumulated, the last for what lies above all bounds.
    """

    readings: dict[str, dict[tuple[str, ...], float]]
    histograms: dict[str, tuple[list[int], float]]

    def counters(self) -> "Snapshot":
        """Only what never goes down: this has to be remembered of a worker that has ended."""
        return Snapshot(
            {
                name: values
                for name, values in self.readings.items()
                if name in _DECLARED and _DECLARED[name].kind == "counter"
            },
            self.histograms,
        )


_TOGETHER: Mapping[str, Callable[[float, float], float]] = {
    "sum": lambda one, other: one + other,
    "min": min,
    "max": max,
}


def merged(snapshots: Iterable[Snapshot]) -> Snapshot:
    """What several workers have counted together."""
    readings: dict[str, dict[tuple[str, ...], float]] = {}
    histograms: dict[str, tuple[list[int], float]] = {}
    for snapshot in snapshots:
        for name, values in snapshot.readings.items():
            join = _TOGETHER[_DECLARED[name].together]
            known = readings.setdefault(name, {})
            for labels, value in values.items():
                known[labels] = join(known[labels], value) if labels in known else value
        for name, (counts, total) in snapshot.histograms.items():
            before, before_total = histograms.get(name, ([0] * len(counts), 0.0))
            added = [one + other for one, other in zip(before, counts, strict=True)]
            histograms[name] = (added, before_total + total)
    return Snapshot(readings, histograms)


class Histogram:
    """Durations, sorted into buckets as they come."""

    __slots__ = ("_counts", "_sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0

    def __repr__(self) -> str:
        return f"Histogram({sum(self._counts)} observations, {self._sum:.6f} s)"

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self._sum += seconds

    def told(self) -> tuple[list[int], float]:
        """The count of each bucket by itself, and the sum in seconds."""
        return list(self._counts), self._sum


class Metrics:
    """The counts of one process. `observe_request` and its like are the hot path."""

    def __init__(self) -> None:
        self._decisions: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        # An error's code has a series from the start, so that its first time is an increase.
        self._refusals = dict.fromkeys(_codes(GatewayError), 0)
        self._compared = dict.fromkeys(get_args(Compared), 0)
        self._requests = Histogram()
        self._upstream = Histogram()
        self.observe_request = self._requests.observe
        self.observe_upstream = self._upstream.observe
        self._readings: dict[str, Reading] = {
            "gateway_decisions_total": lambda: {
                (service, route, _EFFECTS[reason], reason): count
                for (service, route, reason), count in self._decisions.items()
            },
            "gateway_refusals_total": lambda: {
                (code,): count for code, count in self._refusals.items()
            },
            "gateway_candidate_requests_total": lambda: {
                (result,): count for result, count in self._compared.items()
            },
        }

    def __repr__(self) -> str:
        return f"Metrics({sum(self._decisions.values())} decisions)"

    def decided(self, service: str, route: str, reason: Reason) -> None:
        self._decisions[service, route, reason.label] += 1

    def refused(self, code: str) -> None:
        """Count an error by its code; only codes of `gateway.errors` are known."""
        self._refusals[code] += 1

    def compared(self, result: Compared | None) -> None:
        """Count what a candidate policy said of a request, if it was asked."""
        if result is not None:
            self._compared[result] += 1

    def read(self, name: str, reading: Reading) -> None:
        """Have a declared metric read from whoever owns the number."""
        declaration = _DECLARED[name]
        if declaration.kind == "histogram" or name in self._readings:
            raise ValueError(f"`{name}` is counted already")
        self._readings[name] = reading

    def snapshot(self) -> Snapshot:
        """Everything that is counted here, at this moment."""
        return Snapshot(
            {
                declaration.name: _taken(declaration, reading)
                for declaration in METRICS
                if (reading := self._readings.get(declaration.name)) is not None
            },
            {
                "gateway_request_seconds": self._requests.told(),
                "gateway_upstream_seconds": self._upstream.told(),
            },
        )


def _taken(declaration: Declaration, reading: Reading) -> dict[tuple[str, ...], float]:
    try:
        value = reading()
        values = dict(value) if isinstance(value, Mapping) else {(): value}
        for labels in values:
            if len(labels) != len(declaration.labels):
                raise ValueError(f"`{labels}` does not fit `{declaration.labels}`")
        return {labels: float(number) for labels, number in values.items()}
    except Exception:  # noqa: BLE001 - one broken gauge must not hide all the others
        _log.exception("metric cannot be read", metric=declaration.name)
        return {}


def _codes(kind: type[GatewayError]) -> Iterator[str]:
    if hasattr(kind, "code"):
        yield kind.code
    for child in kind.__subclasses__():
        yield from _codes(child)
