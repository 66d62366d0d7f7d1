"""A policy that changes under load, in a gateway with two workers, as files really change.

Every request is held against the version that its audit line names: nobody is decided by a mixture.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run
from gateway.cli.output import Exit
from gateway.settings import Address
from tests.cli.process import Running, children_of, running, serving, workers_of
from tests.cli.test_workers import (
    READ,
    admin_json,
    audit_of,
    check_nothing_lost,
    scraped,
    settings_in,
)
from tests.support.echo import EchoUpstream
from tests.support.load import Load, reading
from tests.support.tokens import bearer

AUTHORIZATION = bearer(roles=("readers",))
TOKEN = "0123456789abcdef"
NOBODY = {"roles": {"readers": {"permissions": []}}, "claims": {"readers": ["readers"]}}
READERS = {"roles": {"readers": {"permissions": [READ]}}, "claims": {"readers": ["readers"]}}


@pytest.fixture
async def upstream() -> AsyncIterator[EchoUpstream]:
    async with EchoUpstream() as echo:
        yield echo


class Site:
    """A gateway with two workers, requests that never end, and the policy's folder."""

    def __init__(self, folder: Path, gateway: Running, load: Load, admin: Address) -> None:
        self.folder = folder
        self.policy = folder / "policy"
        self.gateway = gateway
        self.load = load
        self.admin = admin

    def write(self, said: object) -> None:
        (self.policy / "policy.yaml").write_text(json.dumps(said))

    async def changed(self, event: str = "reloaded") -> dict[str, Any]:
        return dict(await self.gateway.logged(event))

    async def status(self) -> dict[str, Any]:
        code, answer = await admin_json(self.admin, "/api/policy")
        assert code == 200
        return dict(answer)

    async def decided(self) -> set[int]:
        """With what requests end that begin from now on."""
        async with Load(self.load.address, clients=4, ask=reading(AUTHORIZATION)) as load:
            await load.reach(40)
            return set((await load.stop()).by_status)

    async def command(self, *arguments: str) -> int:
        config = str(self.folder / "gateway.yaml")
        return await asyncio.to_thread(run, ["policy", *arguments, "--config", config])

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await holds():
                await asyncio.to_thread(os.sched_yield)


@asynccontextmanager
async def site(folder: Path, upstream: EchoUpstream, **changes: Any) -> AsyncIterator[Site]:
    (folder / "token").write_text(TOKEN)
    more = {
        "admin": {"token_file": str(folder / "token")},
        "reload": {"interval_seconds": 0.05},
        **changes,
    }
    config = settings_in(folder, upstream.url, **more)
    (folder / "policy" / "policy.yaml").write_text(json.dumps(NOBODY))
    async with running("serve", "--config", config) as gateway:
        address, admin = await serving(gateway)
        more["admin"]["address"] = str(admin)
        written = (folder / "policy" / "policy.yaml").read_text()
        settings_in(folder, upstream.url, **more)  # writes a policy too, for a moment
        (folder / "policy" / "policy.yaml").write_text(written)
        async with Load(address, clients=8, ask=reading(AUTHORIZATION)) as load:
            yield Site(folder, gateway, load, admin)
            counts = await load.stop()
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.ended() == Exit.YES
    assert set(counts.by_status) <= {200, 403}
    assert counts.wrong == 0


def check_each_line_by_its_version(lines: Iterable[dict[str, Any]]) -> dict[str, set[str]]:
    """By version the effects of its decisions: one each, since all requests are alike."""
    effects: dict[str, set[str]] = {}
    for line in lines:
        effects.setdefault(line["policy"], set()).add(line["effect"])
    assert all(len(each) == 1 for each in effects.values()), effects
    return effects


