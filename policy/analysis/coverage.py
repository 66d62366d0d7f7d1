"""What a set of expectations says nothing of.

A policy that passes its tests is as good as they are. So it is counted what they make the policy
do: which operations answer, which conditions come true and do not, whose roles are tried, and for
want of which permissions somebody is denied. A rule counts where it was weighed: a request that
was denied before its body was looked at says nothing of what the body has to be.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policy.analysis.verdicts import Verdict
from policy.decision import Decision, Reason
from policy.predicates import Answer
from policy.route import Route
from policy.rules import Extra
from policy.table import DecisionTable

__all__ = ["Coverage", "Dimension", "coverage_of"]


@dataclass(frozen=True, slots=True)
class Dimension:
    """How much of one kind of thing was tried, and what was not, in the order of the files."""

    title: str
    total: int
    gaps: tuple[str, ...]

    @property
    def covered(self) -> int:
        return self.total - len(self.gaps)

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means all; of nothing, all."""
        return 100 * self.covered // self.total if self.total else 100


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was tried of a policy. Rules are conditions and guards, each to be seen both ways."""

    operations: Dimension
    conditions: Dimension
    guards: Dimension
    roles: Dimension
    permissions: Dimension

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        return self.operations, self.conditions, self.guards, self.roles, self.permissions


def coverage_of(table: DecisionTable, verdicts: Iterable[Verdict]) -> Coverage:
    """What `verdicts`, all of them on `table`, have tried of it."""
    seen = _Seen(table)
    for verdict in verdicts:
        seen.take(verdict)
    return seen.coverage()


class _Seen:
    def __init__(self, table: DecisionTable) -> None:
        self._table = table
        self._routes: set[Route] = set()
        self._conditions: set[tuple[int, int, bool]] = set()
        self._guards: set[tuple[int, int, bool]] = set()
        self._roles: set[str] = set()
        self._missing: set[str] = set()

    def take(self, verdict: Verdict) -> None:
        if not verdict.expectation.who:
            return  # nobody in particular was to be allowed or denied
        caller = verdict.expectation.caller
        self._roles.update(role.name for role in self._table.roles_of(caller))
        decision = verdict.answer
        if not isinstance(decision, Decision) or decision.route is None:
            return
        self._routes.add(decision.route)
        if decision.reason is Reason.PERMISSION_MISSING:
            missing = decision.missing
            self._missing.update(missing.all_of, *missing.any_of)
        self._take_conditions(decision, decision.route, verdict)
        self._take_guards(decision, decision.route)

    def _take_conditions(self, decision: Decision, route: Route, verdict: Verdict) -> None:
        weighed = _weighed(decision, route)
        for number, extra in enumerate(route.requirement.extras):
            answer = extra.condition.answer(verdict.sent.query, verdict.sent.facts)
            if extra in weighed and answer is not Answer.UNKNOWN:
                self._conditions.add((route.index, number, answer is Answer.YES))

    def _take_guards(self, decision: Decision, route: Route) -> None:
        if decision.reason in _PAST_PERMISSIONS:  # a guard is never passed without a body
            failed = decision.because if decision.reason is Reason.GUARD_FAILED else ()
            for number, guard in enumerate(route.requirement.guards):
                self._guards.add((route.index, number, guard.text not in failed))

    def coverage(self) -> Coverage:
        table = self._table
        # Where every caller who is known gets one answer, no rule is read.
        weighed = [route for route in table.operations if route.settled is None]
        conditions = [
            (route, number, extra.condition.text, _TRUTH)
            for route in weighed
            for number, extra in enumerate(route.requirement.extras)
        ]
        guards = [
            (route, number, guard.text, _HOLDING)
            for route in weighed
            for number, guard in enumerate(route.requirement.guards)
        ]
        demanded = tuple(_demanded(table))
        return Coverage(
            operations=Dimension(
                "operations",
                len(table.operations),
                tuple(str(route) for route in table.operations if route not in self._routes),
            ),
            conditions=_both_ways("conditions", conditions, self._conditions),
            guards=_both_ways("guards", guards, self._guards),
            roles=Dimension(
                "roles",
                len(table.roles),
                tuple(name for name in table.roles if name not in self._roles),
            ),
            permissions=Dimension(
                "permissions",
                len(demanded),
                tuple(name for name in demanded if name not in self._missing),
            ),
        )


_PAST_PERMISSIONS = frozenset({Reason.PERMITTED, Reason.GUARD_FAILED})
_TRUTH = {True: "never true", False: "never false"}
_HOLDING = {True: "never holds", False: "never fails"}


def _both_ways(
    title: str,
    rules: list[tuple[Route, int, str, dict[bool, str]]],
    seen: set[tuple[int, int, bool]],
) -> Dimension:
    gaps = [
        f"{route.id}: {text}: {words[way]}"
        for route, number, text, words in rules
        for way in (True, False)
        if (route.index, number, way) not in seen
    ]
    return Dimension(title, 2 * len(rules), tuple(gaps))


def _weighed(decision: Decision, route: Route) -> tuple[Extra, ...]:
    """The conditions that had a say; the body's have one only where nothing else was missing."""
    if decision.reason in _PAST_PERMISSIONS:
        return route.requirement.extras
    if decision.reason is not Reason.PERMISSION_MISSING:
        return ()
    of_body = {extra.condition.text for extra in route.requirement.body_extras}
    if of_body.isdisjoint(decision.because):
        return route.requirement.query_extras
    return route.requirement.extras


def _demanded(table: DecisionTable) -> Iterator[str]:
    """The permissions for want of which somebody can be denied."""
    bits = 0
    for route in table.operations:
        if route.settled is None:
            bits |= route.requirement.ceiling.bits
    yield from table.names_of(bits)
