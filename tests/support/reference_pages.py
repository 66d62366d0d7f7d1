"""The reference tables of the README, made from the code that they describe.

`python -m tests.support.reference_pages` (`make reference`) writes them anew between their
markers; a test holds that they are fresh. What a table says is the description that stands beside
the setting, reason, code or metric itself.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from gateway import errors
from gateway.audit import Record
from gateway.cli import ucs_gateway
from gateway.http.problem import REASON_PHRASES
from gateway.metrics import METRICS
from gateway.pipeline import DENIALS
from gateway.settings import settings_schema
from policy import Reason
from policy.diagnostics import Code

README = Path(__file__).resolve().parents[2] / "README.md"


def tables() -> dict[str, str]:
    """Marker to Markdown."""
    return {
        "commands": _table(("command", "what it does"), _commands()),
        "settings": _table(("key", "default", "meaning"), _settings()),
        "reasons": _table(("reason", "status", "what the caller is told"), _reasons()),
        "codes": _table(("code", "status", "what the caller is told"), _codes()),
        "findings": _table(("finding", "meaning"), _findings()),
        "metrics": _table(("metric", "kind", "labels", "meaning"), _metrics()),
        "audit": ", ".join(f"`{name}`" for name in Record.__struct_fields__),
    }


def renewed(text: str) -> str:
    """The README with every table as it should be."""
    for name, content in tables().items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            sys.exit(f"README.md has no place for `{name}`")
        replacement = f"{begin}\n{content}\n{end}"
        text = pattern.sub(lambda _, new=replacement: new, text)
    return text


def _table(headings: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _commands() -> Iterator[tuple[str, ...]]:
    for name, command in sorted(ucs_gateway.commands.items()):
        yield f"`ucs-gateway {name}`", click.unstyle(command.get_short_help_str(200))


def _settings() -> Iterator[tuple[str, ...]]:
    schema: Any = settings_schema()
    yield from _keys(schema, schema["$defs"], "")


def _keys(
    section: Mapping[str, Any], defs: Mapping[str, Any], path: str
) -> Iterator[tuple[str, ...]]:
    required = section.get("required", ())
    for key, value in section["properties"].items():
        where = f"{path}{key}"
        default = "required" if key in required else _default(value)
        yield f"`{where}`", default, value.get("description", "")
        inner = _section_of(value)
        if inner is not None:
            suffix = "[]." if value.get("type") == "array" else "."
            yield from _keys(defs[inner], defs, where + suffix)


def _default(value: Mapping[str, Any]) -> str:
    if "default" not in value or isinstance(value["default"], dict):
        return ""
    default = value["default"]
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _section_of(value: Mapping[str, Any]) -> str | None:
    """The definition that a key's value refers to, directly, in a list, or optionally."""
    for candidate in (value, value.get("items", {}), *value.get("anyOf", ())):
        reference = candidate.get("$ref")
        if reference:
            return str(reference).rpartition("/")[2]
        if (items := candidate.get("items")) and "$ref" in items:
            return str(items["$ref"]).rpartition("/")[2]
    return None


def _reasons() -> Iterator[tuple[str, ...]]:
    for reason in Reason:
        status, message = DENIALS.get(reason, ("", "allowed: the upstream's own reply"))
        yield f"`{reason.value}`", str(status), message


def _codes() -> Iterator[tuple[str, ...]]:
    for error in _concrete(errors.GatewayError):
        assert error.status in REASON_PHRASES
        yield f"`{error.code}`", str(error.status), error.public


def _concrete(error: type[errors.GatewayError]) -> Iterator[type[errors.GatewayError]]:
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _concrete(child)


def _findings() -> Iterator[tuple[str, ...]]:
    for code in Code:
        yield f"`{code.value}`", code.meaning


def _metrics() -> Iterator[tuple[str, ...]]:
    for metric in METRICS:
        yield f"`{metric.name}`", metric.kind, ", ".join(metric.labels), metric.help


if __name__ == "__main__":
    README.write_text(renewed(README.read_text()))
