"""Every metric, declared in one table.

Labels come from closed sets only: service and route names of the catalogues, reasons, codes. A
path or a caller is never one (threat C-14). How they are counted is in `gateway/counts.py`.
"""

from typing import Literal

import msgspec

__all__ = ["BUCKETS", "METRICS", "Declaration"]


class Declaration(msgspec.Struct, frozen=True):
    """What the documentation says of a metric, and what the values of several workers make."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    together: Literal["sum", "min", "max"] = "sum"


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
        "gateway_certificate_expires_seconds",
        "gauge",
        (),
        "When the public port's own certificate ends, in seconds since the epoch; only with TLS",
        "min",
    ),
    Declaration(
        "gateway_requests_in_flight",
        "gauge",
        (),
        "Requests being carried out; at `limits.max_in_flight` further ones are refused",
    ),
    Declaration(
        "gateway_upstream_connections",
        "gauge",
        ("node", "state"),
        "Connections to upstream servers, `idle` or `busy`",
    ),
    Declaration(
        "gateway_upstream_node_up",
        "gauge",
        ("service", "node"),
        "1 while the node is in, 0 while failed checks or requests keep it out, in any worker",
        "min",
    ),
    Declaration(
        "gateway_upstream_ejections_total",
        "counter",
        ("service", "node"),
        "Times that failed requests put the node out, or kept it out for longer",
    ),
    Declaration(
        "gateway_upstream_waiting",
        "gauge",
        ("service",),
        "Requests that wait for a place at a node",
    ),
    Declaration(
        "gateway_upstream_retries_total",
        "counter",
        ("service",),
        "Requests that were sent on to another node, or a second time to one",
    ),
    Declaration(
        "gateway_upstream_token_fetches_total",
        "counter",
        ("service", "result"),
        "Attempts to get the gateway's own token for a service: `fetched` or `failed`",
    ),
    Declaration(
        "gateway_upstream_token_expires_seconds",
        "gauge",
        ("service",),
        "When the gateway's own token for a service ends, in seconds since the epoch; 0 without one",
        "min",
    ),
    Declaration(
        "gateway_policy_info",
        "gauge",
        ("digest",),
        "Always 1; the label names the policy in force",
        "max",
    ),
    Declaration(
        "gateway_policy_reloads_total",
        "counter",
        ("result",),
        "Attempts to change the policy: `taken`, `unchanged`, `kept` where it was refused and the last"
        " good one stays, `rolled-back`, `promoted`",
    ),
    Declaration(
        "gateway_policy_stale",
        "gauge",
        (),
        "1 while the files say something else than what is in force: the last reload was refused, or"
        " it was rolled back; else 0",
        "max",
    ),
    Declaration(
        "gateway_candidate_info",
        "gauge",
        ("digest",),
        "Always 1; the label names the candidate policy that is tried, if there is one",
        "max",
    ),
    Declaration(
        "gateway_candidate_reverted",
        "gauge",
        (),
        "1 while a candidate policy governs nobody because its denials left the band; else 0",
        "max",
    ),
    Declaration(
        "gateway_candidate_requests_total",
        "counter",
        ("result",),
        "Requests that both policies were asked about: `same`, `newly-allowed`, `newly-denied`,"
        " `other-reason`, or `undetermined` where one would have had to see the body",
    ),
    Declaration(
        "gateway_workers",
        "gauge",
        ("state",),
        "Worker processes: `starting`, `serving`, `draining`, or `waiting` to be replaced",
    ),
    Declaration(
        "gateway_worker_deaths_total",
        "counter",
        (),
        "Workers that ended without being told to, and were replaced",
    ),
    Declaration(
        "gateway_worker_memory_bytes",
        "gauge",
        ("worker",),
        "Resident memory of each worker process",
    ),
    Declaration(
        "gateway_token_cache_total",
        "counter",
        ("result",),
        "Look-ups of verified credentials: `hit`, `miss`, or `refused` where they were wrong",
    ),
    Declaration(
        "gateway_introspections_total",
        "counter",
        ("server", "result"),
        "Questions about opaque tokens, by the server's URL: the token is `active` or `inactive`, or"
        " the question `failed`",
    ),
    Declaration(
        "gateway_tokens_issued_total",
        "counter",
        ("result",),
        "Requests to the gateway's own token endpoint: `token-issued`, or why there was none",
    ),
    Declaration(
        "gateway_tokens_revoked",
        "gauge",
        (),
        "Revoked tokens that would still be good, as far as the worker has read that knows most",
        "max",
    ),
    Declaration(
        "gateway_clients_stale",
        "gauge",
        (),
        "1 while the clients file or the signing keys are refused and the last good ones stay, in"
        " any worker; else 0",
        "max",
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

BUCKETS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Upper bounds in seconds: our own share is below the first, a stuck upstream above the last."""
