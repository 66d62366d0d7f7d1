"""The kinds of value that settings are made of: addresses, URLs, paths, names, secrets.

Each is parsed once, here, into a value that cannot be malformed; each says in its finding what
was expected. Nothing here opens a socket or resolves a name.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from gateway.settings.base import surroundings

__all__ = [
    "Activated",
    "Address",
    "AddressField",
    "BasePath",
    "Bytes",
    "Count",
    "FrozenMapping",
    "HostName",
    "ListenAt",
    "ListenField",
    "Name",
    "Seconds",
    "SocketPath",
    "UnixPath",
    "Url",
    "UrlField",
]

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Bytes = Annotated[int, Field(ge=1, le=1 << 40)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")
_MAX_PORT = 65_535


def _host_and_port(text: str) -> tuple[str, int] | None:
    """`host:port`, with an IPv6 host in brackets; None where it is anything else."""
    host, colon, port_text = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port_text) or int(port_text) > _MAX_PORT:
        return None
    if host.startswith("[") and host.endswith("]"):
        host, numeric = host[1:-1], True
    else:
        numeric = False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return (host, int(port_text)) if not numeric and _is_host_name(host) else None
    return (host, int(port_text)) if numeric is (address.version == 6) else None


def _is_host_name(host: str) -> bool:
    # `127.1` and `0177.0.0.1` are addresses to some resolvers and names to others: neither here.
    last_label = host.rstrip(".").rpartition(".")[2]
    return bool(_HOST_NAME.fullmatch(host)) and len(host) <= 253 and not last_label.isdigit()


def _host_name(value: str) -> str:
    if not _is_host_name(value):
        raise PydanticCustomError("host-malformed", "expected the name of a host")
    return value


HostName = Annotated[str, AfterValidator(_host_name)]


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Address:
    """A place to listen on. Port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return _written(self.host, self.port)

    @classmethod
    def parse(cls, value: object) -> "Address":
        """Read `host:port`; IPv6 in brackets. The host is always written out, never "all"."""
        if isinstance(value, Address):
            return value
        parsed = _host_and_port(value) if isinstance(value, str) else None
        if parsed is None:
            raise PydanticCustomError(
                "address-malformed",
                "expected `host:port` such as `127.0.0.1:8080` or `[::1]:8080`",
            )
        return cls(*parsed)


@dataclass(frozen=True, slots=True)
class UnixPath:
    """A Unix domain socket to listen on."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class Activated:
    """Whatever sockets systemd has opened for this process."""

    def __str__(self) -> str:
        return "systemd"


ListenAt = Address | UnixPath | Activated


def _listen_at(value: object) -> ListenAt:
    if isinstance(value, Address | UnixPath | Activated):
        return value
    if value == "systemd":
        return Activated()
    if isinstance(value, str) and value.startswith("unix:"):
        return UnixPath(socket_path(value.removeprefix("unix:")))
    parsed = _host_and_port(value) if isinstance(value, str) else None
    if parsed is None:
        raise PydanticCustomError(
            "address-malformed",
            "expected `host:port` such as `127.0.0.1:8080` or `[::1]:8080`, `unix:/path/to/socket`"
            " or `systemd`",
        )
    return Address(*parsed)


# sockaddr_un has room for 108 bytes with the final NUL; a takeover's socket is put in place under
# a name that is longer by a dot and a process id.
_MAX_SOCKET_PATH_BYTES = 96


def socket_path(value: object) -> Path:
    """Where a Unix socket is to be, from the settings file's folder."""
    if isinstance(value, str) and value and "\0" not in value:
        value = Path(value)
    if not isinstance(value, Path):
        raise PydanticCustomError("path-malformed", "expected a path as text")
    around = surroundings()
    path = value if around is None else around.folder / value
    if len(str(path).encode()) > _MAX_SOCKET_PATH_BYTES:
        raise PydanticCustomError(
            "path-malformed",
            "`{path}` is too long for a Unix socket: 96 bytes at most",
            {"path": str(path)},
        )
    if around is not None and not path.parent.is_dir():
        raise PydanticCustomError(
            "file-unwritable",
            "`{path}` cannot be made: its folder does not exist",
            {"path": str(path)},
        )
    return path


