"""Fetching an issuer's keys: the only time the gateway speaks to anyone but its upstreams.

The URL comes from the settings, never from a token. The answer is not trusted to be polite: it
may not send us elsewhere (a redirect is a failure), grow (size cap), unpack (no content coding),
or take its time (one deadline for everything).
"""

import asyncio
from http import HTTPStatus

import aiohttp
from yarl import URL

__all__ = ["MAX_DOCUMENT_BYTES", "FetchFailed", "Fetcher"]

# A hundred RSA keys with their certificate chains; real sets are below 16 KiB.
MAX_DOCUMENT_BYTES = 262_144

_HEADERS = {
    "Accept": "application/jwk-set+json, application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "ucs-gateway",
}


class FetchFailed(Exception):
    """There is no document to read, for the reason given."""


class Fetcher:
    """An HTTP client for one URL, without memory: no cookies, no idle connections, no proxy."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self.url = url
        self._timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Fetcher({self.url!r})"

    async def fetch(self) -> bytes:
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._opened().get(URL(self.url, encoded=True), allow_redirects=False) as reply,
            ):
                return await _document(reply)
        except TimeoutError:
            raise FetchFailed(f"no answer within {self._timeout_seconds:g} seconds") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Some of aiohttp's messages quote the peer, so only the kind is kept.
            raise FetchFailed(f"the connection failed ({type(error).__name__})") from error

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),  # asyncio.timeout has the say
            )
        return self._session


async def _document(reply: aiohttp.ClientResponse) -> bytes:
    if reply.status != HTTPStatus.OK:
        raise FetchFailed(f"the answer's status is {reply.status}, expected 200")
    if reply.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed("the answer is compressed although that was not asked for")
    document = bytearray()
    async for chunk in reply.content.iter_chunked(16_384):
        document += chunk
        if len(document) > MAX_DOCUMENT_BYTES:
            raise FetchFailed(f"the answer is longer than {MAX_DOCUMENT_BYTES} bytes")
    return bytes(document)
