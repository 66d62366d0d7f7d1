"""`difference` tells what `decide` does to everybody, for any two policies: all of it, and no more."""

from collections.abc import Iterator
from itertools import chain, combinations

import msgspec
from hypothesis import HealthCheck, given, settings

import policy
from policy import NOTHING_HELD, BodyFacts, Caller, Decision, DecisionTable, Effect, Inquiry
from policy.analysis import (
    Change,
    Difference,
    Probe,
    Side,
    Strength,
    Who,
    WhoKind,
    difference,
    gains_of,
    losses_of,
    outcome_of,
    probes_of,
    questions_of,
    strength_of,
)
from tests.support.holdings import everything_held
from tests.support.policies import user
from tests.support.random_policies import SCOPES as EVERY_SCOPE
from tests.support.random_policies import blobs, pairs
from tests.support.random_policies import questions_of as random_questions

thorough = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SCOPES = tuple(EVERY_SCOPE)
Tables = tuple[DecisionTable, DecisionTable]
Key = tuple[object, ...]


def requests(tables: Tables) -> Iterator[tuple[Key, Probe]]:
    """Every probe with its operations and what is said of it; where all are equal, one probe."""
    seen: set[Key] = set()
    for question in questions_of(*tables):
        for probe in probes_of(question):
            key = (*question.routes, *(outcome_of(route, probe) for route in question.routes))
            if key not in seen:
                seen.add(key)
                yield key, probe


def key_of(change: Change) -> Key:
    return change.old.route, change.new.route, change.old.outcome, change.new.outcome


def effect(table: DecisionTable, caller: Caller, asked: Inquiry) -> Effect:
    """What becomes of the request when `caller` sends it; the body counts as read."""
    asked = msgspec.structs.replace(
        asked, caller=caller, held=table.held_by(caller), body=asked.body or BodyFacts({})
    )
    decision = policy.decide(table, asked)
    assert isinstance(decision, Decision)
    return decision.effect


def flip(tables: Tables, callers: tuple[Caller, Caller], asked: Inquiry) -> str | None:
    old, new = (effect(table, caller, asked) for table, caller in zip(tables, callers, strict=True))
    return None if old is new else "gain" if new is Effect.ALLOW else "loss"


def singles(tables: Tables) -> dict[Who, tuple[Caller, Caller]]:
    """Everybody either policy names, found without the population."""
    everybody = [Who(WhoKind.STRANGER), Who(WhoKind.KNOWN)]
    for kind in (WhoKind.ROLE, WhoKind.GROUP, WhoKind.CLAIM, WhoKind.CLIENT, WhoKind.USER):
        names = {name for table in tables for name in getattr(table, f"{kind}s")}
        everybody += [Who(kind, name) for name in sorted(names)]
    return {who: (who.caller(tables[0]), who.caller(tables[1])) for who in everybody}


def tokens(tables: Tables) -> Iterator[tuple[Caller, list[Who]]]:
    """Every user, or somebody no policy names, with every set of claims; and of what it is made."""
    users = ["(unnamed)", *sorted({name for table in tables for name in table.users})]
    claims = sorted({name for table in tables for name in table.claims})
    for subject in users:
        for some in chain.from_iterable(combinations(claims, n) for n in range(len(claims) + 1)):
            parts = [Who(WhoKind.CLAIM, name) for name in some]
            if subject != "(unnamed)":
                parts.append(Who(WhoKind.USER, subject))
            yield user(subject, claims=some, scopes=SCOPES), parts


def of_routes(found: Difference, routes: tuple[object, ...]) -> list[Change]:
    return [change for change in found.effects if (change.old.route, change.new.route) == routes]


def told(found: Difference, change: Change, direction: str) -> set[Who]:
    return set(found.population.members(change.gained if direction == "gain" else change.lost))


@thorough
@given(pairs(), blobs())
def test_whoever_gains_or_loses_any_request_is_told(tables: Tables, blob: bytes) -> None:
    found = difference(*tables)
    asked = [*random_questions(tables[0], blob, 3), *random_questions(tables[1], blob[::-1], 3)]
    for inquiry in asked:
        routes = tuple(table.routes.find(inquiry.method, inquiry.segments) for table in tables)
        changes = of_routes(found, routes)
        for who, callers in singles(tables).items():
            if direction := flip(tables, callers, inquiry):
                assert any(who in told(found, change, direction) for change in changes)
        for caller, parts in tokens(tables):
            if direction := flip(tables, (caller, caller), inquiry):
                assert any(
                    told(found, change, direction) & {*parts, Who(WhoKind.KNOWN)}
                    or (change.gained_together if direction == "gain" else change.lost_together)
                    for change in changes
                )


