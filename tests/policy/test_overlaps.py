"""Operations that may answer the same request."""

from pathlib import Path

import pytest

import policy
from policy import (
    Code,
    Diagnostic,
    PolicyInvalid,
    ServiceSources,
    ServiceSpec,
    Severity,
    Sources,
    Text,
)
from tests.support.policies import findings

HEAD = """\
catalogue: shop
permissions: {read: R, write: W}
parameters: {narrow: {except: [anonymous]}, digits: {alphabet: digits}, short: {max_length: 3}}
operations:
"""


def overlaps(*operations: str) -> list[Diagnostic]:
    """Each operation is `METHOD /path [requirement]`, and is called a, b, c …"""
    lines = []
    for name, operation in zip("abcdefgh", operations, strict=False):
        method, path, *requires = operation.split(" ")
        lines.append(
            f"  {name}: {{request: '{method} {path}', requires: {(requires or ['read'])[0]}}}"
        )
    catalogue = HEAD + "\n".join(lines)
    kept = [name for name in ("narrow", "digits", "short") if f"{{{name}}}" in catalogue]
    described = {
        "narrow": "{except: [anonymous]}",
        "digits": "{alphabet: digits}",
        "short": "{max_length: 3}",
    }
    line = ", ".join(f"{name}: {described[name]}" for name in kept)
    catalogue = catalogue.replace(HEAD.splitlines()[2], f"parameters: {{{line}}}")
    found = findings(catalogue, "roles: {all: {permissions: [read, write]}}")
    return [each for each in found if each.code.startswith("route")]


@pytest.mark.parametrize(
    "operations",
    [
        ("GET /a", "GET /b"),
        ("GET /a", "POST /a"),
        ("GET /a/{x}", "GET /a/b"),
        ("GET /a/{x}", "GET /a/{digits}"),
        ("GET /a/{x}", "GET /a/{x}/b"),
        ("GET /s/{narrow}/x", "GET /s/anonymous/{y}"),
        ("GET /a/{x}", "HEAD /a/{x} write"),
        ("GET /a/{x}", "HEAD /a/b write"),
    ],
)
def test_what_is_apart_or_closer_is_clear(operations: tuple[str, ...]) -> None:
    assert overlaps(*operations) == []


def test_the_same_requests_of_two_operations_are_an_error() -> None:
    (found,) = overlaps("GET /a/{x}", "GET /a/{y}")
    assert found.code is Code.ROUTE_DUPLICATE
    assert found.message == "`b` (GET /a/{y}) answers the same requests as `a` (GET /a/{x})"
    assert str(found.where) == "shop.yaml:6:16"
    assert found.help == "the other is at shop.yaml:5:16"


def test_operations_that_cross_are_an_error_with_a_request_that_shows_it() -> None:
    (found,) = overlaps("GET /s/{x}/interactions", "GET /s/anonymous/{y} write")
    assert found.code is Code.ROUTE_AMBIGUOUS
    assert found.message == (
        "`GET /s/anonymous/interactions` may mean `b` (GET /s/anonymous/{y})"
        " or `a` (GET /s/{x}/interactions)"
    )
    assert found.help is not None
    assert "`except`" in found.help


@pytest.mark.parametrize(
    "operations",
    [
        ("GET /a/{x}", "GET /{y}/b write"),
        ("GET /{digits}", "GET /{short} write"),
        ("HEAD /{x}/b write", "GET /a/{y}"),
    ],
)
def test_neither_is_closer(operations: tuple[str, ...]) -> None:
    assert [found.code for found in overlaps(*operations)] == [Code.ROUTE_AMBIGUOUS]


def test_operations_that_cross_and_demand_the_same_are_fine() -> None:
    assert overlaps("GET /a/{x}", "GET /{y}/b") == []


def test_guards_that_mean_other_segments_are_not_the_same_demand() -> None:
    catalogue = HEAD.replace(HEAD.splitlines()[2] + "\n", "") + (
        "  a: {request: 'PUT /{x}/b', requires: read, guards: [{body_value_equals_path: {k: x}}]}\n"
        "  b: {request: 'PUT /a/{x}', requires: read, guards: [{body_value_equals_path: {k: x}}]}\n"
    )
    found = findings(catalogue, "roles: {all: {permissions: [read]}}")
    assert [each.code for each in found] == [Code.ROUTE_AMBIGUOUS]


def test_one_mistake_is_not_a_hundred_findings() -> None:
    literals = [f"  l{n}: {{request: 'GET /x{n}/{{b}}', requires: read}}" for n in range(50)]
    lines = [*literals, "  catch: {request: 'GET /{a}/y', requires: write}"]
    catalogue = HEAD.replace(HEAD.splitlines()[2] + "\n", "") + "\n".join(lines)
    found = findings(catalogue, "roles: {all: {permissions: [read, write]}}")
    assert len(found) == 5


def two_services(first: str, second: str, prefix: str = "/") -> tuple[Diagnostic, ...]:
    services = [
        ServiceSources(
            ServiceSpec(name=name, catalogue=Path(name), prefix=prefix),
            Text(
                f"{name}.yaml",
                f"catalogue: {name}\npermissions: {{read: R}}\n"
                f"operations: {{op: {{request: '{request}', requires: read}}}}",
            ),
        )
        for name, request in (("one", first), ("two", second))
    ]
    given = Sources(tuple(services), (Text("p.yaml", "roles: {all: {permissions: [read]}}"),))
    try:
        return policy.compile(policy.load(given)).findings
    except PolicyInvalid as invalid:
        return invalid.diagnostics


def test_services_may_share_a_prefix() -> None:
    assert two_services("GET /a", "GET /b", "/genesys/1/cs") == ()


def test_two_services_with_the_same_operation_are_an_error() -> None:
    (found,) = two_services("GET /a/{x}", "GET /a/{y}")
    assert found.code is Code.ROUTE_DUPLICATE


@pytest.mark.parametrize(
    ("first", "second"), [("GET /a/{x}", "GET /a/b"), ("GET /a/b", "GET /a/{x}")]
)
def test_a_service_that_takes_requests_from_another_is_a_warning(first: str, second: str) -> None:
    (found,) = two_services(first, second)
    assert (found.code, found.severity) == (Code.ROUTE_OVERLAP, Severity.WARNING)
    assert "(GET /a/b) of the service" in found.message
    assert found.message.index("GET /a/b") < found.message.index("GET /a/{x}")


def test_services_that_cross_are_ambiguous_even_if_they_demand_the_same() -> None:
    (found,) = two_services("GET /a/{x}", "GET /{y}/b")
    assert found.code is Code.ROUTE_AMBIGUOUS
