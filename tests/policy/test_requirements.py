"""From the author's words to bits."""

import pytest

from policy.entries import AllOf, AnyOf, Requires
from policy.permissions import Demand, Permissions
from policy.requirements import demand_of, named_in
from tests.support.policies import CATALOGUE, POLICY, spec, table

PERMISSIONS = Permissions(dict.fromkeys("abc", "x"))
A, B, C = 1, 2, 4


def any_of(*names: str) -> AnyOf:
    return AnyOf(any=names)


@pytest.mark.parametrize(
    ("requires", "demand", "named"),
    [
        ("a", Demand(A), [((), "a")]),
        (("a", "b"), Demand(A | B), [((0,), "a"), ((1,), "b")]),
        (any_of("a", "b"), Demand(0, (A | B,)), [(("any", 0), "a"), (("any", 1), "b")]),
        (any_of("a", "a"), Demand(A), [(("any", 0), "a"), (("any", 1), "a")]),
        (("a", any_of("b", "c")), Demand(A, (B | C,)), [((0,), "a"), ((1, "any", 0), "b"), ((1, "any", 1), "c")]),
        (AllOf(all=("a", any_of("b"))), Demand(A | B), [(("all", 0), "a"), (("all", 1, "any", 0), "b")]),
    ],
)  # fmt: skip
def test_requirements_become_demands(
    requires: Requires, demand: Demand, named: list[tuple[tuple[str | int, ...], str]]
) -> None:
    assert demand_of(requires, PERMISSIONS) == demand
    assert list(named_in(requires)) == named


def test_rules_of_a_switch_count_where_it_is_on() -> None:
    off = table().operations[2].requirement
    careful = table(CATALOGUE, POLICY, service=spec(switches=("careful",)))
    on = careful.operations[2].requirement
    assert careful.names_of(off.demand.all_of) == ("write",)
    assert careful.names_of(on.demand.all_of) == ("write", "admin")
    assert len(off.extras) == len(on.extras) == 1


def test_guards_of_a_switch_count_where_it_is_on() -> None:
    catalogue = CATALOGUE.replace(
        "{body_value_equals_path: {id: id}}", "{switch: careful, body_value_equals_caller: id}"
    )
    assert table(catalogue).operations[3].requirement.guards == ()
    careful = table(catalogue, POLICY, service=spec(switches=("careful",)))
    assert len(careful.operations[3].requirement.guards) == 1


def test_the_ceiling_is_the_most_that_any_request_could_need() -> None:
    shop = table()
    find = shop.operations[0].requirement
    assert shop.names_of(find.demand.bits) == ("read",)
    assert shop.names_of(find.ceiling.bits) == ("read", "detail")
