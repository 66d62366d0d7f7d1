"""Policy over the admin port: anybody there may look, whoever changes something shows the token."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from gateway.admin import AdminServer
from gateway.attempts import HeldBy
from gateway.candidate import Tally
from gateway.clock import SystemClock
from gateway.counts import Metrics, Snapshot
from gateway.reload import PolicyChanges
from gateway.rollout import Plan
from gateway.server.doors import open_one
from gateway.settings import Address
from gateway.trial import Trials
from policy import Sources
from tests.support.policies import CATALOGUE, POLICY, sources

TOKEN = "correct-horse-battery"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FIRST = sources(CATALOGUE, POLICY)
SECOND = sources(CATALOGUE, POLICY + "  others: [reader]\n")


class Carrier:
    async def take(self, _: Sources) -> str:
        return ""

    async def roll_back(self) -> str:
        return ""

    async def try_out(self, _: Sources, _plan: Plan) -> str:
        return ""

    async def withdraw(self) -> str:
        return ""

    async def tallies(self) -> Sequence[Tally]:
        return [Tally(compared=3), Tally(compared=4)]

    reverted = None

    async def held(self) -> Sequence[HeldBy]:
        return [HeldBy(worker=0, version=FIRST.digest, since=1.0)]


@asynccontextmanager
async def admin(*, token: str | None = TOKEN, files: Sources = SECOND) -> AsyncIterator[str]:
    async def snapshot() -> Snapshot:
        return Metrics().snapshot()

    async def checks() -> dict[str, tuple[bool, str]]:
        return {}

    clock, carrier = SystemClock(), Carrier()
    changes = PolicyChanges(lambda: files, carrier, FIRST.digest, clock=clock)
    server = AdminServer(
        open_one(Address("127.0.0.1", 0), {}),
        snapshot=snapshot,
        checks=checks,
        policy=changes,
        trials=Trials(lambda: files, carrier, changes, clock=clock),
        token=None if token is None else token.encode(),
    )
    await server.start()
    try:
        yield f"http://127.0.0.1:{server.addresses[0][1]}"
    finally:
        await server.close()


async def ask(method: str, url: str, **options: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **options) as response,
    ):
        assert response.content_type == "application/json"
        return response.status, json.loads(await response.read())


async def version(url: str) -> str:
    return str((await ask("GET", f"{url}/api/policy"))[1]["version"])


async def test_anybody_at_the_port_may_ask_what_is_in_force() -> None:
    async with admin() as url:
        status, answer = await ask("GET", f"{url}/api/policy")
    assert (status, answer["version"], answer["stale"]) == (200, FIRST.digest, False)
    assert answer["workers"] == [
        {"worker": 0, "version": FIRST.digest, "since": 1.0, "previous": ""}
    ]


@pytest.mark.parametrize("more", [{}, {"json": {}}])
async def test_with_the_token_a_change_is_taken_and_rolled_back(more: dict[str, Any]) -> None:
    async with admin() as url:
        status, answer = await ask("POST", f"{url}/api/policy/reload", headers=BEARER, **more)
        assert (status, answer["outcome"], answer["source"]) == (200, "taken", "api")
        assert await version(url) == SECOND.digest
        status, answer = await ask("POST", f"{url}/api/policy/rollback", headers=BEARER, **more)
        assert (status, answer["outcome"]) == (200, "rolled-back")
        assert await version(url) == FIRST.digest


async def test_what_cannot_be_done_is_a_conflict_and_says_why() -> None:
    async with admin() as url:
        status, answer = await ask("POST", f"{url}/api/policy/rollback", headers=BEARER)
    assert (status, answer["why"]) == (409, "there is no version to go back to")


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "without a token": ({}, 401, "wrong-token"),
    "with a wrong token": ({"headers": {"Authorization": "Bearer correct-horse"}}, 401, "wrong-token"),
    "with another scheme": ({"headers": {"Authorization": f"Basic {TOKEN}"}}, 401, "wrong-token"),
    "from a page": ({"headers": BEARER | {"Origin": "http://127.0.0.1"}}, 403, "from-a-page"),
    "from a page without origin": ({"headers": BEARER | {"Origin": "null"}}, 403, "from-a-page"),
    "as a form": ({"headers": BEARER, "data": {"a": "b"}}, 415, "not-json"),
    "as text": (
        {"headers": BEARER | {"Content-Type": "text/plain"}, "data": "{}"}, 415, "not-json",
    ),
    "with bad JSON": (
        {"headers": BEARER | {"Content-Type": "application/json"}, "data": "{"}, 400, "bad-json",
    ),
    "with too much": ({"headers": BEARER, "json": {"a": "x" * 20_000}}, 400, "bad-json"),
    "with arguments": ({"headers": BEARER, "json": {"force": True}}, 400, "unknown-key"),
}  # fmt: skip


@pytest.mark.parametrize(
    "call", ["reload", "rollback", "candidate", "candidate/promote", "candidate/withdraw"]
)
@pytest.mark.parametrize(("options", "status", "error"), REFUSED.values(), ids=REFUSED)
async def test_a_call_that_may_be_somebody_elses_changes_nothing(
    call: str, options: dict[str, Any], status: int, error: str
) -> None:
    async with admin() as url:
        told = await ask("POST", f"{url}/api/policy/{call}", **options)
        if call == "candidate" and error == "unknown-key":
            error = "bad-plan"  # it takes some, but not this one
        assert (told[0], told[1]["error"]) == (status, error)
        assert TOKEN not in json.dumps(told[1])
        assert await version(url) == FIRST.digest


async def test_without_the_setting_nobody_may_change_anything_and_is_told_which_one() -> None:
    async with admin(token=None) as url:
        for call in ("reload", "rollback", "candidate", "candidate/promote"):
            status, answer = await ask("POST", f"{url}/api/policy/{call}", headers=BEARER)
            assert (status, answer["error"]) == (403, "no-token-set")
            assert "admin.token_file" in answer["message"]
        assert await version(url) == FIRST.digest


async def test_a_candidate_is_tried_looked_at_by_operators_only_and_withdrawn() -> None:
    async with admin() as url:
        candidate = f"{url}/api/policy/candidate"
        assert (await ask("GET", candidate, headers=BEARER))[0] == 404
        plan = {"share": 0.1, "users": ["ann"], "band": {"above": 0.2}}
        status, answer = await ask("POST", candidate, headers=BEARER, json=plan)
        assert (status, answer["version"], answer["beside"]) == (200, SECOND.digest, FIRST.digest)
        assert (answer["plan"]["users"], answer["plan"]["band"]["above"]) == (["ann"], 0.2)
        assert answer["tally"]["compared"] == 7
        status, answer = await ask("GET", candidate)  # it names callers
        assert (status, answer["error"]) == (401, "wrong-token")
        assert await version(url) == FIRST.digest
        status, answer = await ask("POST", f"{candidate}/withdraw", headers=BEARER)
        assert (status, answer["outcome"]) == (200, "withdrawn")
        status, answer = await ask("POST", f"{candidate}/withdraw", headers=BEARER)
        assert (status, answer["why"]) == (409, "no candidate is tried")


async def test_what_is_promoted_is_in_force_and_tried_no_more() -> None:
    async with admin() as url:
        candidate = f"{url}/api/policy/candidate"
        await ask("POST", candidate, headers=BEARER, json={})
        status, answer = await ask("POST", f"{candidate}/promote", headers=BEARER)
        assert (status, answer["outcome"]) == (200, "promoted")
        assert await version(url) == SECOND.digest
        assert (await ask("GET", candidate, headers=BEARER))[0] == 404


async def test_a_page_of_another_site_may_not_even_look() -> None:
    async with admin() as url:
        told = await ask("GET", f"{url}/api/policy", headers={"Origin": "http://evil.example"})
    assert (told[0], told[1]["error"]) == (403, "from-a-page")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/policy/reload"),
        ("GET", "/api"),
        ("PUT", "/api/policy"),
        ("POST", "/api/policy"),
        ("POST", "/api/policy/reload/"),
        ("POST", "/api/nothing"),
        ("DELETE", "/api/policy/candidate"),
        ("GET", "/api/policy/candidate/promote"),
    ],
)
async def test_anything_else_there_is_nothing(method: str, path: str) -> None:
    async with admin() as url:
        told = await ask(method, f"{url}{path}", headers=BEARER)
    assert told == (404, {"error": "not-found", "message": "there is nothing here"})
