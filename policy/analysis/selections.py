"""The requests that an assertion speaks of, each class of them once, and whom each lets through.

What is selected are requests, not operations: the same operation may be harmless or not, by what
its query and body hold. Where a selection itself asks for that (`when`), its condition is combined
with those of the operation, so that both together are decided for every request.

Let through is more than allowed: a service that only watches its policy lets every known caller
through, and so does one that does not use roles.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from policy.analysis.outcomes import Outcome, outcome_of
from policy.analysis.probes import OWN_NAME, Probe, probes_of
from policy.analysis.questions import Question, questions_of
from policy.conditions import condition_of, lists_of
from policy.decision import Reason
from policy.entries import WhenEntry
from policy.holding import NOTHING_HELD
from policy.inquiry import Caller, Kind, Means
from policy.permissions import NO_DEMAND
from policy.predicates import Answer, Condition
from policy.route import Access, Requirement, Route
from policy.rules import Extra
from policy.services import UseRole
from policy.table import DecisionTable

__all__ = ["Asked", "Requests", "Selection", "distinct", "fits"]

_ANYBODY = Caller(subject=OWN_NAME, kind=Kind.USER, means=Means.NONE)


class Selection(msgspec.Struct, frozen=True):
    """Which requests; what is None does not narrow them. `request` is one that is meant itself."""

    operations: frozenset[str] | None = None
    methods: frozenset[str] | None = None
    services: frozenset[str] | None = None
    paths: tuple[str, ...] | None = None
    needs: int | None = None
    when: WhenEntry | None = None
    request: Probe | None = None


class Asked(msgspec.Struct, frozen=True):
    """A request, its operation, and whom it lets through.

    `unasked` says that the service does so without asking for what the operation needs.
    """

    probe: Probe
    route: Route
    lets: Outcome
    unasked: bool = False


def distinct(group: Iterable[Asked]) -> Iterable[Asked]:
    """The first request of each outcome."""
    found: dict[Outcome, Asked] = {}
    for asked in group:
        found.setdefault(asked.lets.gate, asked)
    return found.values()


def fits(path: str, template: str) -> bool:
    """Whether `path`, as an assertion has it, speaks of that template.

    >>> fits("/profiles/*/extensions", "/profiles/{customer_id}/extensions")
    True
    >>> fits("/profiles/**", "/profiles")
    True
    """
    wanted, have = path.strip("/").split("/"), template.strip("/").split("/")
    if wanted[-1] == "**":
        wanted.pop()
        have = have[: len(wanted)]
    return len(wanted) == len(have) and all(map(_fits_segment, wanted, have))


def _fits_segment(wanted: str, have: str) -> bool:
    if have.startswith("{"):
        return wanted == "*" or (wanted.startswith("{") and wanted.endswith("}"))
    return wanted == have


class Requests:
    """Every request of a table, one for each class."""

    def __init__(self, table: DecisionTable) -> None:
        self._table = table
        self._questions = tuple(questions_of(table))
        self._asked: dict[int, tuple[Asked, ...]] = {}

    def of(self, selection: Selection) -> tuple[Asked, ...]:
        """Those that `selection` means."""
        if selection.request is not None:
            return tuple(_each([selection.request]))
        when = selection.when
        found = self._all(selection) if when is None else self._when(selection, when)
        if selection.needs is None:
            return tuple(found)
        needs = selection.needs
        return tuple(asked for asked in found if _needed(asked) & needs)

    def _narrowed(self, selection: Selection) -> Iterator[tuple[int, Question, Route]]:
        for number, question in enumerate(self._questions):
            (route,) = question.routes
            if route is not None and _means(selection, question, route):
                yield number, question, route

    def _all(self, selection: Selection) -> Iterator[Asked]:
        for number, question, _ in self._narrowed(selection):
            if number not in self._asked:
                self._asked[number] = tuple(_each(probes_of(question)))
            yield from self._asked[number]

    def _when(self, selection: Selection, when: WhenEntry) -> Iterator[Asked]:
        conditions = {
            name: _condition(when, service.lists) for name, service in self._table.services.items()
        }
        for _, question, route in self._narrowed(selection):
            if (condition := conditions[route.service]) is not None:
                yield from _each(_probes_when(question, route, condition))


def _means(selection: Selection, question: Question, route: Route) -> bool:
    method = "GET" if question.method == "HEAD" else question.method
    return (
        (selection.operations is None or route.id in selection.operations)
        and (selection.methods is None or method in selection.methods)
        and (selection.services is None or route.service in selection.services)
        and (selection.paths is None or any(fits(path, route.template) for path in selection.paths))
    )


def _each(probes: Iterable[Probe]) -> Iterator[Asked]:
    for probe in probes:
        yield from (_asked(probe, route) for route in probe.question.routes if route is not None)


def _asked(probe: Probe, route: Route) -> Asked:
    outcome = outcome_of(route, probe)
    if route.use_role is UseRole.ENFORCE or outcome.barred is Reason.CLOSED:
        return Asked(probe, route, outcome)
    lets = Outcome(NO_DEMAND, for_strangers=outcome.for_strangers)
    return Asked(probe, route, lets, unasked=_enforced(route, probe).gate != Outcome(NO_DEMAND))


def _enforced(route: Route, probe: Probe) -> Outcome:
    """What the operation would answer if its service enforced its policy."""
    return outcome_of(replace(route, use_role=UseRole.ENFORCE), probe)


def _needed(asked: Asked) -> int:
    """The permissions that the request needs, or of which it needs one; also where nobody asks."""
    outcome = _enforced(asked.route, asked.probe) if asked.unasked else asked.lets
    demand = outcome.demand
    if demand is None:
        return 0
    # What is needed anyway, or already one of fewer, makes the others no use.
    single = [
        1 << place for place in range(demand.all_of.bit_length()) if demand.all_of >> place & 1
    ]
    groups = {*single, *demand.any_of}
    bits = 0
    for group in groups:
        if not any(other != group and other & group == other for other in groups):
            bits |= group
    return bits


def _condition(when: WhenEntry, lists: Mapping[str, tuple[str, ...]]) -> Condition | None:
    """The condition with a service's lists; None if the service has no such list.

    Whether a name is given twice does not matter here: it is there.
    """
    if not {name for _, name in lists_of(when)} <= lists.keys():
        return None
    return replace(condition_of(when, lists), watched=frozenset())


def _probes_when(question: Question, route: Route, condition: Condition) -> Sequence[Probe]:
    """The requests of which `condition` is true, one for whatever else can be true with it."""
    extra = Extra(condition=condition, demand=NO_DEMAND, where=route.where)
    asking = replace(route, requirement=Requirement(access=Access.PERMITTED, extras=(extra,)))
    both = Question(question.method, question.segments, (route, asking))
    found = []
    for probe in probes_of(both):
        inquiry = probe.inquiry(_ANYBODY, NOTHING_HELD)
        if condition.answer(inquiry.query, inquiry.body) is Answer.YES:
            found.append(Probe(question, probe.query, probe.body))
    return found
