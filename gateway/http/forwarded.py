"""Whose client is this: what a proxy in front says of it, believed only where it was named.

A client can write any `X-Forwarded-For`; a proxy appends the address that it saw. So the list is
read from its end, as long as each address is one of a trusted proxy, and the first that is not is
the client. What stands before it is the client's own claim and is not even looked at. Whatever is
looked at is an address in plain syntax, or the request is refused: no ports, no brackets, no
quotes, no names (threat H-5). The upstream is told the verified part only, written anew.

`Forwarded` and the other `X-Forwarded-*` are never read and never passed on (threat H-4).
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from gateway.errors import HeaderRejected
from gateway.settings.neighbours import UNIX

__all__ = ["Origin", "Peer", "Proxies"]

_Address = IPv4Address | IPv6Address

_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")
_SCHEMES = frozenset({b"http", b"https"})

_NO_ADDRESS = "local"

# More proxies in a row than anybody has; each address takes longer to read than a header.
_MAX_HOPS = 16


def _read_address(text: str) -> _Address | None:
    """An address in plain syntax, an IPv4 one in IPv6's clothes as IPv4; None for all else."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


class Origin(NamedTuple):
    """Who a request comes from: the name in the audit, and the lines for the upstream."""

    peer: str
    lines: bytes


class Peer(NamedTuple):
    """Who is connected: `origin` is that of its requests, unless it is trusted and says another."""

    address: _Address | None
    scheme: bytes
    is_trusted: bool
    origin: Origin


class Proxies:
    """The peers whose word about their clients counts; nobody unless named."""

    __slots__ = ("_networks", "_unix")

    def __init__(self, entries: Iterable[str] = ()) -> None:
        networks: list[IPv4Network | IPv6Network] = []
        self._unix = False
        for entry in entries:
            if entry == UNIX:
                self._unix = True
            else:
                networks.append(ip_network(entry))
        self._networks = tuple(networks)

    def __repr__(self) -> str:
        names = [*map(str, self._networks), *((UNIX,) if self._unix else ())]
        return f"<Proxies {', '.join(names) or 'none'}>"

    def peer(self, host: str | None, scheme: bytes) -> Peer:
        """Whoever connected from `host`, None for one that came by a Unix socket."""
        if host is None:
            return Peer(
                None, scheme, self._unix, Origin(_NO_ADDRESS, _lines([_NO_ADDRESS], scheme))
            )
        # An interface (`fe80::1%eth0`) means something on this machine only.
        address = _read_address(host.partition("%")[0])
        told = host if address is None else str(address)
        is_trusted = address is not None and self._trusts(address)
        return Peer(address, scheme, is_trusted, Origin(host, _lines([told], scheme)))

    def origin(self, peer: Peer, said_for: bytes | None, said_scheme: bytes | None) -> Origin:
        """The origin of a request by which `peer` said so of its client.

        Raises HeaderRejected where a trusted peer said what cannot be read.
        """
        if not peer.is_trusted or said_for is said_scheme is None:
            return peer.origin
        chain = [] if said_for is None else self._verified(said_for)
        client = chain[0] if chain else peer.origin.peer
        if peer.address is not None:
            chain.append(str(peer.address))
        scheme = peer.scheme if said_scheme is None else said_scheme.strip(b" \t")
        if scheme not in _SCHEMES:
            raise HeaderRejected("`X-Forwarded-Proto` is neither `http` nor `https`")
        return Origin(client, _lines(chain or [client], scheme))

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)

    def _verified(self, value: bytes) -> list[str]:
        """The end of the list that trusted proxies vouch for, the client first."""
        chain: list[str] = []
        for text in reversed(value.decode("latin-1").split(",")):
            address = _read_address(text.strip(" \t"))
            if address is None:
                raise HeaderRejected("`X-Forwarded-For` is not a list of plain addresses")
            chain.append(str(address))
            if not self._trusts(address):
                break
            if len(chain) > _MAX_HOPS:
                raise HeaderRejected("`X-Forwarded-For` goes through too many proxies")
        return chain[::-1]


def _lines(chain: list[str], scheme: bytes) -> bytes:
    listed = ", ".join(chain).encode("ascii", "replace")
    return b"x-forwarded-for: %b\r\nx-forwarded-proto: %b\r\n" % (listed, scheme)
