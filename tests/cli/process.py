"""A command in a process of its own, for what only a process has: signals, an end, a first line."""

import asyncio
import json
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.settings import Address
from tests.support.cases import ROOT

PATIENCE_SECONDS = 60


class Running:
    """A command that runs until it is told to end. Its log is on standard error."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.send_signal = process.send_signal
        self.pid = process.pid

    async def said(self, words: str) -> str:
        """The next line of standard output with these words."""
        return await self._line(self._process.stdout, words)

    async def logged(self, event: str) -> Mapping[str, Any]:
        """The next entry of the log for this event."""
        entry: Mapping[str, Any] = json.loads(
            await self._line(self._process.stderr, f'"event":"{event}"')
        )
        return entry

    async def _line(self, stream: asyncio.StreamReader | None, words: str) -> str:
        assert stream is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := (await stream.readline()).decode():
                if words in line.replace('": "', '":"'):
                    return line
        raise AssertionError(f"it ended without saying `{words}`")

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode

    async def clean_up(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


@asynccontextmanager
async def running(
    *arguments: object,
    environ: Mapping[str, str] | None = None,
    activated: socket.socket | None = None,
) -> AsyncIterator[Running]:
    """`activated` is handed over as systemd hands over the socket of a socket unit."""
    command_line = [sys.executable, "-m", "gateway.cli", *map(str, arguments)]
    descriptors: tuple[int, ...] = ()
    if activated is not None:
        # What systemd does between fork and exec: descriptor 3, and the pid of the process itself.
        descriptors = (activated.fileno(),)
        script = 'exec 3<&"$ACTIVATED"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
        command_line = ["/bin/bash", "-c", script, "activate", *command_line]
        environ = {**(environ or {}), "ACTIVATED": str(activated.fileno())}
    process = await asyncio.create_subprocess_exec(
        *command_line, cwd=ROOT, stdout=PIPE, stderr=PIPE, pass_fds=descriptors,
        env={**os.environ, **(environ or {})},
    )  # fmt: skip
    command = Running(process)
    try:
        yield command
    finally:
        await command.clean_up()


async def ended(*arguments: object) -> tuple[int, str, str]:
    """A command that ends by itself: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *map(str, arguments), cwd=ROOT, stdout=PIPE, stderr=PIPE
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def serving(gateway: Running) -> tuple[Address, Address]:
    """Where a gateway that has just started listens: for clients, and for probes."""
    entry = await gateway.logged("serving")
    return Address.parse(entry["address"]), Address.parse(entry["admin"])


def children_of(pid: int) -> list[int]:
    """Every process below `pid`, deepest last."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *children_of(int(child))]
    return found


def workers_of(gateway: Running) -> list[int]:
    """The worker processes: those that were forked from the nursery."""
    (nursery,) = [int(child) for child in _direct_children(gateway.pid)]
    return children_of(nursery)


def _direct_children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
