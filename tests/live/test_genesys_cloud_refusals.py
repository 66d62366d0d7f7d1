"""What a client of the Platform API gets from a whole gateway that refuses it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.raw import Reply, request
from tests.support.site import Audit, Site, running_site, ucs
from tests.support.upstream import RecordingUpstream

PROFILE = "/profiles/0004Va58A92T0017"
UPDATE = "UCS.Customer.updateCustomerProfile"
EXTENSIONS = "UCS.Customer.updateProfileExtension"


@pytest.fixture
async def site(tmp_path: Path, upstream: RecordingUpstream) -> AsyncIterator[Site]:
    async with running_site(tmp_path, [ucs(upstream.url, errors="genesys-cloud")]) as running:
        yield running


def told(reply: Reply) -> tuple[int, Any, str | None]:
    """Status, code and our own reason of a refusal, which has to be an `ErrorBody` throughout."""
    body = json.loads(reply.body)
    assert body["status"] == reply.status
    assert body["contextId"] == reply.header("x-request-id") == reply.header("inin-correlation-id")
    assert reply.header("content-type") == "application/json"
    assert reply.header("retry-after") is None
    return reply.status, body["code"], reply.header("x-gateway-refusal")


async def test_who_is_not_known_is_told_as_the_platform_tells_it(site: Site) -> None:
    nobody = await site.ask("GET", PROFILE, roles=None)
    assert told(nobody) == (401, "authentication.required", "not-authenticated")
    client = await site.connect()
    await client.send(request("GET", PROFILE, authorization=b"Bearer a.b.c"))
    assert told(await client.reply()) == (401, "bad.credentials", "credentials-refused")


async def test_who_lacks_permissions_is_told_which_and_nothing_is_sent(
    site: Site, upstream: RecordingUpstream
) -> None:
    body = b'{"FirstName": "Ada", "Phone": []}'
    reply = await site.ask("PUT", PROFILE, roles=[UPDATE], body=body)
    assert told(reply) == (403, "missing.permissions", "permission-missing")
    assert json.loads(reply.body)["messageParams"] == {"permissions": f"[{EXTENSIONS}]"}
    assert upstream.conversations == []


async def test_an_operation_that_nobody_knows_is_not_authorized(site: Site) -> None:
    reply = await site.ask("POST", "/server/mode", roles=[UPDATE])
    assert told(reply) == (403, "not.authorized", "no-route")


async def test_the_context_of_a_refusal_is_its_audit_line(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url, errors="genesys-cloud")]) as site:
        reply = await site.ask("GET", PROFILE, roles=[])
    [line] = Audit(tmp_path).lines()
    assert json.loads(reply.body)["contextId"] == line["id"]


async def test_what_is_missing_can_be_kept_back(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    silent = ucs(upstream.url, errors="genesys-cloud", reveal_missing=False)
    async with running_site(tmp_path, [silent]) as site:
        reply = await site.ask("GET", PROFILE, roles=[])
    assert told(reply) == (403, "not.authorized", "permission-missing")
    assert b"UCS." not in reply.body
