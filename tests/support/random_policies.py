"""Random policies and random questions, small enough that they often meet.

Everything is made of a handful of words, so that paths nearly match, roles include each other, and
one more permission often makes the difference. The choices are the bytes of one blob: drawing each
by itself takes hypothesis twenty times as long, and a blob of smaller bytes is a simpler policy,
so shrinking works all the same.

Every operation stands on a line of its own: where the compiler finds two that cannot be told
apart, the later one is dropped, and so is one with more rules than can be looked through. Two
policies that together have too many are left out.
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
from policy.analysis import probes_of
from policy.analysis import questions_of as every_question
from tests.support.policies import sources, spec

__all__ = ["blobs", "pairs", "policies", "questions_of", "with_other_assignments"]

T = TypeVar("T")

_BYTES = 500

PERMISSIONS = ["p0", "p1", "p2", "p3", "p4"]
ROLES = ["r0", "r1", "r2", "r3", "r4"]
METHODS = ["GET", "PUT", "HEAD", "POST"]
WORDS = ["a", "b", "1", "x.y", "long-word"]
PARAMETERS = ["{id}", "{num}", "{dotted}", "{any}", "{short}"]
KEYS = ["Id", "Name", "Phone", "owner"]
QUERY_NAMES = ["ext", "id_key", "plain"]
SWITCHES = ["one", "two"]
SCOPES = ["s0", "s1", "s2", "p0"]
DIVISIONS = ["d0", "d1", "d2", "*"]
CLIENTS = ["k0", "k1", "u0"]
PIN_HEADER = "X-Tenant"
DIVISION_HEADER = "X-Division"

_DESCRIBED = {
    "num": {"alphabet": "digits", "max_length": 8},
    "dotted": {"alphabet": "dotted", "max_length": 5, "except": ["a"]},
    "any": {"alphabet": "text", "max_length": 64},
    "short": {"max_length": 2, "except": ["b"]},
}
# What stands for a parameter: mostly what fits, and literals that other operations have there.
_FITTING = {
    "{id}": ["a", "b", "1", "long-word", "d0", "d1"],
    "{num}": ["1", "1", "22", "a"],
    "{dotted}": ["x.y", "b", "1", "a"],
    "{any}": ["x.y", "a", "b", "1", "d0"],
    "{short}": ["a", "1", "zz", "b"],
}
_DROPPED = {Code.ROUTE_DUPLICATE, Code.ROUTE_AMBIGUOUS, Code.TOO_MANY_COMBINATIONS}


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
        return {"request": request, "requires": dice.pick(["public", "nobody"])}
    return {
        "request": request,
        "requires": "authenticated" if dice.one_in(8) else _demand(dice),
        "also": list(_also(dice)),
        "guards": list(_guards(dice, names)),
        **_gates(dice, names),
    }


def _gates(dice: Dice, parameters: list[str]) -> dict[str, Any]:
    """The scopes that are asked for, and where the division stands."""
    found: dict[str, Any] = {}
    if dice.one_in(3):
        found["scopes"] = dice.several(SCOPES, 1, 2)
    if dice.one_in(2):
        places: list[tuple[str, list[str]]] = [
            ("query", ["division", *QUERY_NAMES]),
            ("body", ["Division", *KEYS]),
            ("header", [DIVISION_HEADER]),
        ]
        if parameters:
            places.append(("path", parameters))
        place, names = dice.pick(places)
        found["division"] = {place: dice.pick(names)}
    return found


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
        name: {"roles": _granted(dice), "groups": dice.several(["g0", "g1"], 0, 1)}
        for name in ("u0", "u1", "u2")
    }
    groups = {name: {"roles": _granted(dice)} for name in ("g0", "g1")}
    claims = {name: _granted(dice) for name in ("c0", "c1")}
    clients = {
        name: {
            "roles": _granted(dice),
            "scopes": dice.several(SCOPES, 0, 2),
            "use_scopes": not dice.one_in(4),
        }
        for name in CLIENTS
    }
    return json.dumps(
        {"roles": roles, "users": users, "groups": groups, "claims": claims, "clients": clients}
    )


def _granted(dice: Dice) -> list[Any]:
    """Roles, about half of them in some divisions only."""
    return [
        {"role": name, "divisions": dice.several(DIVISIONS, 1, 2)} if dice.one_in(2) else name
        for name in dice.several(ROLES, 0, 2)
    ]


def _overrides(dice: Dice, operations: dict[str, dict[str, Any]]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name, entry in operations.items():
        if entry["requires"] not in ("public", "nobody") and dice.one_in(3):
            changes[name] = {"requires": _demand(dice)}
            if dice.one_in(2):
                changes[name] = {"also": list(_also(dice))}
            if dice.one_in(4):
                changes[name] |= _gates(dice, [])
    return {
        "overrides": "random",
        "lists": {"core": {"add": dice.several(KEYS, 0, 2), "remove": ["Id"]}},
        "division_aware": {"add": dice.several(PERMISSIONS, 0, 1)},
        "operations": changes,
    }


def _made(blob: bytes) -> tuple[PolicyDocument, DecisionTable]:
    dice = Dice(blob)
    service = spec(
        "random",
        prefix=dice.pick(["/", "/", "/a", "/pre/fix"]),
        use_role=dice.pick([*[UseRole.ENFORCE] * 8, UseRole.SHADOW, UseRole.OFF]),
        switches=tuple(dice.several(SWITCHES, 0, 2)),
        use_scopes=not dice.one_in(4),
        home_division=dice.pick([None, "d0", "d3"]),
        pin_header=PIN_HEADER if dice.one_in(6) else None,
    )
    aware = dice.several(PERMISSIONS, 0, 3)
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
            f"switches: {{one: first, two: second}}\nscopes: {json.dumps(SCOPES)}",
            f"division_aware: {json.dumps(aware)}",
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
            if not {found.code for found in errors} <= _DROPPED:
                raise
        names = list(operations)
        for name in {names[found.where.line - 9] for found in errors}:
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
    return st.binary(min_size=_BYTES, max_size=_BYTES).map(_made)


def pairs() -> st.SearchStrategy[tuple[DecisionTable, DecisionTable]]:
    """A policy and its successor: mostly one with a few other choices, sometimes quite another."""
    blob = st.binary(min_size=_BYTES, max_size=_BYTES)
    edits = st.lists(st.tuples(st.integers(0, _BYTES - 1), st.integers(0, 255)), max_size=6)

    def edited(blob: bytes, edits: list[tuple[int, int]]) -> bytes:
        changed = bytearray(blob)
        for place, choice in edits:
            changed[place] = choice
        return bytes(changed)

    def pair(blob: bytes, edits: list[tuple[int, int]]) -> tuple[DecisionTable, DecisionTable]:
        return _made(blob)[1], _made(edited(blob, edits))[1]

    unlike = st.builds(lambda one, other: (_made(one)[1], _made(other)[1]), blob, blob)
    # Who may do what stands in the first bytes, after the service.
    near = st.lists(st.tuples(st.integers(0, 119), st.integers(0, 255)), min_size=1, max_size=4)
    either = st.builds(pair, blob, near) | st.builds(pair, blob, edits) | unlike
    return either.filter(_can_be_looked_through)


def _can_be_looked_through(tables: tuple[DecisionTable, DecisionTable]) -> bool:
    try:
        for question in every_question(*tables):
            probes_of(question)
    except PolicyInvalid:
        return False
    return True


def _caller(dice: Dice) -> Caller:
    if dice.one_in(12):
        return ANONYMOUS
    scopes = None if dice.one_in(3) else frozenset(dice.several([*SCOPES, "s9"], 0, 3))
    if dice.one_in(3):
        return Caller(
            subject=dice.pick([*CLIENTS, "k9"]),
            kind=Kind.SERVICE,
            means=Means.CLIENT_CREDENTIALS,
            scopes=dice.pick([None, None, scopes]),
        )
    return Caller(
        subject=dice.pick(["u0", "u1", "u2", "nobody"]),
        kind=dice.pick([Kind.USER, Kind.SERVICE]),
        means=Means.JWT,
        claims=frozenset(dice.several(["c0", "c1", "c9"], 0, 2)),
        roles=frozenset(dice.several([*ROLES, "r9"], 0, 2)),
        divisions=dice.pick([None, frozenset({"d0"}), frozenset({"d1", "d2"}), frozenset()]),
        scopes=scopes,
    )


def _inquiry(dice: Dice, table: DecisionTable) -> Inquiry:
    """A question that is likely to find an operation."""
    route = dice.pick(table.operations)
    parts = [part for part in route.template.split("/") if part]
    segments = [dice.pick(_FITTING.get(part, [part])) for part in parts]
    if dice.one_in(8):
        segments = dice.several([*WORDS, "..", "x/y", ""], 0, 4)
    values: list[object] = [*segments, "u0", "u1", [], {}, [{}], [1], None, "text", 7, "d0", "d1"]
    values += [["d0"], ["d0", "d1"], {"id": "d0"}, {"id": 7}, [{"id": "d1"}], "", ["d0", None]]
    body = None
    if dice.one_in(2):
        keys = dice.several([*KEYS, "ID", "other", "Division", "division"], 0, 3)
        facts = {folded(key): dice.pick(values) for key in keys}
        body = BodyFacts(facts, dice.pick([None, frozenset(keys)]))
    names = [*QUERY_NAMES, " EXT", "Id_Key", "a.b", "other", "division", "Division"]
    said = ["phone", "ID ", "x", "", "d0", "d1", "d0, d1", "d0,", "d9"]
    query = [(dice.pick(names), dice.pick(said)) for _ in range(dice.below(4))]
    headers: dict[bytes, bytes] = {}
    for name in dice.several([PIN_HEADER, DIVISION_HEADER], 0, 2):
        headers[name.lower().encode()] = dice.pick([b"d0", b"d1", b"d0,d2", b"d9", b"", b"*"])
    caller = _caller(dice)
    return Inquiry(
        caller=caller,
        held=table.held_by(caller),
        method=dice.pick([*[route.method] * 9, "GET", "HEAD", "DELETE"]),
        segments=tuple(segments),
        query=tuple(query),
        headers=headers,
        body=body,
    )


def questions_of(table: DecisionTable, blob: bytes, count: int) -> list[Inquiry]:
    """`count` questions to `table`."""
    dice = Dice(blob)
    return [_inquiry(dice, table) for _ in range(count)]


def blobs() -> st.SearchStrategy[bytes]:
    """What `questions_of` makes questions from; the table must be there first."""
    return st.binary(min_size=300, max_size=300)
