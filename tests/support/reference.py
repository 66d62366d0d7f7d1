"""A second evaluator, as plain as it can be, to hold the compiled one against.

It walks the documents afresh for every question: no table, no trie, no bits, no closures, and
nothing of the compiler or the evaluator. It is written after the words of ARCHITECTURE.md and the
field descriptions of the files, and slow on purpose. If the two differ, one of them is wrong.
"""

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from policy import Inquiry, Kind, PolicyDocument, UseRole
from policy.document import ServiceDocument
from policy.entries import AllOf, AnyOf, ParameterEntry
from tests.support.reference_grants import Grants, missing_scopes, plain

__all__ = ["NEEDS_BODY", "Verdict", "reference"]

NEEDS_BODY = "needs-body"


@dataclass(frozen=True)
class Verdict:
    """What the compiled evaluator must say too; the order of names does not matter here.

    `scopes` and `elsewhere` are what is missing besides, `divisions` where it was looked for.
    """

    reason: str
    service: str = ""
    operation: str = ""
    all_of: frozenset[str] = frozenset()
    any_of: frozenset[frozenset[str]] = frozenset()
    scopes: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    divisions: frozenset[str] = frozenset()


@dataclass
class _Operation:
    id: str
    service: ServiceDocument
    method: str
    segments: list[Any]  # a literal, or (parameter name, description)
    requires: Any
    also: Iterable[Any]
    guards: Iterable[Any]
    scopes: Iterable[str] = ()
    division: Any = None
    lists: Mapping[str, Iterable[str]] = field(default_factory=dict)


def reference(document: PolicyDocument, inquiry: Inquiry) -> Verdict:
    """The answer to `inquiry`; the caller's permissions are found out afresh, too."""
    operation = _closest(document, inquiry)
    if operation is None:
        anonymous = inquiry.caller.kind is Kind.ANONYMOUS
        return Verdict("not-authenticated" if anonymous else "no-route")

    def verdict(reason: str, **more: Any) -> Verdict:
        return Verdict(reason, operation.service.spec.name, operation.id, **more)

    rules = [also for also in operation.also if _is_on(also, operation)]
    if at_once := _without_rules(operation, inquiry):
        return verdict(at_once)
    grants = Grants(document, operation, inquiry)
    if grants.divisions == "odd":
        return verdict("undecidable")
    told = frozenset(grants.divisions) if grants.pinned else frozenset[str]()
    if _is_repeated(inquiry, [also.when for also in rules if also.when is not None]):
        return verdict("undecidable", divisions=told)
    scopes = missing_scopes(document, operation, inquiry)
    now: list[Any] = [operation.requires] if operation.requires != "authenticated" else []
    later: list[Any] = []
    for also in rules:
        if also.when is None:
            now.append(also.requires)
        elif _query_agrees(also.when, inquiry, operation.lists):
            (later if _speaks_of_body(also.when) else now).append(also)
    now = [getattr(rule, "requires", rule) for rule in now]
    if missing := _missing(now, grants.anywhere):
        return verdict("permission-missing", scopes=scopes, divisions=told, **missing)
    if scopes:
        return verdict("scope-missing", scopes=scopes, divisions=told)
    return _by_division(inquiry, operation, grants, verdict, now, later)


def _by_division(
    inquiry: Inquiry,
    operation: _Operation,
    grants: Grants,
    verdict: Callable[..., Verdict],
    now: list[Any],
    later: list[Any],
) -> Verdict:
    """The rest of the way: where what is needed has to count, and what the body says."""
    looked_in = None if grants.divisions is None else frozenset(grants.divisions)

    def elsewhere(needs: list[Any]) -> Verdict:
        missing = _missing_in_one(needs, grants.there)
        return verdict("division-missing", elsewhere=looked_in, divisions=looked_in, **missing)

    def where(needs: list[Any]) -> frozenset[str]:
        if looked_in is None or not (grants.pinned or _missing(needs, grants.everywhere)):
            return frozenset()
        return looked_in

    if looked_in is not None and (not grants.has_any or _missing_in_one(now, grants.there)):
        return elsewhere(now)
    guards = [guard for guard in operation.guards if _is_on(guard, operation)]
    if inquiry.body is None:
        counts = grants.there if looked_in is not None else [grants.everywhere]
        if guards or _missing_in_one([*now, *(also.requires for also in later)], counts):
            return verdict(NEEDS_BODY, divisions=where([]) if grants.pinned else frozenset())
        return verdict("permitted", divisions=where(now))
    body = inquiry.body.values
    now += [also.requires for also in later if _body_agrees(also.when, body, operation.lists)]
    if missing := _missing(now, grants.anywhere):
        told = where([]) if grants.pinned else frozenset[str]()
        return verdict("permission-missing", divisions=told, **missing)
    if _missing_in_one(now, grants.there):
        return elsewhere(now)
    if not all(_guard_holds(guard, body, inquiry, operation) for guard in guards):
        return verdict("guard-failed", divisions=where(now))
    return verdict("permitted", divisions=where(now))


