"""An upstream that records every byte, for each test its own."""

from collections.abc import AsyncIterator

import pytest

from tests.support.upstream import RecordingUpstream, recording_upstream


@pytest.fixture
async def upstream() -> AsyncIterator[RecordingUpstream]:
    async with recording_upstream() as recording:
        yield recording
