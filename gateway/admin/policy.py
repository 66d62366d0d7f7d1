"""The policy in force, over the admin port: what it is, take what the files say now, go back.

    GET  /api/policy            version per worker and since when, the last attempt, the last error
    POST /api/policy/reload     take over changed files at once; 409 where they were refused
    POST /api/policy/rollback   the version before, at once, in every worker; 409 without one

Whoever reaches this port may look. What changes something needs the token of `admin.token_file`
(threat A-1); without that setting nothing can be changed here at all. A browser that was led here
by somebody else's page is turned away (threat A-2): it says so itself in `Origin`, and a form
cannot send JSON nor a token.
"""

import hmac

import msgspec
from aiohttp import web

from gateway.admin.answers import answer, refusal
from gateway.logs import get as get_logger
from gateway.reload import Attempt, PolicyChanges

__all__ = ["PREFIX", "PolicyCalls"]

PREFIX = "/api/"

# What a page may send anywhere without asking first (Fetch, "CORS-safelisted request-header").
_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}

_log = get_logger("gateway.admin")

_NOTHING_SET = (
    "nothing can be changed over this port: name a file with a token in `admin.token_file` of the"
    " settings, and send it as `Authorization: Bearer …`"
)


class PolicyCalls:
    """The calls about policy. Without a `token` only the questions are answered."""

    def __init__(self, changes: PolicyChanges, token: bytes | None) -> None:
        self._changes = changes
        self._token = token

    def __repr__(self) -> str:
        return f"<PolicyCalls {'with' if self._token else 'without'} a token>"

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/policy", self._status)
        router.add_post("/api/policy/reload", self._reload)
        router.add_post("/api/policy/rollback", self._roll_back)

    async def _status(self, request: web.Request) -> web.Response:
        if "Origin" in request.headers:
            return _from_a_page()
        return answer(200, await self._changes.status())

    async def _reload(self, request: web.Request) -> web.Response:
        return await self._refused(request) or _told(await self._changes.reload("api"))

    async def _roll_back(self, request: web.Request) -> web.Response:
        return await self._refused(request) or _told(await self._changes.roll_back())

    async def _refused(self, request: web.Request) -> web.Response | None:
        """Why this request may not change anything, or None."""
        why = await self._why_not(request)
        if why is not None:
            _log.warning("change refused", path=request.path, status=why.status)
            why.force_close()
        return why

    async def _why_not(self, request: web.Request) -> web.Response | None:
        if "Origin" in request.headers:
            return _from_a_page()
        if self._token is None:
            return refusal(403, "no-token-set", _NOTHING_SET)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        sent = token.strip().encode("utf-8", "surrogateescape")
        # In constant time: how long it takes must not tell how much of a guess was right.
        if scheme.lower() != "bearer" or not hmac.compare_digest(sent, self._token):
            why = refusal(401, "wrong-token", "send the token of `admin.token_file`")
            why.headers["WWW-Authenticate"] = "Bearer"
            return why
        if request.content_type in _FORMS:
            return refusal(415, "not-json", "send JSON, or no body at all")
        if request.body_exists:
            if request.content_type != "application/json":
                return refusal(415, "not-json", "send JSON, or no body at all")
            try:
                body = msgspec.json.decode(await request.read() or b"{}")
            except (msgspec.DecodeError, web.HTTPRequestEntityTooLarge):
                return refusal(400, "bad-json", "the body cannot be read as JSON")
            if body != {}:
                return refusal(400, "unknown-key", "this call takes no arguments: send `{}`")
        return None


def _from_a_page() -> web.Response:
    return refusal(403, "from-a-page", "requests of web pages are not taken: leave out `Origin`")


def _told(attempt: Attempt) -> web.Response:
    return answer(409 if attempt.outcome == "kept" else 200, attempt)
