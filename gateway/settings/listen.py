"""Where the gateway listens: the public port for everyone, the admin port for its keepers."""

from pydantic import Field

from gateway.settings.base import Section
from gateway.settings.values import Address, AddressField

__all__ = ["Admin", "Listen"]


class Listen(Section):
    """The public port: the proxy and nothing else."""

    address: AddressField = Field(
        default=Address("127.0.0.1", 8080),
        description="where clients connect, as `host:port`; port 0 lets the system choose",
        json_schema_extra={"default": "127.0.0.1:8080"},
    )


class Admin(Section):
    """The side door: health, readiness, metrics. Never the public port (threat A-1)."""

    address: AddressField = Field(
        default=Address("127.0.0.1", 9090),
        description="where probes and Prometheus connect; keep it away from clients",
        json_schema_extra={"default": "127.0.0.1:9090"},
    )
