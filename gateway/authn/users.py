"""The users file: names, and what proves them.

    users:
      kent: {password_hash: '$argon2id$v=19$m=65536,t=3,p=1$…'}
      import-job:
        password_hash: $argon2id$v=19$m=65536,t=3,p=1$…
        kind: service

A hash has commas in it, which end a value inside braces: there it needs its quotes. Which roles
users have is written in the policy. This file is read at start, and again when the gateway is told
to; every fault in it is reported with its line, and none is skipped over.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.authn.names import is_plain
from gateway.authn.passwords import Costs
from policy import (
    Code,
    Diagnostic,
    Location,
    PolicyInvalid,
    parse_yaml,
    read_model,
)

__all__ = ["User", "Users", "UsersFile", "read_users"]

_MAX_FILE_BYTES = 16_777_216


def _user_name(name: str) -> str:
    if not is_plain(name) or ":" in name:
        raise ValueError("a user's name is one visible line in NFC without a colon")
    return name


def _password_hash(password_hash: str) -> str:
    Costs.of(password_hash)
    return password_hash


class User(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    password_hash: Annotated[str, AfterValidator(_password_hash)] = Field(
        repr=False, description="what `ucs-gateway hash-secret` printed"
    )
    kind: Literal["user", "service"] = Field(
        default="user", description="`user` for a person, `service` for a program"
    )


Users = Mapping[str, User]


class UsersFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    users: dict[Annotated[str, AfterValidator(_user_name)], User] = Field(
        description="who may log in with HTTP Basic"
    )


def read_users(path: Path) -> Users:
    """Read the file, or raise PolicyInvalid with everything that is wrong with it."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, (error.strerror or "it cannot be opened").lower()) from None
    if len(text) > _MAX_FILE_BYTES:
        raise _unreadable(path, "larger than any users file")
    return read_model(UsersFile, parse_yaml(text, str(path))).users


def _unreadable(path: Path, why: str) -> PolicyInvalid:
    finding = Diagnostic(Location(str(path)), Code.BAD_VALUE, f"cannot read the users: {why}")
    return PolicyInvalid([finding])
