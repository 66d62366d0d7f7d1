"""Targets in absolute form: what a client sends that takes the gateway for its forward proxy.

RFC 9112 section 3.2.2 has servers accept it. Where the name in it decides anything, it has to be
read as strictly as `Host`, and two names for one request mean two things to two readers (threats
D0-5, P-27). So it is taken only where it says what `Host` says, and `Host` is one of the names
that the gateway was given; every other one stays as it is, and is refused as no target.
"""

import re

from gateway.errors import HeaderRejected
from gateway.http.host import Host, read_host

__all__ = ["origin_form"]

_ABSOLUTE = re.compile(rb"http://([^/?#@]+)(/.*)")


def origin_form(raw: bytes, host: Host | None) -> bytes:
    """Path and query of an absolute-form target that names `host`; any other target as it is."""
    match = _ABSOLUTE.fullmatch(raw)
    if match is None:
        return raw
    try:
        named = read_host(match[1])
    except HeaderRejected:
        return raw
    return match[2] if named == host else raw
