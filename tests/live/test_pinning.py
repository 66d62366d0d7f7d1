"""A service that is pinned to a tenant: what the upstream is told, and what is refused (H-12, D0-2)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.raw import request
from tests.support.site import Audit, Site, running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import RecordingUpstream

READ = "UCS.Customer.readCustomerProfile"
PROFILE = "/profiles/0004Va58A92T0017"
PIN = "X-Genesys-TenantId"


@asynccontextmanager
async def pinned(
    folder: Path, upstream: RecordingUpstream, *, divisions: list[str], **changes: Any
) -> AsyncIterator[Site]:
    """Anna reads in these tenants only; whoever has the claim `everywhere` reads in all."""
    (folder / "policy").mkdir()
    policy = {
        "roles": {"reader": {"permissions": [READ]}},
        "users": {"anna": {"roles": [{"role": "reader", "divisions": divisions}]}},
        "claims": {"everywhere": ["reader"]},
    }
    (folder / "policy" / "policy.yaml").write_text(json.dumps(policy))
    service = ucs(upstream.url, pin_header=PIN, **changes)
    async with running_site(folder, [service], policy=folder / "policy") as site:
        yield site


def told(upstream: RecordingUpstream) -> list[str]:
    """Every line about a tenant or a segment in the last request that came."""
    head = upstream.requests[-1].split(b"\r\n\r\n")[0].decode("ascii")
    return [line for line in head.split("\r\n") if line.lower().startswith("x-genesys-")]


async def test_the_tenant_is_set_from_the_callers_grants(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with pinned(tmp_path, upstream, divisions=["101"]) as site:
        assert (await site.ask("GET", PROFILE)).status == 200
        assert told(upstream) == [f"{PIN}: 101"]
        same = await site.ask("GET", PROFILE, headers={"x-genesys-tenantid": "101"})
        assert same.status == 200
        assert told(upstream) == [f"{PIN}: 101"]
    assert [line["divisions"] for line in Audit(tmp_path).lines()] == [["101"], ["101"]]


async def test_a_contradiction_is_refused_reported_and_never_sent(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with pinned(tmp_path, upstream, divisions=["101"]) as site:
        reply = await site.ask("GET", PROFILE, headers={PIN: "102"})
        assert reply.status == 403
        assert reply.header("x-gateway-refusal") == "division-missing"
        assert json.loads(reply.body)["missing"] == {"all_of": [READ], "divisions": ["102"]}
        assert b'reason="division-missing"' in site.metrics()
    assert upstream.requests == []
    (line,) = Audit(tmp_path).lines()
    assert (line["reason"], line["divisions"]) == ("division-missing", ["102"])
    assert line["enforced"]


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        ("01", 403, "division-missing"),
        ("0101", 403, "division-missing"),
        ("101, 1", 400, "undecidable"),
        ("101,", 400, "undecidable"),
        ("9" * 1000, 400, "undecidable"),
        ("", 400, "undecidable"),
        ("1 01", 400, "undecidable"),
    ],
)
async def test_odd_forms_are_refused(
    tmp_path: Path, upstream: RecordingUpstream, said: str, status: int, reason: str
) -> None:
    async with pinned(tmp_path, upstream, divisions=["101"]) as site:
        reply = await site.ask("GET", PROFILE, headers={PIN: said})
        assert (reply.status, reply.header("x-gateway-refusal")) == (status, reason)
    assert upstream.requests == []


async def test_two_tenants_in_one_request_are_refused_before_anything_is_decided(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """D0-2: one reader takes the first, another the last."""
    async with pinned(tmp_path, upstream, divisions=["101"]) as site:
        both = {PIN: "101", PIN.lower(): "102"}
        reply = await site.ask("GET", PROFILE, headers=both)
        assert (reply.status, reply.header("x-gateway-refusal")) == (400, "header-rejected")
        alias = await site.ask("GET", PROFILE, headers={"X_Genesys_TenantId": "102"})
        assert (alias.status, alias.header("x-gateway-refusal")) == (400, "header-rejected")
    assert upstream.requests == []


async def test_a_segment_never_passes_and_a_nominated_tenant_is_none(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with pinned(tmp_path, upstream, divisions=["101"]) as site:
        said = {"X-Genesys-Segment": "9", PIN: "101", "Connection": PIN}
        assert (await site.ask("GET", PROFILE, headers=said)).status == 200
    assert told(upstream) == [f"{PIN}: 101"]


async def test_with_grants_in_several_tenants_a_caller_has_to_say_which(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with pinned(tmp_path, upstream, divisions=["101", "102"]) as site:
        silent = await site.ask("GET", PROFILE)
        assert silent.header("x-gateway-refusal") == "division-missing"
        assert upstream.requests == []
        assert (await site.ask("GET", PROFILE, headers={PIN: "102"})).status == 200
        assert told(upstream) == [f"{PIN}: 102"]


async def test_whoever_is_granted_all_tenants_may_name_any_or_none(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with pinned(tmp_path, upstream, divisions=["101"]) as site:
        assert (await site.ask("GET", PROFILE, roles=["everywhere"])).status == 200
        assert told(upstream) == []
        said = {PIN: "7"}
        assert (await site.ask("GET", PROFILE, roles=["everywhere"], headers=said)).status == 200
        assert told(upstream) == [f"{PIN}: 7"]


async def test_one_connection_may_ask_for_one_tenant_after_the_other(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """What a repeated header section is remembered for is never another section's."""
    async with pinned(tmp_path, upstream, divisions=["101", "102"]) as site:
        client = await site.connect()
        for tenant in ("101", "102", "101", "101", "103"):
            sent = request("GET", PROFILE, authorization=bearer(), headers={PIN: tenant})
            await client.send(sent)
            reply = await client.reply("GET")
            assert reply.status == (403 if tenant == "103" else 200)
            if reply.status == 200:
                assert told(upstream) == [f"{PIN}: {tenant}"]
        await client.close()


async def test_where_the_policy_is_only_watched_the_request_goes_where_the_client_said(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with pinned(tmp_path, upstream, divisions=["101"], use_role="shadow") as site:
        assert (await site.ask("GET", PROFILE, headers={PIN: "102"})).status == 200
        assert told(upstream) == [f"{PIN}: 102"]
        assert (await site.ask("GET", PROFILE, headers={PIN: "1, 2"})).status == 200
        assert told(upstream) == []
    assert [line["reason"] for line in Audit(tmp_path).lines()] == [
        "division-missing",
        "undecidable",
    ]


async def test_where_roles_are_not_obeyed_no_tenant_passes_at_all(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with pinned(tmp_path, upstream, divisions=["101"], use_role=False) as site:
        assert (await site.ask("GET", PROFILE, headers={PIN: "102"})).status == 200
    assert told(upstream) == []
