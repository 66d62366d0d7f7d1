"""`ucs-gateway policy`: which policy a running gateway decides by; take a changed one, try one, go back.

The commands call the admin port of the gateway that runs with these settings, and show the token
that the settings name.
"""

from pathlib import Path

import click
import msgspec

from gateway.attempts import Attempt, Finding, PolicyStatus
from gateway.cli.admin_port import asked
from gateway.cli.candidate import COMMANDS
from gateway.cli.output import Exit, config_option, format_option, near, show_json, time_of

__all__ = ["command"]


@click.group("policy")
def command() -> None:
    """Look at the policy of a running gateway, reload it, go back, or try another one first."""


for each in COMMANDS:
    command.add_command(each)


@command.command("status")
@config_option
@format_option
def status(config: Path, format_: str) -> int:
    """Tell which version is in force in each worker, and what became of the last attempt.

    Exits with 2 when the files say something else than what is in force.
    """
    _, answer = asked(config, "GET", "/api/policy")
    if format_ == "json":
        show_json(answer)
    else:
        _show_status(msgspec.convert(answer, PolicyStatus))
    return Exit.DENIED_OR_DIFFERENT if answer["stale"] else Exit.YES


@command.command("reload")
@config_option
@format_option
def reload(config: Path, format_: str) -> int:
    """Have the running gateway take over what the files say now.

    Exits with 3 when they were refused; then everything stays as it was.
    """
    return _changed(config, format_, "/api/policy/reload")


@command.command("rollback")
@config_option
@format_option
def rollback(config: Path, format_: str) -> int:
    """Put the version before in force again, at once, in every worker.

    The files stay as they are, and are taken again when they change, or by `policy reload`. A
    second rollback brings back what the first one took away.
    """
    return _changed(config, format_, "/api/policy/rollback")


def _changed(config: Path, format_: str, path: str) -> int:
    code, answer = asked(config, "POST", path, expected=frozenset({200, 409}))
    if format_ == "json":
        show_json(answer)
    else:
        _show_attempt(msgspec.convert(answer, Attempt))
    return Exit.YES if code == 200 else Exit.INVALID


def _show_status(status: PolicyStatus) -> None:
    click.echo(f"in force: {status.version} since {time_of(status.since)}")
    if status.previous is not None:
        click.echo(f"before:   {status.previous}")
    for worker in status.workers:
        other = "" if worker.version == status.version else f" DECIDES BY {worker.version}"
        click.echo(f"worker {worker.worker}: since {time_of(worker.since)}{other}")
    if status.left is not None:
        how = (
            "rolled back from" if status.left_by == "rollback" else "a candidate was promoted over"
        )
        click.echo(f"{how} {status.left}, which the files still say")
    last = status.last_attempt
    click.echo(f"last attempt: {last.outcome} at {time_of(last.at)}, by {last.source}")
    if status.last_error is not None:
        click.echo(f"NOT taken at {time_of(status.last_error.at)}:")
        _show_faults(status.last_error)


def _show_attempt(attempt: Attempt) -> None:
    words = {
        "taken": f"taken: version {attempt.version} is in force",
        "unchanged": f"nothing to take: version {attempt.version} is in force already",
        "rolled-back": f"rolled back: version {attempt.version} is in force",
        "promoted": f"promoted: version {attempt.version} is in force",
        "kept": "refused: everything stays as it was",
    }
    click.echo(words[attempt.outcome])
    _show_faults(attempt)


def _show_faults(attempt: Attempt) -> None:
    for found in attempt.findings:
        click.echo(near(f"  {_described(found)}"))
    if attempt.why and not attempt.findings:
        click.echo(near(f"  {attempt.why}"))


def _described(found: Finding) -> str:
    return str(found) if found.help is None else f"{found}\n    help: {found.help}"
