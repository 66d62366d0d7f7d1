"""An assertion is proved exactly if no caller and no request there is contradict it.

`prove` is held against trying: every user with every set of values of the roles claim, every role
and group by itself, sent every request that makes a difference, and random ones besides, each of
them decided by `decide`. What is meant by an assertion is read here afresh from its YAML.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, combinations
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from msgspec import structs

import policy
from policy import (
    ANONYMOUS,
    BodyFacts,
    Caller,
    Decision,
    DecisionTable,
    Effect,
    Held,
    Inquiry,
    Kind,
    Means,
    PolicyDocument,
    Reason,
    Text,
    UseRole,
)
from policy.analysis import Proof, probes_of, prove, questions_of
from tests.support.policies import user
from tests.support.random_policies import (
    CLIENTS,
    KEYS,
    PERMISSIONS,
    QUERY_NAMES,
    ROLES,
    SCOPES,
    Dice,
    policies,
)
from tests.support.random_policies import blobs as requests
from tests.support.random_policies import questions_of as random_inquiries
from tests.support.reference import _body_agrees, _query_agrees

thorough = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
EVERY_SCOPE = tuple(SCOPES)
Made = tuple[PolicyDocument, DecisionTable]
RULES = {"only", "never", "always"}


# --- random assertions -------------------------------------------------------------------------


def _whom(dice: Dice, *, words: list[str]) -> Any:
    if dice.one_in(4):
        return dice.pick(words)
    sections = {
        "roles": ROLES, "groups": ["g0", "g1"], "users": ["u0", "u1", "u2"], "claims": ["c0", "c1"],
        "clients": CLIENTS,
    }  # fmt: skip
    return {key: dice.several(sections[key], 1, 3) for key in dice.several(list(sections), 1, 3)}


def _when(dice: Dice) -> dict[str, Any]:
    forms = {
        "query_has": dice.several(QUERY_NAMES, 1, 2),
        "query_has_dotted_name": True,
        "query_value_in": {dice.pick(QUERY_NAMES): dice.several(KEYS, 1, 2)},
        "body_has_keys_outside": dice.pick(["core", "few"]),
        "body_has_keys": dice.several(KEYS, 1, 2),
        "body_has_empty_list_outside": dice.several(KEYS, 1, 2),
    }
    return {key: forms[key] for key in dice.several(list(forms), 1, 2)}


def _what(dice: Dice, table: DecisionTable) -> Any:
    names = [route.id for route in table.operations]
    if dice.one_in(3):
        return dice.several(names, 1, 3)
    what: dict[str, Any] = {}
    if dice.one_in(4):
        what["operations"] = [dice.pick(names)]
    if dice.one_in(3):
        what["methods"] = dice.pick(["writes", "reads", "GET", ["PUT", "POST"]])
    if dice.one_in(3):
        what["needs"] = dice.several(PERMISSIONS, 1, 2)
    if dice.one_in(3):
        what["when"] = _when(dice)
    return what or {"services": "random"}


def random_assertion(dice: Dice, table: DecisionTable) -> dict[str, Any]:
    rule = dice.pick(["only", "never", "always"])
    words = ["authenticated", "anonymous", *(["anyone"] if rule != "only" else [])]
    entry: dict[str, Any] = {"title": "because", rule: _whom(dice, words=words)}
    verb = dice.pick(["can", "can", "hold", "can_both"])
    if verb == "hold":
        entry["hold"] = dice.several(PERMISSIONS, 1, 2)
    elif verb == "can" or rule == "always":
        entry["can"] = _what(dice, table)
    else:
        entry["can_both"] = [_what(dice, table), _what(dice, table)]
    if rule != "always" and dice.one_in(2):
        entry["claims"] = dice.pick(["together", "alone"])
    return entry


def verdict_on(entry: Mapping[str, Any], table: DecisionTable) -> Proof | None:
    """None where nothing is meant."""
    text = Text("proofs.yaml", json.dumps({"assertions": {"it": entry}}))
    try:
        (verdict,) = prove(table, [text], lambda _method, _target: ((), ()))
    except policy.PolicyInvalid as invalid:
        if {found.code for found in invalid.diagnostics} != {"nothing-meant"}:
            raise
        return None
    return verdict


# --- trying ------------------------------------------------------------------------------------


class Tried(SimpleNamespace):
    """A caller that is tried, with its names: what it is called, and all that it is given."""

    caller: Caller
    kind: str
    user: str
    groups: set[str]
    claims: set[str]
    roles: set[str]


def everybody(document: PolicyDocument) -> Iterator[Tried]:
    files = [written.entries for written in document.policies]
    users = {name: entry for file in files for name, entry in file.users.items()}
    groups = {name: roles_in(entry.roles) for file in files for name, entry in file.groups.items()}
    claims = {name: roles_in(roles) for file in files for name, roles in file.claims.items()}
    clients = {name: entry for file in files for name, entry in file.clients.items()}
    roles = [name for file in files for name in file.roles]

    def tried(caller: Caller, kind: str, **given: Any) -> Tried:
        empty = {"user": "", "client": "", "groups": set(), "claims": set(), "roles": set()}
        return Tried(caller=caller, kind=kind, **(empty | given))

    yield tried(ANONYMOUS, "stranger")
    for name in roles:
        yield tried(user("x", roles=(name,), scopes=EVERY_SCOPE), "role", roles={name})
    for name, client in clients.items():
        caller = Caller(subject=name, kind=Kind.SERVICE, means=Means.CLIENT_CREDENTIALS)
        yield tried(caller, "client", client=name, roles=roles_in(client.roles))
    for name, its_roles in groups.items():
        caller = structs.replace(user("x", scopes=EVERY_SCOPE), groups=frozenset({name}))
        yield tried(caller, "group", groups={name}, roles=its_roles)
    sets = chain.from_iterable(combinations(claims, size) for size in range(len(claims) + 1))
    for some in sets:
        brought = set().union(*(claims[name] for name in some))
        yield tried(
            user("x", claims=some, scopes=EVERY_SCOPE), "token", claims=set(some), roles=brought
        )
        for name, entry in users.items():
            of_groups = set().union(*(groups[group] for group in entry.groups))
            yield tried(
                user(name, claims=some, scopes=EVERY_SCOPE), "user", user=name, claims=set(some),
                groups=set(entry.groups), roles={*roles_in(entry.roles), *of_groups, *brought},
            )  # fmt: skip


def roles_in(items: Iterable[Any]) -> set[str]:
    return {item if isinstance(item, str) else item.role for item in items}


def is_meant(whom: Any, tried: Tried) -> bool:
    match whom:
        case "anyone":
            return True
        case "anonymous" | "authenticated":
            return (tried.kind == "stranger") is (whom == "anonymous")
    return bool(
        tried.roles & set(whom.get("roles", ()))
        or tried.groups & set(whom.get("groups", ()))
        or tried.claims & set(whom.get("claims", ()))
        or tried.user in whom.get("users", ())
        or tried.client in whom.get("clients", ())
    )


def is_looked_at(entry: Mapping[str, Any], tried: Tried) -> bool:
    """Whether the assertion speaks of such a caller, as its documentation has it."""
    if "always" in entry:
        return is_meant(entry["always"], tried)
    by_itself = len(tried.claims) + bool(tried.user) <= 1
    if not by_itself and not is_together(entry):
        return False
    if "never" in entry:
        return is_meant(entry["never"], tried)
    whom = entry["only"]
    if is_meant(whom, tried):
        return False
    if tried.kind == "role":
        return "roles" in whom and isinstance(whom, dict)
    if tried.kind == "group":
        return isinstance(whom, dict) and bool({"roles", "groups"} & whom.keys())
    return True


def is_together(entry: Mapping[str, Any]) -> bool:
    if "claims" in entry:
        return bool(entry["claims"] == "together")
    return "can" in entry and ("only" in entry or entry["never"] in ["anyone", "authenticated"])


class Trial:
    """One policy, tried."""

    def __init__(self, made: Made, blob: bytes) -> None:
        self.document, self.table = made
        (service,) = self.document.services
        enforced = replace(service, spec=replace(service.spec, use_role=UseRole.ENFORCE))
        self.enforced = policy.compile(replace(self.document, services=(enforced,)))
        self.callers = list(everybody(self.document))
        self.probes = [
            probe for question in questions_of(self.table) for probe in probes_of(question)
        ]
        self.random = [seen(inquiry) for inquiry in random_inquiries(self.table, blob, 12)]
        self.lists = lists_of(service)

    def requests(self, verdict: Proof, caller: Caller) -> Iterator[Inquiry]:
        """Everything that is tried, sent by `caller`."""
        held = self.table.held_by(caller)
        own = [asked.probe for group in verdict.assertion.asked for asked in group]
        for probe in (*self.probes, *own):
            yield seen(probe.inquiry(caller, held))
        for inquiry in self.random:
            yield structs.replace(inquiry, caller=caller, held=held)

    def lets(self, inquiry: Inquiry) -> bool:
        """Whether the gateway lets it through."""
        answer = policy.decide(self.table, inquiry)
        assert isinstance(answer, Decision)
        if answer.effect is Effect.ALLOW:
            return True
        watched = answer.route is not None and answer.route.use_role is UseRole.SHADOW
        unheard = {Reason.NOT_AUTHENTICATED, Reason.CLOSED}
        return watched and answer.reason not in unheard

    def selects(self, what: Any, inquiry: Inquiry) -> bool:
        route = self.table.routes.find(inquiry.method, inquiry.segments)
        if route is None:
            return False
        what = {"operations": what} if isinstance(what, list) else what
        method = "GET" if inquiry.method == "HEAD" else inquiry.method
        return (
            route.id in what.get("operations", [route.id])
            and method in methods_of(what.get("methods", ["reads", "writes"]))
            and ("when" not in what or self.agrees(what["when"], inquiry))
            and any(self.decides(inquiry, name) for name in what.get("needs", [""]))
        )

    def agrees(self, when: Mapping[str, Any], inquiry: Inquiry) -> bool:
        words = SimpleNamespace(**(dict.fromkeys(WHEN) | when))
        assert inquiry.body is not None
        return _query_agrees(words, inquiry, self.lists) and _body_agrees(
            words, inquiry.body.values, self.lists
        )

    def decides(self, inquiry: Inquiry, permission: str) -> bool:
        """Whether somebody is denied for the want of this permission and of nothing else."""
        if not permission:
            return True
        bit = self.enforced.permissions.mask_of([permission])
        caller = inquiry.caller if inquiry.caller.subject else user("x")
        scopes = self.enforced.permissions.every_scope

        def asked(held: int) -> Inquiry:
            everywhere = Held.everywhere_alike(held | scopes)
            return structs.replace(inquiry, caller=caller, held=everywhere)

        # Of a pinned service whoever holds nothing at all lacks something besides: to belong.
        (service,) = self.document.services
        least = 0 if service.spec.pin_header is None else 1
        return any(
            not is_allowed(self.enforced, asked(held & ~bit))
            and is_allowed(self.enforced, asked(held | bit))
            for held in range(2 ** len(self.enforced.permissions))
            if held & ~bit >= least
        )

    def contradicts(self, entry: Mapping[str, Any], verdict: Proof, tried: Tried) -> bool:
        """Whether the assertion is wrong about this caller."""
        caller = tried.caller
        if "hold" in entry:
            held = self.table.names_of(self.table.held_by(caller).anywhere)
            return (set(entry["hold"]) <= set(held)) is not ("always" in entry)
        whats = entry.get("can_both") or [entry["can"]]
        sent = list(self.requests(verdict, caller))
        if "always" not in entry:
            return all(
                any(self.lets(each) and self.selects(what, each) for each in sent) for what in whats
            )
        return any(
            not self.lets(each)
            for each in self.expected(each for each in sent if self.selects(whats[0], each))
        )

    def expected(self, sent: Iterable[Inquiry]) -> Iterator[Inquiry]:
        """Of each operation the requests that are not refused whoever sends them, if any."""
        by_route = defaultdict[Any, list[Inquiry]](list)
        for each in sent:
            by_route[self.table.routes.find(each.method, each.segments)].append(each)
        for inquiries in by_route.values():
            everything = self.table.everything
            possible = [
                each
                for each in inquiries
                if self.lets(structs.replace(each, held=everything, caller=known(each.caller)))
            ]
            yield from possible or inquiries


WHEN = [
    "query_has", "query_has_dotted_name", "query_value_in", "body_has_keys_outside",
    "body_has_keys", "body_has_empty_list_outside",
]  # fmt: skip


def known(caller: Caller) -> Caller:
    return caller if caller.subject else user("x")


def methods_of(words: Any) -> list[str]:
    sorts = {"writes": ["POST", "PUT", "PATCH", "DELETE"], "reads": ["GET", "OPTIONS"]}
    words = words if isinstance(words, list) else [words]
    return [method for word in words for method in sorts.get(word, [word])]


def lists_of(service: Any) -> dict[str, list[str]]:
    lists = {name: list(names) for name, names in service.catalogue.entries.lists.items()}
    changes = service.overrides.entries.lists if service.overrides else {}
    for name, change in changes.items():
        lists[name] = [key for key in lists[name] if key not in change.remove] + [*change.add]
    return lists


def seen(inquiry: Inquiry) -> Inquiry:
    """The body counts as read: without one there are no keys."""
    return structs.replace(inquiry, body=inquiry.body or BodyFacts({}))


def is_allowed(table: DecisionTable, inquiry: Inquiry) -> bool:
    answer = policy.decide(table, inquiry)
    assert isinstance(answer, Decision)
    return answer.effect is Effect.ALLOW


# --- the two compared --------------------------------------------------------------------------


@thorough
@given(policies(), requests(), st.binary(min_size=60, max_size=60))
def test_an_assertion_is_proved_exactly_if_trying_finds_nothing_against_it(
    made: Made, blob: bytes, more: bytes
) -> None:
    entry = random_assertion(Dice(more), made[1])
    verdict = verdict_on(entry, made[1])
    if verdict is None:
        event("nothing is meant")
        return
    trial = Trial(made, blob)
    looked_at = [tried for tried in trial.callers if is_looked_at(entry, tried)]
    against = [tried for tried in looked_at if trial.contradicts(entry, verdict, tried)]
    event(f"{next(iter(entry.keys() & RULES))}, {'proved' if verdict.holds else 'violated'}")
    assert verdict.holds is not bool(against), (entry, against, verdict)


@thorough
@given(policies(), st.binary(min_size=60, max_size=60))
def test_a_counterexample_is_one_when_it_is_decided(made: Made, more: bytes) -> None:
    _, table = made
    entry = random_assertion(Dice(more), table)
    verdict = verdict_on(entry, table)
    if verdict is None or verdict.holds:
        return
    trial = Trial(made, b"")
    for example in verdict.counterexamples:
        (tried,) = [each for each in trial.callers if is_the_same(each, example)]
        assert is_looked_at(entry, tried)
        held = table.held_by(example.caller)
        whats = entry.get("can_both") or [entry.get("can")]
        for what, asked in zip(whats, example.asked, strict=False):
            inquiry = seen(asked.probe.inquiry(example.caller, held))
            assert trial.selects(what, inquiry)
            assert trial.lets(inquiry) is ("always" not in entry)
        if "hold" in entry:
            names = set(table.names_of(held.anywhere))
            assert (set(entry["hold"]) <= names) is ("always" not in entry)
        for origin in example.origins:
            assert origin.permission in table.names_of(held.anywhere)


def is_the_same(tried: Tried, example: Any) -> bool:
    kinds = {who.kind.value: who.name for who in example.who}
    match tried.kind:
        case "stranger":
            return "anonymous" in kinds
        case "client":
            return bool(kinds == {"client": tried.client})
        case "role" | "group":
            return bool(kinds == {tried.kind: next(iter(tried.groups or tried.roles))})
    if not kinds.keys() <= {"user", "claim", "known"}:
        return False
    claims = {who.name for who in example.who if who.kind.value == "claim"}
    return bool(kinds.get("user", "") == tried.user and claims == tried.claims)
