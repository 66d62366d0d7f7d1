"""`client list` and `client show`: what clients are, and what the policy gives them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gateway.cli.client_file import client_named, clients_settings, read_entries
from gateway.cli.editing import settings_and_table, show_options
from gateway.cli.output import Exit, near, show_json
from gateway.issuer.clients import ClientEntry
from policy.editing import portrait_of_holder

__all__ = ["add_shown"]


def add_shown(group: click.Group) -> None:
    """Give `group` these commands."""
    group.add_command(_list)
    group.add_command(_show)


@click.command("list")
@show_options
def _list(config: Path, format_: str) -> int:
    """List all clients."""
    entries = read_entries(clients_settings(config).file)
    if format_ == "json":
        show_json([_as_json(name, entry) for name, entry in entries.items()])
        return Exit.YES
    rows = [("client", "id", "state", "tokens", "title")]
    rows += [
        (name, entry.id, entry.state.value, f"{entry.token_seconds} s", entry.title)
        for name, entry in entries.items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(map(str.ljust, row, widths)).rstrip())
    return Exit.YES


@click.command("show")
@click.argument("name")
@show_options
def _show(name: str, config: Path, format_: str) -> int:
    """Show a client and what the policy gives it, without its secret, which nobody knows."""
    entry = client_named(name, read_entries(clients_settings(config).file))
    _, table = settings_and_table(config)
    given = table.clients.get(name)
    if format_ == "json":
        show_json(_as_json(name, entry) | {"policy": None if given is None else _given(given)})
        return Exit.YES
    click.echo("\n".join(_in_words(name, entry)))
    if given is None:
        click.echo("no policy file gives it anything")
        return Exit.YES
    within = dict(given.within)
    roles = [f"{each} ({', '.join(within[each])})" if each in within else each
             for each in given.roles]  # fmt: skip
    click.echo(near(f"policy: {given.where}"))
    click.echo(f"roles: {', '.join(roles) or 'none'}")
    asked = "" if given.use_scopes else " (not asked for)"
    click.echo(f"scopes: {', '.join(given.scopes) or 'none'}{asked}")
    reach = portrait_of_holder(table, "clients", name).reach
    click.echo(f"may call {reach}" if reach else "may call no operation")
    return Exit.YES


def _given(given: Any) -> dict[str, object]:
    within = dict(given.within)
    return {
        "where": str(given.where),
        "roles": [{"role": each, "divisions": within.get(each, ("*",))} for each in given.roles],
        "scopes": given.scopes,
        "use_scopes": given.use_scopes,
    }


def _in_words(name: str, entry: ClientEntry) -> Iterator[str]:
    yield f"client `{name}`, {entry.state.value}"
    if entry.title:
        yield f"title: {entry.title}"
    yield f"client id: {entry.id}"
    secrets = "one secret" if len(entry.secret_hashes) == 1 else "two secrets, either is good"
    yield f"{secrets}; tokens for {entry.token_seconds} s"
    if entry.tokens_since is not None:
        yield f"tokens issued before {entry.tokens_since} have ended"
    if entry.may_introspect:
        yield "may ask what others' tokens say"


def _as_json(name: str, entry: ClientEntry) -> dict[str, object]:
    return {
        "name": name,
        "id": entry.id,
        "title": entry.title,
        "state": entry.state.value,
        "secrets": len(entry.secret_hashes),
        "token_seconds": entry.token_seconds,
        "tokens_since": entry.tokens_since,
        "may_introspect": entry.may_introspect,
    }
