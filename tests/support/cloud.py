"""A gateway in front of a Genesys Cloud, laid out and changed as its administrator does it.

The gateway is a process of its own, `ucs-gateway serve`, with its own token endpoint; behind it is
the stand-in platform, where the gateway logs in with credentials of its own. Clients and their
roles are made by the commands of the administrators' documents, and what those print is used.
"""

import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from gateway.cli import run
from gateway.standin.platform import OAuthClient
from gateway.standin.platform.app import RunningPlatform
from gateway.standin.received import Receipt
from tests.cli.process import Running, running, serving
from tests.support.cases import ROOT
from tests.support.clients import write_key
from tests.support.sdk import Point, Sdk, SdkClient, by_gateway, by_host, by_proxy

__all__ = ["WAYS", "Cloud", "Credentials", "credentials_in", "served"]

CATALOGUE = ROOT / "config" / "catalogues" / "genesys-cloud.yaml"
UPSTREAM = OAuthClient()
API_HOST, LOGIN_HOST = "api.cloud.example", "login.cloud.example"
PREFIXES = ("/login", "/genesys")

# Before anything is set up: what Genesys Cloud ships, and an administrator.
_POLICY = """\
roles:
  Master Admin: {permissions: ["*:*:*", admin]}
users:
  ada: {roles: [Master Admin]}
"""

WAYS = ("host", "gateway", "proxy")
"""How an SDK may be pointed at a gateway; by its gateway setting there are prefixes."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What `client create` shows, once."""

    client_id: str
    secret: str


class Cloud:
    """The folder of one gateway, the gateway itself once it runs, and the platform behind it."""

    def __init__(
        self,
        folder: Path,
        platform: RunningPlatform,
        way: str = "host",
        *,
        policy: Path | None = None,
        **service: Any,
    ) -> None:
        self.config = folder / "gateway.yaml"
        self.platform = platform
        self.url = ""
        self.process: Running | None = None
        self._way = way
        (folder / "upstream-secret").write_text(UPSTREAM.secret)
        (folder / "clients.yaml").write_text("clients: {}\n")
        if policy is not None:
            shutil.copytree(policy, folder / "policy")
        else:
            (folder / "policy").mkdir()
            (folder / "policy" / "policy.yaml").write_text(_POLICY)
        written = _settings(folder, platform.url, way, service)
        self.config.write_text(json.dumps(written))

    def __repr__(self) -> str:
        return f"<Cloud {self.url} by {self._way}>"

    # --- the administrator ----------------------------------------------------------------------

    def tries(self, *words: str) -> tuple[int, str]:
        """`ucs-gateway …` on this gateway's settings: its exit code and all that it says."""
        said = StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = run([*words, "--config", str(self.config)])
        return code, said.getvalue()

    def does(self, *words: str) -> str:
        """The same for a command that has to succeed."""
        code, said = self.tries(*words)
        assert code == 0, (words, said)
        return said

    def create_client(self, name: str, *options: str) -> Credentials:
        return credentials_in(self.does("client", "create", name, *options, "--format", "json"))

    def create_role(self, name: str, permissions: Sequence[str]) -> None:
        words = [word for line in permissions for word in ("--permission", line)]
        self.does("role", "create", name, *words)

    async def changes(self, *words: str) -> None:
        """A change of the policy while the gateway serves, until that has taken it over."""
        assert self.process is not None
        self.does(*words)
        await self.process.logged("reloaded")

    # --- those who call --------------------------------------------------------------------------

    @property
    def point(self) -> Point:
        """Where an SDK has to be pointed."""
        if self._way == "gateway":
            login, api = PREFIXES
            return by_gateway(self.url, login=login, api=api)
        if self._way == "proxy":
            return by_proxy(self.url, f"http://{API_HOST}")
        return by_host(self.url)

    async def log_in(self, sdk: Sdk, credentials: Credentials) -> SdkClient:
        """Raises Refused."""
        return await sdk.log_in(self.point, credentials.client_id, credentials.secret)

    def arrived(self) -> list[Receipt]:
        """Every call that the platform has got, the gateway's own login aside."""
        received = self.platform.received.requests
        return [receipt for receipt in received if receipt.target != "/oauth/token"]


def _settings(folder: Path, upstream: str, way: str, service: dict[str, Any]) -> dict[str, Any]:
    login, api = PREFIXES if way == "gateway" else ("/", "/")
    credential = {
        "token_url": f"{upstream}/oauth/token",
        "client_id": UPSTREAM.client_id,
        "client_secret_file": str(folder / "upstream-secret"),
    }
    cloud = {
        "name": "cloud",
        "catalogue": str(CATALOGUE),
        "prefix": api,
        "errors": "genesys-cloud",
        "token_info": True,
        "upstream": {"nodes": [upstream], "credential": {"oauth": credential}},
        **service,
    }
    clients = {
        "file": str(folder / "clients.yaml"),
        "issuer": f"http://{LOGIN_HOST}",
        "signing_keys": [str(write_key(folder, "signing.pem", "ed25519"))],
        "revocations": str(folder / "revoked"),
        "prefix": login,
    }
    return {
        "listen": {"address": "127.0.0.1:0", "hosts": ["127.0.0.1", API_HOST, LOGIN_HOST]},
        "admin": {"address": "127.0.0.1:0"},
        "services": [cloud],
        "policy": str(folder / "policy"),
        "identity": {"clients": clients},
        "reload": {"interval_seconds": 0.05},
        "audit": {"file": str(folder / "audit.jsonl"), "flush_seconds": 0.005},
    }


def credentials_in(told: str) -> Credentials:
    """What a command shows as JSON."""
    found = json.loads(told)
    return Credentials(found["client_id"], found["client_secret"])


@asynccontextmanager
async def served(gateway: Cloud) -> AsyncIterator[Cloud]:
    """The gateway serves until left."""
    async with running("serve", "--config", str(gateway.config)) as process:
        public, _ = await serving(process)
        gateway.url = f"http://{public}"
        gateway.process = process
        yield gateway
