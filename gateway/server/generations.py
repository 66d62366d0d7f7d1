"""The nursery as the supervisor sees it: forks on demand, how they ended, and its generations.

Workers are forked from the *current* one. The *former* one, of the version before, is kept: after a
rollback a worker that dies is replaced from there, and never from what was rolled back.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence

from gateway.attempts import Refused
from gateway.logs import get as get_logger
from gateway.server.channel import Listening, send
from gateway.server.messages import (
    FROM_NURSERY,
    Fork,
    Forked,
    FromNursery,
    Gone,
    Part,
    Prepare,
    Renew,
    Renewed,
)
from gateway.tasks import Tasks

__all__ = ["Generations"]

_log = get_logger("gateway.supervisor")


class _Generation:
    """One process to fork from."""

    def __init__(self, nursery: socket.socket, version: str) -> None:
        self.nursery = nursery
        self.version = version
        self.gone = False


class Generations:
    """The root nursery, the generation that workers are forked from now, and the one before.

    `on_gone` is called when there is nothing to fork from any more, but the root could make it.
    """

    def __init__(
        self, root: socket.socket, version: str, *, on_gone: Callable[[], None] = lambda: None
    ) -> None:
        self._root = self._current = _Generation(root, version)
        self._former: _Generation | None = None
        self._on_gone = on_gone
        self._tasks = Tasks("nursery")
        self._forked: dict[int, tuple[_Generation, asyncio.Future[Forked]]] = {}
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._closing = False

    def __repr__(self) -> str:
        return f"<Generations, now {self._current.version}>"

    @property
    def gone(self) -> bool:
        """Whether nothing can be forked at this moment."""
        return self._current.gone

    @property
    def helpless(self) -> bool:
        """Whether nothing can ever be forked again."""
        return self._current.gone and self._root.gone

    async def open(self) -> None:
        channel = Listening(self._root.nursery, FROM_NURSERY)
        await channel.open()
        _ = self._tasks.start(self._hear(channel, self._root), name="root")

    async def fork(self, slot: int, descriptors: Sequence[int]) -> int:
        """The process id of a new worker. Raises OSError when there is none now."""
        asked = self._current
        send(asked.nursery, Fork(slot=slot), descriptors)
        answer: asyncio.Future[Forked] = asyncio.get_running_loop().create_future()
        self._forked[slot] = asked, answer
        forked = await answer
        if not forked.pid:
            raise OSError(forked.fault)
        return forked.pid

    def note_end(self, pid: int, status: int) -> None:
        """A child was reaped, by whoever was its parent at last."""
        end = self._ends.get(pid)
        if end is not None and not end.done():
            end.set_result(status)

    async def end_of(self, pid: int, *, seconds: float) -> int | None:
        """The wait status of a worker that is gone; None if nobody could tell in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._ends[pid]
        except (KeyError, TimeoutError):
            return None
        finally:
            self._ends.pop(pid, None)

    async def renew(self, sources: bytes, *, known: str, seconds: float) -> tuple[str, list[bytes]]:
        """Make a generation of `sources`, from which workers are forked from then on.

        Its version, and the parts of its table, none if the version is the `known` one. Raises
        Refused; then everything is as it was.
        """
        channel, generation, parts = await self._made(sources, known, seconds)
        self._follow(channel, generation)
        return generation.version, parts

    async def judge(self, sources: bytes, *, seconds: float) -> tuple[str, list[bytes]]:
        """The version and the parts of the table of `sources`; nothing is forked from it.

        Raises Refused.
        """
        channel, generation, parts = await self._made(sources, "", seconds)
        channel.close()
        return generation.version, parts

    async def _made(
        self, sources: bytes, known: str, seconds: float
    ) -> tuple[Listening[FromNursery], _Generation, list[bytes]]:
        ours, its = socket.socketpair()
        try:
            send(self._root.nursery, Renew(), [its.fileno()])
        except OSError as error:
            ours.close()
            raise Refused(f"the nursery is gone ({error.strerror})") from None
        finally:
            its.close()
        channel = Listening(ours, FROM_NURSERY)
        await channel.open()
        parts: list[bytes] = []
        try:
            channel.tell(Prepare(sources=sources, known=known))
            async with asyncio.timeout(seconds):
                while isinstance(message := await channel.next(), Part):
                    parts.append(message.data)
            if not isinstance(message, Renewed):
                raise Refused("the new generation ended without a word")
            if message.faults:
                raise Refused(message.faults, message.findings)
        except TimeoutError:
            channel.close()
            why = f"the files could not be read and compiled in {seconds:.0f} s"
            raise Refused(why) from None
        except BaseException:
            channel.close()
            raise
        return channel, _Generation(ours, message.version), parts

    def roll_back(self) -> None:
        """Workers are forked from the generation before from now on, if it is still there."""
        if self._former is not None:
            self._current, self._former = self._former, self._current
        if self.gone:
            self._lost()

    async def close(self) -> None:
        self._closing = True
        await self._tasks.close()
        for each in (self._root, self._current, self._former):
            if each is not None:
                each.nursery.close()

    def _follow(self, channel: Listening[FromNursery], generation: _Generation) -> None:
        if generation.version == self._current.version:
            self._dismiss(self._current)
        else:
            self._dismiss(self._former)
            self._former = self._current
        self._current = generation
        _ = self._tasks.start(self._hear(channel, generation), name="generation")

    def _dismiss(self, generation: _Generation | None) -> None:
        """It does what it has still been asked, and ends; its workers do not."""
        if generation is not None and generation is not self._root:
            with contextlib.suppress(OSError):
                generation.nursery.shutdown(socket.SHUT_WR)

    async def _hear(self, channel: Listening[FromNursery], generation: _Generation) -> None:
        try:
            while (message := await channel.next()) is not None:
                match message:
                    case Forked():
                        self._settle_fork(message)
                    case Gone():
                        self.note_end(message.pid, message.status)
                    case Renewed() | Part():
                        pass  # only at the beginning of a generation, and `renew` reads them
        finally:
            channel.close()
        generation.gone = True
        if generation is self._current and not self._closing:
            self._lost()
        for slot in [each for each, (asked, _) in self._forked.items() if asked is generation]:
            self._settle_fork(Forked(slot=slot, pid=0, fault="the nursery ended instead"))

    def _lost(self) -> None:
        if self._root.gone:
            _log.critical("the nursery is gone: workers that die cannot be replaced")
        else:
            _log.error("the generation that workers are forked from is gone: another is made")
            self._on_gone()

    def _settle_fork(self, message: Forked) -> None:
        _, answer = self._forked.pop(message.slot, (None, None))
        if answer is not None and not answer.done():
            if message.pid:  # at once: the news of its end may be next
                self._ends[message.pid] = asyncio.get_running_loop().create_future()
            answer.set_result(message)
