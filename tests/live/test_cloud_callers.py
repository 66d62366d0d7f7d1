"""Callers of a cloud service: opaque tokens with scopes, grants in divisions, and how each no is said."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.oauth_server import OAuthServer
from tests.support.raw import request
from tests.support.site import Site, running_site
from tests.support.upstream import RecordingUpstream

CATALOGUE = """\
catalogue: cloud
permissions:
  "routing:queue:view": View Queues
  "routing:queue:edit": Edit Queues
  "telephony:plugin:all": Use the Plugin
  "telephony:edge:view": View Edges
scopes: [routing, "routing:readonly"]
division_aware: ["routing:queue:view", "routing:queue:edit"]
overlaps: literal-first
operations:
  read-queue:
    request: GET /api/v2/queues/{id}
    requires: routing:queue:view
    scopes: [routing, "routing:readonly"]
    division: {query: divisionId}
  move-queue:
    request: PUT /api/v2/queues/{id}
    requires: {any: ["routing:queue:view", "routing:queue:edit"]}
    division: {query: divisionId}
  read-edges:
    request: GET /api/v2/edges
    requires: {any: ["telephony:plugin:all", "telephony:edge:view"]}
  copy-queue:
    request: GET /api/v2/edges/copies
    requires: ["routing:queue:view", "telephony:edge:view"]
    scopes: [routing]
  closed: {request: GET /api/v2/queues/all, requires: nobody}
"""

POLICY = """\
roles:
  viewer: {permissions: ["routing:queue:view"]}
  plugger: {permissions: ["telephony:plugin:all"]}
users:
  anna: {roles: [viewer]}
  sam: {roles: [{role: viewer, divisions: [north]}, plugger]}
"""


@pytest.fixture
async def login() -> AsyncIterator[OAuthServer]:
    async with OAuthServer() as running:
        yield running


@pytest.fixture
async def site(
    tmp_path: Path, upstream: RecordingUpstream, login: OAuthServer
) -> AsyncIterator[Site]:
    (tmp_path / "cloud.yaml").write_text(CATALOGUE)
    (tmp_path / "client-secret").write_text("s3cret")
    policy = tmp_path / "cloud-policy"
    policy.mkdir()
    (policy / "policy.yaml").write_text(POLICY)
    client = {"client_id": "gateway", "client_secret_file": "client-secret"}
    cloud = {
        "name": "cloud",
        "catalogue": str(tmp_path / "cloud.yaml"),
        "upstream": {
            "nodes": [upstream.url],
            "credential": {"oauth": client | {"token_url": login.token_url}},
        },
        "errors": "genesys-cloud",
    }
    identity = {"introspection": [client | {"url": login.introspection_url}]}
    async with running_site(tmp_path, [cloud], policy=policy, identity=identity) as running:
        yield running


async def told(site: Site, method: str, target: str, token: str) -> tuple[int, list[Any]]:
    """The status, and of a refusal the code and the lists of each body, the nested ones too."""
    client = await site.connect()
    await client.send(request(method, target, authorization=f"Bearer {token}".encode()))
    reply = await client.reply(method)
    if reply.status == 200:
        return 200, []
    body = json.loads(reply.body)
    return reply.status, [
        (each["code"], *each["messageParams"].values()) for each in (body, *body["errors"])
    ]


QUEUE = "/api/v2/queues/7"
VIEW, EDIT = "routing:queue:view", "routing:queue:edit"


@pytest.mark.parametrize(
    ("name", "scope", "method", "target", "status", "bodies"),
    [
        ("anna", "routing:readonly", "GET", QUEUE, 200, []),
        ("anna", "routing", "GET", f"{QUEUE}?divisionId=south", 200, []),
        ("sam", "routing", "GET", f"{QUEUE}?divisionId=north", 200, []),
        (
            "sam",
            "routing",
            "GET",
            f"{QUEUE}?divisionId=south",
            403,
            [("missing.division.permission", VIEW, "[south]")],
        ),
        (
            "sam",
            "",
            "PUT",
            f"{QUEUE}?divisionId=south",
            403,
            [("missing.any.division.permissions", f"[{VIEW}, {EDIT}]", "[south]")],
        ),
        (
            "anna",
            "users",
            "GET",
            QUEUE,
            403,
            [("app.not.authorized.for.scope", "[routing, routing:readonly]")],
        ),
        (
            "nobody",
            "users",
            "GET",
            QUEUE,
            403,
            [
                ("missing.permissions", f"[{VIEW}]"),
                ("app.not.authorized.for.scope", "[routing, routing:readonly]"),
            ],
        ),
        (
            "anna",
            "",
            "GET",
            "/api/v2/edges",
            403,
            [("missing.any.permissions", "[telephony:plugin:all, telephony:edge:view]")],
        ),
        (
            "nobody",
            "routing",
            "GET",
            "/api/v2/edges/copies",
            403,
            [("missing.permissions", f"[{VIEW}, telephony:edge:view]")],
        ),
        ("anna", "routing", "GET", "/api/v2/queues/all", 403, [("not.authorized",)]),
        ("anna", "routing", "GET", "/api/v2/unknown", 403, [("not.authorized",)]),
    ],
)
async def test_each_no_says_what_would_make_it_a_yes(
    site: Site,
    login: OAuthServer,
    upstream: RecordingUpstream,
    name: str,
    scope: str,
    method: str,
    target: str,
    status: int,
    bodies: list[Any],
) -> None:
    token = login.issue(sub=name, scope=scope)
    assert await told(site, method, target, token) == (status, bodies)
    assert len(upstream.requests) == (status == 200)
    assert token.encode() not in b"".join(upstream.requests)
