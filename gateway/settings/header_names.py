"""Which header names a setting may name: those that are nobody else's business.

Framing belongs to the wire, hop-by-hop headers end at each hop, identity and forwarding headers
are set anew by the gateway for every request. A setting that could name one of them would hand
the client a way around the decision (threats H-1 to H-6). Names are compared without case; `_`
and `.` are not allowed in one, because servers behind us may fold them into `-` (threat H-2).
"""

import re

__all__ = ["complaint"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")

# RFC 9110 section 7.6.1 and RFC 9112 section 6; the rest by custom.
_FRAMING = frozenset({"content-length", "transfer-encoding", "trailer", "te", "expect", "host"})
_BODY = frozenset({"content-encoding", "content-type"})
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings"}
)
_IDENTITY = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authenticate",
        "proxy-authorization",
        "remote-user",
        "set-cookie",
        "www-authenticate",
    }
)
_FORWARDING = frozenset(
    {"forwarded", "via", "x-real-ip", "x-request-id", "x-original-url", "x-original-uri"}
    | {"x-rewrite-url", "x-request-uri", "x-client-ip", "x-cluster-client-ip", "true-client-ip"}
)
_FORWARDING_PREFIXES = ("x-forwarded-", "x-envoy-")
# "Not to be provided by customer" (UCS 9.1 REST API, createProfile); threat H-12.
_UPSTREAMS_OWN = frozenset({"x-genesys-segment"})
_METHOD_OVERRIDES = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})

_RESERVED = (
    (_FRAMING, "it frames the message"),
    (_BODY, "it describes a body that was decided on"),
    (_HOP_BY_HOP, "it ends at each hop"),
    (_IDENTITY, "it carries credentials"),
    (_FORWARDING, "the gateway sets it or drops it for every request"),
    (_UPSTREAMS_OWN, "it is UCS's own and never a client's"),
    (_METHOD_OVERRIDES, "it may change the method after the decision"),
)


def complaint(name: str) -> str | None:
    """Why no setting may name this header; None where one may."""
    if not _NAME.fullmatch(name):
        return "expected a header name of ASCII letters, digits and `-`, beginning with a letter"
    lower = name.lower()
    if lower.startswith(_FORWARDING_PREFIXES):
        return "the gateway sets it or drops it for every request"
    return next((why for names, why in _RESERVED if lower in names), None)
