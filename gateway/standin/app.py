"""The HTTP shell: takes requests apart into calls, and puts replies together.

Every request is noted, read to its end, met in the present manner, checked at the door, and only
then routed to its operation, which runs as one transaction. What is under `/_standin/` is none of
UCS: it is not noted, asks for no credentials and always behaves.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.standin import (
    bulk,
    gms_services,
    gms_stages,
    identify,
    interactions,
    keys,
    merge,
    metadata,
    mode,
    profiles,
    records,
    schemas,
    seed,
)
from gateway.standin.behaviour import Temper
from gateway.standin.call import Call, Reply, Route
from gateway.standin.config import StandinConfig
from gateway.standin.door import CHALLENGE, admits
from gateway.standin.errors import Dialect, Refusal, render
from gateway.standin.front import BODY, RECEIVED, TEMPER, Sleep, front
from gateway.standin.moment import utc_now
from gateway.standin.own import add_own_routes
from gateway.standin.received import Received
from gateway.standin.store import Store

__all__ = ["create_app"]

# Fixed paths stand before those with a parameter: the first that fits is taken.
UCS_ROUTES = (
    *bulk.ROUTES,
    *identify.ROUTES,
    *profiles.ROUTES,
    *records.ROUTES,
    *merge.ROUTES,
    *schemas.ROUTES,
    *keys.ROUTES,
    *metadata.ROUTES,
    *interactions.ROUTES,
    *mode.ROUTES,
)
GMS_ROUTES = (*gms_services.ROUTES, *gms_stages.ROUTES)

CONFIG = web.AppKey("config", StandinConfig)
STORE = web.AppKey("store", Store)


def create_app(
    config: StandinConfig | None = None,
    *,
    now: Callable[[], datetime] = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> web.Application:
    """A whole UCS. The database is opened when the application starts and closed when it ends."""
    config = config or StandinConfig()
    app = web.Application(middlewares=[front(Ucs(config), now, sleep)])
    app[CONFIG] = config
    app[RECEIVED] = Received(config.record_limit)
    app[TEMPER] = Temper()
    mount(app, config.ucs_root, UCS_ROUTES, Dialect.UCS, now)
    mount(app, config.gms_root, GMS_ROUTES, Dialect.GMS, now)
    add_own_routes(app.router, app[RECEIVED], app[TEMPER])
    app.cleanup_ctx.append(open_store)
    app.on_shutdown.append(release)
    return app


async def open_store(app: web.Application) -> AsyncIterator[None]:
    store = Store(app[CONFIG].database)
    app[STORE] = store
    if app[CONFIG].seed:
        with store.transaction():
            seed.plant(store, app[CONFIG])
    yield
    store.close()


async def release(app: web.Application) -> None:
    """Whoever hangs is let go, so that the server can end."""
    app[TEMPER].close()


class Ucs:
    """What UCS says before any of its operations is asked."""

    def __init__(self, config: StandinConfig) -> None:
        self.max_body_bytes = config.max_body_bytes
        self._credentials = config.credentials

    def __repr__(self) -> str:
        return "<Ucs>"

    async def answer(
        self, request: web.Request, handler: Handler, body: bytes | None
    ) -> web.StreamResponse:
        if not admits(self._credentials, request.headers.get(hdrs.AUTHORIZATION)):
            response = refused(request, 401, "credentials are missing or wrong")
            response.headers[hdrs.WWW_AUTHENTICATE] = CHALLENGE
            return response
        if body is None:
            return refused(request, 413, "the body is larger than this server takes")
        request[BODY] = body
        try:
            return await handler(request)
        except web.HTTPMethodNotAllowed as error:
            response = refused(request, 405, "this resource has no such method")
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
            return response
        except web.HTTPNotFound:
            return refused(request, 404, "there is no such resource")

    def unavailable(self, request: web.Request) -> web.StreamResponse:
        return refused(request, 503, "the server cannot answer just now")


def mount(
    app: web.Application,
    root: str,
    routes: tuple[Route, ...],
    dialect: Dialect,
    now: Callable[[], datetime],
) -> None:
    for route in routes:
        answer = endpoint(route, root, dialect, now)
        methods = ("GET", "HEAD") if route.method == "GET" else (route.method,)
        # The manual writes many paths both with and without a slash at the end.
        for path in (root + route.path, root + route.path + "/"):
            for method in methods:
                app.router.add_route(method, path, answer)


def endpoint(
    route: Route, root: str, dialect: Dialect, now: Callable[[], datetime]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        config = request.app[CONFIG]
        call = Call(
            store=request.app[STORE],
            config=config,
            now=now(),
            root=(config.own_address or f"{request.scheme}://{request.host}") + root,
            parameters=request.match_info,
            query=tuple(request.query.items()),
            content_type=request.headers.get(hdrs.CONTENT_TYPE, ""),
            body=request[BODY],
        )
        try:
            with call.store.transaction():
                mode.check_mode(call, route.mode)
                reply = route.handler(call)
        except Refusal as refusal:
            return refused(request, refusal.status, refusal.message, dialect)
        return response_from(reply)

    return answer


def response_from(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.content is None and reply.value is None:
        return web.Response(status=reply.status, headers=headers)
    content = json.dumps(reply.value).encode() if reply.content is None else reply.content
    headers[hdrs.CONTENT_TYPE] = reply.content_type
    return web.Response(status=reply.status, body=content, headers=headers)


def refused(
    request: web.Request, status: int, message: str, dialect: Dialect | None = None
) -> web.Response:
    """An error in the words of whichever server the path belongs to, where no route says it."""
    if dialect is None:
        config = request.app[CONFIG]
        under_gms = request.path.startswith(f"{config.gms_root}/")
        dialect = Dialect.GMS if under_gms and not config.shared_root else Dialect.UCS
    value = render(dialect, status, message, method=request.method, target=request.rel_url.raw_path)
    return response_from(Reply(status, value))
