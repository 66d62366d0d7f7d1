"""The address of an HTTP server as somebody else writes it: what clients call us, what UCS calls
itself.

Unlike the address of a node it is never connected to, so `https` may stand in it whatever the
gateway itself can speak.
"""

from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.settings.values import Url, host_and_port

__all__ = ["OriginField"]

_DEFAULT_PORT = {"http": 80, "https": 443}


def _origin(value: object) -> Url:
    """Read `http[s]://host[:port]`."""
    if isinstance(value, Url):
        return value
    if isinstance(value, str):
        scheme, _, rest = value.partition("://")
        authority = rest.removesuffix("/")
        if scheme in _DEFAULT_PORT:
            bare = authority.endswith("]") or ":" not in authority
            port = _DEFAULT_PORT[scheme]
            parsed = host_and_port(f"{authority}:{port}" if bare else authority)
            if parsed is not None and parsed[1]:
                return Url(scheme, *parsed)
    raise PydanticCustomError(
        "url-malformed",
        "expected `https://host`, `http://host:port` or the like, and nothing behind it",
    )


OriginField = Annotated[
    Url,
    PlainValidator(_origin),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "format": "uri", "examples": ["https://gateway.example.com"]}
    ),
]
