"""What Prometheus is told: declared once, counted in integers, read when scraped."""

import math
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from gateway.counts import Metrics, Snapshot, merged
from gateway.errors import GatewayError
from gateway.exposition import CONTENT_TYPE, render
from gateway.metrics import BUCKETS, METRICS
from policy import Reason


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Everything in the exposition, by name and sorted labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(render(metrics.snapshot()).decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics)[name, tuple(sorted(labels.items()))]


def test_decisions_are_counted_by_service_route_effect_and_reason() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.decided("ucs", "read-profile", Reason.PERMITTED)
    metrics.decided("ucs", "read-profile", Reason.PERMISSION_MISSING)

    labels = {"service": "ucs", "route": "read-profile"}
    allowed = labels | {"effect": "allow", "reason": "permitted"}
    denied = labels | {"effect": "deny", "reason": "permission-missing"}
    assert value(metrics, "gateway_decisions_total", **allowed) == 3
    assert value(metrics, "gateway_decisions_total", **denied) == 1


def codes(kind: type[GatewayError]) -> set[str]:
    own = {kind.code} if hasattr(kind, "code") else set()
    return own.union(*(codes(child) for child in kind.__subclasses__()))


def test_every_error_code_has_a_series_from_the_start() -> None:
    exposed = samples(Metrics())

    assert {
        (labels[0][1], count)
        for (name, labels), count in exposed.items()
        if name == "gateway_refusals_total"
    } == {(code, 0) for code in codes(GatewayError)}


def test_a_refusal_is_counted_by_its_code() -> None:
    metrics = Metrics()
    metrics.refused("malformed-target")

    assert value(metrics, "gateway_refusals_total", code="malformed-target") == 1


def test_a_code_that_no_error_has_cannot_become_a_label() -> None:
    with pytest.raises(KeyError):
        Metrics().refused("/profiles/0004Va58A92T0017")


def test_a_duration_is_counted_in_every_bucket_that_holds_it() -> None:
    metrics = Metrics()
    metrics.observe_request(0.003)
    metrics.observe_request(99.0)

    assert value(metrics, "gateway_request_seconds_bucket", le="0.0025") == 0
    assert value(metrics, "gateway_request_seconds_bucket", le="0.005") == 1
    assert value(metrics, "gateway_request_seconds_bucket", le="10.0") == 1
    assert value(metrics, "gateway_request_seconds_bucket", le="+Inf") == 2
    assert value(metrics, "gateway_request_seconds_count") == 2
    assert value(metrics, "gateway_request_seconds_sum") == pytest.approx(99.003)


def test_a_duration_on_a_bound_belongs_to_it() -> None:
    metrics = Metrics()
    metrics.observe_upstream(0.5)

    assert value(metrics, "gateway_upstream_seconds_bucket", le="0.25") == 0
    assert value(metrics, "gateway_upstream_seconds_bucket", le="0.5") == 1


@given(st.lists(st.floats(0, 100)))
def test_buckets_say_what_counting_by_hand_says(durations: list[float]) -> None:
    metrics = Metrics()
    for seconds in durations:
        metrics.observe_request(seconds)
    exposed = samples(metrics)

    for bound in (*BUCKETS, math.inf):
        label = "+Inf" if bound == math.inf else repr(bound)
        counted = exposed["gateway_request_seconds_bucket", (("le", label),)]
        assert counted == sum(seconds <= bound for seconds in durations)


def test_the_two_histograms_are_kept_apart() -> None:
    metrics = Metrics()
    metrics.observe_upstream(1.0)

    assert value(metrics, "gateway_request_seconds_count") == 0
    assert value(metrics, "gateway_upstream_seconds_count") == 1


def test_buckets_reach_from_half_a_millisecond_to_ten_seconds() -> None:
    assert BUCKETS[0] == 0.0005
    assert BUCKETS[-1] == 10.0
    assert list(BUCKETS) == sorted(set(BUCKETS))


def test_a_number_with_an_owner_is_read_from_it_at_each_scrape() -> None:
    metrics = Metrics()
    open_connections = [1, 2]
    metrics.read("gateway_connections", lambda: len(open_connections))
    assert value(metrics, "gateway_connections") == 2

    open_connections.append(3)
    assert value(metrics, "gateway_connections") == 3


def test_an_owner_may_tell_a_number_for_each_label() -> None:
    metrics = Metrics()
    metrics.read("gateway_audit_lines_total", lambda: {("written",): 7, ("failed",): 1})
    metrics.read("gateway_upstream_connections", lambda: {("a:80", "idle"): 2, ("a:80", "busy"): 3})

    assert value(metrics, "gateway_audit_lines_total", result="written") == 7
    assert value(metrics, "gateway_audit_lines_total", result="failed") == 1
    assert value(metrics, "gateway_upstream_connections", node="a:80", state="busy") == 3


