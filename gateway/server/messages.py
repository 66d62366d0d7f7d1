"""What the processes of one gateway say to each other.

The supervisor asks the nursery to fork, and the workers to report, reload, roll back, try a
candidate, reopen and drain. A worker reports, and says when it serves, when it has stopped
accepting, what became of a change, and that a candidate has reverted. Every message is a value; which process may send it is said beside it.
"""

import msgspec
from msgspec.msgpack import Decoder

from gateway.attempts import Finding
from gateway.candidate import Reverted, Tally
from gateway.counts import Snapshot
from gateway.rollout import Plan

__all__ = [
    "FROM_NURSERY", "FROM_WORKER", "TO_NURSERY", "TO_WORKER",
    "Ask", "Drain", "FailedToStart", "Fork", "Forked", "FromNursery", "FromWorker", "Gone", "Held",
    "Keep", "Part", "Prepare", "Reload", "Reloaded", "Renew", "Renewed", "Reopen", "Report",
    "Revert", "RollBack", "Serving", "StoppedAccepting", "ToNursery", "ToWorker", "Try", "Turned",
    "Withdraw",
]  # fmt: skip


# --- supervisor to nursery -----------------------------------------------------------------------


class Fork(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Beside it: the worker's end of its channel, its journal, its listening sockets."""

    slot: int


class Renew(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Make a new generation, from which later workers are forked.

    Beside it: the channel on which the new generation listens.
    """


class Prepare(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """To a new generation: make everything anew, the policy from these very `sources`.

    `known` is the version that nobody has to be sent.
    """

    sources: bytes
    known: str


ToNursery = Fork | Renew | Prepare
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
    """`faults` says why not; empty when the new generation stands. Before it: the table's parts."""

    version: str
    faults: str
    findings: tuple[Finding, ...] = ()


class Part(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A piece of a packed decision table; small, so that nobody is long busy with one.

    Also from the supervisor to a worker, which is then told what to do with the whole.
    """

    data: bytes


FromNursery = Forked | Gone | Renewed | Part
FROM_NURSERY: Decoder[FromNursery] = Decoder(FromNursery)

# --- supervisor to worker ------------------------------------------------------------------------


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Asks for a report, where wanted with what a candidate has seen."""

    tally: bool = False


class Reopen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Follow a rotation of the audit file."""


class Reload(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Take over what has changed: users, keys, certificates; and the policy of the parts sent."""

    version: str


class Keep(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The parts sent are the version before, which may be gone back to."""

    version: str


class RollBack(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Put the version before in force; it must be this one."""

    version: str


class Try(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Try the candidate of the parts sent, or the one that is tried already, by this plan.

    `reverted` if it has been tried by it before, and has reverted.
    """

    version: str
    plan: Plan
    reverted: Reverted | None = None


class Withdraw(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Try no candidate any more."""


class Revert(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The candidate has reverted in another worker: it governs nobody here either."""

    version: str
    reverted: Reverted


class Drain(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Stop accepting, let what is in flight end, then end."""


ToWorker = Ask | Reopen | Part | Reload | Keep | RollBack | Try | Withdraw | Revert | Drain
TO_WORKER: Decoder[ToWorker] = Decoder(ToWorker)

# --- worker to supervisor ------------------------------------------------------------------------


class Serving(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Connections are accepted from now on."""


class FailedToStart(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It will end now; `detail` is for the operator."""

    detail: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The version in force, since when, and the one before."""

    version: str = ""
    since: float = 0.0
    previous: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Everything counted so far, what every check says, and what is decided by."""

    snapshot: Snapshot
    checks: dict[str, tuple[bool, str]]
    policy: Held = Held()
    tally: Tally | None = None


class Reloaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The version in force now, or tried where that was asked, and what could not be taken over."""

    version: str
    faults: str


class Turned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The candidate of this version has reverted by itself."""

    version: str
    reverted: Reverted


class StoppedAccepting(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Draining has begun: no new connection is accepted any more."""


FromWorker = Serving | FailedToStart | Report | Reloaded | Turned | StoppedAccepting
FROM_WORKER: Decoder[FromWorker] = Decoder(FromWorker)
