"""Fetching from a server that is nobody's upstream: an issuer's keys, a token, a token's worth.

The URL comes from the settings, never from a token. The answer is not trusted to be polite: it
may not send us elsewhere (a redirect is a failure), grow (size cap), unpack (no content coding),
or take its time (one deadline for everything).
"""

import asyncio
import ssl
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
from yarl import URL

__all__ = ["MAX_DOCUMENT_BYTES", "Answer", "FetchFailed", "Fetcher"]

# A hundred RSA keys with their certificate chains; real sets are below 16 KiB.
MAX_DOCUMENT_BYTES = 262_144

_ONLY_OK = frozenset({HTTPStatus.OK})


class FetchFailed(Exception):
    """There is no document to read, for the reason given."""


class Answer(NamedTuple):
    """What a server said, read to its end."""

    status: int
    document: bytes


class Fetcher:
    """An HTTP client for one URL, without memory: no cookies, no idle connections, no proxy.

    `accept` is the media types that are asked for, `tls` whom to trust, the system's authorities
    if None.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float,
        accept: str = "application/jwk-set+json, application/json",
        max_bytes: int = MAX_DOCUMENT_BYTES,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.url = url
        self.timeout_seconds = timeout_seconds
        self._headers = {
            "Accept": accept,
            "Accept-Encoding": "identity",
            "User-Agent": "ucs-gateway",
        }
        self._max_bytes = max_bytes
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Fetcher({self.url!r})"

    async def fetch(self) -> bytes:
        """The document at the URL, or FetchFailed."""
        return (await self._ask("GET", None, {}, _ONLY_OK)).document

    async def post(
        self, form: bytes, headers: Mapping[str, str], *, readable: Collection[int] = _ONLY_OK
    ) -> Answer:
        """The answer to a form, if its status is one of `readable`; else FetchFailed."""
        said = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return await self._ask("POST", form, said, readable)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(
        self, method: str, data: bytes | None, headers: Mapping[str, str], readable: Collection[int]
    ) -> Answer:
        try:
            async with (
                asyncio.timeout(self.timeout_seconds),
                self._opened().request(
                    method,
                    URL(self.url, encoded=True),
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                ) as reply,
            ):
                return Answer(reply.status, await self._document(reply, readable))
        except TimeoutError:
            raise FetchFailed(f"no answer within {self.timeout_seconds:g} seconds") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Some of aiohttp's messages quote the peer, so only the kind is kept.
            raise FetchFailed(f"the connection failed ({type(error).__name__})") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    force_close=True, ssl=True if self._tls is None else self._tls
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),  # asyncio.timeout has the say
            )
        return self._session

    async def _document(self, reply: aiohttp.ClientResponse, readable: Collection[int]) -> bytes:
        if reply.status not in readable:
            raise FetchFailed(f"the answer's status is {reply.status}, expected 200")
        if reply.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchFailed("the answer is compressed although that was not asked for")
        document = bytearray()
        async for chunk in reply.content.iter_chunked(16_384):
            document += chunk
            if len(document) > self._max_bytes:
                raise FetchFailed(f"the answer is longer than {self._max_bytes} bytes")
        return bytes(document)
