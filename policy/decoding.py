"""From plain values to a typed model, with complaints a person can act on.

The models say what is right; pydantic finds everything that is not. This file turns each of its
findings into a diagnostic: where it stands in the file, in our words, with the nearest right word
where there is one. The policy's files and the gateway's settings are read through it alike.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from policy.diagnostics import Code, Diagnostic
from policy.errors import PolicyInvalid
from policy.source import Path, Plain, Source
from policy.suggest import Suggestions

__all__ = ["Reading", "keys_at", "read", "validate"]

M = TypeVar("M", bound=BaseModel)

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "path_type": "a path",
}
_SAID = {
    "greater_than": (Code.BAD_VALUE, "must be more than {gt}"),
    "greater_than_equal": (Code.BAD_VALUE, "must be at least {ge}"),
    "less_than": (Code.BAD_VALUE, "must be less than {lt}"),
    "less_than_equal": (Code.BAD_VALUE, "must be at most {le}"),
    "too_long": (Code.BAD_VALUE, "holds more than {max_length}"),
    "string_too_long": (Code.BAD_VALUE, "is longer than {max_length} characters"),
    "string_pattern_mismatch": (Code.BAD_VALUE, "is not of the form `{pattern}`"),
}
_EMPTY = {"too_short", "string_too_short"}
_CHOICE = {"literal_error", "enum"}


@dataclass(frozen=True, slots=True)
class Reading(Generic[M]):
    """What could be read of a file: a model without the entries that are wrong, and what is wrong.

    `model` is None if so much is wrong that nothing is left.
    """

    model: M | None
    findings: tuple[Diagnostic, ...] = field(default=())


def validate(model: type[M], source: Source) -> M:
    """Read `source` as `model`; every finding at once as `PolicyInvalid`."""
    reading = read(model, source)
    if reading.model is None or reading.findings:
        raise PolicyInvalid(reading.findings)
    return reading.model


def read(model: type[M], source: Source) -> Reading[M]:
    """Read `source` as `model`, leaving out what is wrong, so that the rest can be checked too."""
    try:
        return Reading(model.model_validate(source.value))
    except ValidationError as error:
        complaints = error.errors(include_url=False)
    findings = tuple(_translated(model, source, complaint) for complaint in complaints)
    rest = copy.deepcopy(source.value)
    # What is left out may be missed by what is around it; then that goes too.
    for _ in range(4):
        for path in [_path_in(rest, complaint)[0] for complaint in complaints]:
            _leave_out(rest, path)
        try:
            return Reading(model.model_validate(rest), findings)
        except ValidationError as error:
            complaints = error.errors(include_url=False)
    return Reading(None, findings)


def _leave_out(value: Plain, path: Path) -> None:
    """Take the entry at `path` out; of a list all of it, so that its places stay what they are."""
    upto = next((depth for depth, step in enumerate(path) if isinstance(step, int)), len(path))
    *parents, last = path[:upto] or ("",)
    for step in parents:
        if not isinstance(value, dict) or step not in value:
            return
        value = value[str(step)]
    if isinstance(value, dict):
        value.pop(str(last), None)


def _path_in(value: Plain, complaint: ErrorDetails) -> tuple[Path, bool]:
    """Where in the file a complaint belongs, and whether it is about the key that stands there.

    Pydantic's own path also names what is not in the file: which form of a value was tried.
    """
    path: list[str | int] = []
    for step in complaint["loc"]:
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
        else:
            continue
        path.append(step)
    about_key = complaint["type"] == "extra_forbidden" or complaint["loc"][-1:] == ("[key]",)
    return tuple(path), about_key or complaint["type"] == "missing"


def _translated(model: type[BaseModel], source: Source, complaint: ErrorDetails) -> Diagnostic:
    path, about_key = _path_in(source.value, complaint)
    code, message, advice = _in_our_words(model, path, complaint)
    return Diagnostic(source.where(path, key=about_key), code, message, advice)


def _in_our_words(
    model: type[BaseModel], path: Path, complaint: ErrorDetails
) -> tuple[Code, str, str | None]:
    kind, found = complaint["type"], complaint["input"]
    context: Mapping[str, Any] = complaint.get("ctx", {})
    subject = _subject(path)
    if kind == "missing":
        return Code.MISSING_KEY, f"`{complaint['loc'][-1]}` is missing", None
    if kind == "extra_forbidden":
        return Code.UNKNOWN_KEY, f"unknown key `{path[-1]}`", _right_keys(model, path)
    if kind in _WANTED:
        said = f"{subject} must be {_WANTED[kind]}, not {_described(found)}"
        return Code.WRONG_TYPE, said, _conversion(kind, found)
    if kind in _EMPTY:
        return Code.EMPTY_VALUE, f"{subject} must not be empty", None
    if kind in _CHOICE:
        said = f"{subject} must be {context['expected']}".replace("'", "`")
        right = Suggestions(re.findall(r"'([^']*)'", str(context["expected"])))
        return Code.UNKNOWN_VALUE, said, right.help_for(found) if isinstance(found, str) else None
    if kind in _SAID:
        code, said = _SAID[kind]
        return code, f"{subject} {said.format(**context)}", None
    if "error" in context:  # a validator raised ValueError
        return Code.BAD_VALUE, f"{subject}: {context['error']}", None
    if kind in _CODES:
        return _CODES[kind], complaint["msg"], context.get("help")
    said = complaint["msg"].replace("Input should", "must")
    return Code.BAD_VALUE, f"{subject}: {said[:1].lower()}{said[1:]}", None


_CODES = {code.value: code for code in Code}


def _subject(path: Path) -> str:
    match path:
        case ():
            return "the file"
        case (*_, str(key)):
            return f"`{key}`"
        case (*_, str(key), int()):
            return f"an entry of `{key}`"
        case _:
            return "an entry"


def _described(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "`true`" if value else "`false`"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _conversion(kind: str, found: object) -> str | None:
    """How what was written becomes what is wanted, if that is simple."""
    if found is None:
        return "give it a value, or leave the key out"
    if kind == "string_type" and isinstance(found, bool | int | float):
        return "put it in quotes to make it text"
    if kind in {"list_type", "tuple_type"} and isinstance(found, str):
        return f"write it as a list: `[{found}]`"
    if kind == "bool_type" and isinstance(found, str):
        return "write `true` or `false`, without quotes"
    return None


def _right_keys(model: type[BaseModel], path: Path) -> str | None:
    right = keys_at(model, path[:-1])
    advice = Suggestions(right).help_for(str(path[-1]))
    if advice is None and right:
        return "the keys here are " + ", ".join(f"`{key}`" for key in right)
    return advice


def keys_at(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    """Every key that may stand at `path` of a file of this model, after its JSON Schema."""
    schema = _schema(model)
    here = list(_alternatives(schema, schema))
    for step in path:
        below = [found for node in here for found in _below(node, step)]
        here = [alternative for node in below for alternative in _alternatives(schema, node)]
    return tuple(dict.fromkeys(key for node in here for key in node.get("properties", {})))


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _below(node: Mapping[str, Any], step: str | int) -> list[Mapping[str, Any]]:
    """What the schema says of one step further down."""
    if isinstance(step, int):
        return [node["items"]] if "items" in node else []
    if step in (named := node.get("properties", {})):
        return [named[step]]
    other = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    return [found for found in other if isinstance(found, dict)]


def _alternatives(root: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schemas that `node` stands for, references and choices resolved."""
    if "$ref" in node:
        yield from _alternatives(root, root["$defs"][node["$ref"].rpartition("/")[2]])
        return
    choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    if not choices:
        yield node
    for choice in choices:
        yield from _alternatives(root, choice)
