"""Every metric, declared in one table; counted in plain integers, read when scraped.

A labelled counter of prometheus_client costs 0.4 µs for each `inc`, several of them a request
more than the decision itself. So a request adds to integers in dicts and lists, on the event
loop's thread, and a collector turns them into families when somebody looks. What already has an
owner that counts (connections, the audit queue) is read from that owner at the same moment.

Labels come from closed sets only: service and route names of the catalogues, reasons, codes. A
path or a caller is never one (threat C-14).
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Literal

import msgspec
import structlog
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client import generate_latest as exposition_of
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from gateway.errors import GatewayError
from policy import Reason

__all__ = ["BUCKETS", "CONTENT_TYPE", "METRICS", "Declaration", "Histogram", "Metrics", "Reading"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The text format that every Prometheus reads."""

_log = structlog.get_logger("gateway.metrics")


class Declaration(msgspec.Struct, frozen=True):
    """What the documentation says of a metric."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str


METRICS = (
    Declaration(
        "gateway_decisions_total",
        "counter",
        ("service", "route", "effect", "reason"),
        "Decisions of the policy; `route` is the operation's id, empty where none matched",
    ),
    Declaration(
        "gateway_refusals_total",
        "counter",
        ("code",),
        "Requests that ended in an error of the gateway's own, by its code",
    ),
    Declaration(
        "gateway_request_seconds",
        "histogram",
        (),
        "From a request's head to its reply's last byte",
    ),
    Declaration(
        "gateway_upstream_seconds",
        "histogram",
        (),
        "From sending a request upstream to its reply's head",
    ),
    Declaration("gateway_connections", "gauge", (), "Open client connections"),
    Declaration(
        "gateway_upstream_connections",
        "gauge",
        ("node", "state"),
        "Connections to upstream servers, `idle` or `busy`",
    ),
    Declaration(
        "gateway_policy_info", "gauge", ("digest",), "Always 1; the label names the policy in force"
    ),
    Declaration(
        "gateway_token_cache_total",
        "counter",
        ("result",),
        "Look-ups of verified credentials: `hit`, `miss`, or `refused` where they were wrong",
    ),
    Declaration(
        "gateway_audit_queue", "gauge", (), "Audit lines that are not in the audit file yet"
    ),
    Declaration(
        "gateway_audit_lines_total",
        "counter",
        ("result",),
        "Audit lines `written`, or `failed`: lost at shutdown with the file still broken",
    ),
)

_EFFECTS = {reason.label: reason.effect.value for reason in Reason}

_DECLARED = {declaration.name: declaration for declaration in METRICS}

BUCKETS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Upper bounds in seconds: our own share is below the first, a stuck upstream above the last."""

Reading = Callable[[], float | Mapping[tuple[str, ...], float]]
"""Asked at each scrape: one number, or a number for each tuple of label values."""


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

    def family(self, declaration: Declaration) -> HistogramMetricFamily:
        bounds = [*(repr(bound) for bound in BUCKETS), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(
            declaration.name, declaration.help, buckets=buckets, sum_value=self._sum
        )


class Metrics(Collector):
    """The counts of one process. `observe_request` and its like are the hot path."""

    def __init__(self) -> None:
        self._decisions: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        # An error's code has a series from the start, so that its first time is an increase.
        self._refusals = dict.fromkeys(_codes(GatewayError), 0)
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
        }
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def __repr__(self) -> str:
        return f"Metrics({sum(self._decisions.values())} decisions)"

    def decided(self, service: str, route: str, reason: Reason) -> None:
        self._decisions[service, route, reason.label] += 1

    def refused(self, code: str) -> None:
        """Count an error by its code; only codes of `gateway.errors` are known."""
        self._refusals[code] += 1

    def read(self, name: str, reading: Reading) -> None:
        """Have a declared metric read from whoever owns the number."""
        declaration = _DECLARED[name]
        if declaration.kind == "histogram" or name in self._readings:
            raise ValueError(f"`{name}` is counted already")
        self._readings[name] = reading

    def render(self) -> bytes:
        """The text exposition format, of type `CONTENT_TYPE`."""
        return exposition_of(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing has to be collected for the registry to know our names."""
        return (_empty(declaration) for declaration in METRICS)

    def collect(self) -> Iterator[Metric]:
        for declaration in METRICS:
            if declaration.kind == "histogram":
                upstream = declaration.name == "gateway_upstream_seconds"
                yield (self._upstream if upstream else self._requests).family(declaration)
            elif (reading := self._readings.get(declaration.name)) is not None:
                yield self._taken(declaration, reading)

    def _taken(self, declaration: Declaration, reading: Reading) -> Metric:
        family = _empty(declaration)
        try:
            value = reading()
            samples = value if isinstance(value, Mapping) else {(): value}
            for labels, number in sorted(samples.items()):
                if len(labels) != len(declaration.labels):
                    raise ValueError(f"`{labels}` does not fit `{declaration.labels}`")
                family.add_metric(labels, float(number))
        except Exception:  # noqa: BLE001 - one broken gauge must not hide all the others
            _log.exception("metric cannot be read", metric=declaration.name)
            return _empty(declaration)
        return family


def _empty(declaration: Declaration) -> CounterMetricFamily | GaugeMetricFamily:
    family = CounterMetricFamily if declaration.kind == "counter" else GaugeMetricFamily
    return family(declaration.name, declaration.help, labels=declaration.labels)


def _codes(kind: type[GatewayError]) -> Iterator[str]:
    if hasattr(kind, "code"):
        yield kind.code
    for child in kind.__subclasses__():
        yield from _codes(child)
