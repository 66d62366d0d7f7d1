"""A whole gateway whose callers have tokens that only their own server can read."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.oauth_server import OAuthServer
from tests.support.raw import Reply, request
from tests.support.site import Audit, Site, running_site, ucs
from tests.support.upstream import RecordingUpstream

PROFILE = "/profiles/0004Va58A92T0017"
READ = "UCS.Customer.readCustomerProfile"


@pytest.fixture
async def login() -> AsyncIterator[OAuthServer]:
    async with OAuthServer() as running:
        yield running


def identity(folder: Path, login: OAuthServer, **changes: Any) -> dict[str, Any]:
    (folder / "client-secret").write_text("s3cret")
    server = {
        "url": login.introspection_url,
        "client_id": "gateway",
        "client_secret_file": "client-secret",
    }
    return {"introspection": [server | changes]}


@pytest.fixture
async def site(
    tmp_path: Path, upstream: RecordingUpstream, login: OAuthServer
) -> AsyncIterator[Site]:
    services = [ucs(upstream.url)]
    async with running_site(tmp_path, services, identity=identity(tmp_path, login)) as running:
        yield running


async def read(site: Site, token: str) -> Reply:
    client = await site.connect()
    await client.send(request("GET", PROFILE, authorization=f"Bearer {token}".encode()))
    return await client.reply()


def outcome(reply: Reply) -> tuple[int, str | None]:
    return reply.status, reply.header("x-gateway-refusal")


async def test_roles_of_an_opaque_token_decide(
    site: Site, login: OAuthServer, upstream: RecordingUpstream
) -> None:
    reader = login.issue(sub="anna", roles=[READ])
    assert outcome(await read(site, reader)) == (200, None)
    assert outcome(await read(site, login.issue(sub="sam"))) == (403, "permission-missing")
    assert len(upstream.requests) == 1
    assert reader.encode() not in upstream.requests[0]


async def test_a_token_that_its_server_does_not_know_is_refused_with_the_word_for_it(
    site: Site, upstream: RecordingUpstream
) -> None:
    reply = await read(site, "made-up")
    assert outcome(reply) == (401, "credentials-refused")
    assert reply.header("www-authenticate") == 'Bearer realm="ucs-gateway", error="invalid_token"'
    assert upstream.conversations == []


async def test_many_requests_cost_one_question(site: Site, login: OAuthServer) -> None:
    token = login.issue(sub="anna", roles=[READ])
    for _ in range(10):
        assert outcome(await read(site, token)) == (200, None)
    assert len(login.asked) == 1


async def test_while_nobody_can_tell_nobody_is_let_in(
    site: Site, login: OAuthServer, upstream: RecordingUpstream
) -> None:
    login.status = 500
    token = login.issue(sub="anna", roles=[READ])
    for _ in range(10):
        assert outcome(await read(site, token)) == (503, "identity-unavailable")
    assert len(login.asked) == 3, "then it is left alone"
    assert upstream.conversations == []
    metrics = site.metrics().decode()
    counted = f'gateway_introspections_total{{result="failed",server="{login.introspection_url}"}}'
    assert f"{counted} 3.0" in metrics


async def test_the_audit_says_how_a_caller_was_proved_and_never_by_what(
    tmp_path: Path, upstream: RecordingUpstream, login: OAuthServer
) -> None:
    token = login.issue(sub="anna", roles=[READ])
    services = [ucs(upstream.url)]
    async with running_site(tmp_path, services, identity=identity(tmp_path, login)) as site:
        await read(site, token)
    [line] = Audit(tmp_path).lines()
    assert (line["subject"], line["means"], line["reason"]) == (
        "anna",
        "introspection",
        "permitted",
    )
    assert token not in (tmp_path / "audit.jsonl").read_text()
