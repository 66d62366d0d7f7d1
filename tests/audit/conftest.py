"""What the tests of the audit share."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs


@pytest.fixture
def log() -> Iterator[list[dict[str, Any]]]:
    """Entries of the operational log, as they are written."""
    with capture_logs() as entries:
        yield entries  # type: ignore[misc]  # structlog says MutableMapping
