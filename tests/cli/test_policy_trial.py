"""A candidate policy in a gateway with two workers: looked at, enforced for some, then for all."""

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.output import Exit
from tests.cli.process import workers_of
from tests.cli.test_policy_changes import AUTHORIZATION, NOBODY, READERS, TOKEN, Site, site
from tests.cli.test_workers import admin_json, audit_of, scraped
from tests.support.echo import EchoUpstream
from tests.support.load import Load, reading
from tests.support.raw import RawClient, request
from tests.support.tokens import bearer

BOB = bearer("bob", roles=("readers",))
NEXT = "next"
CLOSED = NOBODY | {"users": {"yves": {}}}  # another version than the one of the start


@pytest.fixture
async def upstream() -> AsyncIterator[EchoUpstream]:
    async with EchoUpstream() as echo:
        yield echo


def lay_out(folder: Path, said: object) -> None:
    """What the candidate's folder says from now on."""
    (folder / NEXT).mkdir(exist_ok=True)
    (folder / NEXT / "policy.yaml").write_text(json.dumps(said))


async def called(here: Site, method: str = "GET", call: str = "", **plan: Any) -> tuple[int, Any]:
    client = await RawClient.connect(here.admin)
    await client.send(
        request(
            method,
            f"/api/policy/candidate{call}",
            authorization=f"Bearer {TOKEN}".encode(),
            body=json.dumps(plan).encode() if method == "POST" else None,
        )
    )
    reply = await client.reply()
    await client.close()
    return reply.status, json.loads(reply.body)


async def decided_for(here: Site, authorization: bytes) -> set[int]:
    """With what requests of this caller end, in whatever worker."""
    async with Load(here.load.address, clients=6, ask=reading(authorization)) as load:
        await load.reach(60)
        return set((await load.stop()).by_status)


async def both_serve(here: Site) -> bool:
    _, ready = await admin_json(here.admin, "/readyz")
    return bool(ready["checks"]["workers"]["detail"] == "2 of 2 serving")


async def start_with_readers(here: Site) -> None:
    here.write(READERS)

    async def all_may_read() -> bool:
        return await decided_for(here, BOB) == {200}

    await here.until(all_may_read)


