"""The process from which workers are forked: everything that can fail has been done there before.

It holds a gateway that is complete but not started: settings, secrets, policy and keys are read,
and it has neither threads nor an event loop, so that a fork of it is safe and takes a millisecond.
A worker that dies is replaced from memory, whatever has become of the files meanwhile; a broken
edit can therefore never keep a worker from coming back. What is forked is shared until it is
changed, so the policy is in memory once, not once for each worker.

After a reload the root forks a *generation*: a child that makes everything anew and is forked from
in its place. It gets the sources of the policy from the supervisor, compiles them, and gives back
the table for the workers that serve already. One that finds a fault says so and ends, and the old
one stays. The root itself never
changes, so a thousand reloads later a generation still starts from a clean process.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn, Protocol

from gateway.attempts import Refused
from gateway.server.channel import receive, send
from gateway.server.messages import (
    TO_NURSERY,
    Fork,
    Forked,
    Gone,
    Part,
    Prepare,
    Renewed,
    ToNursery,
)

__all__ = ["Nursery", "Prepared", "start_nursery"]

_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Closable(Protocol):
    def close(self) -> None: ...


class Prepared(Protocol):
    """What a worker starts from."""

    @property
    def version(self) -> str:
        """Which policy that is."""

    def parts(self) -> Iterator[bytes]:
        """Its decision table, for workers that serve already."""

    def serve(self, channel: socket.socket, descriptors: list[int], slot: int) -> int:
        """Be worker number `slot` until told to end; the exit status."""


PrepareAnew = Callable[[bytes], Prepared]
"""From packed sources to what workers start from. Raises Refused."""


def start_nursery(prepared: Prepared, prepare_anew: PrepareAnew) -> socket.socket:
    """Fork the root; our end of its channel.

    To be called before this process has a thread, an event loop or a listening socket: whatever
    it has, all its descendants have too.
    """
    ours, its = socket.socketpair()
    gc.collect()
    gc.freeze()
    pid = os.fork()
    if not pid:
        ours.close()
        _leave(Nursery(its, prepared, prepare_anew).run)
    its.close()
    gc.unfreeze()
    return ours


def _leave(run: Callable[[], int]) -> NoReturn:
    """Run to the end of this process, without the clean-up that belongs to the one it came from."""
    status = 1
    try:
        status = run()
    except BaseException:  # noqa: BLE001 - the end of a process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class Nursery:
    """One generation, or the root."""

    def __init__(
        self, channel: socket.socket, prepared: Prepared, prepare_anew: PrepareAnew
    ) -> None:
        self._channel = channel
        self._prepared = prepared
        self._prepare_anew = prepare_anew

    def __repr__(self) -> str:
        return f"<Nursery {self._prepared.version}>"

    def run(self) -> int:
        """Fork on demand until the supervisor is gone."""
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        alarm, wakeup = socket.socketpair()
        alarm.setblocking(False)
        wakeup.setblocking(False)
        signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(alarm, selectors.EVENT_READ)
            own = (alarm, wakeup, self._channel, selector)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if alarm in ready:
                    with contextlib.suppress(BlockingIOError):
                        alarm.recv(4096)
                    if not self._reap():
                        return 0
                if self._channel in ready and not self._obey(own):
                    return 0

    def _reap(self) -> bool:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if not pid:
                return True
            try:
                send(self._channel, Gone(pid=pid, status=status))
            except OSError:
                return False

    def _obey(self, own: Sequence[_Closable]) -> bool:
        """Do what the next message asks; whether there may be more of them.

        A fork that fails, for want of memory or of process ids, is told and nothing else: this
        process is what later ones will be made from.
        """
        received = receive(self._channel, TO_NURSERY)
        if received is None:
            return False
        message, descriptors = received
        fault = ""
        try:
            pid = os.fork()
        except OSError as error:
            pid, fault = -1, f"cannot fork: {(error.strerror or str(error)).lower()}"
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in own:
                each.close()
            _leave(lambda: self._be_what_was_asked(message, descriptors))
        try:
            if isinstance(message, Fork):
                send(self._channel, Forked(slot=message.slot, pid=max(pid, 0), fault=fault))
            elif fault:
                with socket.socket(fileno=os.dup(descriptors[0])) as generation:
                    send(generation, Renewed(version="", faults=fault))
        except OSError:
            return False
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _be_what_was_asked(self, message: ToNursery, descriptors: list[int]) -> int:
        if isinstance(message, Fork):
            return self._be_worker(message, descriptors)
        return self._be_generation(descriptors)

    def _be_worker(self, message: Fork, descriptors: list[int]) -> int:
        channel, *others = descriptors
        return self._prepared.serve(socket.socket(fileno=channel), others, message.slot)

    def _be_generation(self, descriptors: list[int]) -> int:
        channel = socket.socket(fileno=descriptors[0])
        received = receive(channel, TO_NURSERY)
        if received is None or not isinstance(received[0], Prepare):
            return 0
        asked = received[0]
        # Compiling makes millions of values and no garbage in circles: looking for some takes longer
        # than all the rest.
        gc.disable()
        try:
            prepared = self._prepare_anew(asked.sources)
        except Refused as refused:
            send(channel, Renewed(version="", faults=str(refused), findings=refused.findings))
            return 0
        if prepared.version != asked.known:
            for part in prepared.parts():
                send(channel, Part(data=part))
        del received, asked
        gc.collect()
        gc.freeze()
        gc.enable()
        send(channel, Renewed(version=prepared.version, faults=""))
        return Nursery(channel, prepared, self._prepare_anew).run()
