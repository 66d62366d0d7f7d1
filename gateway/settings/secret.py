"""Secrets and files that settings name: read, or refused, while the settings are read.

A secret comes from a file or from the environment, never from the settings file itself. Once
read it is held in a value whose `repr` tells where it came from and nothing else. Paths are
relative to the settings file's folder.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import (
    BeforeValidator,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from gateway.settings.base import surroundings

__all__ = [
    "AuditPath",
    "ExistingFile",
    "ExistingFolder",
    "FolderPath",
    "Secret",
    "SecretEnv",
    "SecretFile",
    "WritableFile",
]

# A key file of any kind is far smaller; a log file named by mistake is not.
_MAX_SECRET_BYTES = 65_536


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret and where it came from; only the latter shows."""

    value: bytes
    origin: str
    path: Path | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"Secret(from {self.origin})"

    __str__ = __repr__

    def read_again(self) -> "Secret":
        """What its file holds now, or ValueError; one from elsewhere stays what it is."""
        return self if self.path is None else _from_file(self.path)


def _located(value: object) -> Path:
    """The path as meant: from the settings file's folder, `~` not expanded."""
    if isinstance(value, str) and value and "\0" not in value:
        value = Path(value)
    if not isinstance(value, Path):
        raise PydanticCustomError("path-malformed", "expected a path as text")
    around = surroundings()
    return value if around is None else around.folder / value


def _complaint(code: str, path: Path, why: str, done: str = "read") -> PydanticCustomError:
    words = {"path": str(path), "done": done, "why": why}
    return PydanticCustomError(code, "`{path}` cannot be {done}: {why}", words)


def _file(value: object) -> Path:
    path = _located(value)
    if surroundings() is not None:
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise _complaint("file-unreadable", path, _why(error)) from None
    return path


def _folder(value: object) -> Path:
    path = _located(value)
    if surroundings() is not None and not (path.is_dir() and os.access(path, os.R_OK | os.X_OK)):
        raise _complaint("folder-unreadable", path, "no such folder, or not ours to read")
    return path


def _audit_path(value: object) -> Path:
    if value in {"-", Path("-")}:
        return Path("-")
    path = _located(value)
    if surroundings() is not None:
        if path.is_dir():
            raise _complaint("file-unwritable", path, "it is a folder", "written")
        if not path.parent.is_dir():
            raise _complaint("file-unwritable", path, "its folder does not exist", "written")
    return path


def _writable(value: object) -> Path:
    if value == "-":
        raise _complaint("file-unwritable", Path("-"), "it has to be a file", "written")
    return _audit_path(value)


def _secret_file(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    return _from_file(_located(value))


def _from_file(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise _complaint("secret-unreadable", path, _why(error)) from None
    if len(content) > _MAX_SECRET_BYTES:
        raise _complaint("secret-unreadable", path, "it is larger than any secret")
    return _secret(content, f"file {path}", path)


def _secret_env(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str) or not value:
        raise PydanticCustomError("variable-malformed", "expected the name of a variable")
    around = surroundings()
    content = None if around is None else around.environ.get(value)
    if content is None:
        raise PydanticCustomError(
            "secret-unreadable", "the variable `{name}` is not set", {"name": value}
        )
    return _secret(content.encode("utf-8", "surrogateescape"), f"variable {value}")


def _secret(content: bytes, origin: str, path: Path | None = None) -> Secret:
    # Editors and `echo` end a file with a newline that nobody means; a second one is meant.
    content = content.removesuffix(b"\n").removesuffix(b"\r") if content[-1:] == b"\n" else content
    if not content:
        raise PydanticCustomError(
            "secret-empty", "the secret in {origin} is empty", {"origin": origin}
        )
    return Secret(content, origin, path)


def _why(error: OSError) -> str:
    return (error.strerror or "it cannot be opened").lower()


def _origin(secret: Secret | None) -> str | None:
    return None if secret is None else secret.origin


_PATH_SCHEMA = WithJsonSchema({"type": "string", "format": "path"})

ExistingFile = Annotated[Path, BeforeValidator(_file), _PATH_SCHEMA]
ExistingFolder = Annotated[Path, BeforeValidator(_folder), _PATH_SCHEMA]
FolderPath = Annotated[Path, BeforeValidator(_located), _PATH_SCHEMA]
AuditPath = Annotated[Path, BeforeValidator(_audit_path), _PATH_SCHEMA]
WritableFile = Annotated[Path, BeforeValidator(_writable), _PATH_SCHEMA]
SecretFile = Annotated[Secret, PlainValidator(_secret_file), PlainSerializer(_origin), _PATH_SCHEMA]
SecretEnv = Annotated[
    Secret,
    PlainValidator(_secret_env),
    PlainSerializer(_origin),
    WithJsonSchema({"type": "string", "description": "the name of an environment variable"}),
]
