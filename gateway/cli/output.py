"""What commands have in common when they speak: exit codes, formats, findings, faults, JSON.

Whatever keeps a command from its work is told on standard error. A program that asked for JSON gets
the findings of a broken policy as JSON besides, in the same shape as from `check`.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from gateway.errors import SettingsInvalid
from policy import Diagnostic, PolicyInvalid, Severity

__all__ = [
    "Exit",
    "config_option",
    "format_option",
    "formats_option",
    "near",
    "show_fault",
    "show_findings",
    "show_misuse",
    "why",
    "show_json",
    "time_of",
]


F = TypeVar("F", bound=Callable[..., Any])


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


def formats_option(*formats: str, told: str) -> Callable[[F], F]:
    """`--format`, the first one by default; `told` says for whom each is."""
    option = click.option(
        "--format",
        "format_",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help=told,
    )

    def decorate(command: F) -> F:
        @wraps(command)
        def telling(*args: Any, **options: Any) -> Any:
            try:
                return command(*args, **options)
            except (PolicyInvalid, SettingsInvalid) as invalid:
                if options["format_"] == "json":
                    show_json({"findings": list(map(msgspec.to_builtins, invalid.diagnostics))})
                raise

        return option(telling)  # type: ignore[return-value]

    return decorate


format_option = formats_option("text", "json", told="Text for people, JSON for programs.")


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


def show_misuse(misuse: click.UsageError) -> None:
    """What of a command line cannot be understood, and where it is told how to write it."""
    said = misuse.format_message().rstrip(".")
    lines = [re.sub(r"(^|: )[A-Z](?=[a-z])", lambda begin: begin[0].lower(), said)]
    if misuse.ctx is not None:
        lines.append(f"  help: see `{misuse.ctx.command_path} --help`")
    if isinstance(misuse, click.NoSuchOption):
        lines.append("  help: a name that begins with `-` goes last, behind `--`")
    show_fault("\n".join(lines))


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


def why(error: OSError) -> str:
    """What the operating system says of it, in lower case as everything here."""
    return (error.strerror or str(error)).lower()


def show_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
