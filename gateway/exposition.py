"""From counts to the text that Prometheus reads.

Every declared metric is exposed, with no sample where nothing was counted yet, so that a dashboard
can be built before the first request.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from gateway.counts import Snapshot
from gateway.metrics import BUCKETS, METRICS, Declaration

__all__ = ["CONTENT_TYPE", "render"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The text format that every Prometheus reads."""

_BOUNDS = (*(repr(bound) for bound in BUCKETS), "+Inf")


def render(snapshot: Snapshot) -> bytes:
    """The text exposition format, of type `CONTENT_TYPE`, with `process_*` of this process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(snapshot))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Told(Collector):
    """One snapshot, for as long as it takes to write it down."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        """Nothing has to be collected for the registry to know our names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        for declaration in METRICS:
            if declaration.kind == "histogram":
                yield self._histogram(declaration)
            else:
                yield self._values(declaration)

    def _histogram(self, declaration: Declaration) -> Metric:
        counts, total = self._snapshot.histograms.get(declaration.name, ([0] * len(_BOUNDS), 0.0))
        buckets = list(zip(_BOUNDS, accumulate(counts), strict=True))
        return HistogramMetricFamily(
            declaration.name, declaration.help, buckets=buckets, sum_value=total
        )

    def _values(self, declaration: Declaration) -> Metric:
        kind = CounterMetricFamily if declaration.kind == "counter" else GaugeMetricFamily
        family = kind(declaration.name, declaration.help, labels=declaration.labels)
        for labels, value in sorted(self._snapshot.readings.get(declaration.name, {}).items()):
            family.add_metric(labels, value)
        return family