async def test_a_candidate_that_is_only_compared_changes_nothing_and_tells_what_it_would_say(
    upstream: EchoUpstream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out(tmp_path, CLOSED)
    async with site(tmp_path, upstream, candidate=NEXT) as here:
        await start_with_readers(here)
        assert await here.command("candidate") == Exit.COULD_NOT
        assert "no candidate is tried" in capsys.readouterr().err
        assert await here.command("try") == Exit.YES
        assert "nobody: it is only compared" in capsys.readouterr().out
        assert await decided_for(here, BOB) == {200}
        assert await here.command("candidate") == Exit.DENIED_OR_DIFFERENT
        said = capsys.readouterr().out
        assert "permitted → permission-missing" in said
        assert "bob" in said
        assert "UCS.Customer.readCustomerProfile" in said
        code, status = await called(here)
        assert (code, status["state"], status["tally"]["enforced"]) == (200, "running", 0)
        assert status["tally"]["compared"] >= 60
        ((change, count),) = status["tally"]["changes"]
        assert (change["active"], change["candidate"]) == ("permitted", "permission-missing")
        assert count == status["tally"]["compared"]
        text = await scraped(here.admin)
        assert f'gateway_candidate_info{{digest="{status["version"]}"}} 1.0' in text
        assert 'gateway_candidate_requests_total{result="newly-denied"}' in text
        assert await here.command("withdraw") == Exit.YES
        assert (await called(here))[0] == 404
        assert await decided_for(here, BOB) == {200}
    decided_by = {line["policy"] for line in audit_of(tmp_path) if line["subject"] == "bob"}
    assert status["version"] not in decided_by


async def test_it_decides_for_those_who_are_named_in_every_worker_and_in_one_that_comes_later(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    lay_out(tmp_path, CLOSED)
    async with site(tmp_path, upstream, candidate=NEXT) as here:
        await start_with_readers(here)
        assert await here.command("try", "--user", "bob", "--more", "100%") == Exit.YES
        assert await decided_for(here, BOB) == {403}
        assert await decided_for(here, AUTHORIZATION) == {200}

        os.kill(workers_of(here.gateway)[0], signal.SIGKILL)
        await here.gateway.logged("worker died")
        await here.until(lambda: both_serve(here))

        async def all_decide_by_it() -> bool:
            return await decided_for(here, BOB) == {403}

        await here.until(all_decide_by_it)
        assert await decided_for(here, AUTHORIZATION) == {200}

        here.write(READERS | {"users": {"zoe": {}}})  # the policy in force changes meanwhile
        await here.changed()
        await here.until(all_decide_by_it)
        status = (await called(here))[1]
        assert status["beside"] == (await here.status())["version"]
    by_subject: dict[str, set[str]] = {}
    for line in audit_of(tmp_path):
        if line["policy"] == status["version"]:
            by_subject.setdefault(line["subject"], set()).add(line["effect"])
    assert by_subject == {"bob": {"deny"}}


async def test_when_denials_leave_the_band_in_one_worker_it_reverts_in_all_and_stays_reverted(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    lay_out(tmp_path, CLOSED)
    async with site(tmp_path, upstream, candidate=NEXT) as here:
        await start_with_readers(here)
        options = ("--share", "100%", "--after", "30", "--window", "50")
        assert await here.command("try", *options) == Exit.YES
        entry = await here.gateway.logged("the candidate policy has reverted by itself")
        assert "more than the active policy would have (100.0%" in entry["why"]

        async def nobody_is_denied() -> bool:
            return await decided_for(here, BOB) == {200}

        await here.until(nobody_is_denied)
        status = (await called(here))[1]
        assert status["state"] == "reverted"
        assert "30 more" in status["tally"]["reverted"]["why"]
        assert "gateway_candidate_reverted 1.0" in await scraped(here.admin)
        _, ready = await admin_json(here.admin, "/readyz")
        assert "reverted by itself" in ready["checks"]["policy"]["detail"]
        assert await here.command("candidate") == Exit.DENIED_OR_DIFFERENT

        os.kill(workers_of(here.gateway)[0], signal.SIGKILL)
        await here.gateway.logged("worker died")
        await here.until(lambda: both_serve(here))
        assert await decided_for(here, BOB) == {200}


async def test_what_is_promoted_is_in_force_until_files_say_otherwise_and_can_be_rolled_back(
    upstream: EchoUpstream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out(tmp_path, READERS)
    async with site(tmp_path, upstream, candidate=NEXT) as here:
        before = (await here.status())["version"]
        assert await here.command("try", "--share", "0.5", "--fewer", "100%") == Exit.YES
        tried = (await called(here))[1]["version"]
        assert await here.command("promote") == Exit.YES
        assert await decided_for(here, BOB) == {200}
        status = await here.status()
        assert (status["version"], status["previous"]) == (tried, before)
        assert (status["left"], status["left_by"], status["stale"]) == (before, "promotion", True)
        assert (await called(here))[0] == 404
        capsys.readouterr()
        assert await here.command("status") == Exit.DENIED_OR_DIFFERENT
        assert f"promoted over {before}, which the files still say" in capsys.readouterr().out

        here.gateway.send_signal(signal.SIGHUP)  # as a rotation of the audit does
        await here.changed()
        assert await decided_for(here, BOB) == {200}

        assert await here.command("rollback") == Exit.YES
        assert await decided_for(here, BOB) == {403}
        assert await here.command("rollback") == Exit.YES
        (here.policy / "policy.yaml").write_bytes((tmp_path / NEXT / "policy.yaml").read_bytes())
        await here.changed()
        status = await here.status()
        assert (status["version"], status["stale"], status["left"]) == (tried, False, None)


async def test_what_cannot_be_tried_or_promoted_says_why_and_changes_nothing(
    upstream: EchoUpstream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site(tmp_path, upstream, candidate=NEXT) as here:
        await start_with_readers(here)
        assert await here.command("try") == Exit.INVALID
        assert "next: unreadable: no such" in capsys.readouterr().out
        lay_out(tmp_path, {"users": {"bob": {"roles": ["nobodys"]}}})
        assert await here.command("try") == Exit.INVALID
        said = capsys.readouterr().out
        assert "policy.yaml:1:" in said
        assert "no policy file defines the role `nobodys`" in said
        lay_out(tmp_path, READERS)
        assert await here.command("try") == Exit.INVALID
        assert "in force already" in capsys.readouterr().out
        for call in ("promote", "withdraw"):
            assert await here.command(call) in {Exit.INVALID, Exit.COULD_NOT}
        lay_out(tmp_path, CLOSED)
        assert await here.command("try") == Exit.YES
        lay_out(tmp_path, NOBODY | {"users": {"eve": {"roles": ["readers"]}}})
        capsys.readouterr()
        assert await here.command("promote") == Exit.INVALID
        assert "changed since they were tried" in capsys.readouterr().out
        code, answer = await called(here, "POST", share=1.5)
        assert (code, answer["error"]) == (400, "bad-plan")
        assert "between 0 and 1" in answer["message"]
        code, answer = await called(here, "POST", shares=0.5)
        assert (code, answer["error"]) == (400, "bad-plan")
        assert await decided_for(here, BOB) == {200}


async def test_without_the_setting_it_is_told_which_one(
    upstream: EchoUpstream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site(tmp_path, upstream) as here:
        assert await here.command("try") == Exit.INVALID
        assert "`candidate` of the settings" in capsys.readouterr().out
