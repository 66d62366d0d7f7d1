"""Where the gateway listens: the public port for everyone, the admin port for its keepers."""

from pydantic import Field

from gateway.settings.base import Section
from gateway.settings.tls import TlsSettings
from gateway.settings.values import Address, AddressField, ListenField, SocketPath

__all__ = ["Admin", "Listen"]


class Listen(Section):
    """The public port: the proxy and nothing else."""

    address: ListenField = Field(
        default=Address("127.0.0.1", 8080),
        description="where clients connect: `host:port` (port 0 lets the system choose),"
        " `unix:/path/to/socket`, or `systemd` for the sockets of its socket unit",
        json_schema_extra={"default": "127.0.0.1:8080"},
    )
    takeover_socket: SocketPath | None = Field(
        default=None,
        description="Unix socket through which a newly started gateway takes over from this one:"
        " it gets the listening sockets, and this one ends when its requests have; without it a"
        " second gateway on the same address does not start",
    )
    tls: TlsSettings | None = Field(
        default=None, description="speak HTTPS there; without it clients connect with plain HTTP"
    )


class Admin(Section):
    """The side door: health, readiness, metrics. Never the public port (threat A-1)."""

    address: AddressField = Field(
        default=Address("127.0.0.1", 9090),
        description="where probes and Prometheus connect; keep it away from clients",
        json_schema_extra={"default": "127.0.0.1:9090"},
    )