async def test_the_story_of_a_policy_that_is_edited_while_it_is_in_force(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with site(tmp_path, upstream) as here:
        assert await here.decided() == {403}

        here.write(READERS)
        assert (await here.changed())["source"] == "watch"
        assert await here.decided() == {200}
        granted = (await here.status())["version"]

        (here.policy / "policy.yaml").write_text("roles: {broken")
        entry = await here.changed("policy change refused, everything stays as it was")
        assert "policy.yaml" in entry["findings"][0]
        assert await here.decided() == {200}
        status = await here.status()
        assert (status["version"], status["stale"]) == (granted, True)
        found = status["last_error"]["findings"][0]
        assert (found["code"], found["line"]) == ("yaml-syntax", 2)
        text = await scraped(here.admin)
        assert "gateway_policy_stale 1.0" in text
        assert 'gateway_policy_reloads_total{result="kept"} 1.0' in text
        code, ready = await admin_json(here.admin, "/readyz")
        assert code == 200
        assert "the last reload was refused" in ready["checks"]["policy"]["detail"]

        here.write(NOBODY | {"users": {"anna": {"roles": ["readers"]}}})
        await here.changed()
        assert await here.decided() == {403}
        status = await here.status()
        assert (status["last_error"], status["previous"]) == (None, granted)
        assert {each["version"] for each in status["workers"]} == {status["version"]}

        here.policy.rename(here.folder / "aside")
        await here.changed("policy change refused, everything stays as it was")
        assert await here.decided() == {403}
        code, ready = await admin_json(here.admin, "/readyz")
        assert (code, ready["ready"]) == (200, True)
        assert "no such file or directory" in ready["checks"]["policy"]["detail"]
        assert await here.command("status") == Exit.DENIED_OR_DIFFERENT
        (here.folder / "aside").rename(here.policy)
        await here.changed()
        assert not (await here.status())["stale"]
    effects = check_each_line_by_its_version(audit_of(tmp_path))
    assert sorted(effects.values()) == [{"allow"}, {"deny"}, {"deny"}] or len(effects) == 3


async def test_a_config_map_and_an_editor_put_new_files_in_place(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with site(tmp_path, upstream) as here:
        aside = here.policy / ".policy.yaml.swp"
        aside.write_text(json.dumps(READERS))
        aside.replace(here.policy / "policy.yaml")
        await here.changed()
        assert await here.decided() == {200}

        for version, said in (("..v1", READERS), ("..v2", NOBODY)):
            (here.policy / version).mkdir()
            (here.policy / version / "policy.yaml").write_text(json.dumps(said))
        (here.policy / "..data").symlink_to("..v1")
        (here.policy / "link").symlink_to("..data/policy.yaml")
        (here.policy / "link").replace(here.policy / "policy.yaml")
        (here.policy / "turned").symlink_to("..v2")
        (here.policy / "turned").replace(here.policy / "..data")
        await here.changed()
        assert await here.decided() == {403}
    check_each_line_by_its_version(audit_of(tmp_path))


async def test_a_rollback_is_in_every_worker_and_stays_until_it_is_taken_back(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with site(tmp_path, upstream) as here:
        before = (await here.status())["version"]
        here.write(READERS)
        await here.changed()
        assert await here.decided() == {200}

        assert await here.command("rollback") == Exit.YES
        assert await here.decided() == {403}
        status = await here.status()
        assert {each["version"] for each in status["workers"]} == {before}

        here.gateway.send_signal(signal.SIGHUP)  # as a rotation of the audit does
        await here.changed()
        os.kill(workers_of(here.gateway)[0], signal.SIGKILL)
        await here.gateway.logged("worker died")
        assert await here.decided() == {403}  # its successor neither

        assert await here.command("reload") == Exit.YES
        assert await here.decided() == {200}
        assert await here.command("rollback") == Exit.YES  # also the one that was started since
        assert await here.decided() == {403}
    check_each_line_by_its_version(audit_of(tmp_path))


async def test_many_changes_under_load_mix_nothing_up(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with site(tmp_path, upstream) as here:
        for number in range(30):
            here.write((READERS if number % 2 == 0 else NOBODY) | {"users": {f"u{number}": {}}})
            await here.changed()
        text = await scraped(here.admin)
    assert 'gateway_policy_reloads_total{result="taken"} 30.0' in text
    lines = audit_of(tmp_path)
    effects = check_each_line_by_its_version(lines)
    assert {"allow"} in effects.values()
    check_nothing_lost(here.load.counts, tmp_path)


async def test_a_generation_that_dies_is_made_again_from_what_is_in_force(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with site(tmp_path, upstream) as here:
        known = set(children_of(here.gateway.pid))
        here.write(READERS)
        await here.changed()
        (generation,) = set(children_of(here.gateway.pid)) - known
        (here.policy / "policy.yaml").write_text("roles: {broken")
        os.kill(generation, signal.SIGKILL)
        await here.changed("another generation is there")
        os.kill(workers_of(here.gateway)[0], signal.SIGKILL)
        await here.gateway.logged("worker died")

        async def whole() -> bool:
            _, ready = await admin_json(here.admin, "/readyz")
            return bool(ready["checks"]["workers"]["detail"] == "2 of 2 serving")

        await here.until(whole)
        assert await here.decided() == {200}


async def test_without_a_watch_files_count_when_somebody_says_so(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with site(tmp_path, upstream, reload={"watch": False}) as here:
        here.write(READERS)
        assert await here.decided() == {403}
        assert await here.command("reload") == Exit.YES
        assert await here.decided() == {200}
        assert await here.command("reload") == Exit.YES  # there is nothing to take
        (here.policy / "policy.yaml").write_text("roles: {broken")
        assert await here.command("reload") == Exit.INVALID
        assert await here.decided() == {200}
