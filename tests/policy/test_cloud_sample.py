"""The catalogue that the project ships for Genesys Cloud, held against what is published."""

from functools import cache
from pathlib import Path

import pytest

import policy
from policy import DecisionTable, PolicyDocument, ServiceSources, ServiceSpec, Sources, Text
from policy.analysis import Openings
from policy.entries import AnyOf, Requires
from tests.support.operations_table import Row, operations

CATALOGUE = Path("config/catalogues/genesys-cloud.yaml")
EVERYTHING = 'roles: {all: {permissions: ["*:*:*", admin]}}'
OF_THE_ROLES = [
    "alerting:alert:view",
    "alerting:rule:view",
    "analytics:conversationDetail:view",
    "analytics:dataExport:view",
    "analytics:queueObservation:view",
    "analytics:speechAndTextAnalyticsAggregates:view",
    "analytics:userDetail:view",
    "analytics:userObservation:view",
    "billing:subscription:view",
    "presence:source:view",
    "presence:userPrimarySource:view",
    "routing:queue:view",
    "routing:utilization:view",
    "routing:wrapupCode:view",
    "telephony:pcap:view",
    "telephony:plugin:all",
    "telephony:station:disassociate",
    "telephony:station:disassociateSelf",
    "outbound:contact:add",
    "directory:user:view",
]


@cache
def document() -> PolicyDocument:
    text = Text("genesys-cloud.yaml", CATALOGUE.read_text(encoding="utf-8"))
    service = ServiceSources(ServiceSpec(name="cloud", catalogue=CATALOGUE), text)
    return policy.load(Sources((service,), (Text("policy.yaml", EVERYTHING),)))


@cache
def table() -> DecisionTable:
    return policy.compile(document())


def names_in(requires: Requires) -> tuple[str, frozenset[str]]:
    """The mode in which an operation is published, and its permissions."""
    if isinstance(requires, str):
        if requires == "authenticated":
            return "NONE", frozenset()
        return "ALL", frozenset({requires})
    if isinstance(requires, AnyOf):
        return "ANY", frozenset(requires.any)
    assert not isinstance(requires, tuple)
    return "ALL", frozenset(str(each) for each in requires.all)


def published() -> dict[tuple[str, str], Row]:
    return {(row.method, row.path): row for row in operations()}


def test_every_operation_asks_for_what_is_published() -> None:
    known = published()
    catalogue = document().services[0].catalogue.entries
    for name, entry in catalogue.operations.items():
        method, _, path = entry.request.partition(" ")
        row = known[method, path]
        assert row.operation_id == name
        assert names_in(entry.requires) == (row.mode, row.permissions), name
        if "noscope" not in row.status:
            assert frozenset(entry.scopes) == row.scopes, name


def test_every_scope_is_listed_that_is_published() -> None:
    every = frozenset[str]().union(*(row.scopes for row in operations()))
    assert set(document().services[0].catalogue.entries.scopes) == every


@pytest.mark.parametrize("permission", OF_THE_ROLES)
def test_all_operations_are_there_that_name_a_permission_of_the_two_roles(permission: str) -> None:
    named = {
        row.operation_id
        for row in operations()
        if permission in row.permissions and row.status != "removed"
    }
    assert named <= {route.id for route in table().operations}


def test_what_is_not_listed_is_never_taken_for_something_that_is() -> None:
    """A published literal path does not fall to the template of a neighbour. HEAD is what GET is."""
    listed = {route.id for route in table().operations}
    for row in operations():
        if row.operation_id in listed or row.method == "HEAD":
            continue
        segments = tuple("0" if part.startswith("{") else part for part in row.segments)
        found = table().routes.find(row.method, segments)
        assert found is None, f"{row.method} {row.path} is taken for {found}"


def test_every_operation_is_found_by_its_own_path() -> None:
    for route in table().operations:
        segments = tuple(
            "0" if part.startswith("{") else part for part in route.template.split("/")[1:]
        )
        assert table().routes.find(route.method, segments) is route


def test_telephony_plugin_all_opens_112_operations_of_which_51_are_no_reads_by_their_method() -> (
    None
):
    bit = table().permissions.mask_of(["telephony:plugin:all"])
    opened = Openings(table()).of(bit)
    assert len(opened) == 112
    assert sum(route.method != "GET" for route in opened) == 51


def test_it_is_sound_and_says_nothing_twice() -> None:
    assert table().findings == ()


def test_a_title_is_written_for_everything() -> None:
    untitled = [route.id for route in table().operations if not route.title]
    assert untitled == []
