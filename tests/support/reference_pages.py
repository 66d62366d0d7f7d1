"""The generated parts of the README: tables made from the code, examples made by running it.

`python -m tests.support.reference_pages` (`make reference`) writes them anew between their
markers; tests hold that they are fresh. What a table says is the description that stands beside
the setting, reason, code or metric itself.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from gateway import errors
from gateway.audit import Record
from gateway.cli import ucs_gateway
from gateway.http.problem import REASON_PHRASES
from gateway.metrics import METRICS
from gateway.refusals import DENIALS
from gateway.settings import settings_schema
from policy import Effect, Reason
from policy.diagnostics import Code
from tests.support.cases import CATALOGUES
from tests.support.examples import ROOT, demo, told
from tests.support.guide import renewed_guide

__all__ = ["README", "examples", "renewed", "tables"]

README = ROOT / "README.md"


def tables() -> dict[str, str]:
    """Marker to Markdown, made from the code."""
    return {
        "commands": _table(("command", "what it does"), _commands()),
        "settings": _table(("key", "default", "meaning"), _settings()),
        "switches": _table(("switch", "catalogue", "when it is on"), _switches()),
        "reasons": _table(("reason", "status", "what the caller is told"), _reasons()),
        "codes": _table(("code", "status", "what the caller is told"), _codes()),
        "findings": _table(("finding", "meaning"), _findings()),
        "metrics": _table(("metric", "kind", "labels", "meaning"), _metrics()),
        "audit": ", ".join(f"`{name}`" for name in Record.__struct_fields__),
    }


def examples(text: str) -> dict[str, str]:
    """Marker to Markdown, made by running what the README shows."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = {"demo": demo(), **told(text, Path(folder))}
    return {name: f"```text\n{outcome.text}```" for name, outcome in outcomes.items()}


def renewed(text: str, parts: Mapping[str, str]) -> str:
    """The README with `parts` between their markers."""
    for name, content in parts.items():
        before, begin, rest = text.partition(f"<!-- {name}: begin -->")
        _, end, after = rest.partition(f"<!-- {name}: end -->")
        if not end:
            sys.exit(f"README.md has no place for `{name}`")
        text = f"{before}{begin}\n{content}\n{end}{after}"
    return text


def main() -> None:
    text = README.read_text("utf-8")
    text = renewed(text, {**tables(), **examples(text)})
    with tempfile.TemporaryDirectory() as folder:
        README.write_text(renewed_guide(text, Path(folder)), "utf-8")


def _table(headings: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


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
        meaning = value.get("description", "")
        inner = _section_of(value)
        if inner is None:
            yield f"`{where}`", default, meaning
        else:
            yield f"**`{where}`**", default, meaning
            suffix = "[]." if value.get("type") == "array" else "."
            yield from _keys(defs[inner], defs, where + suffix)


def _default(value: Mapping[str, Any]) -> str:
    """As one would write it; nothing where leaving a key out means doing without."""
    default = value.get("default")
    if default is None or (isinstance(default, dict) and _section_of(value) is not None):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float):
        return f"`{default:g}`"
    return '`""`' if default == "" else f"`{default}`"


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
        if reason.effect is Effect.ALLOW:
            yield f"`{reason.value}`", "the upstream's", _ALLOWED[reason]
        else:
            status, message = DENIALS[reason]
            yield f"`{reason.value}`", str(status), message


_ALLOWED = {
    Reason.PERMITTED: "(allowed: the caller has what the operation needs)",
    Reason.NOT_ENFORCED: "(allowed: the service has `use_role: false`, and the caller is known)",
}


def _switches() -> Iterator[tuple[str, ...]]:
    for file in CATALOGUES.values():
        catalogue = yaml.safe_load(file.read_text("utf-8"))
        for name, meaning in catalogue.get("switches", {}).items():
            yield f"`{name}`", f"`{catalogue['catalogue']}`", meaning


def _codes() -> Iterator[tuple[str, ...]]:
    for error in _concrete(errors.GatewayError):
        if not hasattr(error, "code"):
            continue  # a family, never raised itself
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
        yield (
            f"`{metric.name}`",
            metric.kind,
            ", ".join(f"`{name}`" for name in metric.labels),
            metric.help,
        )


if __name__ == "__main__":
    main()
