"""What commands that read audit files have in common: which ones, of when, and what was odd."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.audit import rfc3339, safe_text
from gateway.cli.output import why
from gateway.learning import AuditLog
from policy import Missing

__all__ = [
    "audit_log",
    "audit_options",
    "counted",
    "in_words",
    "oddities",
    "oddities_in_words",
    "requests",
    "span",
]

F = TypeVar("F", bound=Callable[..., Any])


def _time(_: click.Context, __: click.Parameter, text: str | None) -> str:
    """As the audit writes times; where no zone is given, UTC is meant."""
    if text is None:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return rfc3339(moment.timestamp())
    except (ValueError, OverflowError) as error:
        said = f"`{text}` is no time; write `2026-11-21` or `2026-11-21T04:05:06Z`"
        raise click.BadParameter(said) from error


def audit_options(command: F) -> F:
    """The files, and the time that counts."""
    for decorate in (
        click.option("--until", callback=_time, help="Lines from this time on do not count."),
        click.option("--since", callback=_time, help="Lines before this time do not count."),
        click.argument("logs", nargs=-1, required=True, metavar="AUDIT_LOG..."),
    ):
        command = decorate(command)
    return command


def audit_log(logs: Sequence[str], since: str, until: str) -> AuditLog:
    """The lines of these files; ClickException where one of them cannot be read at all."""
    if since and until and since >= until:
        raise click.UsageError("--since is not before --until: no line can count")
    for name in logs:
        if name == "-":
            continue
        try:
            with Path(name).open("rb"):
                pass
        except OSError as error:
            raise click.ClickException(f"{safe_text(name)} cannot be read: {why(error)}") from None
    return AuditLog(logs, since, until)


def oddities_in_words(log: AuditLog) -> Iterator[str]:
    """What was passed over, and where."""
    for oddity, count in log.odd.items():
        places = ", ".join(map(safe_text, log.places[oddity]))
        more = ", …" if count > len(log.places[oddity]) else ""
        yield f"passed over: {counted(count, 'line')}: {oddity} ({places}{more})"
    if log.outside:
        yield f"outside of --since and --until: {counted(log.outside, 'line')}"


def oddities(log: AuditLog) -> dict[str, object]:
    """The same for programs."""
    return {
        "lines": log.read,
        "outside": log.outside,
        "passed_over": [
            {"why": oddity, "count": count, "places": log.places[oddity]}
            for oddity, count in log.odd.items()
        ],
    }


def in_words(missing: Missing) -> str:
    """All of some permissions, one of others."""
    return " and ".join((*missing.all_of, *(" or ".join(group) for group in missing.any_of)))


def requests(count: int) -> str:
    return counted(count, "request")


def span(first: str, last: str) -> str:
    return f" from {safe_text(first)} to {safe_text(last)}" if first else ""


def counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
