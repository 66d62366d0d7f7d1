"""What an operator is told of the upstreams: the numbers for metrics, the words for readiness."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from gateway.upstream.service import Upstream

__all__ = ["check_all", "readings_of"]

_Numbers = Mapping[tuple[str, ...], float]


def check_all(upstreams: Sequence[Upstream]) -> tuple[bool, str]:
    """Whether each service has a node to go to, and how the nodes are."""
    results = {upstream.name: upstream.check() for upstream in upstreams}
    told = "; ".join(f"{name}: {detail}" for name, (_, detail) in results.items())
    return all(ready for ready, _ in results.values()), told


def readings_of(upstreams: Sequence[Upstream]) -> Mapping[str, Callable[[], _Numbers]]:
    """The numbers that are read from the upstreams at each scrape, by the metric's name."""
    nodes = [(upstream.name, node) for upstream in upstreams for node in upstream.nodes]

    tokens = [(each.name, each.token) for each in upstreams if each.token is not None]

    def connections() -> _Numbers:
        counts: Counter[tuple[str, ...]] = Counter()  # two services may share a node
        for _, node in nodes:
            counts[node.name, "idle"] += node.pool.idle
            counts[node.name, "busy"] += node.pool.active
        return counts

    return {
        "gateway_upstream_connections": connections,
        "gateway_upstream_node_up": lambda: {
            (service, node.name): node.is_in for service, node in nodes
        },
        "gateway_upstream_ejections_total": lambda: {
            (service, node.name): node.ejections for service, node in nodes
        },
        "gateway_upstream_waiting": lambda: {
            (upstream.name,): upstream.places.waiting for upstream in upstreams
        },
        "gateway_upstream_retries_total": lambda: {
            (upstream.name,): upstream.retries for upstream in upstreams
        },
        "gateway_upstream_token_fetches_total": lambda: {
            (name, result): count
            for name, token in tokens
            for result, count in (("fetched", token.fetched), ("failed", token.failed))
        },
        "gateway_upstream_token_expires_seconds": lambda: {
            (name,): token.expires_at for name, token in tokens
        },
    }
