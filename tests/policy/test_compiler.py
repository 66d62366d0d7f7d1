"""A document to a table, or every diagnostic."""

import pytest

import policy
from policy import Code, PolicyInvalid, Severity, UseRole
from tests.support.policies import (
    CATALOGUE,
    POLICY,
    codes,
    document,
    findings,
    only,
    spec,
    table,
    user,
)


def test_an_equal_document_gives_an_equal_answer() -> None:
    given = document()
    one, other = policy.compile(given), policy.compile(given)
    assert one.version == other.version == given.version
    assert [str(route) for route in one.operations] == [str(route) for route in other.operations]
    assert one.roles == other.roles


def test_a_wrong_document_gives_no_table() -> None:
    with pytest.raises(PolicyInvalid) as caught:
        table(CATALOGUE, "roles: {a: {permissions: [raed]}}")
    assert codes(caught.value.diagnostics) == [Code.UNKNOWN_PERMISSION]


def test_warnings_come_with_errors() -> None:
    found = findings(CATALOGUE, "roles: {admin: {permissions: [read]}, Admin: {permissions: [x]}}")
    assert [each.severity for each in found] == [Severity.WARNING, Severity.ERROR]


def test_a_table_says_what_it_was_made_from() -> None:
    shop = table(service=spec(prefix="/shop/1", switches=("careful",)))
    service = shop.services["shop"]
    assert (service.name, service.prefix, service.catalogue) == ("shop", "/shop/1", "shop")
    assert (service.use_role, service.switches) == (UseRole.ENFORCE, ("careful",))
    assert repr(shop) == f"<DecisionTable {shop.version}: 7 operations, 3 roles, 4 permissions>"


def test_a_route_knows_its_place_its_number_and_its_prefix() -> None:
    shop = table(service=spec(prefix="/shop/1"))
    route = shop.operations[3]
    assert (route.id, route.method, route.template) == (
        "own-record",
        "PUT",
        "/shop/1/records/{id}/owner",
    )
    assert (route.index, route.prefix_length, route.parameters) == (3, 2, ((3, "id"),))
    assert str(route.where) == "shop.yaml:18:3"
    assert str(route) == "own-record (PUT /shop/1/records/{id}/owner)"
    assert "Decision" not in repr(route), "an answer holds its route, so neither shows the other"


def test_a_role_has_what_it_names_and_what_it_includes() -> None:
    shop = table()
    writer = shop.roles["writer"]
    assert shop.names_of(writer.own) == ("write",)
    assert shop.names_of(writer.mask) == ("read", "write")
    assert str(writer.permission_places["write"]) == "policy-1.yaml:3:46"


def test_a_role_that_is_off_grants_nothing_and_passes_nothing_on() -> None:
    shop = table(
        CATALOGUE,
        """\
roles:
  off: {enabled: false, permissions: [read], includes: [base]}
  base: {permissions: [write]}
  on: {includes: [off], permissions: [detail]}
""",
    )
    assert shop.roles["off"].mask == 0
    assert shop.names_of(shop.roles["on"].mask) == ("detail",)


def test_a_role_that_grants_nothing_is_a_warning_unless_it_is_off() -> None:
    found = only(
        findings(CATALOGUE, POLICY, "roles: {hollow: {}, off: {enabled: false}}"),
    )
    assert (found.code, found.severity) == (Code.ROLE_GRANTS_NOTHING, Severity.WARNING)
    assert (str(found.where), found.message) == (
        "policy-2.yaml:1:9",
        "the role `hollow` grants nothing",
    )


def test_an_operation_that_no_role_can_call_is_a_warning() -> None:
    found = findings(CATALOGUE, "roles: {reader: {permissions: [read]}}")
    assert codes(found) == [Code.OPERATION_UNREACHABLE] * 3
    assert found[0].message == "no role has what `change-record` of `shop` needs"
    assert str(found[0].where) == "shop.yaml:12:3"


def test_where_roles_are_not_used_no_operation_is_out_of_reach() -> None:
    service = spec(use_role=UseRole.OFF)
    assert findings(CATALOGUE, "roles: {reader: {permissions: [read]}}", service=service) == ()


def test_a_permission_that_no_role_grants_is_no_finding() -> None:
    roles = POLICY.replace("[read, write, detail, admin]", "[read, write]")
    assert findings(CATALOGUE, roles) == ()


def test_size_is_no_obstacle() -> None:
    """Thousands of entries; the figures of `benchmarks/decision.py` are for tens of thousands."""
    operations = [
        f"  op{n}: {{request: 'GET /area{n % 17}/things{n}/{{id}}', requires: p{n}}}"
        for n in range(1500)
    ]
    catalogue = "\n".join(
        [
            "catalogue: large",
            f"permissions: {{{', '.join(f'p{n}: P{n}' for n in range(1500))}}}",
            "operations:",
            *operations,
        ]
    )
    roles = "\n".join(["roles:", *(f"  r{n}: {{permissions: [p{n}]}}" for n in range(1500))])
    users = "\n".join(["users:", *(f"  u{n}: {{roles: [r{n % 1500}]}}" for n in range(5000))])
    large = table(catalogue, roles, users)
    assert large.findings == ()
    assert large.names_of(large.held_by(user("u1501")).anywhere) == ("p1",)
