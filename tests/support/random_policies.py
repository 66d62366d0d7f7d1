"""Random policies and random questions, small enough that they often meet.

Everything is made of a handful of words, so that paths nearly match, roles include each other, and
one more permission often makes the difference. The choices are the bytes of one blob: drawing each
by itself takes hypothesis twenty times as long, and a blob of smaller bytes is a simpler policy,
so shrinking works all the same.

Every operation stands on a line of its own: where the compiler finds two that cannot be told
apart, the later one is dropped.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from hypothesis import strategies as st

import policy
from policy import (
    ANONYMOUS,
    BodyFacts,
    Caller,
    Code,
    DecisionTable,
    Inquiry,
    Kind,
    Means,
    PolicyDocument,
    PolicyInvalid,
    Severity,
    UseRole,
    folded,
)
from tests.support.policies import sources, spec

__all__ = ["blobs", "pairs", "policies", "questions_of", "with_other_assignments"]

T = TypeVar("T")

PERMISSIONS = ["p0", "p1", "p2", "p3", "p4"]
ROLES = ["r0", "r1", "r2", "r3", "r4"]
METHODS = ["GET", "PUT", "HEAD", "POST"]
WORDS = ["a", "b", "1", "x.y", "long-word"]
PARAMETERS = ["{id}", "{num}", "{dotted}", "{any}", "{short}"]
KEYS = ["Id", "Name", "Phone", "owner"]
QUERY_NAMES = ["ext", "id_key", "plain"]
SWITCHES = ["one", "two"]

_DESCRIBED = {
    "num": {"alphabet": "digits", "max_length": 8},
    "dotted": {"alphabet": "dotted", "max_length": 5, "except": ["a"]},
    "any": {"alphabet": "text", "max_length": 64},
    "short": {"max_length": 2, "except": ["b"]},
}
# What stands for a parameter: mostly what fits, and literals that other operations have there.
_FITTING = {
    "{id}": ["a", "b", "1", "long-word"],
    "{num}": ["1", "1", "22", "a"],
    "{dotted}": ["x.y", "b", "1", "a"],
    "{any}": ["x.y", "a", "b", "1"],
    "{short}": ["a", "1", "zz", "b"],
}
_CANNOT_BE_TOLD_APART = {Code.ROUTE_DUPLICATE, Code.ROUTE_AMBIGUOUS}


class Dice:
    """Choices out of a blob; when it is used up, the first choice every time."""

    def __init__(self, blob: bytes) -> None:
        self._blob = iter(blob)

    def below(self, end: int) -> int:
        return next(self._blob, 0) % end

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def one_in(self, chances: int) -> bool:
        return self.below(chances) == chances - 1

    def several(self, choices: Sequence[T], least: int, most: int) -> list[T]:
        count = least + self.below(most - least + 1)
        return list(dict.fromkeys(self.pick(choices) for _ in range(count)))


def _demand(dice: Dice) -> Any:
    def any_of() -> dict[str, Any]:
        return {"any": dice.several(PERMISSIONS, 1, 3)}

    def items() -> list[Any]:
        made = [any_of() if dice.one_in(3) else dice.pick(PERMISSIONS) for _ in range(3)]
        return made[: 1 + dice.below(3)]

    forms: list[Callable[[], Any]] = [
        lambda: dice.pick(PERMISSIONS),
        items,
        any_of,
        lambda: {"all": items()},
    ]
    return dice.pick(forms)()


def _list_or_names(dice: Dice) -> Any:
    return dice.pick(["core", "few", None]) or dice.several(KEYS, 1, 2)


def _when(dice: Dice) -> dict[str, Any]:
    forms: list[tuple[str, Callable[[], Any]]] = [
        ("query_has", lambda: dice.several(QUERY_NAMES, 1, 2)),
        ("body_has_keys_outside", lambda: _list_or_names(dice)),
        ("query_has_dotted_name", lambda: True),
        ("query_value_in", lambda: {dice.pick(QUERY_NAMES): _list_or_names(dice)}),
        ("body_has_keys", lambda: _list_or_names(dice)),
        ("body_has_empty_list_outside", lambda: _list_or_names(dice)),
    ]
    return {key: make() for key, make in dice.several(forms, 1, 2)}


def _also(dice: Dice) -> Iterator[dict[str, Any]]:
    for _ in range(dice.below(4)):
        entry: dict[str, Any] = {"requires": _demand(dice)}
        if dice.one_in(3):
            entry["switch"] = dice.pick(SWITCHES)
        if "switch" not in entry or dice.one_in(2):
            entry["when"] = _when(dice)
        yield entry


def _guards(dice: Dice, parameters: list[str]) -> Iterator[dict[str, Any]]:
    for _ in range(max(0, dice.below(5) - 2)):
        forms: list[tuple[str, Callable[[], Any]]] = [
            ("body_value_equals_caller", lambda: dice.pick(KEYS)),
            ("body_values_are_records_outside", lambda: _list_or_names(dice)),
        ]
        if parameters:
            pairs = ("body_value_equals_path", lambda: {dice.pick(KEYS): dice.pick(parameters)})
            forms = [pairs, *forms]
        key, make = dice.pick(forms)
        entry = {key: make()}
        if dice.one_in(3):
            entry["switch"] = dice.pick(SWITCHES)
        yield entry


def _operation(dice: Dice) -> dict[str, Any]:
    segments: list[str] = []
    for _ in range(dice.below(4)):
        word = dice.pick(WORDS + PARAMETERS * 2)
        segments.append("a" if word in PARAMETERS and word in segments else word)
    names = [segment[1:-1] for segment in segments if segment in PARAMETERS]
    request = f"{dice.pick(METHODS)} /{'/'.join(segments)}"
    if dice.one_in(8):
        return {"request": request, "requires": "public"}
    return {
        "request": request,
        "requires": "authenticated" if dice.one_in(8) else _demand(dice),
        "also": list(_also(dice)),
        "guards": list(_guards(dice, names)),
    }


def _policy_file(dice: Dice) -> str:
    roles = {
        name: {
            "enabled": not dice.one_in(4),
            # Only roles before it, so that there are no circles.
            "includes": dice.several(ROLES[:number], 0, 2) if number else [],
            "permissions": dice.several(PERMISSIONS, 0, 2),
        }
        for number, name in enumerate(ROLES)
    }
    users = {
        name: {"roles": dice.several(ROLES, 0, 2), "groups": dice.several(["g0", "g1"], 0, 1)}
        for name in ("u0", "u1", "u2")
    }
    groups = {name: {"roles": dice.several(ROLES, 0, 2)} for name in ("g0", "g1")}
    claims = {name: dice.several(ROLES, 0, 2) for name in ("c0", "c1")}
    return json.dumps({"roles": roles, "users": users, "groups": groups, "claims": claims})


def _overrides(dice: Dice, operations: dict[str, dict[str, Any]]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name, entry in operations.items():
        if entry["requires"] != "public" and dice.one_in(3):
            changes[name] = {"requires": _demand(dice)}
            if dice.one_in(2):
                changes[name] = {"also": list(_also(dice))}
    return {
        "overrides": "random",
        "lists": {"core": {"add": dice.several(KEYS, 0, 2), "remove": ["Id"]}},
        "operations": changes,
    }


def _made(blob: bytes) -> tuple[PolicyDocument, DecisionTable]:
    dice = Dice(blob)
    service = spec(
        "random",
        prefix=dice.pick(["/", "/", "/a", "/pre/fix"]),
        use_role=dice.pick([*[UseRole.ENFORCE] * 8, UseRole.SHADOW, UseRole.OFF]),
        switches=tuple(dice.several(SWITCHES, 0, 2)),
    )
    policy_file = _policy_file(dice)
    operations = {f"op{number}": _operation(dice) for number in range(1 + dice.below(8))}
    overrides = _overrides(dice, operations) if dice.one_in(3) else None
    while True:
        written = json.dumps(list(operations.values()))
        described = {name: _DESCRIBED[name] for name in _DESCRIBED if f"{{{name}}}" in written}
        lines = [
            "catalogue: random",
            f"permissions: {json.dumps({name: name.upper() for name in PERMISSIONS})}",
            "lists: {core: [Id, Name], few: [Phone]}",
            "switches: {one: first, two: second}",
            f"parameters: {json.dumps(described)}",
            "operations:",
            *(f"  {name}: {json.dumps(entry)}" for name, entry in operations.items()),
        ]
        changes = None if overrides is None else json.dumps(overrides)
        given = sources("\n".join(lines), policy_file, overrides=changes, service=service)
        document = policy.load(given)
        try:
            return document, policy.compile(document)
        except PolicyInvalid as invalid:
            errors = [f for f in invalid.diagnostics if f.severity is Severity.ERROR]
            if not {found.code for found in errors} <= _CANNOT_BE_TOLD_APART:
                raise
        names = list(operations)
        for name in {names[found.where.line - 7] for found in errors}:
            del operations[name]
            if overrides is not None:
                overrides["operations"].pop(name, None)


def with_other_assignments(document: PolicyDocument, blob: bytes) -> DecisionTable:
    """The services and catalogues of `document` with the roles and users of another policy."""
    other, _ = _made(blob)
    half = len(document.version) // 2
    version = document.version[:half] + other.version[half:]
    return policy.compile(replace(document, policies=other.policies, version=version))


def policies() -> st.SearchStrategy[tuple[PolicyDocument, DecisionTable]]:
    """A document and its table."""
    return st.binary(min_size=400, max_size=400).map(_made)


def pairs() -> st.SearchStrategy[tuple[DecisionTable, DecisionTable]]:
    """A policy and its successor: mostly one with a few other choices, sometimes quite another."""
    blob = st.binary(min_size=400, max_size=400)
    edits = st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255)), max_size=6)

    def edited(blob: bytes, edits: list[tuple[int, int]]) -> bytes:
        changed = bytearray(blob)
        for place, choice in edits:
            changed[place] = choice
        return bytes(changed)

    def pair(blob: bytes, edits: list[tuple[int, int]]) -> tuple[DecisionTable, DecisionTable]:
        return _made(blob)[1], _made(edited(blob, edits))[1]

    unlike = st.builds(lambda one, other: (_made(one)[1], _made(other)[1]), blob, blob)
    # Who may do what stands in the first bytes, after the service.
    near = st.lists(st.tuples(st.integers(0, 79), st.integers(0, 255)), min_size=1, max_size=4)
    return st.builds(pair, blob, near) | st.builds(pair, blob, edits) | unlike


def _caller(dice: Dice) -> Caller:
    if dice.one_in(12):
        return ANONYMOUS
    return Caller(
        subject=dice.pick(["u0", "u1", "u2", "nobody"]),
        kind=dice.pick([Kind.USER, Kind.SERVICE]),
        means=Means.JWT,
        claims=frozenset(dice.several(["c0", "c1", "c9"], 0, 2)),
        roles=frozenset(dice.several([*ROLES, "r9"], 0, 2)),
    )


def _inquiry(dice: Dice, table: DecisionTable) -> Inquiry:
    """A question that is likely to find an operation."""
    route = dice.pick(table.operations)
    parts = [part for part in route.template.split("/") if part]
    segments = [dice.pick(_FITTING.get(part, [part])) for part in parts]
    if dice.one_in(8):
        segments = dice.several([*WORDS, "..", "x/y", ""], 0, 4)
    values: list[object] = [*segments, "u0", "u1", [], {}, [{}], [1], None, "text", 7]
    body = None
    if dice.one_in(2):
        keys = dice.several([*KEYS, "ID", "other"], 0, 3)
        body = BodyFacts({folded(key): dice.pick(values) for key in keys})
    names = [*QUERY_NAMES, " EXT", "Id_Key", "a.b", "other"]
    query = [(dice.pick(names), dice.pick(["phone", "ID ", "x", ""])) for _ in range(dice.below(4))]
    caller = _caller(dice)
    return Inquiry(
        caller=caller,
        held=table.held_by(caller),
        method=dice.pick([*[route.method] * 9, "GET", "HEAD", "DELETE"]),
        segments=tuple(segments),
        query=tuple(query),
        body=body,
    )


def questions_of(table: DecisionTable, blob: bytes, count: int) -> list[Inquiry]:
    """`count` questions to `table`."""
    dice = Dice(blob)
    return [_inquiry(dice, table) for _ in range(count)]


def blobs() -> st.SearchStrategy[bytes]:
    """What `questions_of` makes questions from; the table must be there first."""
    return st.binary(min_size=250, max_size=250)
