"""Whether anything of one exchange ever appears in another, over a hundred thousand of them.

The same code as `tests/live/test_leak.py`, for longer: clients that pipeline, upload, leave and
are refused, an upstream that answers in every way there is, and pooled connections in between.
Gateway, clients and upstream share one process, so the time says nothing about speed.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from gateway.logs import configure
from tests.support.interleaving import interleave

__all__ = ["run"]

_EXCHANGES = 110_000
_SEED = 20261121


def run() -> None:
    """Print what was counted; a single fault ends with an error."""
    configure(level="critical")
    print(f"leak: {_EXCHANGES:,} interleaved exchanges, seed {_SEED}")
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        outcome = runner.run(interleave(Path(folder), exchanges=_EXCHANGES, seed=_SEED))
    print(*outcome.lines(), f"{time.monotonic() - begun:>9,.0f} seconds", sep="\n")
    if outcome.faults:
        sys.exit("leak: at least one exchange touched another")
