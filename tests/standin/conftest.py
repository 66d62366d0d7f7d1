"""A fresh, seeded UCS for every test, with a clock that stands still."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.standin import StandinConfig, create_app
from tests.standin.client import AioHttp, Start, Ucs

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def ucs_as(aiohttp_client: AioHttp) -> Start:
    """Starts a UCS that is configured otherwise."""

    async def start(**settings: Any) -> Ucs:
        return await aiohttp_client(create_app(StandinConfig(**settings), now=lambda: NOON))

    return start


@pytest.fixture
async def ucs(ucs_as: Start) -> Ucs:
    return await ucs_as()
