"""The SDK's process for all tests of this folder, and a fresh platform for each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.standin.platform import running_platform
from gateway.standin.platform.app import RunningPlatform
from tests.support import sdk as sdk_process
from tests.support.sdk import Sdk


@pytest.fixture(scope="session")
def sdk() -> Iterator[Sdk]:
    with sdk_process.running() as running:
        yield running


@pytest.fixture
async def platform() -> AsyncIterator[RunningPlatform]:
    async with running_platform() as running:
        yield running
