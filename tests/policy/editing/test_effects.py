"""What an edit opens and closes, held to the evaluator asked one by one."""

import dataclasses

from hypothesis import assume, given

import policy
from policy import Decision, DecisionTable, Effect, Held, Route
from policy.analysis import Population, WhoKind, probes_of, questions_of
from policy.editing import effect_of, of_kind, reach_of
from tests.support.policies import CATALOGUE, POLICY, table
from tests.support.random_policies import policies

OLD = table()
_CALLERS = {WhoKind.USER, WhoKind.CLIENT, WhoKind.CLAIM}
_Allowed = dict[str, list[bool]]


def allowed(asked: DecisionTable, named: DecisionTable) -> dict[tuple[Route, str], list[bool]]:
    """For each operation and each user and claim of `named`: which requests are allowed."""
    some = [
        who
        for who in Population(named).members(Population(named).everybody)
        if who.kind in _CALLERS
    ]
    found: dict[tuple[Route, str], list[bool]] = {}
    for question in questions_of(asked):
        for probe in probes_of(question):
            for who in some:
                caller = who.caller(asked)
                answer = policy.decide(asked, probe.inquiry(caller, asked.held_by(caller)))
                is_allowed = isinstance(answer, Decision) and answer.effect is Effect.ALLOW
                (route,) = question.routes
                assert route is not None
                found.setdefault((route, str(who)), []).append(is_allowed)
    return found


def changed(new_policy: str) -> DecisionTable:
    return table(CATALOGUE, new_policy)


def test_what_a_permission_opens_counts_once_and_for_whoever_really_calls() -> None:
    new = changed(
        POLICY.replace("reader: {permissions: [read]}", "reader: {permissions: [read, detail]}")
    )
    effect = effect_of(OLD, new)
    assert [route.id for route in effect.opened.partly] == ["find-records", "change-record"]
    assert effect.opened.whole == ()
    assert str(effect.opened) == "2 operations (1 write)"
    assert of_kind(effect.gaining, WhoKind.USER) == ("ann", "bob")
    assert not effect.closed
    closed = effect_of(new, OLD).closed
    assert [route.id for route in closed.partly] == ["find-records", "change-record"]


def test_a_role_that_nobody_has_is_told_by_itself() -> None:
    new = changed(POLICY.replace("users:", "  sweeper: {permissions: [write]}\nusers:"))
    effect = effect_of(OLD, new)
    assert [route.id for route in effect.opened.whole] == [
        "change-record", "own-record", "sweep",
    ]  # fmt: skip
    assert of_kind(effect.gaining, WhoKind.USER) == ()
    assert of_kind(effect.gaining, WhoKind.ROLE) == ("sweeper",)


def test_another_name_means_nothing() -> None:
    effect = effect_of(OLD, changed(POLICY.replace("chief", "boss")))
    assert (effect.opened, effect.closed) == (effect_of(OLD, OLD).opened,) * 2
    assert not effect.opened


@given(policies())
def test_what_is_opened_and_closed_is_what_the_evaluator_says(
    made: tuple[policy.PolicyDocument, DecisionTable],
) -> None:
    document, new = made
    assume(new.users or new.claims)
    # The same policy with one role switched off: then every permission of it is lost.
    old = policy.compile(_without_a_role(document))
    before, after = allowed(old, new), allowed(new, new)
    effect = effect_of(old, new)
    gained = {
        (route.id, who)
        for (route, who), now in after.items()
        for (other, whose), was in before.items()
        if (other.id, whose) == (route.id, who)
        and any(n and not w for w, n in zip(was, now, strict=True))
    }
    opened = {*effect.opened.whole, *effect.opened.partly}
    if gained or any(who.kind in _CALLERS for who in effect.gaining):
        assert {route.id for route in opened} == {route for route, _ in gained}
        named = [who for who in effect.gaining if who.kind in _CALLERS]
        assert {str(who) for who in named} == {who for _, who in gained}
    # Who gets a role in a second division of a pinned service has to say from now on which is meant.
    assert not effect.closed.whole
    assert all(route.pin_header for route in effect.closed.partly)
    for name, role in new.roles.items():
        reach = reach_of(new, Held.everywhere_alike(role.mask))
        assert {*reach.whole, *reach.partly} <= set(new.operations), name


def _without_a_role(document: policy.PolicyDocument) -> policy.PolicyDocument:
    """With the first role switched off."""
    written = document.policies[0]
    roles = dict(written.entries.roles)
    first = next(iter(roles))
    roles[first] = roles[first].model_copy(update={"enabled": False})
    entries = written.entries.model_copy(update={"roles": roles})
    return dataclasses.replace(
        document, policies=(dataclasses.replace(written, entries=entries), *document.policies[1:])
    )
