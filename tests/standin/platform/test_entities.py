"""Making, changing and deleting entities, and what the platform says when it cannot be."""

from typing import Any

import pytest

from gateway.standin.platform import seed
from tests.standin.platform.conftest import Platform

CONTACTS = f"/outbound/contactlists/{seed.SURVEY_LIST}/contacts"


async def test_what_is_made_is_found_changed_and_gone(platform: Platform) -> None:
    made = await platform.found(
        "POST", "/routing/queues", {"name": "New", "division": {"id": seed.SALES}, "x": 1}
    )
    assert (made["division"]["name"], made["memberCount"]) == ("Sales", 0)
    assert made["selfUri"] == f"/api/v2/routing/queues/{made['id']}"
    assert "x" not in made, "what is not known is ignored"
    one = f"/routing/queues/{made['id']}"
    platform.clock.forward(1)
    changed = await platform.found("PUT", one, {"description": "now"})
    assert (changed["name"], changed["description"]) == ("New", "now")
    assert changed["dateModified"] > made["dateModified"] == made["dateCreated"]
    assert await platform.found("GET", one) == changed
    assert (await platform.ask("DELETE", one)).status == 204
    assert await platform.refused("GET", one) == (404, "not.found", "")


async def test_without_a_division_an_entity_is_at_home(platform: Platform) -> None:
    made = await platform.found("POST", "/routing/wrapupcodes", {"name": "New"})
    assert made["division"]["id"] == seed.HOME


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "invalid.value", "name"),
        ({"name": " "}, 400, "invalid.value", "name"),
        ({"name": "x" * 257}, 400, "invalid.value", "name"),
        ({"name": "New", "division": "Sales"}, 400, "invalid.value", "division"),
        ({"name": "New", "division": {"id": "nowhere"}}, 404, "not.found", ""),
        ({"name": "New", "autoAnswerOnly": "yes"}, 400, "invalid.value", "autoAnswerOnly"),
        ([], 400, "bad.request", ""),
    ],
)
async def test_what_cannot_be_made_is_refused_by_its_field(
    platform: Platform, body: Any, status: int, code: str, field: str
) -> None:
    assert await platform.refused("POST", "/routing/queues", body) == (status, code, field)
    assert (await platform.found("GET", "/routing/queues"))["total"] == 5


async def test_a_contact_has_the_columns_of_its_list(platform: Platform) -> None:
    data = {"id": "9", "phone": "+15550109"}
    [made] = await platform.found("POST", CONTACTS, [{"data": data}])
    assert (made["contactListId"], made["data"]) == (seed.SURVEY_LIST, data)
    wrong = await platform.refused("POST", CONTACTS, [{"data": data}, {"data": {"age": "7"}}])
    assert wrong == (400, "invalid.value", "data")
    found = await platform.found(
        "GET", f"/outbound/contactlists/{seed.SURVEY_LIST}?includeSize=true"
    )
    assert found["size"] == 4, "of a body with one bad contact none is added"


async def test_contacts_are_read_by_post_and_deleted_by_query(platform: Platform) -> None:
    assert len(await platform.found("POST", f"{CONTACTS}/bulk", [seed.CONTACT, "nobody"])) == 1
    assert (await platform.ask("DELETE", f"{CONTACTS}?contactIds={seed.CONTACT}")).status == 204
    assert await platform.found("POST", f"{CONTACTS}/bulk", [seed.CONTACT]) == []


async def test_a_list_that_goes_takes_its_contacts_along(platform: Platform) -> None:
    one = f"/outbound/contactlists/{seed.SURVEY_LIST}"
    assert (await platform.ask("DELETE", one)).status == 204
    assert await platform.refused("GET", f"{CONTACTS}/{seed.CONTACT}") == (404, "not.found", "")


