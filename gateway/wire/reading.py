"""How header sections are read on one port: by whose limits, for which hosts, believing whom.

Whatever depends on a section's bytes and on the peer alone is worked out here, once for each
section: a connection that repeats its section has its answer already. So this is where `Host` is
held against the names of the gateway, and where a trusted proxy is asked for its client.
"""

from gateway.errors import Misdirected
from gateway.exchange import PeerCertificate, Section
from gateway.http.forwarded import Peer, Proxies
from gateway.http.head import read_request_fields
from gateway.http.host import Hosts

__all__ = ["Reading"]


class Reading:
    """The rules of one port, shared by all of its connections."""

    __slots__ = ("_max_headers", "_passable", "hosts", "proxies")

    def __init__(
        self,
        *,
        max_headers: int,
        passable: frozenset[bytes],
        hosts: Hosts | None = None,
        proxies: Proxies | None = None,
    ) -> None:
        self.hosts = Hosts() if hosts is None else hosts
        self.proxies = Proxies() if proxies is None else proxies
        self._max_headers = max_headers
        self._passable = passable

    def __repr__(self) -> str:
        return f"<Reading for {self.hosts!r} behind {self.proxies!r}>"

    def section(
        self, raw: bytes, peer: Peer, certificate: PeerCertificate | None = None
    ) -> Section:
        """A header section with the CRLF before it. Raises RequestRejected, HeadTooLarge or
        Misdirected.
        """
        headers = read_request_fields(raw, max_headers=self._max_headers, passable=self._passable)
        if headers.host is not None and headers.host not in self.hosts:
            raise Misdirected("`Host` is none of listen.hosts")
        origin = self.proxies.origin(peer, headers.said_for, headers.said_scheme)
        return Section(headers, origin, certificate)
