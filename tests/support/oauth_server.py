"""A small OAuth 2.0 server for tests: real sockets, real form bodies, opaque tokens.

    async with OAuthServer() as server:
        server.clients["vsm"] = "s3cret"
        token = server.issue(client_id="vsm", scope="analytics:readonly", sub="anna")

It has a token endpoint (RFC 6749 section 4.4), an introspection endpoint (RFC 7662) and remembers
every request. It is as rude as it is told to be: `status`, `document` and `headers` replace the
next answers of both endpoints, `gate` holds them back. It is not the gateway's own token endpoint
and shares no code with it.
"""

import asyncio
import json
import secrets
import ssl
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import unquote_plus

from aiohttp import web

__all__ = ["FAR", "Asked", "OAuthServer"]

# 2100-01-01, after whatever the machine's date is.
FAR = 4_102_444_800


class Asked:
    """One request that came: its path, its headers, its form, and who the client proved to be."""

    def __init__(
        self, path: str, headers: Mapping[str, str], form: Mapping[str, str], client: str | None
    ) -> None:
        self.path = path
        self.headers = headers
        self.form = form
        self.client = client

    def __repr__(self) -> str:
        return f"Asked({self.path!r}, {dict(self.form)!r})"


class OAuthServer:
    """`clients` are names with their secrets, `tokens` what introspection says of each token."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.clients: dict[str, str] = {"gateway": "s3cret"}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.asked: list[Asked] = []
        self.others_asked = 0
        self.lifetime: object = 3600
        self.token_type: object = "Bearer"
        self.extra: dict[str, Any] = {}
        self.status: int | None = None
        self.document: bytes | None = None
        self.headers: dict[str, str] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.most_at_once = 0
        self.url = ""
        self._at_once = 0
        self._tls = tls

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/oauth/token", self._token)
        app.router.add_post("/oauth/introspect", self._introspect)
        app.router.add_route("*", "/{other:.*}", self._other)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        host, port, *_ = self._runner.addresses[0]
        self.url = f"{'http' if self._tls is None else 'https'}://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        await self._runner.cleanup()

    @property
    def token_url(self) -> str:
        return f"{self.url}/oauth/token"

    @property
    def introspection_url(self) -> str:
        return f"{self.url}/oauth/introspect"

    def issue(self, **members: Any) -> str:
        """A new opaque token of which introspection says `members`; None takes one away."""
        token = secrets.token_urlsafe(24)
        said = {
            "active": True,
            "token_type": "Bearer",
            "exp": FAR,
            **members,
        }
        self.tokens[token] = {name: value for name, value in said.items() if value is not None}
        return token

    def revoke(self, token: str) -> None:
        self.tokens.pop(token, None)

    def behave(self) -> None:
        """Answer as a decent server from now on."""
        self.status = self.document = None
        self.headers = {}

    # --- the endpoints ------------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        asked = await self._received(request)
        if (rude := self._rude()) is not None:
            return rude
        if asked.client is None:
            return _said(401, error="invalid_client", error_description="authentication failed")
        if asked.form.get("grant_type") != "client_credentials":
            return _said(400, error="unsupported_grant_type")
        scope = asked.form.get("scope")
        members = {"client_id": asked.client, "sub": asked.client, "scope": scope}
        answer: dict[str, Any] = {
            "access_token": self.issue(**members),
            "token_type": self.token_type,
            "expires_in": self.lifetime,
            **self.extra,
        }
        return _said(200, **{name: value for name, value in answer.items() if value is not None})

    async def _introspect(self, request: web.Request) -> web.Response:
        asked = await self._received(request)
        if (rude := self._rude()) is not None:
            return rude
        if asked.client is None:
            return _said(401, error="invalid_client")
        said = self.tokens.get(asked.form.get("token", ""))
        return _said(200, **(said or {"active": False}))

    async def _received(self, request: web.Request) -> Asked:
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked = Asked(
            request.path, dict(request.headers), form, self._client(request.headers, form)
        )
        self.asked.append(asked)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        self.arrived.set()
        try:
            await self.gate.wait()
        finally:
            self._at_once -= 1
        return asked

    def _client(self, headers: Mapping[str, str], form: Mapping[str, str]) -> str | None:
        """RFC 6749 section 2.3.1: by HTTP Basic or in the body, never both."""
        authorization = headers.get("Authorization")
        if (authorization is not None) is ("client_secret" in form):
            return None
        if authorization is None:
            name, secret = form.get("client_id", ""), form["client_secret"]
        else:
            decoded = b64decode(authorization.removeprefix("Basic ")).decode()
            name, secret = map(unquote_plus, decoded.split(":", 1))
        return name if self.clients.get(name) == secret else None

    def _rude(self) -> web.Response | None:
        if self.status is None and self.document is None and not self.headers:
            return None
        return web.Response(
            status=self.status or 200,
            body=b"{}" if self.document is None else self.document,
            headers={"Content-Type": "application/json", **self.headers},
        )

    async def _other(self, _request: web.Request) -> web.Response:
        self.others_asked += 1
        return web.Response(body=b'{"active": true, "sub": "anna", "access_token": "stolen"}')


def _said(status: int, **members: Any) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(members).encode(),
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )
