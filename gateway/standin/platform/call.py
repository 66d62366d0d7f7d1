"""A call and its reply as values, between the HTTP shell and the rules.

The rules of the platform are plain functions from `Call` to `Reply`, or a `Fault`. Bodies are read
as leniently as a Java server may: unknown fields are ignored, a repeated key is no error.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from gateway.standin.call import Reply
from gateway.standin.lenient import read_json
from gateway.standin.moment import stamp
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.store import Store
from gateway.standin.platform.tokens import Token, Tokens

__all__ = ["API", "Call", "Interval", "Reply", "Route"]

API = "/api/v2"


class Interval(NamedTuple):
    """A stretch of time as analytics writes it, `start/end`; the end is not in it."""

    start: datetime
    end: datetime

    def __contains__(self, moment: object) -> bool:
        return isinstance(moment, datetime) and self.start <= moment < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, taken apart. `path` is as a `selfUri` has it, without a prefix."""

    store: Store
    tokens: Tokens
    token: Token
    now: datetime
    authorization: str = ""
    path: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def timestamp(self) -> str:
        return stamp(self.now)

    def asked(self, name: str) -> str | None:
        """The last value of a query parameter."""
        return next((value for key, value in reversed(self.query) if key == name), None)

    def asked_list(self, name: str) -> tuple[str, ...]:
        """A list in the query: repeated, separated by commas, or both."""
        values = [part for key, text in self.query if key == name for part in text.split(",")]
        return tuple(dict.fromkeys(value for value in values if value))

    def asked_flag(self, name: str) -> bool:
        return (self.asked(name) or "").lower() == "true"

    def json_value(self) -> Any:
        try:
            return read_json(self.body)
        except (ValueError, RecursionError) as error:
            raise bad_request("The request body is not valid JSON.") from error

    def json_object(self) -> dict[str, Any]:
        value = self.json_value()
        if not isinstance(value, dict):
            raise bad_request("The request body is not a JSON object.")
        return value

    def optional_object(self) -> dict[str, Any]:
        """For the calls whose body may be left out; the SDK then sends `null`."""
        value = self.json_value() if self.body.strip() else None
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise bad_request("The request body is not a JSON object.")
        return value

    def json_list(self) -> list[Any]:
        value = self.json_value()
        if not isinstance(value, list):
            raise bad_request("The request body is not a JSON array.")
        return value

    def json_strings(self) -> list[str]:
        values = self.json_list()
        if not all(isinstance(value, str) for value in values):
            raise bad_request("The request body is not an array of strings.")
        return values


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `path` is what follows `/api/v2`."""

    method: str
    path: str
    handler: Callable[[Call], Reply]


def read_moment(text: Any, name: str) -> datetime:
    """An ISO 8601 moment with its zone. Raises a 400 that names the field."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise bad_request(f"`{name}` is not a date and time.", name) from error
    if moment.tzinfo is None:
        raise bad_request(f"`{name}` has no time zone.", name)
    return moment


def read_interval(body: Mapping[str, Any]) -> Interval:
    text = body.get("interval")
    if not isinstance(text, str):
        raise bad_request("`interval` is required.", "interval")
    start, _, end = text.partition("/")
    interval = Interval(read_moment(start, "interval"), read_moment(end, "interval"))
    if interval.end <= interval.start:
        raise bad_request("`interval` ends before it begins.", "interval")
    return interval
