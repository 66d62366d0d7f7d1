"""`/api/v2/tokens/me`, answered by the gateway: what a token is, and its end."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.clients import VSM, call, entry, get_token, settings_of, token_of
from tests.support.raw import request
from tests.support.site import Audit, Site, running_site
from tests.support.tokens import AUDIENCE, ISSUER, public_pem, token
from tests.support.upstream import RecordingUpstream, recording_upstream

PATH = "/api/v2/tokens/me"
CATALOGUE = {
    "catalogue": "platform",
    "scopes": ["routing:readonly", "users:readonly"],
    "permissions": {"routing:queue:view": "Routing > Queue > View"},
    "operations": {
        **{
            f"{method.lower()}-token": {"request": f"{method} {PATH}", "requires": "authenticated"}
            for method in ("GET", "DELETE")
        },
        "queues": {
            "request": "GET /api/v2/routing/queues",
            "requires": "routing:queue:view",
            "scopes": ["routing:readonly"],
        },
    },
}


@pytest.fixture
async def upstream() -> AsyncIterator[RecordingUpstream]:
    async with recording_upstream() as recording:
        yield recording


def service(folder: Path, upstream: RecordingUpstream, **changes: Any) -> dict[str, Any]:
    path = folder / "platform.yaml"
    path.write_text(yaml.safe_dump(CATALOGUE))
    url = upstream.url
    return {"name": "platform", "catalogue": str(path), "upstream": {"nodes": [url]},
            "token_info": True, **changes}  # fmt: skip


def identity(folder: Path) -> dict[str, Any]:
    others = {
        "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["ES256"],
        "pem_file": str(public_pem(folder)),
    }  # fmt: skip
    clients = settings_of(folder, {"vsm": entry(title="Virsae Genesys", token_seconds=600)})
    return {"jwt": [others], "clients": clients}


def policy(folder: Path) -> Path:
    """What the client is given: a role in all divisions, another in two."""
    made = folder / "policy"
    made.mkdir()
    roles = {name: {"permissions": ["routing:queue:view"]} for name in ("everywhere", "in-two")}
    given = ["everywhere", {"role": "in-two", "divisions": ["d1", "d2"]}]
    client = {"roles": given, "scopes": ["routing:readonly", "users:readonly"]}
    (made / "policy.yaml").write_text(yaml.safe_dump({"roles": roles, "clients": {"vsm": client}}))
    return made


@pytest.fixture
async def site(tmp_path: Path, upstream: RecordingUpstream) -> AsyncIterator[Site]:
    services = [service(tmp_path, upstream)]
    async with running_site(
        tmp_path, services, identity=identity(tmp_path), policy=policy(tmp_path)
    ) as running:
        yield running


async def test_a_client_is_told_what_its_token_is(site: Site) -> None:
    reply = await call(site, await token_of(site), target=PATH)
    assert (reply.status, reply.header("content-type")) == (200, "application/json")
    assert json.loads(reply.body) == {
        "authorizedScope": ["routing:readonly", "users:readonly"],
        "OAuthClient": {
            "id": VSM, "name": "Virsae Genesys", "authorizedGrantType": "CLIENT-CREDENTIALS",
            "scope": ["routing:readonly", "users:readonly"], "roleDivisions": [
                {"roleId": "everywhere", "divisionId": "*"},
                {"roleId": "in-two", "divisionId": "d1"}, {"roleId": "in-two", "divisionId": "d2"},
            ],
            "accessTokenValiditySeconds": 600, "state": "active",
        },
    }  # fmt: skip
    assert reply.header("cache-control") == "no-store"


async def test_a_token_for_less_says_so(site: Site) -> None:
    reply = await call(site, await token_of(site, scope="users:readonly"), target=PATH)
    assert json.loads(reply.body)["authorizedScope"] == ["users:readonly"]


async def test_head_says_whether_a_token_is_good(site: Site) -> None:
    reply = await call(site, await token_of(site), "HEAD", PATH)
    assert (reply.status, reply.body) == (200, b"")
    assert (await call(site, "x.y.z", "HEAD", PATH)).status == 401


async def test_delete_ends_the_token_and_no_other(site: Site, upstream: RecordingUpstream) -> None:
    mine, other = await token_of(site), await token_of(site)
    assert (await call(site, mine, "DELETE", PATH)).status == 200
    assert (await call(site, mine, "GET", PATH)).status == 401
    assert (await call(site, other, "GET", PATH)).status == 200
    assert not upstream.requests


async def test_after_a_log_out_the_same_connection_is_a_strangers(site: Site) -> None:
    mine = f"Bearer {await token_of(site)}".encode()
    client = await site.connect()
    for method, status in (("GET", 200), ("DELETE", 200), ("GET", 401)):
        await client.send(request(method, PATH, authorization=mine))
        assert (await client.reply(method)).status == status


async def test_the_token_of_another_issuer_never_reaches_the_gateways_own(
    site: Site, upstream: RecordingUpstream
) -> None:
    """Upstream, a log-out would end the gateway's own token, and everybody's service with it."""
    anna = token("anna")
    reply = await call(site, anna, "DELETE", PATH)
    assert reply.status == 403
    assert json.loads(reply.body)["code"] == "token-not-ours"
    told = await call(site, anna, "GET", PATH)
    assert (told.status, json.loads(told.body)) == (200, {"authorizedScope": []})
    assert not upstream.requests


async def test_a_stranger_is_asked_for_credentials(site: Site) -> None:
    for method in ("GET", "HEAD", "DELETE"):
        assert (await site.ask(method, PATH, roles=None)).status == 401


async def test_what_cannot_be_recorded_leaves_the_token_good(site: Site, tmp_path: Path) -> None:
    mine = await token_of(site)
    (tmp_path / "revoked").unlink()
    (tmp_path / "revoked").mkdir()
    reply = await call(site, mine, "DELETE", PATH)
    assert (reply.status, json.loads(reply.body)["code"]) == (503, "revocation-unavailable")
    assert (await call(site, mine, "GET", PATH)).status == 200


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (None, "routing:readonly users:readonly"),
        ("users:readonly", "users:readonly"),
        ("users:readonly routing:readonly users:readonly", "users:readonly routing:readonly"),
        ("users:readonly users", None),
        ("users", None),
        ("Users:readonly", None),
    ],
)
async def test_a_scope_narrows_and_never_widens(
    site: Site, asked: str | None, granted: str | None
) -> None:
    """RFC 6749 section 3.3; J-16."""
    reply = await get_token(site, **({} if asked is None else {"scope": asked}))
    told = json.loads(reply.body)
    if granted is None:
        assert (reply.status, told["error"]) == (400, "invalid_scope")
    else:
        assert (reply.status, told["scope"]) == (200, granted)


async def test_what_a_token_was_narrowed_to_is_all_that_it_opens(
    site: Site, upstream: RecordingUpstream
) -> None:
    queues = "/api/v2/routing/queues"
    for asked, status in (({}, 200), ({"scope": "routing:readonly"}, 200),
                          ({"scope": "users:readonly"}, 403)):  # fmt: skip
        assert (await call(site, await token_of(site, **asked), target=queues)).status == status
    assert len(upstream.requests) == 2


async def test_the_path_follows_the_services_prefix(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    services = [service(tmp_path, upstream, prefix="/cloud")]
    async with running_site(tmp_path, services, identity=identity(tmp_path)) as site:
        mine = await token_of(site)
        assert (await call(site, mine, target=f"/cloud{PATH}")).status == 200
        assert (await call(site, mine, target=PATH)).status == 403


async def test_where_the_service_does_not_want_it_the_upstream_is_asked(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    services = [service(tmp_path, upstream, token_info=False)]
    async with running_site(tmp_path, services, identity=identity(tmp_path)) as site:
        await call(site, await token_of(site), target=PATH)
    assert len(upstream.requests) == 1


async def test_the_audit_says_which_operation_that_was(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    services = [service(tmp_path, upstream)]
    async with running_site(tmp_path, services, identity=identity(tmp_path)) as site:
        mine = await token_of(site)
        await call(site, mine, target=PATH)
        await call(site, mine, "DELETE", PATH)
    lines = Audit(tmp_path).lines()[1:]
    assert [(line["route"], line["effect"], line["reason"], line["service"]) for line in lines] == [
        ("get-token", "allow", "permitted", "platform"),
        ("delete-token", "allow", "token-revoked", "platform"),
    ]
    assert lines[1]["because"][0].startswith("token ")
