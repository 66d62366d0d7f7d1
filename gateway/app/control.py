"""What operators have in hand: the admin port, and the watch over the policy's files.

The same for the service and for a gateway in one process; only who carries a change out differs.
"""

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import policy
from gateway.admin import AdminServer
from gateway.clock import Clock
from gateway.counts import Snapshot, merged
from gateway.reload import PolicyChanges
from gateway.server.readiness import Answers
from gateway.server.watching import look, watch
from gateway.settings import Settings, specs
from gateway.trial import TrialCarrier, Trials

__all__ = ["Observed", "admin_server", "trials_of", "watch_files"]


class Observed(Protocol):
    """Whoever knows how the data plane is doing."""

    async def snapshot(self) -> Snapshot: ...
    async def checks(self) -> Answers: ...


def admin_server(
    settings: Settings,
    sockets: Sequence[socket.socket],
    observed: Observed,
    changes: PolicyChanges,
    trials: Trials,
) -> AdminServer:
    """The admin port of a gateway."""

    async def snapshot() -> Snapshot:
        return merged([await observed.snapshot(), changes.snapshot()])

    async def checks() -> Answers:
        answers = dict(await observed.checks())
        holds, detail = answers.get("policy", (True, ""))
        words = filter(None, (detail, changes.words, trials.words))
        answers["policy"] = holds, "; ".join(words)
        return answers

    token = settings.admin.token_file
    return AdminServer(
        sockets,
        snapshot=snapshot,
        checks=checks,
        policy=changes,
        trials=trials,
        token=None if token is None else token.value,
    )


def trials_of(
    settings: Settings, carrier: TrialCarrier, changes: PolicyChanges, clock: Clock
) -> Trials:
    """The desk for candidates, which come from the folder that the settings name."""
    folder = settings.candidate
    read = None if folder is None else partial(policy.read, specs(settings), folder)
    return Trials(read, carrier, changes, clock=clock)


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
