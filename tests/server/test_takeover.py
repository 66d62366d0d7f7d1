"""Handing over to the next gateway, and to the one after it when the next one hangs."""

import asyncio
import socket
from pathlib import Path

from structlog.testing import capture_logs

from gateway.server.takeover import Predecessor, Successors


async def test_a_successor_that_hangs_keeps_no_other_from_taking_over(tmp_path: Path) -> None:
    path, dismissed = tmp_path / "takeover.sock", asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as public, capture_logs() as log:
        successors = Successors(
            path,
            sockets=lambda: ([public], []),
            dismissed=dismissed.set,
            serving_seconds=0.5,
        )
        successors.open()
        hanging = await asyncio.to_thread(Predecessor.find, path)
        second = await asyncio.to_thread(Predecessor.find, path)
        assert hanging is not None
        assert second is not None
        second.dismiss()
        async with asyncio.timeout(60):
            await dismissed.wait()
        await successors.close()
        for each in (*hanging.public, *second.public):
            each.close()
        hanging.dismiss()
    assert [entry["event"] for entry in log] == [
        "listening sockets handed over",
        "the other gateway did not come to serve in time: this one goes on",
        "listening sockets handed over",
    ]
