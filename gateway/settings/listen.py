"""Where the gateway listens, as whom, and whom it believes: the public port and the admin port."""

import re
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from gateway.settings.base import Section
from gateway.settings.neighbours import HostName, TrustedPeer
from gateway.settings.secret import Secret, SecretFile
from gateway.settings.tls import TlsSettings
from gateway.settings.values import Address, AddressField, ListenField, SocketPath

__all__ = ["Admin", "Listen"]

_TOKEN = re.compile(rb"[!-~]{16,256}")


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
    hosts: Annotated[tuple[HostName, ...], Field(strict=False)] = Field(
        default=(),
        description="names that clients may call the gateway by in `Host`, else 421; with a port"
        " only that port, without one any; empty for any name, since no upstream ever sees it; a"
        " request in absolute form, as a client sends it to a forward proxy, is taken only for a name"
        " that stands here",
        examples=[["ucs.example.com", "ucs.example.com:8443", "[2001:db8::1]"]],
    )
    trusted_proxies: Annotated[tuple[TrustedPeer, ...], Field(strict=False)] = Field(
        default=(),
        description="proxies in front whose `X-Forwarded-For` and `X-Forwarded-Proto` count, as"
        " addresses or networks, or `unix` for whoever connects by a Unix socket; nobody by default,"
        " and from anybody else both are dropped",
        examples=[["192.0.2.7", "10.20.0.0/16", "unix"]],
    )


class Admin(Section):
    """The side door: health, readiness, metrics, policy. Never the public port (threat A-1)."""

    address: AddressField = Field(
        default=Address("127.0.0.1", 9090),
        description="where probes and Prometheus connect; keep it away from clients",
        json_schema_extra={"default": "127.0.0.1:9090"},
    )
    token_file: SecretFile | None = Field(
        default=None,
        description="file with the token that calls which change something have to show, at least"
        " 16 characters; without it nothing can be changed over this port",
    )

    @field_validator("token_file")
    @classmethod
    def _token_is_long_enough(cls, token: Secret | None) -> Secret | None:
        if token is not None and not _TOKEN.fullmatch(token.value):
            raise PydanticCustomError(
                "token-malformed",
                "expected 16 to 256 visible ASCII characters: try `openssl rand -hex 32`",
            )
        return token
