"""Who may change something over the admin port, and what such a call may bring along.

Whoever reaches this port may look. What changes something needs the token of `admin.token_file`
(threat A-1); without that setting nothing can be changed here at all. A browser that was led here
by somebody else's page is turned away (threat A-2): it says so itself in `Origin`, and a form
cannot send JSON nor a token.
"""

import hmac

import msgspec
from aiohttp import web

from gateway.admin.answers import refusal
from gateway.logs import get as get_logger

__all__ = ["OperatorToken", "from_a_page"]

# What a page may send anywhere without asking first (Fetch, "CORS-safelisted request-header").
_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}

_log = get_logger("gateway.admin")

_NOTHING_SET = (
    "nothing can be changed over this port: name a file with a token in `admin.token_file` of the"
    " settings, and send it as `Authorization: Bearer …`"
)


class OperatorToken:
    """The token that operators show; None where the settings name none."""

    def __init__(self, token: bytes | None) -> None:
        self._token = token

    def __repr__(self) -> str:
        return f"<OperatorToken, {'set' if self._token else 'not set'}>"

    def refused(self, request: web.Request) -> web.Response | None:
        """Why this request may not do what operators may, or None."""
        why = self._why_not(request)
        return None if why is None else _turned_away(request, why)

    async def arguments(self, request: web.Request) -> bytes | web.Response:
        """The JSON that came along, `{}` where none did; or why the request is refused."""
        why = self._why_not(request)
        if why is None and request.content_type in _FORMS:
            why = refusal(415, "not-json", "send JSON, or no body at all")
        if why is None and request.body_exists and request.content_type != "application/json":
            why = refusal(415, "not-json", "send JSON, or no body at all")
        if why is not None:
            return _turned_away(request, why)
        try:
            body = await request.read() or b"{}"
            msgspec.json.decode(body)
        except (msgspec.DecodeError, web.HTTPRequestEntityTooLarge):
            return _turned_away(
                request, refusal(400, "bad-json", "the body cannot be read as JSON")
            )
        return body

    async def refused_bare(self, request: web.Request) -> web.Response | None:
        """Why a call that takes no arguments is refused, or None."""
        brought = await self.arguments(request)
        if isinstance(brought, web.Response):
            return brought
        if msgspec.json.decode(brought) == {}:
            return None
        why = refusal(400, "unknown-key", "this call takes no arguments: send `{}`")
        return _turned_away(request, why)

    def _why_not(self, request: web.Request) -> web.Response | None:
        if "Origin" in request.headers:
            return from_a_page()
        if self._token is None:
            return refusal(403, "no-token-set", _NOTHING_SET)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        sent = token.strip().encode("utf-8", "surrogateescape")
        # In constant time: how long it takes must not tell how much of a guess was right.
        if scheme.lower() != "bearer" or not hmac.compare_digest(sent, self._token):
            why = refusal(401, "wrong-token", "send the token of `admin.token_file`")
            why.headers["WWW-Authenticate"] = "Bearer"
            return why
        return None


def from_a_page() -> web.Response:
    return refusal(403, "from-a-page", "requests of web pages are not taken: leave out `Origin`")


def _turned_away(request: web.Request, why: web.Response) -> web.Response:
    _log.warning("change refused", path=request.path, status=why.status)
    why.force_close()
    return why
