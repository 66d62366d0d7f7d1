"""A fresh platform for every test, with a clock that can be put forward, and somebody logged in."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.standin.platform import PlatformConfig, create_platform
from tests.standin.client import AioHttp, Ucs

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Platform:
    """One platform over HTTP."""

    def __init__(self, http: Ucs, clock: Clock, config: PlatformConfig) -> None:
        self.http = http
        self.clock = clock
        self.config = config
        self.token = ""

    async def log_in(self, **form: str) -> Any:
        """The reply of the token endpoint; the token is kept for `ask`."""
        client = self.config.clients[0]
        given = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.secret,
        } | form
        reply = await self.http.post(f"{self.config.login_prefix}/oauth/token", data=given)
        self.token = (await reply.json()).get("access_token", "")
        return reply

    async def ask(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        target = f"{self.config.api_prefix}/api/v2{path}"
        return await self.http.request(method, target, json=json, headers=headers, **more)

    async def found(self, method: str, path: str, json: Any = None) -> Any:
        reply = await self.ask(method, path, json)
        assert reply.status in range(200, 300), await reply.text()
        return await reply.json() if reply.content_length else None

    async def refused(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        """Status, code, and the field at fault."""
        reply = await self.ask(method, path, json, **more)
        body = await reply.json()
        assert body["status"] == reply.status >= 400
        return reply.status, body["code"], body["messageParams"].get("fieldName", "")


@pytest.fixture
def platform_as(aiohttp_client: AioHttp) -> Any:
    """Starts a platform that is configured otherwise."""

    async def start(**settings: Any) -> Platform:
        config, clock = PlatformConfig(**settings), Clock()
        found = Platform(await aiohttp_client(create_platform(config, now=clock)), clock, config)
        await found.log_in()
        return found

    return start


@pytest.fixture
async def platform(platform_as: Any) -> Platform:
    found: Platform = await platform_as()
    return found
