"""What befalls every request while its cause lasts is said once in a while: people read a log."""

import pytest
from structlog.testing import capture_logs

from gateway.errors import AuditUnavailable, GatewayError, IdentityUnavailable
from tests.support.house import House

GET = b"GET /nowhere HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer eve\r\n\r\n"


def failing(kind: type[GatewayError], monkeypatch: pytest.MonkeyPatch) -> House:
    """A house where nothing is carried out, for the same reason each time."""
    house = House()

    def reserve() -> None:
        raise kind("no space left")

    async def identify(_: object) -> None:
        raise kind("no space left")

    if kind is AuditUnavailable:
        monkeypatch.setattr(house.audit, "reserve", reserve)
    else:
        monkeypatch.setattr(house.authenticator, "identify", identify)
    return house


@pytest.mark.parametrize("kind", [AuditUnavailable, IdentityUnavailable])
def test_the_log_hears_of_a_flood_once_and_then_how_large_it_was(
    kind: type[GatewayError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-7: with the audit's disk full, that of the log would be next."""
    house = failing(kind, monkeypatch)

    def refused() -> bytes:
        client = house.connect()
        client.feed(GET)
        assert isinstance(client.connection._task.waits, bool)
        return client.transport.written

    with capture_logs() as entries:
        for _ in range(5):
            assert refused().startswith(b"HTTP/1.1 503 ")
        house.clock.advance(10)
        refused()
    assert [entry["detail"] for entry in entries] == [
        "no space left",
        "no space left (and 4 more since this was last said)",
    ]
    counted = house.metrics.snapshot().readings["gateway_refusals_total"]
    assert counted[kind.code,] == 6
