"""An endpoint of an authorization server, of which the gateway is a client (RFC 6749, RFC 7662).

A form goes there, with the client's name and secret, and one JSON object comes back. The secret is
read from its file for every question, of which there are few, so that a new one needs no restart.
Neither it nor what is asked nor what is answered stands in any message: of a refusal only the
server's own code is told, if it is one.
"""

import asyncio
import contextlib
import re
from base64 import b64encode
from typing import Any, Literal
from urllib.parse import quote_plus, urlencode

import jiter

from gateway.outbound.fetch import Fetcher, FetchFailed
from gateway.settings import OAuthClient, Secret

__all__ = ["MAX_ANSWER_BYTES", "Authenticate", "OAuthEndpoint", "an_endpoint"]

Authenticate = Literal["basic", "body"]

# A token of the longest header that we send, its claims beside it.
MAX_ANSWER_BYTES = 65_536

# RFC 6749 section 5.2: what a refusal is called. Anything else is not worth repeating in a log.
_ERROR = re.compile(r"[a-z_]{1,60}")
_REFUSALS = frozenset({400, 401})


class OAuthEndpoint:
    """One URL, and who the gateway is there."""

    def __init__(
        self, fetcher: Fetcher, *, client_id: str, secret: Secret, authenticate: Authenticate
    ) -> None:
        self.url = fetcher.url
        self._fetcher = fetcher
        self._client_id = client_id
        self._secret = secret
        self._authenticate = authenticate

    def __repr__(self) -> str:
        return f"OAuthEndpoint({self.url!r}, {self._client_id!r})"

    async def ask(self, form: dict[str, str]) -> dict[str, Any]:
        """The JSON object that answers `form`, or FetchFailed."""
        secret = await self._secret_now()
        headers: dict[str, str] = {}
        if self._authenticate == "basic":
            # RFC 6749 section 2.3.1: both are encoded as in a form before they are joined.
            joined = f"{quote_plus(self._client_id)}:{quote_plus(secret)}".encode("ascii")
            headers["Authorization"] = f"Basic {b64encode(joined).decode('ascii')}"
            text = urlencode(form)
        else:
            own = {"client_id": self._client_id.encode(), "client_secret": secret}
            text = urlencode({**{name: value.encode() for name, value in form.items()}, **own})
        answer = await self._fetcher.post(text.encode("ascii"), headers, readable=_REFUSALS | {200})
        if answer.status != 200:
            raise FetchFailed(_refusal(answer.status, answer.document))
        members = _members(answer.document)
        if members is None:
            raise FetchFailed("the answer is not one JSON object without duplicate names")
        return members

    async def close(self) -> None:
        await self._fetcher.close()

    async def _secret_now(self) -> bytes:
        """What the file holds now; the last good one while it cannot be read, or not in time."""
        with contextlib.suppress(ValueError, TimeoutError):
            async with asyncio.timeout(self._fetcher.timeout_seconds):
                self._secret = await asyncio.to_thread(self._secret.read_again)
        return self._secret.value


def _refusal(status: int, document: bytes) -> str:
    members = _members(document)
    error = None if members is None else members.get("error")
    said = f": {error}" if isinstance(error, str) and _ERROR.fullmatch(error) else ""
    return f"the answer's status is {status}, expected 200{said}"


def _members(document: bytes) -> dict[str, Any] | None:
    try:
        value: Any = jiter.from_json(
            document, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="none"
        )
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def an_endpoint(client: OAuthClient, url: str) -> OAuthEndpoint:
    """The endpoint at `url`, with what the settings say of the gateway as its client."""
    fetcher = Fetcher(
        url,
        timeout_seconds=client.timeout_seconds,
        accept="application/json",
        max_bytes=MAX_ANSWER_BYTES,
        tls=client.tls(),
    )
    return OAuthEndpoint(
        fetcher,
        client_id=client.client_id,
        secret=client.client_secret,
        authenticate=client.authenticate,
    )