def _without_rules(operation: _Operation, inquiry: Inquiry) -> str | None:
    if operation.requires == "public":
        return "permitted"
    if inquiry.caller.kind is Kind.ANONYMOUS:
        return "not-authenticated"
    if operation.requires == "nobody":
        return "closed"
    return "not-enforced" if operation.service.spec.use_role is UseRole.OFF else None


# -- which operation --------------------------------------------------------------------------


def _closest(document: PolicyDocument, inquiry: Inquiry) -> _Operation | None:
    """All operations that answer, and of those the one that says most, from the left."""
    methods = ["HEAD", "GET"] if inquiry.method == "HEAD" else [inquiry.method]
    found = [
        operation
        for service in document.services
        for operation in _operations(service)
        if operation.method in methods and _answers(operation.segments, inquiry.segments)
    ]
    return min(
        found,
        key=lambda one: (
            [_breadth(segment) for segment in one.segments],
            methods.index(one.method),
        ),
        default=None,
    )


def _operations(service: ServiceDocument) -> Iterable[_Operation]:
    shipped = service.catalogue.entries
    changes = service.overrides.entries if service.overrides else None
    entries = {**shipped.operations, **(changes.extra_operations if changes else {})}
    described = {**shipped.parameters, **(changes.parameters if changes else {})}
    lists = {name: list(names) for name, names in shipped.lists.items()}
    for name, change in (changes.lists if changes else {}).items():
        lists[name] = [entry for entry in lists[name] if entry not in change.remove]
        lists[name] += change.add
    for name, entry in entries.items():
        change_of = changes.operations.get(name) if changes else None
        names = ("requires", "also", "guards", "scopes", "division")
        parts = {part: getattr(entry, part) for part in names}
        for part in parts:
            if change_of is not None and getattr(change_of, part) is not None:
                parts[part] = getattr(change_of, part)
        method, path = entry.request.split(" ")
        texts = [text for text in (service.spec.prefix + path).split("/") if text]
        segments = [
            (text[1:-1], described.get(text[1:-1], ParameterEntry()))
            if text.startswith("{")
            else text
            for text in texts
        ]
        yield _Operation(name, service, method, segments, lists=lists, **parts)


def _answers(template: list[Any], segments: tuple[str, ...]) -> bool:
    if len(template) != len(segments):
        return False
    return all(
        have == want if isinstance(want, str) else _accepts(want[1], have)
        for want, have in zip(template, segments, strict=True)
    )


def _accepts(entry: ParameterEntry, text: str) -> bool:
    if not 1 <= len(text) <= entry.max_length or text in {".", "..", *entry.excluded}:
        return False
    if entry.alphabet == "text":
        return not any(char in "/\\\x7f" or char < " " for char in text)
    letters = string.digits
    if entry.alphabet != "digits":
        letters += string.ascii_letters + "_-"
    if entry.alphabet == "dotted":
        letters += "."
    return all(char in letters for char in text)


def _breadth(segment: Any) -> tuple[Any, ...]:
    if isinstance(segment, str):
        return (0,)
    entry = segment[1]
    alphabets = ["digits", "identifier", "dotted", "text"]
    excluded = sorted(set(entry.excluded))
    return 1, alphabets.index(entry.alphabet), entry.max_length, -len(excluded), excluded


# -- what it needs ----------------------------------------------------------------------------


def _missing(requirements: Iterable[Any], held: set[str]) -> dict[str, Any]:
    """What of all these is missing; empty if nothing is."""
    all_of: set[str] = set()
    any_of: set[frozenset[str]] = set()
    for requires in requirements:
        for group in _groups(requires):
            (all_of.update if len(group) == 1 else lambda one: any_of.add(frozenset(one)))(group)
    lacking = all_of - held
    # Who is given what is lacking has what answers these groups, too.
    unanswered = {group for group in any_of if not group & (held | lacking)}
    if not lacking and not unanswered:
        return {}
    return {"all_of": frozenset(lacking), "any_of": frozenset(unanswered)}


def _missing_in_one(requirements: Iterable[Any], there: list[set[str]]) -> dict[str, Any]:
    """What of all these is missing in at least one of the divisions; empty if nothing is."""
    requirements = list(requirements)
    lacks = [found for held in there if (found := _missing(requirements, held))]
    return {
        key: frozenset[Any]().union(*(found[key] for found in lacks))
        for key in (lacks[0] if lacks else ())
    }


def _groups(requires: Any) -> list[set[str]]:
    """A list of groups; of each group one is needed."""
    if isinstance(requires, str):
        return [{requires}]
    if isinstance(requires, AnyOf):
        return [set(requires.any)]
    items = requires.all if isinstance(requires, AllOf) else requires
    return [group for item in items for group in _groups(item)]


def _is_on(rule: Any, operation: _Operation) -> bool:
    return rule.switch is None or rule.switch in operation.service.spec.switches


# -- what the request says --------------------------------------------------------------------


def _is_repeated(inquiry: Inquiry, conditions: Iterable[Any]) -> bool:
    names = [plain(name) for name, _ in inquiry.query]
    for when in conditions:
        for watched in (*(when.query_has or ()), *(when.query_value_in or ())):
            if names.count(plain(watched)) > 1:
                return True
    return False


def _query_agrees(when: Any, inquiry: Inquiry, lists: Mapping[str, Iterable[str]]) -> bool:
    query = [(plain(name), plain(value)) for name, value in inquiry.query]
    if when.query_has is not None:
        wanted = [plain(name) for name in when.query_has]
        if not any(name in wanted for name, _ in query):
            return False
    if when.query_has_dotted_name is not None and not any("." in name for name, _ in query):
        return False
    for name, values in (when.query_value_in or {}).items():
        wanted = [plain(value) for value in _listed(values, lists)]
        if not any(key == plain(name) and value in wanted for key, value in query):
            return False
    return True


def _speaks_of_body(when: Any) -> bool:
    return bool(when.model_fields_set - {"query_has", "query_has_dotted_name", "query_value_in"})


def _body_agrees(when: Any, body: Mapping[str, object], lists: Mapping[str, Any]) -> bool:
    def names(named: Any) -> list[str]:
        return [name.lower() for name in _listed(named, lists)]

    if when.body_has_keys_outside is not None:
        allowed = names(when.body_has_keys_outside)
        if all(key in allowed for key in body):
            return False
    if when.body_has_keys is not None:
        wanted = names(when.body_has_keys)
        if all(key not in wanted for key in body):
            return False
    if when.body_has_empty_list_outside is not None:
        allowed = names(when.body_has_empty_list_outside)
        if not any(body[key] == [] for key in body if key not in allowed):
            return False
    return True


def _guard_holds(
    guard: Any, body: Mapping[str, object], inquiry: Inquiry, operation: _Operation
) -> bool:
    for key, parameter in (guard.body_value_equals_path or {}).items():
        there = [
            segment
            for segment, want in zip(inquiry.segments, operation.segments, strict=True)
            if not isinstance(want, str) and want[0] == parameter
        ]
        if key.lower() in body and body[key.lower()] != there[0]:
            return False
    if (key := guard.body_value_equals_caller) is not None:
        return key.lower() not in body or body[key.lower()] == inquiry.caller.subject
    if (outside := guard.body_values_are_records_outside) is not None:
        allowed = [name.lower() for name in _listed(outside, operation.lists)]
        for key, value in body.items():
            records = value if isinstance(value, list) else [value]
            if key not in allowed and not all(isinstance(item, dict) for item in records):
                return False
    return True


def _listed(names: Any, lists: Mapping[str, Any]) -> list[str]:
    return list(lists[names] if isinstance(names, str) else names)
