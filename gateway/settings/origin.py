"""The address of an HTTP server as somebody else writes it: what clients call us, what UCS calls
itself.

Unlike the address of a node it is never connected to, so `https` may stand in it whatever the
gateway itself can speak.
"""

from contextlib import suppress
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.settings.values import Address, Url

__all__ = ["OriginField"]

_DEFAULT_PORT = {"http": 80, "https": 443}


def _origin(value: object) -> Url:
    """Read `http[s]://host[:port]`."""
    if isinstance(value, Url):
        return value
    scheme, separator, rest = str(value).partition("://")
    authority = rest.removesuffix("/")
    if separator and scheme in _DEFAULT_PORT:
        bare = authority.endswith("]") or ":" not in authority
        with suppress(PydanticCustomError):
            at = Address.parse(f"{authority}:{_DEFAULT_PORT[scheme]}" if bare else authority)
            if at.port:
                return Url(scheme, at.host, at.port)
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
