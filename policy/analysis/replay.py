"""What another policy would have decided, as far as the record of a decision tells.

A record does not hold the request, only what was found true of it. So it stands for every request
that would have left the same record: of all probes of both tables those are kept that fit it, and
the other table is asked about each. Where all answers agree the answer is known; where they do
not it is not, and nobody guesses.
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from policy.analysis.outcomes import located
from policy.analysis.probes import Probe, probes_of
from policy.analysis.questions import Question, questions_of
from policy.decision import Decision, Effect, Missing, Reason
from policy.divisions import UNCLEAR
from policy.evaluator import decide, given_twice, not_one_division
from policy.holding import NOTHING_HELD, Held
from policy.inquiry import Caller, Inquiry, Kind, Means
from policy.predicates import Answer
from policy.route import Route
from policy.table import DecisionTable

__all__ = ["Doubt", "Recorded", "Replay", "Replayed", "Standing"]

_ANYBODY = Caller(subject="(anybody)", kind=Kind.USER, means=Means.NONE)
_MOST_KEPT = 10_000


class Recorded(msgspec.Struct, frozen=True):
    """What the record of a decision tells of the request.

    `conditions` are all that were true, `unread` those that depend on a body into which nobody
    looked; None, if that was not recorded. `service` and `route` are None where no operation was
    found. `divisions` are those in which it mattered what the caller holds.
    """

    method: str
    service: str | None
    route: str | None
    reason: Reason
    because: tuple[str, ...]
    conditions: tuple[str, ...] | None
    unread: tuple[str, ...]
    anonymous: bool
    divisions: tuple[str, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """A caller of whom perhaps not all is known: it holds `least`, and at most `most`, as bits."""

    caller: Caller
    least: Held
    most: Held


class Doubt(StrEnum):
    """Why a record does not tell what the other policy would have decided."""

    NOT_RECORDED = "the line was shortened, and does not tell which conditions were true"
    NOTHING_FITS = "no request to these catalogues leaves such a line"
    NO_PATH = "no operation was known then, and the line does not tell the path"
    CALLER = "the line does not tell all claims, the scopes, or the whole name of the caller"
    BODY = "it depends on the body, into which nobody looked then"
    NEW_CONDITION = "it depends on what the other policy asks, and this one did not"


class Replayed(msgspec.Struct, frozen=True):
    """What would have been decided, or the `doubt` that keeps us from knowing.

    `reason` and `route` are None where several are possible that come to the same effect; of
    `missing` only is there what would be missing in any case.
    """

    effect: Effect | None
    reason: Reason | None = None
    route: Route | None = None
    missing: Missing = Missing()
    doubt: Doubt | None = None


class Replay:
    """Records of decisions by `table` or one with the same rules, put to `other`."""

    def __init__(self, table: DecisionTable, other: DecisionTable) -> None:
        self._table, self._other = table, other
        self._everything = table.everything
        self._questions: dict[tuple[str, Route | None], list[Question]] = {}
        for question in questions_of(table, other):
            self._questions.setdefault((question.method, question.routes[0]), []).append(question)
        self._routes = {(route.service, route.id): route for route in table.operations}
        self._probes: dict[int, tuple[Probe, ...]] = {}
        self._kept: dict[Recorded, tuple[Probe | None, ...]] = {}

    def __repr__(self) -> str:
        return f"<Replay of {self._table.version} against {self._other.version}>"

    def knows(self, recorded: Recorded) -> bool:
        """Whether the table has the operation that the record names."""
        return recorded.route is None or (recorded.service, recorded.route) in self._routes

    def decided(self, recorded: Recorded, standing: Standing) -> Replayed:
        """What the other table would have decided of the request."""
        probes = self._fitting(recorded)
        if not probes:
            return Replayed(None, doubt=Doubt.NOTHING_FITS)
        answers = [self._asked(probe, recorded, standing, standing.least) for probe in probes]
        found = _agreed(answers)
        confined = any(self._is_confined(probe) for probe in probes)
        if standing.most != standing.least and (found.effect is not Effect.ALLOW or confined):
            # Whoever holds more is never allowed less, but for services that are pinned.
            if found.effect is Effect.ALLOW:
                return Replayed(None, doubt=Doubt.CALLER)
            found = _agreed([
                self._asked(probe, recorded, standing, standing.most) for probe in probes
            ])  # fmt: skip
            if found.effect is not Effect.DENY:
                return Replayed(None, doubt=Doubt.CALLER)
        if found.effect is None:
            return Replayed(None, doubt=_doubt(recorded))
        return found

    def _asked(
        self, probe: Probe | None, recorded: Recorded, standing: Standing, held: Held
    ) -> Decision:
        if probe is None:
            known = not recorded.anonymous
            return self._other.no_route if known else self._other.to_strangers
        answer = decide(self._other, probe.inquiry(standing.caller, held))
        assert isinstance(answer, Decision)  # noqa: S101 - a probe has a body where one is read
        return answer

    @staticmethod
    def _is_confined(probe: Probe | None) -> bool:
        route = None if probe is None else probe.question.routes[1]
        return route is not None and route.pin_header is not None

    # What a record may stand for

    def _fitting(self, recorded: Recorded) -> tuple[Probe | None, ...]:
        """Every probe that would have left this record; None for a path that neither table knows."""
        kept = self._kept.get(recorded)
        if kept is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            kept = self._kept[recorded] = tuple(self._looked_for(recorded))
        return kept

    def _looked_for(self, recorded: Recorded) -> Iterator[Probe | None]:
        route = None
        if recorded.route is None:
            yield None
        else:
            route = self._routes.get((recorded.service or "", recorded.route))
            if route is None:
                return
        # What HEAD finds, GET finds as well, but where HEAD has an operation of its own.
        methods = ("HEAD", "GET") if recorded.method == "HEAD" else (recorded.method,)
        for method in methods:
            for question in self._questions.get((method, route), ()):
                for probe in self._probes_of(question):
                    if route is None or self._fits(probe, route, recorded):
                        yield probe

    def _probes_of(self, question: Question) -> tuple[Probe, ...]:
        found = self._probes.get(id(question))
        if found is None:
            found = self._probes[id(question)] = probes_of(question)
        return found

    def _fits(self, probe: Probe, route: Route, recorded: Recorded) -> bool:
        """Whether the request of `probe` would have left this record."""
        if recorded.anonymous or route.settled is not None:
            return True  # nothing was asked of the request
        inquiry = probe.inquiry(_ANYBODY, self._everything)
        seen = decide(self._table, inquiry)
        assert isinstance(seen, Decision)  # noqa: S101 - as above
        if recorded.conditions is None:
            return (seen.reason is Reason.UNDECIDABLE) is (recorded.reason is Reason.UNDECIDABLE)
        if Reason.UNDECIDABLE in {seen.reason, recorded.reason}:
            # Which of the names was repeated is all one to the rules. A body that could not be
            # read leaves such a record as well, and there is no probe for that.
            said = set(map(given_twice, route.requirement.watched))
            odd = not_one_division(route.pin_header) if route.pin_header else ""
            return (
                seen.reason is recorded.reason
                and (odd in seen.because) is (odd in recorded.because)
                and said.union((odd,)).issuperset(recorded.because)
            )
        if not _is_about(probe, route, recorded):
            return False
        if _answers(route, inquiry, unread=bool(recorded.unread)) != (
            recorded.conditions,
            recorded.unread,
        ):
            return False
        if recorded.reason in _LACKING or not route.requirement.guards:
            return True  # guards were not asked
        return seen.reason is recorded.reason and seen.because == recorded.because


def _is_about(probe: Probe, route: Route, recorded: Recorded) -> bool:
    """Whether the request is about a division of the record. One that made no difference was not
    recorded, but of a pinned service, which was told.
    """
    most = located(route, probe.inquiry(_ANYBODY, NOTHING_HELD), route.requirement.ceiling)
    named = {name for each in probe.question.routes if each for name in each.divisions}
    if not most.aware or most.own:
        return not recorded.divisions or (most.own and named.issuperset(recorded.divisions))
    if not recorded.divisions and recorded.reason is not Reason.DIVISION_MISSING:
        return not most.realm
    asked = {name if name in named else UNCLEAR for name in most.divisions or (UNCLEAR,)}
    return asked <= {
        name if name in named else UNCLEAR for name in recorded.divisions or (UNCLEAR,)
    }


def _doubt(recorded: Recorded) -> Doubt:
    if recorded.route is None:
        return Doubt.NO_PATH
    if recorded.conditions is None:
        return Doubt.NOT_RECORDED
    return Doubt.BODY if recorded.unread else Doubt.NEW_CONDITION


_LACKING = frozenset({Reason.PERMISSION_MISSING, Reason.SCOPE_MISSING, Reason.DIVISION_MISSING})


def _answers(
    route: Route, inquiry: Inquiry, *, unread: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The conditions that are true, and those of which nobody knows without the body."""
    body = None if unread else inquiry.body
    answers = [
        (extra.condition.text, extra.condition.answer(inquiry.query, body))
        for extra in route.requirement.extras
    ]
    yes, unknown = (
        tuple(text for text, answer in answers if answer is wanted)
        for wanted in (Answer.YES, Answer.UNKNOWN)
    )
    return yes, unknown


def _agreed(answers: list[Decision]) -> Replayed:
    """What all answers have in common."""
    effects = {answer.effect for answer in answers}
    if len(effects) > 1:
        return Replayed(None)
    first = answers[0]
    return Replayed(
        effects.pop(),
        first.reason if all(answer.reason is first.reason for answer in answers) else None,
        first.route if all(answer.route is first.route for answer in answers) else None,
        _common([answer.missing for answer in answers]),
    )


def _common(missing: list[Missing]) -> Missing:
    first, *others = missing
    return Missing(
        all_of=tuple(n for n in first.all_of if all(n in other.all_of for other in others)),
        any_of=tuple(g for g in first.any_of if all(g in other.any_of for other in others)),
    )
