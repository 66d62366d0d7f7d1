"""What the processes of one gateway say to each other.

The supervisor asks the nursery to fork, and the workers to report, reload, reopen and drain. A
worker reports, and says when it serves, when it has stopped accepting, and what became of a
reload. Every message is a value; which process may send it is said beside it.
"""

import msgspec
from msgspec.msgpack import Decoder

from gateway.metrics import Snapshot

__all__ = [
    "FROM_NURSERY", "FROM_WORKER", "TO_NURSERY", "TO_WORKER",
    "Ask", "Drain", "FailedToStart", "Fork", "Forked", "FromNursery", "FromWorker", "Gone", "Reload",
    "Reloaded", "Renew", "Renewed", "Reopen", "Report", "Serving", "StoppedAccepting", "ToNursery",
    "ToWorker",
]  # fmt: skip


# --- supervisor to nursery -----------------------------------------------------------------------


class Fork(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Beside it: the worker's end of its channel, its journal, its listening sockets."""

    slot: int


class Renew(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Read everything anew, and be what later workers are forked from.

    Beside it: the channel on which the new generation listens.
    """


ToNursery = Fork | Renew
TO_NURSERY: Decoder[ToNursery] = Decoder(ToNursery)

# --- nursery to supervisor -----------------------------------------------------------------------


class Forked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Without a `pid` there was no fork, and `fault` says why."""

    slot: int
    pid: int
    fault: str = ""


class Gone(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A child was reaped; `status` is what waitpid(2) says of it."""

    pid: int
    status: int


class Renewed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`faults` says why not; empty when the new generation stands."""

    version: str
    faults: str


FromNursery = Forked | Gone | Renewed
FROM_NURSERY: Decoder[FromNursery] = Decoder(FromNursery)

# --- supervisor to worker ------------------------------------------------------------------------


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Asks for a report."""


class Reopen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Follow a rotation of the audit file."""


class Reload(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Take over what has changed: policy, users, keys, certificates."""


class Drain(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Stop accepting, let what is in flight end, then end."""


ToWorker = Ask | Reopen | Reload | Drain
TO_WORKER: Decoder[ToWorker] = Decoder(ToWorker)

# --- worker to supervisor ------------------------------------------------------------------------


class Serving(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Connections are accepted from now on."""


class FailedToStart(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It will end now; `detail` is for the operator."""

    detail: str


class Report(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Everything counted so far, and what every check says."""

    snapshot: Snapshot
    checks: dict[str, tuple[bool, str]]


class Reloaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The version in force now, and what could not be taken over."""

    version: str
    faults: str


class StoppedAccepting(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Draining has begun: no new connection is accepted any more."""


FromWorker = Serving | FailedToStart | Report | Reloaded | StoppedAccepting
FROM_WORKER: Decoder[FromWorker] = Decoder(FromWorker)
