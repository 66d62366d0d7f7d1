"""The clients file: programs that get their tokens here, and what proves each of them.

    clients:
      vsm:
        id: 0b3c7c1e-6f0e-4c4e-9a39-0d8f4c1f6a52
        title: Virsae Genesys
        secret_hashes:
          - $argon2id$v=19$m=19456,t=2,p=1$…
        token_seconds: 86400

A client says its `id` and its secret; the name is what the policy's `clients` and the audit call
it. Which roles and scopes it has is written in the policy. Two hashes are for the time in which a
secret is changed. `ucs-gateway client` edits this file, and so may you: it is read at start, again
whenever it changes, and every fault in it is reported with its line.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import msgspec
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.authn.names import is_plain
from gateway.authn.passwords import Costs
from gateway.settings.base import Section, at_least_one, finding, refuse
from policy import Code, Diagnostic, Location, PolicyInvalid, parse_yaml, read_model

__all__ = [
    "DEFAULT_TOKEN_SECONDS",
    "LONGEST_TOKEN_SECONDS",
    "SHORTEST_TOKEN_SECONDS",
    "Client",
    "ClientEntry",
    "ClientState",
    "Clients",
    "ClientsFile",
    "read_clients",
]

# Genesys Cloud, `accessTokenValiditySeconds`: 5 minutes to 48 hours, 24 hours when omitted.
SHORTEST_TOKEN_SECONDS = 300
LONGEST_TOKEN_SECONDS = 172_800
DEFAULT_TOKEN_SECONDS = 86_400

_MAX_FILE_BYTES = 16_777_216
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DATE = "%Y-%m-%dT%H:%M:%SZ"


class ClientState(StrEnum):
    """The states of Genesys Cloud's `OAuthClient`."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DISABLED = "disabled"


def _client_name(name: str) -> str:
    if not is_plain(name):
        raise ValueError("a client's name is one visible line in NFC")
    return name


def _guid(value: str) -> str:
    if not _GUID.fullmatch(value):
        raise PydanticCustomError(
            "id-malformed", "expected a GUID in lower case, as `client create` makes them"
        )
    return value


def _hash(value: str) -> str:
    Costs.of(value)
    return value


def _date(value: str) -> str:
    try:
        parsed = datetime.strptime(value, _DATE)  # noqa: DTZ007 - the form ends in Z
    except ValueError:
        parsed = None
    if parsed is None or parsed.strftime(_DATE) != value:
        raise PydanticCustomError(
            "date-malformed", "expected a time of UTC such as `2026-11-21T04:05:06Z`"
        )
    return value


class ClientEntry(Section):
    """One client."""

    id: Annotated[str, AfterValidator(_guid)] = Field(description="what it says in `client_id`")
    title: str = Field(default="", max_length=256, description="what people call it")
    secret_hashes: Annotated[
        tuple[Annotated[str, AfterValidator(_hash)], ...],
        Field(strict=False, max_length=2),
        at_least_one,
    ] = Field(
        repr=False,
        description="Argon2id hash of its secret; two while a secret is changed, either is good",
    )
    state: Annotated[ClientState, Field(strict=False)] = Field(
        default=ClientState.ACTIVE,
        description="`active`; `inactive` gets no new tokens; `disabled` ends those it has, too",
    )
    token_seconds: int = Field(
        default=DEFAULT_TOKEN_SECONDS,
        ge=SHORTEST_TOKEN_SECONDS,
        le=LONGEST_TOKEN_SECONDS,
        description="how long each of its tokens is good",
    )
    tokens_since: Annotated[str, AfterValidator(_date)] | None = Field(
        default=None,
        description="tokens that were issued before this time of UTC are refused, as `client"
        " disable` sees to, so that enabling it again revives none",
        examples=["2026-11-21T04:05:06Z"],
    )
    may_introspect: bool = Field(
        default=False,
        description="whether it may ask what other clients' tokens say (RFC 7662), as a server"
        " does that takes them",
    )


class ClientsFile(Section):
    """The whole file."""

    clients: dict[Annotated[str, AfterValidator(_client_name)], ClientEntry] = Field(
        description="programs that get tokens by the client credentials grant"
    )

    @model_validator(mode="after")
    def _each_id_is_one_clients(self) -> Self:
        names: dict[str, str] = {}
        message = "the client `{other}` has this id already"
        refuse(
            finding(Code.DUPLICATE_NAME, message, "clients", name, "id", other=other)
            for name, entry in self.clients.items()
            if (other := names.setdefault(entry.id, name)) != name
        )
        return self


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One client as requests need it. Times are seconds since the epoch."""

    name: str
    id: str
    title: str
    secret_hashes: tuple[str, ...]
    state: ClientState
    token_seconds: int
    tokens_since: float
    may_introspect: bool
    where: Location

    def __repr__(self) -> str:
        return f"Client({self.name!r}, {self.state.value})"

    @classmethod
    def of(cls, name: str, entry: ClientEntry, where: Location) -> Self:
        """The client of this name, which stands there in the file."""
        since = entry.tokens_since
        return cls(
            name=name,
            id=entry.id,
            title=entry.title,
            secret_hashes=entry.secret_hashes,
            state=entry.state,
            token_seconds=entry.token_seconds,
            tokens_since=0.0
            if since is None
            else datetime.strptime(since, _DATE).replace(tzinfo=UTC).timestamp(),
            may_introspect=entry.may_introspect,
            where=where,
        )


Clients = Mapping[str, Client]
"""By id."""


def read_clients(path: Path) -> Clients:
    """Read the file, or raise PolicyInvalid with everything that is wrong with it."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, (error.strerror or "it cannot be opened").lower()) from None
    if len(text) > _MAX_FILE_BYTES:
        raise _unreadable(path, "larger than any clients file")
    source = parse_yaml(text, str(path))
    place = source.place.below("clients")
    return {
        entry.id: Client.of(name, entry, place.where(name, key=True))
        for name, entry in read_model(ClientsFile, source).clients.items()
    }


def _unreadable(path: Path, why: str) -> PolicyInvalid:
    finding = Diagnostic(Location(str(path)), Code.BAD_VALUE, f"cannot read the clients: {why}")
    return PolicyInvalid([finding])
