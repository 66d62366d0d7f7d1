"""A call and its reply as values, between the HTTP shell and the rules.

The rules of this server are plain functions from `Call` to `Reply`, or a `Refusal`; a test may
call them with literals.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gateway.standin.config import StandinConfig
from gateway.standin.errors import bad_request
from gateway.standin.lenient import read_json
from gateway.standin.moment import stamp
from gateway.standin.store import Store

__all__ = ["Call", "Mode", "Reply", "Route", "truth"]


class Mode(StrEnum):
    """The server modes of UCS 8.x; a call that needs the other one gets 503."""

    PRODUCTION = "production"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, taken apart. `root` is the server's absolute base URL, as it writes it."""

    store: Store
    config: StandinConfig
    now: datetime
    root: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    content_type: str = ""
    body: bytes = b""

    @property
    def timestamp(self) -> str:
        return stamp(self.now)

    def json_value(self) -> Any:
        try:
            return read_json(self.body)
        except (ValueError, RecursionError) as error:
            raise bad_request("the body is not a JSON value") from error

    def json_object(self) -> dict[str, Any]:
        value = self.json_value()
        if not isinstance(value, dict):
            raise bad_request("the body is not a JSON object")
        return value

    def optional_object(self) -> dict[str, Any]:
        """For the calls whose body may be left out."""
        return self.json_object() if self.body.strip() else {}

    def asked(self, name: str) -> list[str]:
        """Every value of a query parameter, its name compared without case."""
        return [value for key, value in self.query if key.casefold() == name]

    def names_asked(self, name: str) -> tuple[str, ...]:
        """A comma-separated list; the manual's samples have blanks after the commas."""
        parts = [part.strip() for value in self.asked(name) for part in value.split(",")]
        return tuple(dict.fromkeys(part for part in parts if part))


@dataclass(frozen=True, slots=True)
class Reply:
    """`value` is sent as JSON; `content` as it is; with neither, the body is empty."""

    status: int = 200
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `mode` is the one it needs; `None` is answered in both."""

    method: str
    path: str
    handler: Callable[[Call], Reply]
    mode: Mode | None = None


def truth(value: Any, name: str) -> bool:
    """A boolean as JSON or as text, for the fields that the manual shows both ways."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    raise bad_request(f"`{name}` is neither `true` nor `false`")
