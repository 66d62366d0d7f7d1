"""One gateway and its admin port in the event loop that is running: for the demo and for tests.

As a service it runs in processes of its own, see `gateway.app.serve`.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.admin import AdminServer
from gateway.app.gateway import Gateway
from gateway.clock import Clock
from gateway.metrics import Snapshot
from gateway.server.doors import open_one
from gateway.server.readiness import Answers
from gateway.settings import Address, Settings
from policy import DecisionTable

__all__ = ["LocalGateway", "running"]


class LocalGateway:
    """A running gateway and where it is."""

    def __init__(self, gateway: Gateway, address: Address, admin_address: Address) -> None:
        self.gateway = gateway
        self.address = address
        self.admin_address = admin_address

    def __repr__(self) -> str:
        return f"<LocalGateway {self.address}>"


@asynccontextmanager
async def running(
    settings: Settings, table: DecisionTable, *, clock: Clock | None = None
) -> AsyncIterator[LocalGateway]:
    """Serve until the block ends. Raises SettingsInvalid, AuditUnavailable or OSError."""
    gateway = Gateway(settings, table, clock=clock)

    async def snapshot() -> Snapshot:
        return gateway.snapshot()

    async def checks() -> Answers:
        return gateway.checks()

    async with AsyncExitStack() as stack:
        sockets = open_one(settings.listen.address, {})
        for each in sockets:
            stack.callback(each.close)
        host, port = sockets[0].getsockname()[:2]
        admin = AdminServer(open_one(settings.admin.address, {}), snapshot=snapshot, checks=checks)
        await gateway.start(sockets)
        stack.push_async_callback(gateway.close)
        await admin.start()
        stack.push_async_callback(admin.close)
        yield LocalGateway(gateway, Address(host, port), Address(*admin.addresses[0]))
