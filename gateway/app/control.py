"""What operators have in hand: the admin port, and the watch over the policy's files.

The same for the service and for a gateway in one process; only who carries a change out differs.
"""

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from gateway.admin import AdminServer
from gateway.metrics import Snapshot, merged
from gateway.reload import PolicyChanges
from gateway.server.readiness import Answers
from gateway.server.watching import look, watch
from gateway.settings import Settings, specs

__all__ = ["Observed", "admin_server", "watch_files"]


class Observed(Protocol):
    """Whoever knows how the data plane is doing."""

    async def snapshot(self) -> Snapshot: ...
    async def checks(self) -> Answers: ...


def admin_server(
    settings: Settings,
    sockets: Sequence[socket.socket],
    observed: Observed,
    changes: PolicyChanges,
) -> AdminServer:
    """The admin port of a gateway."""

    async def snapshot() -> Snapshot:
        return merged([await observed.snapshot(), changes.snapshot()])

    async def checks() -> Answers:
        answers = dict(await observed.checks())
        if changes.words:
            holds, detail = answers.get("policy", (True, ""))
            answers["policy"] = holds, "; ".join(filter(None, (detail, changes.words)))
        return answers

    token = settings.admin.token_file
    return AdminServer(
        sockets,
        snapshot=snapshot,
        checks=checks,
        policy=changes,
        token=None if token is None else token.value,
    )


async def watch_files(settings: Settings, changes: PolicyChanges) -> None:
    """Have changed catalogues, overrides and policy files taken over, for ever."""
    services = specs(settings)
    files = [each.catalogue for each in services]
    files += [each.overrides for each in services if each.overrides is not None]
    await watch(
        partial(look, files, settings.policy),
        partial(changes.reload, "watch"),
        rest=partial(asyncio.sleep, settings.reload.interval_seconds),
    )
