"""What a probe may ask, what an operator may do, and the same refusal for anything else.

    GET /healthz      200 as long as the event loop turns; says nothing about anything else
    GET /readyz       200 when every check holds, else 503; the body says which does not, and why
    GET /metrics      the Prometheus text format
    …   /api/policy   see `gateway.admin.policy` and `gateway.admin.candidate`

Probes change nothing and take no body, so there is nobody to authenticate; the port still belongs
on loopback or a management network (threat A-1). Anything else is 404. Replies name no product and
no version (threat A-8).
"""

import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from gateway.admin.answers import NOT_FOUND, answer
from gateway.admin.candidate import CandidateCalls
from gateway.admin.operator import OperatorToken
from gateway.admin.policy import PolicyCalls
from gateway.counts import Snapshot
from gateway.exposition import CONTENT_TYPE, render
from gateway.reload import PolicyChanges
from gateway.trial import Trials

__all__ = ["AdminServer", "Checks"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

Checks = Callable[[], Awaitable[Mapping[str, tuple[bool, str]]]]
"""By name: whether something is as it should be, and a few words about it for the operator."""

_API = "/api/"
_MAX_BODY_BYTES = 16_384

_SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class AdminServer:
    """The admin port; every probe and every scrape asks anew."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        *,
        snapshot: Callable[[], Awaitable[Snapshot]],
        checks: Checks,
        policy: PolicyChanges | None = None,
        trials: Trials | None = None,
        token: bytes | None = None,
    ) -> None:
        self._sockets = list(sockets)
        self._snapshot = snapshot
        self._checks = checks
        operator = OperatorToken(token)
        self._calls: list[PolicyCalls | CandidateCalls] = []
        if policy is not None:
            self._calls.append(PolicyCalls(policy, operator))
        if trials is not None:
            self._calls.append(CandidateCalls(trials, operator))
        self._runner = self._built()

    def __repr__(self) -> str:
        where = ", ".join(map(str, self._runner.addresses)) or "not listening"
        return f"AdminServer({where})"

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each socket that is really listened on, once started."""
        return [(str(host), int(port)) for host, port, *_ in self._runner.addresses]

    async def start(self) -> None:
        """Answer on the listening sockets, which are the server's from now on."""
        await self._runner.setup()
        for each in self._sockets:
            await web.SockSite(self._runner, each).start()

    async def close(self) -> None:
        """Stop listening and close what is open; safe to call twice."""
        await self._runner.cleanup()

    def _built(self) -> web.AppRunner:
        app = web.Application(middlewares=[_refuse_the_rest], client_max_size=_MAX_BODY_BYTES)
        app.on_response_prepare.append(_dress)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/readyz", self._readiness)
        app.router.add_get("/metrics", self._metrics)
        for calls in self._calls:
            calls.add_to(app.router)
        return web.AppRunner(
            app, access_log=None, handle_signals=False, keepalive_timeout=15, shutdown_timeout=1
        )

    async def _health(self, _request: web.Request) -> web.Response:
        return answer(200, {"alive": True})

    async def _readiness(self, _request: web.Request) -> web.Response:
        results = await self._checks()
        ready = all(ok for ok, _ in results.values())
        details = {name: {"ok": ok, "detail": detail} for name, (ok, detail) in results.items()}
        return answer(200 if ready else 503, {"ready": ready, "checks": details})

    async def _metrics(self, _request: web.Request) -> web.Response:
        body = render(await self._snapshot())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


@web.middleware
async def _refuse_the_rest(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Wrong paths and wrong methods get one answer; a body gets the connection closed."""
    if not request.body_exists or (request.method == "POST" and request.path.startswith(_API)):
        try:
            return await handler(request)
        except web.HTTPException:
            pass
    refusal = answer(404, NOT_FOUND)
    if request.body_exists:
        refusal.force_close()
    return refusal


async def _dress(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers.update(_SAFE)
    response.headers.popall("Server", None)
