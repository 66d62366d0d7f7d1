"""The smallest roles that bring what is missing."""

import json
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from policy import Remedy
from policy.remedies import remedy_for
from tests.support.policies import CATALOGUE, table

NAMES = ("read", "write", "detail", "admin")


def roles(**granted: list[str]) -> str:
    return json.dumps({"roles": {name: {"permissions": has} for name, has in granted.items()}})


def test_a_role_that_has_everything_goes_before_two_that_have_it_together() -> None:
    of = table(CATALOGUE, roles(a=["read"], b=["write"], c=["read", "write", "admin"]))
    remedy, found = remedy_for(of, [("read",), ("write",)])
    assert (remedy, [each.role for each in found]) == (Remedy.EACH, ["c"])


def test_two_roles_that_grant_little_go_before_two_that_grant_more() -> None:
    of = table(CATALOGUE, roles(a=["read", "admin"], b=["write"], c=["read"]))
    remedy, found = remedy_for(of, [("read",), ("write",)])
    assert (remedy, [each.role for each in found]) == (Remedy.TOGETHER, ["b", "c"])


def test_three_roles_are_found_where_two_are_not_enough() -> None:
    of = table(CATALOGUE, roles(a=["read"], b=["write"], c=["detail"]))
    remedy, found = remedy_for(of, [("read",), ("write",), ("detail", "admin")])
    assert (remedy, [each.role for each in found]) == (Remedy.TOGETHER, ["a", "b", "c"])


def test_a_role_that_is_off_is_no_remedy() -> None:
    off = json.dumps({"roles": {"r": {"permissions": ["read"], "enabled": False}}})
    assert remedy_for(table(CATALOGUE, off), [("read",)]) == (Remedy.NONE, ())


sets = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


@settings(max_examples=150, deadline=None)
@given(st.lists(sets, max_size=5), st.lists(sets, min_size=1, max_size=3))
def test_the_remedy_is_the_smallest_there_is(
    granted: list[list[str]], needs: list[list[str]]
) -> None:
    of = table(CATALOGUE, roles(**{f"r{n}": has for n, has in enumerate(granted)}))

    def enough(*some: int) -> bool:
        held = {name for number in some for name in granted[number]}
        return all(held & set(need) for need in needs)

    def size(*some: int) -> int:
        return len({name for number in some for name in granted[number]})

    remedy, found = remedy_for(of, needs)
    chosen = [int(each.role[1:]) for each in found]
    everybody = range(len(granted))
    ones = [number for number in everybody if enough(number)]
    twos = [pair for pair in combinations(everybody, 2) if enough(*pair)]
    if ones:
        assert remedy is Remedy.EACH
        assert all(enough(number) for number in chosen)
        assert size(chosen[0]) == min(map(size, ones))
    elif twos:
        assert remedy is Remedy.TOGETHER
        assert len(chosen) == 2
        assert enough(*chosen)
        assert size(*chosen) == min(size(*pair) for pair in twos)
    elif enough(*everybody):
        assert remedy is Remedy.TOGETHER
        assert enough(*chosen)
    else:
        assert remedy in {Remedy.PARTLY, Remedy.NONE}
        assert (remedy is Remedy.NONE) is not any(
            set(has) & set(need) for has in granted for need in needs
        )
