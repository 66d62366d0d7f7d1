"""Names, bits, and demands that keep *all of* and *one of* apart."""

import pytest

from policy import Missing
from policy.permissions import Demand, Permissions

A, B, C = 1, 2, 4
PERMISSIONS = Permissions({"a": "Do A", "b": "Do B", "c": "Do C"})


@pytest.mark.parametrize(
    ("demand", "held", "met"),
    [
        (Demand(), 0, True),
        (Demand(A), A, True),
        (Demand(A | B), A, False),
        (Demand(A | B), A | B | C, True),
        (Demand(0, (A | B,)), B, True),
        (Demand(0, (A | B,)), C, False),
        (Demand(0, (A | B, C)), A, False),
        (Demand(A, (B | C,)), A, False),
        (Demand(A, (B | C,)), A | C, True),
    ],
)
def test_a_demand_is_met_by_all_of_the_one_and_one_of_each_other(
    demand: Demand, held: int, met: bool
) -> None:
    assert demand.met_by(held) is met
    assert bool(demand.unmet_by(held)) is not met


def test_what_is_missing_keeps_its_groups() -> None:
    assert Demand(A | B, (B | C, C)).unmet_by(A) == Demand(B, (C,))


def test_a_group_that_the_missing_would_answer_is_not_named() -> None:
    assert Demand(A, (A | B,)).unmet_by(0) == Demand(A)


def test_demands_add_up_and_repeat_nothing() -> None:
    joined = Demand.joined([Demand(A, (B | C,)), Demand(B, (B | C, C))])
    assert joined == Demand(A | B, (B | C, C))
    assert joined.bits == A | B | C


def test_names_and_bits_lead_to_each_other_in_catalogue_order() -> None:
    assert PERMISSIONS.mask_of(["c", "a"]) == A | C
    assert PERMISSIONS.names_of(A | C) == ("a", "c")
    assert PERMISSIONS.names_of(0) == ()
    assert list(PERMISSIONS) == ["a", "b", "c"]
    assert PERMISSIONS.title_of("b") == "Do B"


def test_an_unknown_name_is_never_a_bit() -> None:
    assert "d" not in PERMISSIONS
    with pytest.raises(KeyError):
        PERMISSIONS.mask_of(["d"])


def test_what_is_missing_can_be_said_in_names() -> None:
    assert PERMISSIONS.missing_of(Demand(A, (B | C,))) == Missing(
        all_of=("a",), any_of=(("b", "c"),)
    )


def test_permissions_say_how_many_they_are() -> None:
    assert repr(PERMISSIONS) == "<Permissions: 3>"


def test_a_demand_is_met_by_whoever_holds_something_of_each_clause() -> None:
    demand = Demand(0b101, (0b1010,))
    assert list(demand.clauses) == [0b1, 0b100, 0b1010]
    for held in range(16):
        assert demand.met_by(held) is all(held & clause for clause in demand.clauses)


def test_a_choice_of_one_weighs_as_that_one_and_is_remembered_as_a_choice() -> None:
    alone = Demand(A, alone=A)
    assert alone == Demand(A)
    assert (alone.met_by(A), alone.met_by(B)) == (True, False)
    assert PERMISSIONS.missing_of(alone) == Missing(("a",))
    assert Demand.joined([alone, Demand(B, (B | C,))]).alone == A
    assert Demand.joined([alone, Demand(A)]).alone == 0, "what is asked for outright is no choice"
