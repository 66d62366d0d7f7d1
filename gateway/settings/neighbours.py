"""Names and networks around the public port: by what name it is called, and whose word counts.

Both are written in one way only, lower-case and in the shortest form, so that comparing them with
what a request says is comparing text.
"""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from gateway.settings.values import Address

__all__ = ["UNIX", "HostName", "TrustedPeer"]

UNIX = "unix"
"""Stands for every peer that has no address because it connected by a Unix socket."""


def _host(value: str) -> str:
    """`name` or `name:port`; RFC 9110 section 7.2 compares names without case."""
    bare = value.endswith("]") or ":" not in value
    try:
        address = Address.parse(f"{value}:1" if bare else value)
    except PydanticCustomError:
        address = None
    if address is None or address.port == 0 or address.host.endswith("."):
        raise PydanticCustomError(
            "host-malformed",
            "expected a name or an address such as `ucs.example.com`, with `:port` or without, no"
            " dot at its end, and an IPv6 address in brackets",
        )
    host = address.host.lower()
    if ":" in host:
        host = f"[{ipaddress.IPv6Address(host)}]"
    return host if bare else f"{host}:{address.port}"


HostName = Annotated[str, AfterValidator(_host)]
"""What may stand in `Host`, in the one form in which it is compared."""


def _peer(value: str) -> str:
    if value == UNIX:
        return value
    try:
        network = ipaddress.ip_network(value)
    except ValueError:
        network = None
    if network is None or "%" in value:
        raise PydanticCustomError(
            "network-malformed",
            "expected an address such as `192.0.2.7`, a network such as `10.20.0.0/16` with no bit"
            " set behind its prefix, or `unix`",
        )
    if network.prefixlen == 0:
        raise PydanticCustomError(
            "network-everybody",
            "this names everybody, and so any client could claim any address: name the proxies",
        )
    return str(network)


TrustedPeer = Annotated[str, AfterValidator(_peer)]
"""A network in its canonical form, or `unix`."""