@dataclass(frozen=True, slots=True)
class Url:
    """The root of an HTTP server: scheme, host and port, nothing behind them."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """What the `Host` header says: the port is left out where it is the scheme's own."""
        if self.port == _DEFAULT_PORT[self.scheme]:
            return f"[{self.host}]" if ":" in self.host else self.host
        return _written(self.host, self.port)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @classmethod
    def parse(cls, value: object) -> "Url":
        """Read `http://host[:port]` or `https://host[:port]`."""
        if isinstance(value, Url):
            return value
        parsed = None
        scheme, separator, rest = value.partition("://") if isinstance(value, str) else ("",) * 3
        if separator and scheme in _DEFAULT_PORT:
            authority = rest.removesuffix("/")
            bare = authority.endswith("]") or ":" not in authority
            default = _DEFAULT_PORT[scheme]
            parsed = _host_and_port(f"{authority}:{default}" if bare else authority)
        if parsed is None or parsed[1] == 0:
            raise PydanticCustomError(
                "url-malformed",
                "expected `http://host:port` or `https://host:port` and nothing behind it (a path"
                " goes to `base_path`)",
            )
        return cls(scheme, *parsed)


_DEFAULT_PORT = {"http": 80, "https": 443}

AddressField = Annotated[
    Address,
    PlainValidator(Address.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["127.0.0.1:8080", "[::1]:8080"]}),
]
ListenField = Annotated[
    ListenAt,
    PlainValidator(_listen_at),
    PlainSerializer(str),
    WithJsonSchema(
        {
            "type": "string",
            "examples": ["127.0.0.1:8080", "[::1]:8080", "unix:/run/gateway.sock", "systemd"],
        }
    ),
]
SocketPath = Annotated[
    Path, PlainValidator(socket_path), WithJsonSchema({"type": "string", "format": "path"})
]
UrlField = Annotated[
    Url,
    PlainValidator(Url.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "format": "uri", "examples": ["http://127.0.0.1:8081"]}),
]

_PATH = re.compile(r"/|(?:/[A-Za-z0-9._~-]+)+")


def _base_path(value: str) -> str:
    if not _PATH.fullmatch(value) or {".", ".."} & set(value.split("/")):
        raise PydanticCustomError(
            "path-malformed",
            "expected `/` or a path such as `/genesys/1/cs`: plain segments, none of them empty,"
            " `.` or `..`, no escapes and no slash at the end",
        )
    return value


BasePath = Annotated[str, AfterValidator(_base_path)]
"""A canonical path prefix: the same grammar where clients see it and where the upstream does."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise PydanticCustomError(
            "name-malformed",
            "expected a name of lower-case letters, digits and `-`, beginning with a letter",
        )
    return value


Name = Annotated[str, AfterValidator(_name)]


def secure_or_local(url: str) -> str:
    """An `https` URL, or an `http` one that never leaves this machine.

    Keys that come over plain HTTP let anyone on the way sign tokens (threat J-4), and a client's
    secret that goes over it lets anyone be that client.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    well_formed = (
        bool(host) and not parts.fragment and parts.username is None and url.isascii()
    ) and not re.search(r"[\s\x00-\x1f\\]", url)
    if not well_formed or parts.scheme not in {"http", "https"}:
        raise PydanticCustomError(
            "url-malformed", "expected a URL such as `https://login.example.com/jwks.json`"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise PydanticCustomError(
            "url-insecure",
            "keys, tokens and secrets go over `https` only, except on this machine itself",
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _freeze(value: dict[str, str]) -> MappingProxyType[str, str]:
    return MappingProxyType(value)


def _thaw(value: Any) -> Any:
    return dict(value) if isinstance(value, MappingProxyType) else value


FrozenMapping = Annotated[
    dict[str, str], BeforeValidator(_thaw), AfterValidator(_freeze), PlainSerializer(dict)
]
"""A mapping of text that nobody can change afterwards."""
