"""What a new catalogue means for callers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.importing import Changes, Kind, changes_between
from tests.support.descriptions import entries_of


def catalogue(*operations: str) -> str:
    lines = "\n".join(f"  {each}" for each in operations)
    return f"""\
catalogue: cloud
overlaps: literal-first
permissions: {{p: P, q: Q, r: R}}
scopes: [s, t]
operations:
{lines}
"""


def between(was: str, now: str) -> Changes:
    return changes_between(entries_of(catalogue(was)), entries_of(catalogue(now)))


def asked(requires: str, scopes: str = "") -> str:
    more = f", scopes: [{scopes}]" if scopes else ""
    return f"x: {{request: GET /a, requires: {requires}{more}}}"


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        (asked("p"), asked("p"), None),
        (asked("p"), asked("{any: [p]}"), None),
        (asked("[p, q]"), asked("{all: [q, p]}"), None),
        (asked("p"), asked("{any: [p, q]}"), Kind.WEAKENED),
        (asked("[p, q]"), asked("p"), Kind.WEAKENED),
        (asked("p"), asked("authenticated"), Kind.WEAKENED),
        (asked("authenticated"), asked("public"), Kind.WEAKENED),
        (asked("nobody"), asked("[p, q, r]"), Kind.WEAKENED),
        (asked("p", "s"), asked("p"), Kind.WEAKENED),
        (asked("p", "s"), asked("p", "s, t"), Kind.WEAKENED),
        (asked("{any: [p, q]}"), asked("p"), Kind.STRENGTHENED),
        (asked("p"), asked("[p, q]"), Kind.STRENGTHENED),
        (asked("public"), asked("p"), Kind.STRENGTHENED),
        (asked("p"), asked("nobody"), Kind.STRENGTHENED),
        (asked("p"), asked("p", "s"), Kind.STRENGTHENED),
        (asked("p"), asked("q"), Kind.CHANGED),
        (asked("p", "s"), asked("p", "t"), Kind.CHANGED),
        (asked("[p, q]"), asked("p", "s"), Kind.CHANGED),
        (asked("nobody", "s"), asked("nobody", "t"), None),
        (asked("public", "s"), asked("public"), None),
    ],
)
def test_weaker_is_what_more_callers_can_meet(was: str, now: str, kind: Kind | None) -> None:
    found = between(was, now)
    assert [each.kind for each in found.operations] == ([kind] if kind else [])


def test_both_demands_are_told_in_words() -> None:
    (found,) = between(asked("[p, q]", "s"), asked("{any: [p, q]}")).operations
    assert (found.was, found.now) == ("p and q, scope s", "any of p, q")


def test_an_operation_is_known_by_its_requests_and_not_by_its_name() -> None:
    was = "x: {request: 'GET /a/{one}', requires: p}"
    now = "y: {request: 'GET /a/{other}', requires: p}"
    assert not between(was, now)


def test_what_is_gone_may_be_answered_by_a_neighbour() -> None:
    kept = "any: {request: 'GET /a/{x}', requires: authenticated}"
    old = entries_of(catalogue(kept, "special: {request: GET /a/b, requires: p}"))
    (found,) = changes_between(old, entries_of(catalogue(kept))).operations
    assert (found.kind, found.operation, found.taken_by) == (Kind.GONE, "special", "any")


def test_permissions_and_scopes_come_and_go() -> None:
    old = entries_of(catalogue(asked("p")))
    new = entries_of(catalogue(asked("p")).replace("r: R", "z: Z").replace("[s, t]", "[t, u]"))
    found = changes_between(old, new)
    assert (found.new_permissions, found.gone_permissions) == (("z",), ("r",))
    assert (found.new_scopes, found.gone_scopes) == (("u",), ("s",))


def test_everything_is_new_at_first() -> None:
    found = changes_between(None, entries_of(catalogue(asked("p"))))
    assert [each.kind for each in found.operations] == [Kind.NEW]


NAMES = st.lists(st.sampled_from("pqr"), min_size=1, unique=True)
DEMANDS = st.one_of(
    st.sampled_from(["public", "authenticated", "nobody"]),
    NAMES.map(lambda names: f"{{any: [{', '.join(names)}]}}"),
    NAMES.map(lambda names: f"{{all: [{', '.join(names)}]}}"),
)
SCOPES = st.lists(st.sampled_from("st"), unique=True).map(", ".join)


def meets(said: tuple[str, str], held: frozenset[str] | None) -> bool:
    """Whether somebody who holds these permissions and scopes may call; None is a stranger."""
    requires, scopes = said
    if requires == "public":
        return True
    if requires == "nobody" or held is None:
        return False
    if scopes and not set(scopes.split(", ")) & held:
        return False
    if requires == "authenticated":
        return True
    names = set(requires[requires.index("[") + 1 : requires.index("]")].split(", "))
    return bool(names & held) if "any" in requires else names <= held


@given(st.tuples(DEMANDS, SCOPES), st.tuples(DEMANDS, SCOPES))
def test_the_kind_is_that_of_trying_every_caller(
    was: tuple[str, str], now: tuple[str, str]
) -> None:
    everything = "pqrst"
    callers: list[frozenset[str] | None] = [
        frozenset(name for place, name in enumerate(everything) if number >> place & 1)
        for number in range(1 << len(everything))
    ]
    callers.append(None)
    gained = any(meets(now, held) and not meets(was, held) for held in callers)
    lost = any(meets(was, held) and not meets(now, held) for held in callers)
    kinds = {
        (True, False): Kind.WEAKENED,
        (False, True): Kind.STRENGTHENED,
        (True, True): Kind.CHANGED,
    }
    found = between(asked(*was), asked(*now)).operations
    assert [each.kind for each in found] == ([kinds[gained, lost]] if gained or lost else [])
