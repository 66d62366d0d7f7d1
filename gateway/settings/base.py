"""What every section of the settings has in common: frozen, strict, no key it does not know.

A check that spans keys or entries raises `Refused`, one `finding` for each fault, so that every
fault is reported at the key it belongs to and all of them at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticKnownError
from pydantic_core.core_schema import ErrorType

from policy import Code

__all__ = [
    "Section",
    "Surroundings",
    "at_least_one",
    "distinct",
    "finding",
    "refuse",
    "surroundings",
    "within",
]


class Section(BaseModel):
    """One mapping of the settings file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", validate_default=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a settings file stands: what its relative paths and `*_env` keys refer to."""

    folder: Path
    environ: Mapping[str, str] = field(repr=False)


_around: ContextVar[Surroundings | None] = ContextVar("surroundings", default=None)


@contextmanager
def within(around: Surroundings) -> Iterator[None]:
    """Sections that are built in here belong to one settings file.

    A context variable, because models are built far down in the reading of YAML, which knows
    nothing of the files that a value may name.
    """
    token = _around.set(around)
    try:
        yield
    finally:
        _around.reset(token)


def surroundings() -> Surroundings | None:
    """None where a section is built in code: then nothing is looked up but secrets."""
    return _around.get()


def finding(kind: str, message: str, *at: str | int, **words: object) -> InitErrorDetails:
    """A fault at the key `at`, counted from where the check stands.

    `kind` is a `policy.Code`; any other word becomes the code for a bad value, and the message
    is put behind the key's name.
    `words` are put into the message's braces; the message itself is a literal, so that a value
    with braces in it cannot break it.
    """
    return InitErrorDetails(
        type=PydanticCustomError(kind, message, words),
        loc=at,
        input=None,
    )


def refuse(findings: Iterable[InitErrorDetails]) -> None:
    """Raise every finding, if there is one."""
    if collected := list(findings):
        raise ValidationError.from_exception_data("settings", collected)


def distinct(key: str) -> WrapValidator:
    """No two entries of a list have the same `key`; told even when other entries are at fault."""

    def check(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        result: object = None
        faults: list[InitErrorDetails] = []
        try:
            result = handler(value)
        except ValidationError as error:
            faults = _faults(error)
        seen: set[str] = set()
        for index, entry in enumerate(value if isinstance(value, list | tuple) else ()):
            name = entry.get(key) if isinstance(entry, Mapping) else getattr(entry, key, None)
            if not isinstance(name, str):
                continue  # another finding says so
            if name in seen:
                message = "the {key} `{name}` is used twice"
                faults.append(finding(Code.DUPLICATE_NAME, message, index, key, key=key, name=name))
            seen.add(name)
        refuse(faults)
        return result

    return WrapValidator(check)


def _one_or_more(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        lengths = {"field_type": "Tuple", "min_length": 1, "actual_length": 0}
        raise PydanticKnownError("too_short", lengths)
    return value


at_least_one = AfterValidator(_one_or_more)
"""Like `min_length=1`, but silent where an entry is at fault: that finding is enough."""


_KNOWN_TO_PYDANTIC = frozenset(get_args(ErrorType))


def _faults(error: ValidationError) -> list[InitErrorDetails]:
    """The faults of an error that was caught, ready to be raised again with others."""
    return [
        InitErrorDetails(
            type=fault["type"]
            if fault["type"] in _KNOWN_TO_PYDANTIC
            else PydanticCustomError(fault["type"], fault["msg"]),
            loc=fault["loc"],
            input=fault["input"],
            ctx=fault.get("ctx", {}),
        )
        for fault in error.errors(include_url=False)
    ]
