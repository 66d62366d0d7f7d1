"""Paths, methods, nonsense, bad manners and the witness: what all operations share."""

from typing import Any

import pytest
from yarl import URL

from gateway.standin.platform import seed
from gateway.standin.platform.app import ROUTES
from gateway.standin.platform.call import Route
from tests.standin.platform.conftest import Platform

BODIES = (
    b"",
    b"{}",
    b"null",
    b"[]",
    b"[null, 7]",
    b"7",
    b'"text"',
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"name": "N", "division": [], "paging": 7, "query": [{}], "version": {}}',
    b'{"name": "N", "division": {"id": {}}, "contactList": {"id": []}, "email": "a@b"}',
    b'{"interval": 7, "metrics": [[]], "filter": [7], "groupBy": [{}]}',
    b'{"interval": "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z", "metrics": ["n"], "groupBy": [{}]}',
    b'{"filter": {"clauses": [[]], "predicates": [{"dimension": []}]}, "metrics": ["n"]}',
    b'{"interval": "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z", "segmentFilters": 7}',
    b'{"query": [{"type": [], "fields": {}, "value": null}], "pageSize": {}}',
    b'{"alertStatus": [], "viewedStatus": {}, "pageNumber": true}',
    b'{"unread": 7, "muted": [], "sourceId": {}, "utilization": {"call": 7}}',
    b'[{"id": {}}, {"id": ["x"]}, {"data": {"id": 7}}]',
    b'{"name": "\\ud800", "description": "\\ud800", "columnNames": [[]]}',
    b'{"dateStart": {}, "dateEnd": "9999-99-99"}',
    b'{"name": 1' + b"0" * 5000 + b"}",
)
IDS = (seed.SUPPORT_QUEUE, seed.SURVEY_LIST, seed.USER, seed.RULE, seed.SOURCE, "x")
ODD_IDS = ("%00", "%FF", "%ED%A0%80", "x" * 500)
QUERIES = (
    "",
    "?pageSize=%FF&divisionId=,,&id=%00&name=*",
    "?dateStart=x&startDate=2026-01-01&cursor=%C2%B2&pageNumber=",
    "?name=**&sortOrder=&joined=maybe&state=%00",
)


def targets(path: str, ids: tuple[str, ...]) -> list[str]:
    """With the same value in all places, since no operation needs two that fit together to fail."""
    if "{" not in path:
        return [path]
    return ["/".join(id_ if part[:1] == "{" else part for part in path.split("/")) for id_ in ids]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_nonsense_is_refused_properly(platform: Platform, route: Route) -> None:
    headers = {"Authorization": f"Bearer {platform.token}"}
    path = f"/api/v2{route.path}"
    for target in targets(path, (seed.USER, *ODD_IDS)):
        for query in QUERIES:
            url = URL(target + query, encoded=True)
            reply = await platform.http.request(route.method, url, headers=headers)
            assert reply.status < 500, (target, query)
    for target in targets(path, IDS):
        for body in BODIES:
            url = URL(target, encoded=True)
            reply = await platform.http.request(route.method, url, data=body, headers=headers)
            assert reply.status < 500, (target, body[:80])
            if reply.status == 401:  # it was told to give its token back
                await platform.log_in()
                headers = {"Authorization": f"Bearer {platform.token}"}


@pytest.mark.parametrize("path", ["/routing/nothing", "/routing/queues/", "/Routing/queues", "/"])
async def test_any_other_path_is_not_found(platform: Platform, path: str) -> None:
    assert await platform.refused("GET", path) == (404, "not.found", "")


async def test_any_other_method_is_refused_with_those_there_are(platform: Platform) -> None:
    reply = await platform.ask("PATCH", "/routing/queues")
    assert (reply.status, (await reply.json())["code"]) == (405, "method.not.allowed")
    assert reply.headers["Allow"] == "GET,POST"


async def test_an_error_has_the_shape_of_the_platforms(platform: Platform) -> None:
    reply = await platform.ask("GET", "/routing/queues/nothing")
    body = await reply.json()
    context = body.pop("contextId")
    assert reply.content_type == "application/json"
    assert reply.headers["ININ-Correlation-Id"] == context
    assert body == {
        "message": "The requested queue was not found.",
        "code": "not.found",
        "status": 404,
        "messageParams": {"entityId": "nothing", "entityName": "queue"},
        "details": [],
        "errors": [],
    }


async def test_it_misbehaves_when_told_to(platform: Platform) -> None:
    told = {"manner": "unavailable", "path_prefix": "/api/v2/users", "requests": 1}
    await platform.http.put("/_standin/behaviour", json=told)
    assert (await platform.ask("GET", "/routing/queues")).status == 200
    assert await platform.refused("GET", "/users") == (503, "service.unavailable", "")
    assert (await platform.ask("GET", "/users")).status == 200


async def test_every_request_is_in_the_list_logins_among_them(platform: Platform) -> None:
    await platform.ask("GET", "/users?pageSize=1")
    await platform.http.get("/api/v2/users")
    found: Any = await (await platform.http.get("/_standin/received")).json()
    assert [(each["target"], each["status"]) for each in found["requests"]] == [
        ("/oauth/token", 200),
        ("/api/v2/users?pageSize=1", 200),
        ("/api/v2/users", 401),
    ]
