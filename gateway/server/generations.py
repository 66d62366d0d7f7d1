"""The nursery as the supervisor sees it: forks on demand, how they ended, and its next generation."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from gateway.logs import get as get_logger
from gateway.server.channel import Listening, send
from gateway.server.messages import FROM_NURSERY, Fork, Forked, FromNursery, Gone, Renew, Renewed
from gateway.tasks import Tasks

__all__ = ["Generations"]

_log = get_logger("gateway.supervisor")


class Generations:
    """The root nursery, and the generation that workers are forked from now."""

    def __init__(self, root: socket.socket) -> None:
        self._root = root
        self._current = root
        self._tasks = Tasks("nursery")
        self._forked: dict[int, tuple[socket.socket, asyncio.Future[Forked]]] = {}
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._closing = False
        self.gone = False

    def __repr__(self) -> str:
        return f"<Generations, {'the root' if self._current is self._root else 'a later one'}>"

    async def open(self) -> None:
        await self._attend(self._root)

    async def fork(self, slot: int, descriptors: Sequence[int]) -> int:
        """The process id of a new worker. Raises OSError when there is none now.

        `gone` tells whether there can be one later.
        """
        loop = asyncio.get_running_loop()
        send(self._current, Fork(slot=slot), descriptors)
        answer: asyncio.Future[Forked] = loop.create_future()
        self._forked[slot] = self._current, answer
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

    async def renew(self, *, seconds: float) -> Renewed:
        """Have everything read anew; what is good becomes what workers are forked from."""
        ours, its = socket.socketpair()
        try:
            send(self._root, Renew(), [its.fileno()])
        except OSError as error:
            ours.close()
            return Renewed(version="", faults=f"the nursery is gone ({error.strerror})")
        finally:
            its.close()
        channel = Listening(ours, FROM_NURSERY)
        await channel.open()
        answer: FromNursery | None = None
        silence = "the new generation ended without a word"
        try:
            async with asyncio.timeout(seconds):
                answer = await channel.next()
        except TimeoutError:
            silence = f"the files could not be read and compiled in {seconds:.0f} s"
        finally:
            if not isinstance(answer, Renewed) or answer.faults:
                channel.close()
        if not isinstance(answer, Renewed):
            return Renewed(version="", faults=silence)
        if not answer.faults:
            self._follow(channel, ours)
        return answer

    def _follow(self, channel: Listening[FromNursery], generation: socket.socket) -> None:
        old, self._current = self._current, generation
        self.gone = False
        _ = self._tasks.start(self._hear(channel, generation), name="generation")
        if old is not self._root:
            # It does what it has still been asked, and ends; its workers do not.
            with contextlib.suppress(OSError):
                old.shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        self._closing = True
        await self._tasks.close()
        self._root.close()
        self._current.close()

    async def _attend(self, nursery: socket.socket) -> None:
        channel = Listening(nursery, FROM_NURSERY)
        await channel.open()
        _ = self._tasks.start(self._hear(channel, nursery), name="root")

    async def _hear(self, channel: Listening[FromNursery], nursery: socket.socket) -> None:
        try:
            while (message := await channel.next()) is not None:
                match message:
                    case Forked():
                        self._settle_fork(message)
                    case Gone():
                        self.note_end(message.pid, message.status)
                    case Renewed():
                        pass  # only the first message of a generation, and `renew` reads it
        finally:
            channel.close()
        if nursery is self._current and not self._closing:
            self.gone = True
            _log.critical("the nursery is gone: workers that die cannot be replaced")
        for slot in [each for each, (asked, _) in self._forked.items() if asked is nursery]:
            self._settle_fork(Forked(slot=slot, pid=0, fault="the nursery ended instead"))

    def _settle_fork(self, message: Forked) -> None:
        _, answer = self._forked.pop(message.slot, (None, None))
        if answer is not None and not answer.done():
            if message.pid:  # at once: the news of its end may be next
                self._ends[message.pid] = asyncio.get_running_loop().create_future()
            answer.set_result(message)
