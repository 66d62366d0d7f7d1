"""Can the rules of an operation ever make a difference? Tried with a request for all they can say.

That a condition fires always is not looked for, because none can: every condition asks for
something in the query or the body, and a request may have neither.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from policy.analysis.lints.warnings import warning
from policy.analysis.probes import MOST_COMBINATIONS, OWN_NAME, probes_of
from policy.analysis.questions import Question
from policy.diagnostics import Code, Diagnostic, Severity
from policy.errors import PolicyInvalid
from policy.holding import NOTHING_HELD
from policy.inquiry import Caller, Inquiry, Kind, Means
from policy.predicates import Answer
from policy.route import Requirement, Route
from policy.rules import Extra, Guard

__all__ = ["rule_findings"]

# Guards are tried in all their combinations.
_MOST_GUARDS = 8
_ASKING = Caller(subject=OWN_NAME, kind=Kind.USER, means=Means.NONE)


def rule_findings(questions: Sequence[Question]) -> Iterator[Diagnostic]:
    """Conditions that no request meets, demands and guards that add nothing."""
    asked: dict[int, list[Question]] = {}
    for question in questions:
        route = question.routes[0]
        if route is not None and not route.plain:
            asked.setdefault(route.index, []).append(question)
    for its_questions in asked.values():
        route = its_questions[0].routes[0]
        if route is not None:
            yield from _never_firing(route, its_questions)
            yield from _never_alone(route, its_questions)
            yield from _redundant(route)
            yield from _too_many(route, its_questions[0])


def _never_firing(route: Route, questions: Sequence[Question]) -> Iterator[Diagnostic]:
    for extra in route.requirement.extras:
        fires = any(
            extra.condition.answer(asked.query, asked.body) is Answer.YES
            for asked in _asked(route, questions, extras=(extra,))
        )
        if not fires:
            said = f"no request to `{route.id}` can meet the condition: {extra.condition.text}"
            advice = "perhaps a list is empty"
            yield warning(extra.where, Code.CONDITION_NEVER_FIRES, said, advice)


def _never_alone(route: Route, questions: Sequence[Question]) -> Iterator[Diagnostic]:
    """Guards without which the others would refuse the same, from the last to the first."""
    guards = route.requirement.guards
    if len(guards) > _MOST_GUARDS:
        return
    failing = {
        frozenset(
            number for number, guard in enumerate(guards) if not guard.test(asked.body, asked)
        )
        for asked in _asked(route, questions, guards=guards)
        if asked.body is not None
    }
    needed = set(range(len(guards)))
    for number, guard in reversed(list(enumerate(guards))):
        if not any(failed & needed == {number} for failed in failing):
            needed.discard(number)
            said = f"whatever this guard of `{route.id}` refuses is refused anyway: {guard.text}"
            yield warning(guard.where, Code.GUARD_REDUNDANT, said, "take it out")


def _asked(
    route: Route,
    questions: Sequence[Question],
    extras: tuple[Extra, ...] = (),
    guards: tuple[Guard, ...] = (),
) -> Iterator[Inquiry]:
    """What could be asked if the route had these rules only: there are few combinations of one."""
    access = route.requirement.access
    alone = replace(route, requirement=Requirement(access=access, extras=extras, guards=guards))
    for question in questions:
        for probe in probes_of(Question(question.method, question.segments, (alone,))):
            yield probe.inquiry(_ASKING, NOTHING_HELD)


def _redundant(route: Route) -> Iterator[Diagnostic]:
    floor = route.requirement.demand
    for extra in route.requirement.extras:
        if floor.implies(extra.demand):
            said = f"this asks for nothing that `{route.id}` does not need anyway"
            advice = "take the rule out, or name another permission"
            yield warning(extra.where, Code.RULE_REDUNDANT, said, advice)


def _too_many(route: Route, question: Question) -> Iterator[Diagnostic]:
    """What `diff`, `prove`, `matrix` and the like will refuse to look through."""
    rules = route.requirement
    conditions = [extra.condition for extra in rules.extras]
    said = sum(len(each.query_tests) + len(each.body_tests) for each in conditions)
    if 2 ** (said + len(rules.guards) + bool(rules.watched)) <= MOST_COMBINATIONS:
        return
    try:
        probes_of(Question(question.method, question.segments, (route,)))
    except PolicyInvalid as invalid:
        for finding in invalid.diagnostics:
            yield replace(finding, severity=Severity.WARNING)
