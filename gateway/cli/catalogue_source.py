"""Where a description is from: a file or an address, JSON, YAML or a table.

It is fetched by an administrator, who names the address, and is somebody else's text all the same:
it may not be larger than any such description is, may not take its time, and may not send us to
another host.
"""

import asyncio
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import click
import jiter
from yarl import URL

from policy import parse_yaml
from policy.importing import Description, NotDescribed, read_openapi, read_table

__all__ = ["MAX_SOURCE_BYTES", "Unreadable", "content_of", "description_of"]

# That of Genesys Cloud has some 14 MiB.
MAX_SOURCE_BYTES = 64 * 1024 * 1024
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Unreadable(click.ClickException):
    """The source could not be had; the message says why."""


def content_of(source: str, *, timeout_seconds: float) -> bytes:
    """The bytes of a file or of an address. Raises Unreadable."""
    if _is_address(source):
        return asyncio.run(_fetched(source, timeout_seconds))
    if "://" in source:
        raise Unreadable(f"{source}: only http and https addresses are read")
    try:
        with Path(source).open("rb") as file:
            content = file.read(MAX_SOURCE_BYTES + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise Unreadable(f"{source}: {said.lower()}") from None
    if len(content) > MAX_SOURCE_BYTES:
        raise Unreadable(f"{source}: it is larger than {MAX_SOURCE_BYTES // 1024 // 1024} MiB")
    return content


def description_of(content: bytes, source: str, *, with_removed: bool = False) -> Description:
    """What the bytes describe. Raises NotDescribed, and PolicyInvalid for broken YAML."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotDescribed("it is not UTF-8 text") from None
    shown = _without_secrets(source)
    if "\t" in text.partition("\n")[0] and not text.lstrip().startswith("{"):
        return read_table(text, shown, with_removed=with_removed)
    if text.lstrip()[:1] != "{":
        return read_openapi(parse_yaml(text, shown).value, shown)
    try:
        document = jiter.from_json(text.encode(), catch_duplicate_keys=True)
    except ValueError as error:
        raise NotDescribed(f"this is not JSON: {error}") from None
    return read_openapi(document, shown)


async def _fetched(source: str, timeout_seconds: float) -> bytes:
    shown = _without_secrets(source)
    try:
        async with (
            asyncio.timeout(timeout_seconds),
            aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept": "application/json, */*", "Accept-Encoding": "identity"},
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),  # asyncio.timeout has the say
            ) as session,
        ):
            return await _followed(session, URL(source))
    except TimeoutError:
        raise Unreadable(f"{shown}: no answer within {timeout_seconds:g} seconds") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        said = f"the connection failed ({type(error).__name__})"
        raise Unreadable(f"{shown}: {said}") from None


async def _followed(session: aiohttp.ClientSession, address: URL) -> bytes:
    """The document behind `address`, at whichever path of the same host it lies."""
    first = address.origin()
    for _ in range(_MOST_REDIRECTS + 1):
        async with session.get(address, allow_redirects=False) as reply:
            if reply.status not in _REDIRECTS:
                return await _document(reply, _without_secrets(str(address)))
            target = address.join(URL(reply.headers.get("Location", "")))
        if target.origin() != first:
            said = f"it sends us to another host, {ascii(str(target.origin()))[1:-1]}"
            raise Unreadable(
                f"{_without_secrets(str(address))}: {said}\n  help: name that address if you trust it"
            )
        address = target
    raise Unreadable(
        f"{_without_secrets(str(address))}: it redirects more than {_MOST_REDIRECTS} times"
    )


async def _document(reply: aiohttp.ClientResponse, shown: str) -> bytes:
    if reply.status != HTTPStatus.OK:
        raise Unreadable(f"{shown}: the answer's status is {reply.status}, expected 200")
    if reply.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unreadable(f"{shown}: the answer is compressed although that was not asked for")
    document = bytearray()
    async for chunk in reply.content.iter_chunked(65_536):
        document += chunk
        if len(document) > MAX_SOURCE_BYTES:
            mebibytes = MAX_SOURCE_BYTES // 1024 // 1024
            raise Unreadable(f"{shown}: the answer is larger than {mebibytes} MiB")
    return bytes(document)


def _is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def _without_secrets(source: str) -> str:
    """An address without user, password and query; of a file its name, so that it says the same
    on every machine.
    """
    if not _is_address(source):
        return Path(source).name
    try:
        parts = urlsplit(source)
    except ValueError:
        return "this address"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
