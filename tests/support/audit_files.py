"""Audit files for tests: lines as a gateway with a given policy writes them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import policy
from gateway.audit.record import claims_of, encode, rfc3339
from policy import BodyFacts, Caller, Decision, DecisionTable, Inquiry
from tests.support.audit import a_record
from tests.support.policies import inquiry

__all__ = ["NOON_SECONDS", "line_of", "record_of", "shop_lines", "write_log"]

NOON_SECONDS = 1_795_262_400.0
"""2026-11-21, 12:00 UTC."""


def decided(table: DecisionTable, asked: Inquiry) -> Decision:
    """As the gateway decides: the body is read where it has a say, and not otherwise."""
    blind = Inquiry(
        caller=asked.caller, held=asked.held, method=asked.method, segments=asked.segments,
        query=asked.query,
    )  # fmt: skip
    answer = policy.decide(table, blind)
    if not isinstance(answer, Decision):
        answer = policy.decide(table, asked)
    assert isinstance(answer, Decision)
    return answer


def record_of(table: DecisionTable, asked: Inquiry, **changes: Any) -> dict[str, Any]:
    """The fields of the line for a question and its answer."""
    decision = decided(table, asked)
    route, caller = decision.route, asked.caller
    fields = {
        "service": route.service if route else None,
        "route": route.id if route else None,
        "subject": caller.subject,
        "kind": caller.kind,
        "means": caller.means,
        "claims": claims_of(caller),
        "method": asked.method,
        "effect": decision.effect,
        "reason": decision.reason,
        "missing": decision.missing or None,
        "because": decision.because,
        "conditions": decision.conditions,
        "unread": decision.unread,
        "policy": decision.policy,
    }
    return fields | changes


def line_of(table: DecisionTable, asked: Inquiry, id_: str = "r-1", **changes: Any) -> bytes:
    if asked.body is None:
        asked = Inquiry(
            caller=asked.caller, held=asked.held, method=asked.method, segments=asked.segments,
            query=asked.query, body=BodyFacts({}),
        )  # fmt: skip
    return encode([a_record(id_, **record_of(table, asked, **changes))])


Asked = tuple[Caller, str, tuple[tuple[str, str], ...], dict[str, object] | None]


def shop_lines(table: DecisionTable, asked: Iterable[Asked]) -> list[bytes]:
    """A line for each, a second apart, `r-0`, `r-1` …"""
    lines = []
    for number, (caller, request, query, body) in enumerate(asked):
        question = inquiry(table, caller, request, *query, body=body)
        time = rfc3339(NOON_SECONDS + number)
        lines.append(line_of(table, question, f"r-{number}", time=time))
    return lines


def write_log(file: Path, lines: Iterable[bytes]) -> str:
    file.write_bytes(b"".join(lines))
    return str(file)