@pytest.mark.parametrize(
    "reading",
    [lambda: 1 / 0, lambda: {("a", "b"): 1}, lambda: {("x",): "seven"}],
    ids=["raises", "too-many-labels", "not-a-number"],
)
def test_an_owner_that_fails_hides_its_own_metric_only(reading: Any) -> None:
    metrics = Metrics()
    metrics.read("gateway_audit_lines_total", reading)
    metrics.read("gateway_connections", lambda: 5)

    with capture_logs() as log:
        exposed = samples(metrics)

    assert exposed["gateway_connections", ()] == 5
    assert not [name for name, _ in exposed if name == "gateway_audit_lines_total"]
    assert [(entry["event"], entry["metric"]) for entry in log] == [
        ("metric cannot be read", "gateway_audit_lines_total")
    ]


def test_only_declared_metrics_can_be_read() -> None:
    with pytest.raises(KeyError):
        Metrics().read("gateway_surprises_total", lambda: 1)


@pytest.mark.parametrize("name", ["gateway_decisions_total", "gateway_request_seconds"])
def test_what_is_counted_here_cannot_be_read_elsewhere(name: str) -> None:
    with pytest.raises(ValueError, match="is counted already"):
        Metrics().read(name, lambda: 1)


def test_two_owners_of_one_number_are_a_mistake() -> None:
    metrics = Metrics()
    metrics.read("gateway_connections", lambda: 1)

    with pytest.raises(ValueError, match="is counted already"):
        metrics.read("gateway_connections", lambda: 2)


def test_every_declaration_is_complete_and_named_by_the_rules() -> None:
    assert len({declaration.name for declaration in METRICS}) == len(METRICS)
    for declaration in METRICS:
        assert re.fullmatch(r"gateway_[a-z]+(_[a-z]+)*", declaration.name)
        assert declaration.help
        assert (declaration.kind == "counter") is declaration.name.endswith("_total")
        is_duration = declaration.name.endswith("_seconds")
        is_date = declaration.name.endswith("_expires_seconds")
        assert (declaration.kind == "histogram") is (is_duration and not is_date)


def test_everything_exposed_is_declared_with_its_labels() -> None:
    metrics = Metrics()
    metrics.decided("ucs", "r", Reason.PERMITTED)
    for declaration in METRICS:
        if declaration.kind != "histogram" and declaration.name not in metrics._readings:
            labels = ("x",) * len(declaration.labels)
            metrics.read(declaration.name, lambda labels=labels: {labels: 1})  # type: ignore[misc]

    exposed = {
        (name, tuple(label for label, _ in labels))
        for name, labels in samples(metrics)
        if name.startswith("gateway_") and not name.endswith(("_bucket", "_count", "_sum"))
    }

    assert exposed == {
        (declaration.name, tuple(sorted(declaration.labels)))
        for declaration in METRICS
        if declaration.kind != "histogram"
    }


def test_the_process_itself_is_measured_and_names_no_version() -> None:
    names = {name for name, _ in samples(Metrics())}

    assert "process_resident_memory_bytes" in names
    assert "process_open_fds" in names
    assert "python_info" not in names


def test_it_speaks_the_text_format() -> None:
    assert CONTENT_TYPE.startswith("text/plain; version=")
    assert render(Metrics().snapshot()).endswith(b"\n")


def test_two_gateways_in_one_process_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.refused("upstream-failed")

    assert value(second, "gateway_refusals_total", code="upstream-failed") == 0


def test_workers_add_up_what_they_count_and_agree_on_what_they_say() -> None:
    one, other = Metrics(), Metrics()
    for metrics, open_connections in ((one, 2), (other, 3)):
        metrics.decided("ucs", "read-profile", Reason.PERMITTED)
        metrics.observe_request(0.002)
        metrics.read("gateway_connections", lambda number=open_connections: number)  # type: ignore[misc]
        metrics.read("gateway_policy_info", lambda: {("abc",): 1})

    together = merged([one.snapshot(), other.snapshot()])

    key = ("ucs", "read-profile", "allow", "permitted")
    assert together.readings["gateway_decisions_total"][key] == 2
    assert together.readings["gateway_connections"] == {(): 5}
    assert together.readings["gateway_policy_info"] == {("abc",): 1}
    counts, total = together.histograms["gateway_request_seconds"]
    assert (sum(counts), total) == (2, 0.004)


def test_of_a_worker_that_ended_only_what_never_goes_down_is_kept() -> None:
    metrics = Metrics()
    metrics.refused("upstream-failed")
    metrics.read("gateway_connections", lambda: 7)

    kept = metrics.snapshot().counters()

    assert kept.readings["gateway_refusals_total"]["upstream-failed",] == 1
    assert "gateway_connections" not in kept.readings


def test_a_snapshot_travels_between_processes_as_it_is() -> None:
    metrics = Metrics()
    metrics.decided("ucs", "read-profile", Reason.PERMITTED)
    snapshot = metrics.snapshot()

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot), type=Snapshot) == snapshot
