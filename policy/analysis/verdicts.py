"""Sent requests, what becomes of them, and whether that was expected.

The answers are `decide`'s. What is refused before a policy is asked (a target that cannot be read,
a body that has to be read and cannot be) is the gateway's to say, so it comes with the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from policy.analysis.expected import Allowed, AnsweredBy, Denied, Expectation
from policy.decision import Decision, Effect, Missing, NeedsBody
from policy.evaluator import decide
from policy.inquiry import BodyFacts, Caller, Inquiry
from policy.table import DecisionTable

__all__ = ["Answer", "Refusal", "SentRequest", "Verdict", "answer_to", "verdict_on"]


class Refusal(msgspec.Struct, frozen=True):
    """What the gateway says to a request that it cannot read."""

    status: int
    code: str
    detail: str


class SentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the gateway reads it: refused whoever sends it, or decoded for policy.

    `body` is None where none was sent, and a refusal where it can be read in no way, or in
    several: that counts as soon as the outcome depends on it.
    """

    refused: Refusal | None = None
    method: str = ""
    segments: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[bytes, bytes] = {}
    body: BodyFacts | Refusal | None = None

    @property
    def facts(self) -> BodyFacts | None:
        return self.body if isinstance(self.body, BodyFacts) else None


Answer = Decision | NeedsBody | Refusal


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the request of an expectation, and whether that is `as_expected`."""

    expectation: Expectation
    sent: SentRequest
    answer: Answer
    as_expected: bool


def answer_to(table: DecisionTable, sent: SentRequest, caller: Caller) -> Answer:
    """What the gateway would answer; the wish to see the body where there is none to see."""
    if sent.refused is not None:
        return sent.refused
    inquiry = Inquiry(
        caller=caller,
        held=table.held_by(caller),
        method=sent.method,
        segments=sent.segments,
        query=sent.query,
        headers=sent.headers,
        # Whether the body is needed or not, its facts change no outcome: they add to the story.
        body=sent.facts,
    )
    answer = decide(table, inquiry)
    if isinstance(answer, NeedsBody) and isinstance(sent.body, Refusal):
        return sent.body
    return answer


def verdict_on(table: DecisionTable, expectation: Expectation, sent: SentRequest) -> Verdict:
    """Hold one expectation against the table; `sent` is its request."""
    answer = answer_to(table, sent, expectation.caller)
    return Verdict(expectation, sent, answer, _is_as_expected(expectation, answer))


def _is_as_expected(expectation: Expectation, answer: Answer) -> bool:
    match expectation.expected:
        case AnsweredBy(route):
            if isinstance(answer, Refusal) or answer.route is None:
                return False
            return answer.route.id == route
        case Allowed(because):
            return (
                isinstance(answer, Decision)
                and answer.effect is Effect.ALLOW
                and (because is None or set(because) == set(answer.because))
            )
        case Denied(reason, missing, because):
            if isinstance(answer, Refusal):
                return answer.code == reason
            return (
                isinstance(answer, Decision)
                and answer.effect is Effect.DENY
                and answer.reason == reason
                and (missing is None or _is_missing(missing, answer.missing))
                and (because is None or set(because) == set(answer.because))
            )


def _is_missing(expected: Missing, missing: Missing) -> bool:
    """Whether just that is missing; scopes and divisions count where they are expected."""
    return (
        _names_in(expected) == _names_in(missing)
        and (not expected.scopes or set(expected.scopes) == set(missing.scopes))
        and (not expected.divisions or set(expected.divisions) == set(missing.divisions))
    )


def _names_in(missing: Missing) -> tuple[frozenset[str], frozenset[frozenset[str]]]:
    """What is missing, in no order: neither the catalogue's nor the author's counts."""
    return frozenset(missing.all_of), frozenset(map(frozenset, missing.any_of))
