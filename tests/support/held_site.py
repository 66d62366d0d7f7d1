"""A gateway and its upstream that stay up while many tests use them, one after the other.

They live in an event loop of their own, on uvloop as in production, which turns only while a test
runs something in it. So a test can be a plain function, which is what hypothesis wants, and a
thousand cases cost one start.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from gateway.authn.passwords import Costs, hash_password
from gateway.settings import Address
from tests.support.audit import until
from tests.support.site import GMS, UCS, Site, gms, permissions_of, running_site, ucs
from tests.support.tokens import AUDIENCE, ISSUER, public_pem
from tests.support.upstream import OK, Conversation, RecordingUpstream, recording_upstream

__all__ = [
    "CALLERS",
    "CREDENTIALS",
    "TENANT_LINE",
    "UPSTREAM_CREDENTIAL",
    "HeldSite",
    "both_services",
    "held_site",
]

T = TypeVar("T")

# Who calls, and the permissions that they have. The names are short because their credentials
# are sent byte by byte, over and over.
CALLERS: Mapping[str, tuple[str, ...]] = {
    "everything": tuple(permissions_of(UCS, GMS)),
    "reader": ("UCS.Customer.readCustomerProfile",),
    "creator": ("UCS.Customer.createProfile",),
    "updater": ("UCS.Customer.updateCustomerProfile",),
    "merger": ("UCS.Customer.mergeCustomerProfile",),
    "nothing": (),
}
CREDENTIALS: Mapping[str, bytes] = {
    "nobody": b"",
    **{name: b"Basic " + b64encode(f"{name[0]}:{name[0]}".encode()) for name in CALLERS},
}

# What every request to the upstream carries in these tests, to see that a client's own never does.
TENANT_LINE = b"X-Genesys-TenantId: 101"
UPSTREAM_CREDENTIAL = b"authorization: Basic " + b64encode(b"gw:s3cret")


@cache
def _users() -> str:
    cheap = Costs(time_cost=1, memory_kib=8, lanes=1)
    return json.dumps(
        {"users": {name[0]: {"password_hash": hash_password(name[0], cheap)} for name in CALLERS}}
    )


def _policy(folder: Path) -> Path:
    everything = CALLERS["everything"]
    folder.mkdir(exist_ok=True)
    policy = {
        "roles": {name: {"permissions": [name]} for name in everything},
        "users": {name[0]: {"roles": list(permissions)} for name, permissions in CALLERS.items()},
        "claims": {"everything": list(everything)},
    }
    (folder / "policy.yaml").write_text(json.dumps(policy))
    return folder


class HeldSite:
    """What a test can do with it.

    `answer` are the pieces of what the upstream says next, then its end or not; `answered` is set
    once it has said all of it.
    """

    def __init__(
        self, runner: asyncio.Runner, site: Site, upstream: RecordingUpstream, folder: Path
    ) -> None:
        self._runner = runner
        self._audit = folder / "audit.jsonl"
        self._audit_read = 0
        self._audit_lines: dict[str, dict[str, Any]] = {}
        self.site = site
        self.upstream = upstream
        self.answer = [OK]
        self.hangs_up = False
        self.answered = asyncio.Event()
        upstream.script = self._script

    @property
    def address(self) -> Address:
        return self.site.address

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(coroutine)

    def answer_as_usual(self) -> None:
        self.answer, self.hangs_up = [OK], False

    async def audit_line(self, request_id: str) -> dict[str, Any]:
        """The line of a request that has ended, as soon as it is in the file."""

        def written() -> bool:
            with self._audit.open("rb") as file:
                file.seek(self._audit_read)
                lines = file.read().rpartition(b"\n")[0]
            if lines:
                self._audit_read += len(lines) + 1
                found = map(json.loads, lines.splitlines())
                self._audit_lines.update((line["id"], line) for line in found)
            return request_id in self._audit_lines

        await until(written)
        return self._audit_lines[request_id]

    async def _script(self, conversation: Conversation) -> None:
        while request := await conversation.request():
            self.upstream.requests.append(request)
            pieces, last = self.answer, self.hangs_up
            try:
                for piece in pieces:
                    await conversation.answer(piece)
                    await asyncio.sleep(0)
            finally:
                self.answered.set()
            if last:
                return


@contextmanager
def held_site(folder: Path, **options: Any) -> Iterator[HeldSite]:
    """A gateway in front of one recording upstream; see `both_services`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        held = runner.run(_start(stack, runner, folder, options))
        try:
            yield held
        finally:
            runner.run(stack.aclose())


async def _start(
    stack: AsyncExitStack, runner: asyncio.Runner, folder: Path, options: Mapping[str, Any]
) -> HeldSite:
    recording = await stack.enter_async_context(recording_upstream())
    site = await stack.enter_async_context(both_services(folder, recording.url, **options))
    return HeldSite(runner, site, recording, folder)


def both_services(
    folder: Path, url: str, *, idle_connections: int = 64, **options: Any
) -> AbstractAsyncContextManager[Site]:
    """UCS at the root and GMS below its own prefix, both served by `url`, for CALLERS.

    A token with the role `everything` holds every permission as well.
    """
    (folder / "users.yaml").write_text(_users())
    (folder / "upstream-password").write_text("s3cret")
    credential = {
        "basic": {"username": "gw", "password_file": str(folder / "upstream-password")},
    }
    name, _, value = TENANT_LINE.decode().partition(": ")
    common = {"set_headers": {name: value}}
    node = {"nodes": [url], "credential": credential, "idle_connections": idle_connections}
    services = [
        ucs(url, upstream=node, **common),
        gms(url, upstream=node | {"base_path": "/genesys/1/cs"}, **common),
    ]
    issuer = {
        "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["ES256"],
        "pem_file": str(public_pem(folder)), "subject_prefix": "jwt-",
    }  # fmt: skip
    identity = {"jwt": [issuer], "basic": {"users": str(folder / "users.yaml")}}
    policy = _policy(folder / "policy")
    return running_site(folder, services, identity=identity, policy=policy, **options)
