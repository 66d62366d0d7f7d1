"""What commands have in common when they speak: exit codes, findings, faults, JSON."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

import click
import msgspec

from policy import Diagnostic, Severity

__all__ = [
    "Exit",
    "config_option",
    "format_option",
    "near",
    "show_fault",
    "show_findings",
    "show_json",
    "time_of",
]


class Exit(IntEnum):
    """What a script may learn without reading."""

    YES = 0
    COULD_NOT = 1
    DENIED_OR_DIFFERENT = 2
    INVALID = 3


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config/gateway.yaml"),
    show_default=True,
    help="The settings file.",
)
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs.",
)


def show_findings(findings: Sequence[Diagnostic]) -> None:
    """Each finding with its place and help, then how many there are, on standard error."""
    for finding in findings:
        word = "error" if finding.severity is Severity.ERROR else "warning"
        click.echo(near(f"{word}: {finding}"), err=True)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if findings:
        warnings = len(findings) - errors
        click.echo(f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}", err=True)


def show_fault(message: str) -> None:
    """Why a command could not do what it was asked, on standard error."""
    click.echo(near(f"error: {message}"), err=True)


def near(text: str) -> str:
    """`text` with every path below the current folder as one would type it there.

    For people only: programs get whole paths, which mean the same from anywhere.
    """
    here = str(Path.cwd())
    if here == "/":
        return text
    return re.sub(rf"(?<![\w./-]){re.escape(here)}/", "", text)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def time_of(seconds: float) -> str:
    """A moment, in seconds since the epoch, as people and programs read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def show_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
