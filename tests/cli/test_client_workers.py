"""Clients and keys in several worker processes: what one of them learns, all of them know."""

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from gateway.cli.output import Exit
from gateway.settings import Address
from tests.cli.process import running, serving, workers_of
from tests.support.clients import basic, entry, settings_of, write_clients, write_key
from tests.support.echo import EchoUpstream
from tests.support.raw import RawClient, Reply, request
from tests.support.site import ucs, write_settings

CONNECTIONS = 12
READ = "UCS.Customer.readCustomerProfile"


@pytest.fixture
async def upstream() -> AsyncIterator[EchoUpstream]:
    async with EchoUpstream() as echo:
        yield echo


def settings_in(folder: Path, upstream: str) -> Path:
    """Two workers, and a policy by which the client may read."""
    policy = folder / "policy"
    policy.mkdir()
    roles = {"reader": {"permissions": [READ]}}
    (policy / "policy.yaml").write_text(
        json.dumps({"roles": roles, "clients": {"vsm": {"roles": ["reader"]}}})
    )
    identity = {"clients": settings_of(folder, keys=("ed25519/a", "ed25519/a"))}
    path = write_settings(folder, [ucs(upstream)], policy=policy, identity=identity)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"workers": 2}))
    return path


class Clients:
    """Connections that are spread over the workers, each of which stays with its own."""

    def __init__(self, connections: list[RawClient]) -> None:
        self._connections = connections

    @classmethod
    async def of(cls, address: Address) -> "Clients":
        return cls([await RawClient.connect(address) for _ in range(CONNECTIONS)])

    async def post(self, number: int, path: str, **form: str) -> Reply:
        client, body = self._connections[number], urlencode(form).encode()
        kind = "application/x-www-form-urlencoded"
        await client.send(
            request("POST", path, authorization=basic(), body=body, content_type=kind)
        )
        return await client.reply("POST")

    async def token(self, number: int = 0) -> str:
        reply = await self.post(number, "/oauth/token", grant_type="client_credentials")
        assert reply.status == 200
        token: str = json.loads(reply.body)["access_token"]
        return token

    async def statuses(self, token: str) -> list[int]:
        """What the token is good for on each connection."""
        found = []
        for client in self._connections:
            authorization = f"Bearer {token}".encode()
            await client.send(request("GET", "/profiles/p1", authorization=authorization))
            found.append((await client.reply()).status)
        return found

    async def until_refused(self, token: str) -> None:
        """Until no connection is let in; each that was refused has to stay so."""
        refused: set[int] = set()
        while len(refused) < CONNECTIONS:
            statuses = await self.statuses(token)
            now = {number for number, status in enumerate(statuses) if status == 401}
            assert refused <= now
            refused = now

    async def close(self) -> None:
        for client in self._connections:
            await client.close()


async def test_what_ends_a_token_ends_it_in_every_worker(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, _ = await serving(gateway)
        clients = await Clients.of(address)
        revoked, kept = await clients.token(0), await clients.token(1)
        for token in (revoked, kept):
            assert set(await clients.statuses(token)) == {200}
        assert (await clients.post(0, "/oauth/revoke", token=revoked)).status == 200
        await clients.until_refused(revoked)
        assert set(await clients.statuses(kept)) == {200}
        write_clients(tmp_path, {"vsm": entry(state="disabled")})
        await clients.until_refused(kept)
        await clients.close()
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.ended() == Exit.YES


async def test_a_worker_that_is_replaced_knows_what_was_revoked_and_who_is_disabled(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, _ = await serving(gateway)
        clients = await Clients.of(address)
        revoked, kept = await clients.token(0), await clients.token(1)
        assert (await clients.post(0, "/oauth/revoke", token=revoked)).status == 200
        await clients.until_refused(revoked)
        await clients.close()
        for pid in workers_of(gateway):
            os.kill(pid, signal.SIGKILL)
            await gateway.logged("worker died")
        clients = await Clients.of(address)
        assert set(await clients.statuses(revoked)) == {401}
        assert set(await clients.statuses(kept)) == {200}
        await clients.close()
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.ended() == Exit.YES


async def test_a_changed_key_refuses_nobody(upstream: EchoUpstream, tmp_path: Path) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, _ = await serving(gateway)
        clients = await Clients.of(address)
        tokens = [await clients.token(number) for number in range(CONNECTIONS)]
        write_key(tmp_path, "key-0.pem", "ed25519/b")
        gateway.send_signal(signal.SIGHUP)
        for _ in range(20):
            tokens.append(await clients.token(len(tokens) % CONNECTIONS))
            assert set(await clients.statuses(tokens[-1])) == {200}
        for token in tokens:
            assert set(await clients.statuses(token)) == {200}
        await clients.close()
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.ended() == Exit.YES
