"""A worker is forked, kills itself in earnest, and its parent finds everything."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_STORY = """
import asyncio, os, signal, sys, threading
from pathlib import Path
from gateway.audit import AuditWriter, Composer, FileSink, Journal, recover_into
from gateway.clock import SystemClock
from gateway.exchange import Ending
from tests.support.audit import an_exchange

path, flush_seconds = Path(sys.argv[1]), float(sys.argv[2])
journal = Journal.create(1 << 20)
writer = AuditWriter(
    FileSink(path), Composer(b"k" * 32), journal=journal, flush_seconds=flush_seconds
)
assert threading.active_count() == 1, "a thread would not survive the fork"


def serve(name):
    exchange = an_exchange(name, began_at=SystemClock.monotonic())
    writer.reserve()
    writer.note(exchange)
    return exchange


def answer(exchange):
    exchange.ended_at = SystemClock.monotonic()
    exchange.wall = SystemClock.wall()
    exchange.status, exchange.ending = 200, Ending.COMPLETE
    writer.write(exchange)


async def work():
    await writer.start()
    for turn in range(50):
        for number in range(10):
            answer(serve(f"ended-{turn}-{number}"))
        await asyncio.sleep(0)
    for number in range(5):
        serve(f"begun-{number}")
    writer.reserve()  # a request that is being read
    answer(serve("last"))
    writer.commit()
    os.kill(os.getpid(), signal.SIGKILL)


child = os.fork()
if child == 0:
    asyncio.run(work())
    os._exit(1)
_, status = os.waitpid(child, 0)
assert os.WTERMSIG(status) == signal.SIGKILL, status
before = len(path.read_bytes().splitlines())
lines, intents = recover_into(journal, FileSink(path), SystemClock())
again = recover_into(journal, FileSink(path), SystemClock())
print(before, lines, intents, *again)
"""


def told(path: Path, flush_seconds: float) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", _STORY, str(path), str(flush_seconds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("flush_seconds", [60.0, 0.000_01], ids=["before-the-flush", "during-it"])
def test_a_worker_that_is_killed_loses_no_line(flush_seconds: float, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"

    before, lines, intents, *again = told(path, flush_seconds)

    if flush_seconds == 60.0:
        assert (before, lines) == (0, 501)
    assert (intents, again) == (5, [0, 0])
    endings = {}
    for line in path.read_bytes().splitlines():
        record = json.loads(line)
        assert record["id"] not in endings
        endings[record["id"]] = (record["ending"], record["status"])
    ended = {f"ended-{turn}-{number}" for turn in range(50) for number in range(10)}
    assert {name for name, how in endings.items() if how == ("complete", 200)} == ended | {"last"}
    assert {name for name, how in endings.items() if how == ("worker-lost", None)} == {
        f"begun-{number}" for number in range(5)
    }
    assert len(endings) == 506
