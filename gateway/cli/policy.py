"""`ucs-gateway policy`: which policy a running gateway decides by; take a changed one, or go back.

The commands call the admin port of the gateway that runs with these settings, and show the token
that the settings name.
"""

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.cli.output import Exit, config_option, format_option, near, show_json
from gateway.reload import Attempt, Finding, PolicyStatus
from gateway.settings import Admin, load_admin

__all__ = ["command"]

# A large policy takes seconds to compile, and the answer comes when every worker has it.
_PATIENCE_SECONDS = 330.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not listened on


@click.group("policy")
def command() -> None:
    """Look at the policy of a running gateway, reload it, or go back to the one before."""


@command.command("status")
@config_option
@format_option
def status(config: Path, format_: str) -> int:
    """Tell which version is in force in each worker, and what became of the last attempt.

    Exits with 2 when the files say something else than what is in force.
    """
    code, answer = _asked(load_admin(config, os.environ), "GET", "/api/policy")
    if code != 200:
        raise click.ClickException(_fault(answer))
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
    code, answer = _asked(load_admin(config, os.environ), "POST", path)
    if code not in {200, 409}:
        raise click.ClickException(_fault(answer))
    if format_ == "json":
        show_json(answer)
    else:
        _show_attempt(msgspec.convert(answer, Attempt))
    return Exit.YES if code == 200 else Exit.INVALID


def _asked(admin: Admin, method: str, path: str) -> tuple[int, Any]:
    """The status and the JSON of the admin port's answer."""
    host, port = admin.address.host, admin.address.port
    host = _EVERYWHERE.get(host, host)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = {}
    if method == "POST" and admin.token_file is not None:
        headers["Authorization"] = f"Bearer {admin.token_file.value.decode()}"
    call = urllib.request.Request(f"http://{where}{path}", method=method, headers=headers)
    # No proxy of the environment may see the token.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(call, timeout=_PATIENCE_SECONDS) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        with refused:
            try:
                return refused.code, json.load(refused)
            except ValueError:
                raise click.ClickException(f"{where} is no gateway's admin port") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        why = getattr(why, "strerror", None) or str(why)
        raise click.ClickException(f"no gateway answers at {where}: {why.lower()}") from None


def _fault(answer: Any) -> str:
    return str(answer.get("message", answer) if isinstance(answer, dict) else answer)


def _show_status(status: PolicyStatus) -> None:
    click.echo(f"in force: {status.version} since {_time(status.since)}")
    if status.previous is not None:
        click.echo(f"before:   {status.previous}")
    for worker in status.workers:
        other = "" if worker.version == status.version else f" DECIDES BY {worker.version}"
        click.echo(f"worker {worker.worker}: since {_time(worker.since)}{other}")
    if status.rolled_back_from is not None:
        click.echo(f"rolled back from {status.rolled_back_from}, which the files still say")
    last = status.last_attempt
    click.echo(f"last attempt: {last.outcome} at {_time(last.at)}, by {last.source}")
    if status.last_error is not None:
        click.echo(f"NOT taken at {_time(status.last_error.at)}:")
        _show_faults(status.last_error)


def _show_attempt(attempt: Attempt) -> None:
    words = {
        "taken": f"taken: version {attempt.version} is in force",
        "unchanged": f"nothing to take: version {attempt.version} is in force already",
        "rolled-back": f"rolled back: version {attempt.version} is in force",
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


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
