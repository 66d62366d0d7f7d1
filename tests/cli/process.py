"""A command in a process of its own, for what only a process has: signals, an end, a first line."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from gateway.settings import Address
from tests.support.cases import ROOT

PATIENCE_SECONDS = 60


class Running:
    """A command that runs until it is told to end. Its log is on standard error."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.send_signal = process.send_signal

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
async def running(*arguments: object) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *map(str, arguments), cwd=ROOT, stdout=PIPE, stderr=PIPE
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
