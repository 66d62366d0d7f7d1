"""A whole gateway for a test: settings in a file, real sockets, the audit read back.

The policy has one role per permission, named after it, and the same for the roles claim; so a
token whose roles claim lists permissions holds exactly these.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from gateway.app import load_table, running
from gateway.app.local import LocalGateway
from gateway.exposition import render
from gateway.settings import load_settings
from tests.support.raw import RawClient, Reply, request
from tests.support.tokens import AUDIENCE, ISSUER, bearer, public_pem

CONFIG = Path(__file__).resolve().parents[2] / "config"

UCS = CONFIG / "catalogues" / "ucs-customer-profiles.yaml"
GMS = CONFIG / "catalogues" / "gms-context-services.yaml"


def permissions_of(*catalogues: Path) -> list[str]:
    return [
        name
        for catalogue in catalogues
        for name in yaml.safe_load(catalogue.read_text())["permissions"]
    ]


def write_policy(folder: Path, permissions: Sequence[str]) -> Path:
    folder.mkdir(exist_ok=True)
    policy = {
        "roles": {name: {"permissions": [name]} for name in permissions},
        "claims": {name: [name] for name in permissions},
    }
    (folder / "policy.yaml").write_text(json.dumps(policy))
    return folder


def write_settings(
    folder: Path,
    services: Sequence[Mapping[str, Any]],
    *,
    policy: Path | None = None,
    identity: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    tls: Mapping[str, Any] | None = None,
    listen: Mapping[str, Any] | None = None,
) -> Path:
    """`gateway.yaml` in `folder`; JSON is YAML, and leaves no quoting to get wrong."""
    catalogues = [Path(str(service["catalogue"])) for service in services]
    issuer = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "algorithms": ["ES256"],
        "pem_file": str(public_pem(folder)),
    }
    settings = {
        "listen": {"address": "127.0.0.1:0", **({"tls": tls} if tls else {}), **(listen or {})},
        "admin": {"address": "127.0.0.1:0"},
        "services": [dict(service) for service in services],
        "policy": str(policy or write_policy(folder / "policy", permissions_of(*catalogues))),
        "identity": identity or {"jwt": [issuer]},
        "limits": {"shutdown_seconds": 2, **(limits or {})},
        "audit": {"file": str(folder / "audit.jsonl"), "flush_seconds": 0.005},
    }
    path = folder / "gateway.yaml"
    path.write_text(json.dumps(settings))
    return path


def ucs(url: str, /, **changes: Any) -> dict[str, Any]:
    """The UCS service as the tests want it, with `changes`."""
    service = {
        "name": "ucs",
        "catalogue": str(UCS),
        "upstream": {"nodes": [url]},
        "errors": "ucs",
    }
    return service | changes


def gms(url: str, /, **changes: Any) -> dict[str, Any]:
    service = {
        "name": "gms",
        "catalogue": str(GMS),
        "prefix": "/genesys/1/cs",
        "upstream": {"nodes": [url], "base_path": "/genesys/1/cs"},
        "errors": "gms",
    }
    return service | changes


class Site:
    """A running gateway and what can be asked of it."""

    def __init__(self, folder: Path, local: LocalGateway) -> None:
        self.folder = folder
        self.address = local.address
        self.admin_address = local.admin_address
        self.gateway = local.gateway
        self._clients: list[RawClient] = []

    def metrics(self) -> bytes:
        """What a scrape would say now."""
        return render(self.gateway.snapshot())

    async def connect(self) -> RawClient:
        client = await RawClient.connect(self.address)
        self._clients.append(client)
        return client

    async def ask(
        self,
        method: str,
        target: str,
        *,
        roles: Sequence[str] | None = (),
        body: bytes | None = None,
        content_type: str | None = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own; `roles` None means no credentials."""
        client = await self.connect()
        authorization = None if roles is None else bearer(roles=tuple(roles))
        await client.send(
            request(
                method,
                target,
                authorization=authorization,
                body=body,
                content_type=content_type,
                headers=headers,
            )
        )
        reply = await client.reply(method)
        await client.close()
        return reply

    async def hang_up(self) -> None:
        for client in self._clients:
            await client.close()


class Audit:
    """The audit file of a gateway that has ended."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "audit.jsonl"

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text().splitlines()]


@asynccontextmanager
async def running_site(
    folder: Path, services: Sequence[Mapping[str, Any]], **options: Any
) -> AsyncIterator[Site]:
    settings = load_settings(write_settings(folder, services, **options), {})
    async with running(settings, load_table(settings)) as gateway:
        site = Site(folder, gateway)
        try:
            yield site
        finally:
            await site.hang_up()
