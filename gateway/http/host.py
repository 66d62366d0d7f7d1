"""For whom a request is meant: `Host`, read strictly, against the names the gateway goes by.

The upstream is always sent its own name, so a client's `Host` decides nothing. It is still read
to its last character (threats H-7, D0-11): what is odd here was written to mean one thing to us
and another to somebody else. An empty list of names takes every well-formed one.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

from gateway.errors import HeaderRejected

__all__ = ["Host", "Hosts", "read_host"]

_LABEL = rb"[A-Za-z0-9_-]+"
_HOST = re.compile(
    rb"(?:(%b(?:\.%b)*)|\[([0-9A-Fa-f:.]{2,45})\])(?::(0|[1-9][0-9]{0,4}))?" % (_LABEL, _LABEL)
)
_MAX_PORT = 65_535
# RFC 1035 section 2.3.4, and a port.
_MAX_BYTES = 253 + len(":65535")


class Host(NamedTuple):
    """A name in lower case, or an IPv6 address in its canonical form; None without a port."""

    name: str
    port: int | None = None


@lru_cache(maxsize=1024)
def read_host(value: bytes) -> Host:
    """The value of `Host`: RFC 9110 section 7.2 without what no client sends, a dot at its end
    among it. Raises HeaderRejected.
    """
    match = _HOST.fullmatch(value) if len(value) <= _MAX_BYTES else None
    if match is None:
        raise HeaderRejected("`Host` is not a host with an optional port")
    name, literal, port_text = match.groups()
    port = None if port_text is None else int(port_text)
    if port is not None and port > _MAX_PORT:
        raise HeaderRejected("`Host` has a port that does not exist")
    if name is not None:
        return Host(name.decode("ascii").lower(), port)
    try:
        return Host(str(IPv6Address(literal.decode("ascii"))), port)
    except AddressValueError:
        raise HeaderRejected("`Host` is not a host with an optional port") from None


class Hosts:
    """The names the gateway goes by; one without a port is right with any."""

    __slots__ = ("_exact",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._exact = frozenset(read_host(name.encode("ascii")) for name in names)

    def __bool__(self) -> bool:
        """Whether there is a list at all."""
        return bool(self._exact)

    def __repr__(self) -> str:
        return f"<Hosts {sorted(host.name for host in self._exact) or 'any'}>"

    def __contains__(self, host: Host) -> bool:
        exact = self._exact
        return not exact or host in exact or Host(host.name) in exact
