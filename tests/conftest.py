"""What holds for every test: which event loop, how many examples, how a tool that is absent shows.

Whatever opens real connections through the gateway runs on uvloop, as in production.
"""

import asyncio
import gc
import os
from collections.abc import Callable, Iterator, Mapping

import pytest
import uvloop
from hypothesis import HealthCheck, settings

_ON_UVLOOP = ("live", "cases", "cli")

# `ci` is what `.ci/run` uses: more examples, and the same for the same tests, so that it is red for
# what was changed and not for the dice. The default looks elsewhere each time, and is shorter.
settings.register_profile("default", max_examples=60, deadline=None)
settings.register_profile(
    "ci",
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    folder = item.path.relative_to(config.rootpath / "tests").parts[0]
    if folder in _ON_UVLOOP:
        return {"uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture(autouse=True)
def _the_collector_as_it_was() -> Iterator[None]:
    """A worker settles the memory of its process for good; the next test has it as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()
