"""Nothing of one exchange ever appears in another. `python -m benchmarks leak` runs many more."""

import asyncio
from pathlib import Path

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.interleaving import interleave


async def test_interleaved_exchanges_never_meet(tmp_path: Path) -> None:
    outcome = await interleave(tmp_path, exchanges=3000, seed=1)
    counts = outcome.counts
    assert outcome.faults == []
    assert counts["exchanges"] == 3000
    # It was a test at all: connections were shared, and everything there is has happened.
    assert counts["requests at the upstream"] > 2 * outcome.upstream_connections
    assert outcome.most_on_one_connection > 8
    assert min(counts["answered"], counts["refused"], counts["left in upload"]) > 20


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1_000_000), clients=st.integers(1, 40))
def test_interleaved_exchanges_never_meet_however_they_fall(
    tmp_path_factory: pytest.TempPathFactory, seed: int, clients: int
) -> None:
    folder = tmp_path_factory.mktemp("site")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(interleave(folder, exchanges=200, seed=seed, clients=clients))
    assert outcome.faults == []


async def test_a_reply_that_went_astray_would_be_noticed(tmp_path: Path) -> None:
    outcome = await interleave(tmp_path, exchanges=1000, seed=2, leaky=True)
    assert any("got another reply" in fault or "saw" in fault for fault in outcome.faults)