async def test_a_change_to_an_old_version_of_a_user_is_a_conflict(platform: Platform) -> None:
    one = f"/users/{seed.USER}"
    assert (await platform.found("PATCH", one, {"version": 1, "title": "Lead"}))["version"] == 2
    wrong = await platform.refused("PATCH", one, {"version": 1, "title": "Boss"})
    assert wrong == (409, "general.conflict", "")


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ({"type": "EXACT", "fields": ["email"], "value": "ANNA@stand-in.example"}, ["Anna Rossi"]),
        ({"type": "STARTS_WITH", "fields": ["name", "email"], "value": "jo"}, ["Jonas Weber"]),
        (
            {"type": "CONTAINS", "fields": ["name"], "values": ["anna", "mei"]},
            ["Anna Rossi", "Mei Lindqvist"],
        ),
        ({"type": "EXACT", "fields": ["divisionId"], "value": seed.CLAIMS}, ["Ines Duarte"]),
    ],
)
async def test_users_are_searched_by_their_fields(
    platform: Platform, clause: dict[str, Any], expected: list[str]
) -> None:
    found = await platform.found("POST", "/users/search", {"query": [clause]})
    assert ([user["name"] for user in found["results"]], found["total"]) == (
        expected,
        len(expected),
    )


async def test_details_are_those_of_the_interval_and_the_filters(platform: Platform) -> None:
    day = "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"
    path = "/analytics/conversations/details/query"
    assert (await platform.found("POST", path, {"interval": day}))["totalHits"] == 15
    predicate = {"dimension": "queueId", "value": seed.SALES_QUEUE}
    body = {"interval": day, "segmentFilters": [{"type": "and", "predicates": [predicate]}]}
    found = await platform.found("POST", path, body)
    assert found["totalHits"] == 5
    assert {tuple(each["divisionIds"]) for each in found["conversations"]} == {(seed.SALES,)}


async def test_aggregates_count_what_details_show(platform: Platform) -> None:
    body = {
        "interval": "2026-01-01T00:00:00Z/2026-01-03T00:00:00Z",
        "groupBy": ["divisionId"],
        "metrics": ["nOffered"],
    }
    found = await platform.found("POST", "/analytics/conversations/aggregates/query", body)
    counts = {
        group["group"]["divisionId"]: group["data"][0]["metrics"][0]["stats"]["count"]
        for group in found["results"]
    }
    assert counts == {seed.HOME: 8, seed.SALES: 8, seed.CLAIMS: 8}


@pytest.mark.parametrize(
    ("interval", "field"),
    [
        (None, "interval"),
        ("yesterday", "interval"),
        ("2026-01-01T00:00:00/2026-01-02T00:00:00", "interval"),
        ("2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "interval"),
    ],
)
async def test_an_interval_is_needed_and_has_to_be_one(
    platform: Platform, interval: Any, field: str
) -> None:
    path = "/analytics/conversations/details/query"
    wrong = await platform.refused("POST", path, {"interval": interval})
    assert wrong == (400, "invalid.value", field)


async def test_of_too_many_channels_and_jobs_the_oldest_go(platform: Platform) -> None:
    channels = [await platform.found("POST", "/notifications/channels") for _ in range(21)]
    kept = await platform.found("GET", "/notifications/channels")
    assert [each["id"] for each in kept["entities"]] == [each["id"] for each in channels[1:]]
    path = "/analytics/users/details/jobs"
    body = {"interval": "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"}
    jobs = [(await platform.found("POST", path, body))["jobId"] for _ in range(101)]
    assert await platform.refused("GET", f"{path}/{jobs[0]}") == (404, "not.found", "")
    assert (await platform.ask("GET", f"{path}/{jobs[1]}")).status == 202


async def test_what_is_kept_is_bounded_in_number_and_in_bytes(platform_as: Any) -> None:
    few = await platform_as(entity_limit=24)
    codes = [{"name": f"Code {number}"} for number in range(20)]
    replies = [await few.ask("POST", "/routing/wrapupcodes", code) for code in codes]
    assert [reply.status for reply in replies] == [200] * 19 + [400]
    assert (await replies[-1].json())["code"] == "limit.exceeded"
    small = await platform_as(stored_bytes_limit=50_000)
    long = {"name": "Long", "description": "x" * 40_000}
    assert await small.refused("POST", "/routing/wrapupcodes", long) == (
        413,
        "content.too.large",
        "",
    )


async def test_a_body_larger_than_is_taken_is_refused(platform_as: Any) -> None:
    platform = await platform_as(max_body_bytes=1000)
    wrong = await platform.refused("POST", "/routing/queues", {"name": "x" * 2000})
    assert wrong == (413, "content.too.large", "")
