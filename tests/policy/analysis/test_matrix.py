"""Rows and cells: what a role may do, and what it would need for the rest."""

import pytest

import policy
from policy import Missing, UseRole
from policy.analysis import Cell, Lack, OpenTo, Row, State, rows_of
from tests.support.policies import CATALOGUE, POLICY, spec, table

SHOP = table()


def rows(of: policy.DecisionTable = SHOP) -> dict[str, Row]:
    roles = tuple(of.roles.values())
    return {row.route.id: row for row in rows_of(of, roles, of.operations)}


def cell(operation: str, role: str, of: policy.DecisionTable = SHOP) -> Cell:
    row = rows(of)[operation]
    return row.kinds[row.cells[list(of.roles).index(role)]]


def test_a_role_that_holds_everything_is_allowed() -> None:
    assert cell("change-record", "chief") == Cell(State.ALLOWED)


def test_a_denied_cell_names_what_is_always_missing() -> None:
    missing = Missing(all_of=("write",))
    assert cell("change-record", "reader") == Cell(State.DENIED, (Lack((), missing),))


def test_a_conditional_cell_names_the_condition_and_what_is_missing_then() -> None:
    lack = Lack(("body has keys outside `core`",), Missing(all_of=("detail",)))
    assert cell("change-record", "writer") == Cell(State.CONDITIONAL, (lack,))


def test_one_of_two_stays_an_either() -> None:
    missing = Missing(any_of=(("write", "admin"),))
    assert cell("sweep", "reader") == Cell(State.DENIED, (Lack((), missing),))


def test_a_guard_is_a_matter_of_the_row_and_of_no_role() -> None:
    row = rows()["own-record"]
    assert row.guards == ("body `id` must be the path's `id`",)
    assert cell("own-record", "writer") == Cell(State.ALLOWED)


@pytest.mark.parametrize(
    ("operation", "open_to"),
    [("health", OpenTo.ANYBODY), ("whoami", OpenTo.KNOWN), ("sweep", OpenTo.HOLDERS)],
)
def test_whom_an_operation_is_open_to_is_told(operation: str, open_to: OpenTo) -> None:
    assert rows()[operation].open_to is open_to


def test_a_service_without_roles_is_open_to_everybody_who_is_known() -> None:
    off = table(service=spec(use_role=UseRole.OFF))
    assert {row.open_to for row in rows(off).values()} == {OpenTo.ANYBODY, OpenTo.KNOWN}
    assert cell("sweep", "reader", off) == Cell(State.ALLOWED)


def test_a_service_that_only_watches_is_told_as_it_would_decide() -> None:
    shadow = table(service=spec(use_role=UseRole.SHADOW))
    assert cell("sweep", "reader", shadow).state is State.DENIED


def test_a_role_that_is_off_is_denied() -> None:
    off = table(CATALOGUE, POLICY.replace("chief: {", "chief: {enabled: false, "))
    assert cell("read-record", "chief", off).state is State.DENIED
    assert cell("whoami", "chief", off).state is State.ALLOWED


def test_a_condition_that_goes_without_saying_is_not_repeated() -> None:
    catalogue = CATALOGUE.replace(
        "      - {when: {query_has: [details]}, requires: detail}\n",
        "      - {when: {query_has: [details]}, requires: detail}\n"
        "      - {when: {query_has: [deep]}, requires: admin}\n",
    )
    lacks = cell("find-records", "reader", table(catalogue)).lacks
    assert [lack.when for lack in lacks] == [("query has `details`",), ("query has `deep`",)]


def test_an_operation_that_no_path_leads_to_is_told() -> None:
    digits = "".join(f"  d{n}: {{request: GET /one/{n}, requires: read}}\n" for n in range(10))
    catalogue = (
        f"{CATALOGUE}{digits}"
        "  never: {request: 'GET /one/{digit}', requires: read}\n"
        "parameters: {digit: {alphabet: digits, max_length: 1}}\n"
    )
    of = table(catalogue)
    assert not rows(of)["never"].reachable
    assert cell("never", "chief", of) == Cell(State.DENIED)
