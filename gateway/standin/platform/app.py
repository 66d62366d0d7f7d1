"""The HTTP shell of the platform: tokens at one door, the API at the other.

Every request is noted, read to its end and met in the present manner; then it logs in, or shows
its token and is routed to its operation. Nothing is asked of a role: a token opens everything.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.standin.behaviour import Temper
from gateway.standin.front import BODY, RECEIVED, TEMPER, Sleep, front
from gateway.standin.moment import utc_now
from gateway.standin.own import add_own_routes
from gateway.standin.platform import (
    aggregates,
    alerting,
    authorization,
    campaigns,
    contact_lists,
    details,
    exports,
    jobs,
    licenses,
    notifications,
    organization,
    presence,
    queues,
    seed,
    telephony,
    users,
    wrap_up_codes,
)
from gateway.standin.platform.call import API, Call, Reply, Route
from gateway.standin.platform.config import PlatformConfig
from gateway.standin.platform.errors import Fault, error_body, not_found
from gateway.standin.platform.store import Store, guid
from gateway.standin.platform.tokens import Token, TokenRefused, Tokens
from gateway.standin.received import Received
from gateway.standin.serve import Running, listening

__all__ = ["ROUTES", "Platform", "create_platform", "running_platform"]

# Fixed paths stand before those with a parameter: the first that fits is taken.
ROUTES: tuple[Route, ...] = (
    *jobs.ROUTES,
    *details.ROUTES,
    *aggregates.ROUTES,
    *alerting.ROUTES,
    *authorization.ROUTES,
    *campaigns.ROUTES,
    *contact_lists.ROUTES,
    *exports.ROUTES,
    *licenses.ROUTES,
    *notifications.ROUTES,
    *organization.ROUTES,
    *presence.ROUTES,
    *queues.ROUTES,
    *telephony.ROUTES,
    *users.ROUTES,
    *wrap_up_codes.ROUTES,
)

TOKEN = web.RequestKey("token", Token)

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Platform:
    """One organization: what it holds, who is logged in, what it says before any operation."""

    def __init__(self, config: PlatformConfig, now: Callable[[], datetime]) -> None:
        self.config = config
        self.now = now
        self.max_body_bytes = config.max_body_bytes
        self.tokens = Tokens(config)
        self.store = Store(
            entity_limit=config.entity_limit, stored_bytes_limit=config.stored_bytes_limit
        )
        self._errors = count(1)
        seed.plant(self.store)

    def __repr__(self) -> str:
        return f"<Platform {self.tokens!r}>"

    async def answer(
        self, request: web.Request, handler: Handler, body: bytes | None
    ) -> web.StreamResponse:
        if body is None:
            return self.refused(Fault(413, "content.too.large", "The request body is too large."))
        request[BODY] = body
        try:
            if request.path != f"{self.config.login_prefix}/oauth/token":
                authorization = request.headers.get(hdrs.AUTHORIZATION)
                request[TOKEN] = self.tokens.bearer(authorization, self.now())
            return await handler(request)
        except Fault as fault:
            return self.refused(fault)
        except web.HTTPMethodNotAllowed as error:
            response = self.refused(
                Fault(405, "method.not.allowed", "The resource has no such method.")
            )
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
            return response
        except web.HTTPNotFound:
            return self.refused(not_found())

    def unavailable(self, request: web.Request) -> web.StreamResponse:
        return self.refused(
            Fault(503, "service.unavailable", f"{request.path} cannot be served now.")
        )

    def refused(self, fault: Fault) -> web.Response:
        context_id = guid(f"error {next(self._errors)}")
        response = web.json_response(error_body(fault, context_id), status=fault.status)
        response.headers["ININ-Correlation-Id"] = context_id
        if fault.status == 401:
            response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        return response


PLATFORM = web.AppKey("platform", Platform)


def create_platform(
    config: PlatformConfig | None = None,
    *,
    now: Callable[[], datetime] = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> web.Application:
    """A whole platform with its organization."""
    config = config or PlatformConfig()
    platform = Platform(config, now)
    app = web.Application(middlewares=[front(platform, now, sleep)])
    app[PLATFORM] = platform
    app[RECEIVED] = Received(config.record_limit)
    app[TEMPER] = Temper()
    app.router.add_post(f"{config.login_prefix}/oauth/token", log_in)
    for route in ROUTES:
        path = f"{config.api_prefix}{API}{route.path}"
        app.router.add_route(route.method, path, endpoint(route))
    add_own_routes(app.router, app[RECEIVED], app[TEMPER])
    app.on_shutdown.append(release)
    return app


async def release(app: web.Application) -> None:
    """Whoever hangs is let go, so that the server can end."""
    app[TEMPER].close()


async def log_in(request: web.Request) -> web.Response:
    platform = request.app[PLATFORM]
    authorization = request.headers.get(hdrs.AUTHORIZATION)
    try:
        granted = platform.tokens.issue(authorization, request[BODY], platform.now())
    except TokenRefused as refusal:
        response = web.json_response(refusal.body, status=refusal.status, headers=NO_STORE)
        if refusal.status == 401:
            response.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="stand-in"'
        return response
    return web.json_response(granted, headers=NO_STORE)


def endpoint(route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        platform = request.app[PLATFORM]
        call = Call(
            store=platform.store,
            tokens=platform.tokens,
            token=request[TOKEN],
            now=platform.now(),
            authorization=request.headers.get(hdrs.AUTHORIZATION, ""),
            path=request.path.removeprefix(platform.config.api_prefix),
            parameters=request.match_info,
            query=tuple(request.query.items()),
            body=request[BODY],
        )
        return response_from(route.handler(call))

    return answer


def response_from(reply: Reply) -> web.Response:
    if reply.value is None:
        return web.Response(status=reply.status)
    content = json.dumps(reply.value).encode()
    headers = {hdrs.CONTENT_TYPE: "application/json"}
    return web.Response(status=reply.status, body=content, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPlatform(Running):
    """A platform that listens."""

    tokens: Tokens = field(repr=False)


@asynccontextmanager
async def running_platform(
    config: PlatformConfig | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[RunningPlatform]:
    """Listens until left; with port 0, where the system finds room."""
    app = create_platform(config)
    async with listening(app, host=host, port=port) as standin:
        yield RunningPlatform(
            host=standin.host,
            port=standin.port,
            received=standin.received,
            temper=standin.temper,
            tokens=app[PLATFORM].tokens,
        )
