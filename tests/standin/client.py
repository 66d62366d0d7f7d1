"""The names of the things that these tests are handed."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

__all__ = ["AioHttp", "Json", "Start", "Ucs"]

Json = Any
Ucs = TestClient[web.Request, web.Application]
Start = Callable[..., Awaitable[Ucs]]
AioHttp = Callable[[web.Application], Awaitable[Ucs]]
