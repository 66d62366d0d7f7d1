"""A newly started gateway takes over from the running one without a refused connection.

The running one holds a Unix socket open, for its own user only. Whoever connects is handed its
listening sockets (SCM_RIGHTS, as HAProxy and Envoy do): the very same ones, so what waits in their
queues is never dropped. When the new workers serve, the old gateway is dismissed and drains. If
the new one fails before that, it just hangs up, and nothing has changed.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec.msgpack import Decoder

from gateway.logs import get as get_logger
from gateway.server.channel import Listening, receive, send
from gateway.server.doors import CannotListen
from gateway.server.patience import PREPARING_SECONDS
from gateway.tasks import Tasks

__all__ = ["Predecessor", "Successors"]

_log = get_logger("gateway.takeover")

# A running gateway answers at once; one that hangs must not keep its successor from starting.
_ANSWER_SECONDS = 5.0

# One that has our sockets and does not come to serve must not keep the next from trying; longer than
# a start may take.
_SERVING_SECONDS = 2 * PREPARING_SECONDS


class _Handover(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Beside it: the public listening sockets, then the admin ones."""

    public: int
    admin: int


class _Dismissed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The new gateway serves: the old one may go."""


class Predecessor:
    """The gateway that runs already, and what it has handed over."""

    def __init__(
        self, channel: socket.socket, public: list[socket.socket], admin: list[socket.socket]
    ) -> None:
        self._channel = channel
        self.public = public
        self.admin = admin

    def __repr__(self) -> str:
        return f"<Predecessor with {len(self.public)} sockets>"

    @classmethod
    def find(cls, path: Path) -> "Predecessor | None":
        """None where no gateway answers at `path`. Raises CannotListen if one answers badly."""
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.settimeout(_ANSWER_SECONDS)
        try:
            channel.connect(str(path))
        except OSError:
            channel.close()
            return None
        try:
            received = receive(channel, Decoder(_Handover))
        except (OSError, msgspec.MsgspecError):
            received = None
        if received is None:
            channel.close()
            raise CannotListen(f"`{path}`: a gateway is there, but hands nothing over")
        handover, descriptors = received
        sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        for each in sockets:
            each.setblocking(False)
        return cls(channel, sockets[: handover.public], sockets[handover.public :])

    def dismiss(self) -> None:
        """We serve now."""
        with contextlib.suppress(OSError):
            send(self._channel, _Dismissed())
        self._channel.close()


class Successors:
    """Where the next gateway finds us."""

    def __init__(
        self,
        path: Path,
        *,
        sockets: Callable[[], tuple[Sequence[socket.socket], Sequence[socket.socket]]],
        dismissed: Callable[[], None],
        serving_seconds: float = _SERVING_SECONDS,
    ) -> None:
        self._path = path
        self._serving_seconds = serving_seconds
        self._sockets = sockets
        self._dismissed = dismissed
        self._tasks = Tasks("takeover")
        self._listening: socket.socket | None = None

    def __repr__(self) -> str:
        return f"<Successors at {self._path}>"

    def open(self) -> None:
        """Put our socket in place of a predecessor's, in one step. Raises CannotListen."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            listening.bind(str(aside))
            aside.chmod(0o600)
            listening.listen(1)
            aside.rename(self._path)
        except OSError as error:
            listening.close()
            aside.unlink(missing_ok=True)
            raise CannotListen(error.errno, f"`{self._path}`: {error.strerror}") from None
        listening.setblocking(False)
        self._listening = listening
        _ = self._tasks.start(self._serve(listening), name="accept")

    async def close(self) -> None:
        await self._tasks.close()
        if self._listening is not None:
            self._listening.close()

    async def _serve(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            channel, _ = await loop.sock_accept(listening)
            if _user_of(channel) != os.geteuid():
                _log.warning("takeover refused: the other process has another user")
                channel.close()
                continue
            if await self._hand_over(channel):
                self._dismissed()
                return

    async def _hand_over(self, channel: socket.socket) -> bool:
        """Whether we were dismissed; a successor that fails just goes away."""
        public, admin = self._sockets()
        descriptors = [each.fileno() for each in (*public, *admin)]
        try:
            send(channel, _Handover(public=len(public), admin=len(admin)), descriptors)
        except OSError:
            channel.close()
            return False
        _log.info("listening sockets handed over", sockets=len(descriptors))
        successor = Listening(channel, Decoder(_Dismissed))
        await successor.open()
        try:
            async with asyncio.timeout(self._serving_seconds):
                return await successor.next() is not None
        except TimeoutError:
            _log.error("the other gateway did not come to serve in time: this one goes on")
            return False
        finally:
            successor.close()


def _user_of(channel: socket.socket) -> int:
    """The effective user of the process at the other end (unix(7), SO_PEERCRED)."""
    credentials = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])