@thorough
@given(pairs())
def test_just_those_are_told_whose_request_is_really_decided_in_another_way(tables: Tables) -> None:
    found = difference(*tables)
    everybody = singles(tables)
    brute, reported = set(), set()
    for key, probe in requests(tables):
        for who, callers in everybody.items():
            if direction := flip(tables, callers, probe.inquiry(callers[0], NOTHING_HELD)):
                brute.add((key, direction, who))
    for change in found.effects:
        for direction in ("gain", "loss"):
            for who in told(found, change, direction):
                reported.add((key_of(change), direction, who))
                old, new = found.decided(change, who)
                assert (new.effect is Effect.ALLOW) is (direction == "gain")
                assert old.effect is not new.effect
                assert (old.route, new.route) == (change.old.route, change.new.route)
    assert reported == brute


@thorough
@given(pairs())
def test_a_token_is_told_just_if_it_changes_what_none_of_its_parts_does(tables: Tables) -> None:
    found = difference(*tables)
    everybody = singles(tables)
    nobody = Who(WhoKind.KNOWN)
    wanted, reported = set(), set()
    for key, probe in requests(tables):
        alone = {
            who: flip(tables, callers, probe.inquiry(callers[0], NOTHING_HELD))
            for who, callers in everybody.items()
        }
        for caller, parts in tokens(tables):
            direction = flip(tables, (caller, caller), probe.inquiry(caller, NOTHING_HELD))
            if direction and direction not in {alone[who] for who in (*parts, nobody)}:
                wanted.add((key, direction))
    for change in found.effects:
        for direction, together in (
            ("gain", change.gained_together),
            ("loss", change.lost_together),
        ):
            for token in together:
                reported.add((key_of(change), direction))
                old, new = found.decided(change, token)
                assert (old.effect, new.effect) == (
                    (Effect.DENY, Effect.ALLOW)
                    if direction == "gain"
                    else (Effect.ALLOW, Effect.DENY)
                )
                assert_nothing_can_be_left_out(tables, change, token.caller(tables[0]))
    assert reported == wanted


def assert_nothing_can_be_left_out(tables: Tables, change: Change, caller: Caller) -> None:
    smaller = [
        msgspec.structs.replace(caller, claims=caller.claims - {claim}) for claim in caller.claims
    ]
    if caller.subject != "(unnamed)":
        smaller.append(msgspec.structs.replace(caller, subject="(unnamed)"))
    assert len(smaller) >= 2
    for less in smaller:
        assert flip(tables, (less, less), change.probe.inquiry(less, NOTHING_HELD)) is None


@thorough
@given(pairs())
def test_a_demand_is_weaker_just_if_some_set_of_permissions_meets_only_the_new(
    tables: Tables,
) -> None:
    assert list(tables[0].permissions) == list(tables[1].permissions), (
        "a bit means the same in both"
    )
    seen: set[object] = set()
    for question in questions_of(*tables):
        for probe in probes_of(question):
            outcomes = [outcome_of(route, probe) for route in question.routes]
            key = tuple(outcome.gate for outcome in outcomes)
            if key in seen:
                continue
            seen.add(key)
            old, new = outcomes
            only_new = new.for_strangers and not old.for_strangers
            only_old = old.for_strangers and not new.for_strangers
            for held in everything_held(tables[0], *outcomes):
                before, after = (one.for_strangers or one.allows(held) for one in outcomes)
                only_new |= after and not before
                only_old |= before and not after
            strength = strength_of(*map(Side.of, tables, question.routes, outcomes))
            assert only_new is (strength in {Strength.WEAKER, Strength.DIFFERENT})
            assert only_old is (strength in {Strength.STRONGER, Strength.DIFFERENT})


@thorough
@given(pairs())
def test_parties_and_bundles_hold_every_gain_and_loss_just_once(tables: Tables) -> None:
    found = difference(*tables)
    for direction, shares in (("gain", gains_of(found)), ("loss", losses_of(found))):
        paired = [
            (who, id(change))
            for party in shares.parties
            for who in party.members
            for change in shares.changes_of(party)
        ]
        wanted = [
            (who, id(change)) for change in found.effects for who in told(found, change, direction)
        ]
        assert sorted(paired) == sorted(wanted)
        assert len({party.bundles for party in shares.parties}) == len(shares.parties)


@thorough
@given(pairs())
def test_a_policy_differs_from_itself_in_nothing(tables: Tables) -> None:
    for table in tables:
        found = difference(table, table)
        assert not found
        assert not found.grants


@thorough
@given(pairs())
def test_what_is_gained_one_way_is_lost_the_other_way(tables: Tables) -> None:
    there, back = difference(*tables), difference(*reversed(tables))
    for gaining, losing in ((there.gains, back.losses), (back.gains, there.losses)):
        assert sorted((str(c.old), str(c.new)) for c in gaining) == sorted(
            (str(c.new), str(c.old)) for c in losing
        )
