"""Every operation against every role: what a caller with this role, and no other, may do.

The role is taken in all divisions, and with a token that names every scope.

A *row* is an operation. It has few different cells, however many roles there are, since only what
they hold of the permissions that the operation speaks of tells two roles apart; so a row lists its
different cells once, and says for each role which of them is its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec

from policy.analysis.cases import Case, cases_of
from policy.analysis.outcomes import missing_for
from policy.analysis.questions import Question, questions_of
from policy.decision import NOTHING, Missing, Reason
from policy.holding import Held
from policy.route import Route
from policy.table import DecisionTable, Role

__all__ = ["Cell", "Lack", "OpenTo", "Row", "State", "rows_of"]


class State(StrEnum):
    """Whether a role may call an operation."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"  # but not where some conditions are met
    DENIED = "denied"


class OpenTo(StrEnum):
    """Who may call an operation, as far as it is not a matter of permissions."""

    ANYBODY = "anybody"
    KNOWN = "known"
    HOLDERS = "holders"
    NOBODY = "nobody"


class Lack(msgspec.Struct, frozen=True):
    """What is missing where all of `when` is met; without a `when`, it is missing always."""

    when: tuple[str, ...]
    missing: Missing


class Cell(msgspec.Struct, frozen=True):
    """A role's answer. `lacks` is empty for allowed, one lack without a condition for denied."""

    state: State
    lacks: tuple[Lack, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """One operation: `cells` holds for each role the index of its cell in `kinds`.

    `needs` is needed always, `conditions` add to it, and `guards` have to hold whatever a role
    grants. An operation that no path leads to is not `reachable`, and denied to everybody.
    """

    route: Route
    open_to: OpenTo
    needs: Missing
    conditions: tuple[Lack, ...]
    guards: tuple[str, ...]
    kinds: tuple[Cell, ...]
    cells: tuple[int, ...]
    reachable: bool = True


def rows_of(table: DecisionTable, roles: Sequence[Role], routes: Iterable[Route]) -> Iterator[Row]:
    """A row for each of `routes`, with a cell for each of `roles`, in the orders given."""
    questions: dict[Route | None, Question] = {}
    for question in questions_of(table):
        (route,) = question.routes
        questions.setdefault(route, question)
    for route in routes:
        if (found := questions.get(route)) is not None:
            yield _row(table, roles, route, cases_of(found))
        else:
            needs = table.permissions.missing_of(route.requirement.demand)
            nobody = (Cell(State.DENIED),)
            cells = (0,) * len(roles)
            yield Row(route, OpenTo.HOLDERS, needs, (), (), nobody, cells, reachable=False)


def _row(table: DecisionTable, roles: Sequence[Role], route: Route, cases: Sequence[Case]) -> Row:
    weighed = [case for case in cases if case.outcome.demand is not None]
    if any(case.outcome.barred is Reason.CLOSED for case in cases):
        nobody = (Cell(State.DENIED),)
        return Row(route, OpenTo.NOBODY, NOTHING, (), (), nobody, (0,) * len(roles))
    broken = [case for case in cases if case.outcome.barred is Reason.GUARD_FAILED]
    met = {text for case in weighed for text in case.outcome.because}
    relevant = 0
    for case in weighed:
        for group in case.outcome.clauses:
            relevant |= group
    numbers: dict[int, int] = {}
    cells = tuple([numbers.setdefault(role.mask & relevant, len(numbers)) for role in roles])
    return Row(
        route=route,
        open_to=_open_to(weighed),
        needs=NOTHING if route.settled else table.permissions.missing_of(route.requirement.demand),
        conditions=tuple(
            Lack((extra.condition.text,), table.permissions.missing_of(extra.demand))
            for extra in route.requirement.extras
            if extra.condition.text in met
        ),
        guards=tuple(dict.fromkeys(text for case in broken for text in case.outcome.because)),
        kinds=tuple(_cell(table, weighed, _with_scopes(table, held)) for held in numbers),
        cells=cells,
    )


def _open_to(cases: Sequence[Case]) -> OpenTo:
    if all(case.outcome.for_strangers for case in cases):
        return OpenTo.ANYBODY
    some = any(case.outcome.demand or case.outcome.realm for case in cases)
    return OpenTo.HOLDERS if some else OpenTo.KNOWN


def _with_scopes(table: DecisionTable, mask: int) -> Held:
    """What a role grants in all divisions, beside a token that names every scope."""
    return Held.everywhere_alike(mask | table.permissions.every_scope)


def _cell(table: DecisionTable, cases: Sequence[Case], held: Held) -> Cell:
    lacks: list[Lack] = []
    for case in sorted(cases, key=lambda case: len(case.outcome.because)):
        outcome, when = case.outcome, case.outcome.because
        if outcome.demand is None or outcome.for_strangers or outcome.allows(held):
            continue
        # Where less is met already, all that is met besides goes without saying.
        if not any(set(lack.when) <= set(when) for lack in lacks):
            lacks.append(Lack(when, missing_for(table, outcome, held)))
    if not lacks:
        return Cell(State.ALLOWED)
    state = State.CONDITIONAL if all(lack.when for lack in lacks) else State.DENIED
    return Cell(state, tuple(lacks))
