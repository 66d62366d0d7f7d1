"""What the commands that edit the clients file have in common: read, change, check, write.

The file is edited in place, its comments kept, as the policy's files are. The new text has to be
one that a gateway would take, or nothing is written.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.cli.output import Exit, near, show_json
from gateway.cli.replacing import locked, replace_files
from gateway.issuer.clients import ClientEntry, ClientsFile
from gateway.settings import ClientsSettings, load_settings
from policy import parse_yaml, read_model
from policy.editing import Change, EditRefused, edited, suggestion

__all__ = ["Edit", "Entries", "client_named", "clients_settings", "edit_clients", "read_entries"]

Entries = Mapping[str, ClientEntry]


class Edit(msgspec.Struct):
    """What a command changes in the file, what it says of it, and what only it can tell.

    `told` is shown once, also to programs, and is not kept: a new client's secret.
    """

    changes: list[Change] = []
    said: list[str] = []
    notes: list[str] = []
    told: dict[str, Any] = {}


def clients_settings(config: Path) -> ClientsSettings:
    """The settings of the token endpoint. Raises ClickException where there is none."""
    clients = load_settings(config, os.environ).identity.clients
    if clients is None:
        raise click.ClickException(
            f"{config}: `identity.clients` is not there, so this gateway has no clients\n"
            "  help: see `identity.clients` in the README's configuration reference"
        )
    return clients


def read_entries(path: Path) -> Entries:
    """What the file says. Raises PolicyInvalid or ClickException."""
    return _parsed(_content(path), path).clients


def client_named(name: str, entries: Entries) -> ClientEntry:
    """The client of that name. Raises ClickException, with the one that may be meant."""
    if name in entries:
        return entries[name]
    shown = ascii(name)[1:-1] if not name.isprintable() else name
    advice = suggestion(name, entries)
    said = f"the clients file has no client `{shown}`"
    raise click.ClickException(said if advice is None else f"{said}\n  help: {advice}")


def edit_clients(
    plan: Callable[[Entries], Edit], *, config: Path, dry_run: bool, format_: str
) -> int:
    """Make the edit that `plan` works out; the exit code of the command."""
    path = clients_settings(config).file
    with nullcontext() if dry_run else locked(path.resolve().parent):
        content = _content(path)
        step = plan(_parsed(content, path).clients)
        old = content.decode()
        try:
            new = edited(old, step.changes, str(path)) if step.changes else old
        except EditRefused as refused:
            raise click.ClickException(str(refused)) from None
        _ = _parsed(new.encode(), path)
        is_written = new != old and not dry_run
        if is_written:
            replace_files({path: new.encode()}, lambda: _content(path) == content)
    diff = "".join(
        difflib.unified_diff(
            old.splitlines(keepends=True), new.splitlines(keepends=True), str(path), str(path)
        )
    )
    if format_ == "json":
        show_json({
            "written": is_written, "said": step.said, "notes": step.notes, **step.told,
            "files": [{"file": str(path), "diff": diff}] if new != old else [],
        })  # fmt: skip
        return Exit.YES
    if dry_run:
        click.echo(near(diff), nl=False)
    for line in (*step.said, *(f"note: {note}" for note in step.notes)):
        click.echo(near(line))
    _show_told(step.told)
    if new == old:
        click.echo("nothing to change")
    else:
        click.echo(near(f"written: {path}" if is_written else "nothing is written (--dry-run)"))
    return Exit.YES


def _show_told(told: Mapping[str, Any]) -> None:
    width = max(map(len, told), default=0)
    for label, value in told.items():
        click.echo(f"  {label.replace('_', ' ').ljust(width)}  {value}")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _parsed(content: bytes, path: Path) -> ClientsFile:
    return read_model(ClientsFile, parse_yaml(content, str(path)))
