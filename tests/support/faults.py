"""What a fault must leave behind, whoever had it: nothing stuck, nothing reused, one audit line.

`faulty_site` is a gateway with small time limits in front of a recording upstream; `aftermath`
asks it, from outside, whether everything is as it was before.
"""

import asyncio
import os
import re
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.raw import RawClient, request
from tests.support.site import Site, running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import Conversation, RecordingUpstream

READ = "UCS.Customer.readCustomerProfile"
CREATE = "UCS.Customer.createProfile"
CREATE_EXTENSION = "UCS.Customer.createProfileExtension"
IMPORT = "UCS.Customer.executeBulkImport"
PROFILE = "/profiles/0004Va58A92T0017"

SMALL_SECONDS = 0.3

GET = request("GET", PROFILE, authorization=bearer(roles=(READ,)))

_AUTHORIZATION = b"Authorization: " + bearer(roles=(IMPORT, CREATE, CREATE_EXTENSION)) + b"\r\n"
INSPECTED_HEAD = (
    b"POST /profiles HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 20\r\nAuthorization: " + bearer(roles=(CREATE,)) + b"\r\n\r\n"
)
"""Of a request whose body is read before the decision: the caller may create, not extend."""


def upload(length: int) -> bytes:
    """The head of a request whose body is streamed."""
    return (
        b"POST /profiles/import HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % length
        + _AUTHORIZATION
        + b"\r\n"
    )


CHUNKED_UPLOAD = (
    b"POST /profiles/import HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    + _AUTHORIZATION
    + b"\r\n"
)


@asynccontextmanager
async def faulty_site(folder: Path, upstream: RecordingUpstream) -> AsyncIterator[Site]:
    service = ucs(
        upstream.url,
        upstream={
            "nodes": [upstream.url],
            "first_byte_timeout_seconds": SMALL_SECONDS,
            "idle_timeout_seconds": SMALL_SECONDS,
        },
    )
    limits = {
        "header_timeout_seconds": SMALL_SECONDS,
        "body_idle_timeout_seconds": SMALL_SECONDS,
    }
    async with running_site(folder, [service], limits=limits) as site:
        yield site


async def connections(site: Site) -> Mapping[str, float]:
    """Open client connections, and connections to upstream by their state, as Prometheus sees."""
    probe = await RawClient.connect(site.admin_address)
    await probe.send(request("GET", "/metrics"))
    text = (await probe.reply()).body.decode()
    await probe.close()
    found = dict.fromkeys(("client", "idle", "busy"), 0.0)
    for name, state, value in re.findall(
        r'^gateway_(upstream_)?connections(?:\{.*state="(\w+)".*\})? ([0-9.]+)$', text, re.MULTILINE
    ):
        found[state if name else "client"] += float(value)
    return found


async def aftermath(site: Site, upstream: RecordingUpstream, *, reuses: bool = False) -> None:
    """Nothing is held any more, and the next request is answered on a connection of its own.

    `reuses` where the exchange was clean, so that the old connection carries it.
    """
    await site.hang_up()
    async with asyncio.timeout(10):
        while (held := await connections(site))["client"] or held["busy"]:
            pass
    assert held["idle"] == reuses
    before = len(upstream.conversations)
    upstream.script = upstream.answers(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nafter")
    reply = await site.ask("GET", PROFILE, roles=[READ])
    assert reply.status == 200
    assert reply.body == b"after" or reuses
    assert len(upstream.conversations) == before + (not reuses)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with a RST instead of a FIN, as a crashed machine or a middlebox does."""
    fd = os.dup(writer.get_extra_info("socket").fileno())
    with socket.socket(fileno=fd) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def a_moment(conversation: Conversation) -> bool:
    """Let a little time pass, or less if the gateway hangs up; whether it has."""
    try:
        async with asyncio.timeout(SMALL_SECONDS / 20):
            return await conversation.reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
