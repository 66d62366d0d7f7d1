"""What clients may do, as commands: roles and scopes, which stand in the policy's files.

In the words of Genesys Cloud: roles are switched on and off for a client, it is authorized for
scopes, and approved. Here a client is approved once it is active and the policy gives it something.
"""

import os
from pathlib import Path

import click

from gateway.cli.client_file import Edit, Entries, client_named, edit_clients, read_entries
from gateway.cli.editing import Plan, edit_options, edits, file_option, settings_and_table
from gateway.cli.holders import division_option
from gateway.cli.output import near
from gateway.issuer.clients import ClientState
from gateway.settings import load_settings
from policy.editing import (
    PolicyFiles,
    Put,
    Step,
    assign,
    authorize,
    remove,
    remove_all,
    suggestion,
    unauthorize,
)

__all__ = ["add_commands"]


def add_commands(group: click.Group) -> None:
    """Give `group` these commands."""
    for each in (_grant, _revoke, _authorize, _unauthorize, _approve):
        group.add_command(each)


@click.command("grant")
@click.argument("name")
@click.argument("roles", nargs=-1, required=True)
@division_option
@file_option
@edits
@click.pass_context
def _grant(
    context: click.Context, name: str, roles: tuple[str, ...], divisions: tuple[str, ...]
) -> Plan:
    """Switch roles on for a client."""
    unknown = _if_unknown(name, context.params["config"])

    def plan(files: PolicyFiles) -> Step:
        step = assign(files, "clients", name, roles, divisions=divisions, file=files.new_file)
        step.notes += unknown
        return step

    return plan


@click.command("revoke")
@click.argument("name")
@click.argument("roles", nargs=-1)
@division_option
@click.option("--all", "everything", is_flag=True, help="All roles and all scopes.")
@edits
def _revoke(
    name: str, roles: tuple[str, ...], divisions: tuple[str, ...], *, everything: bool
) -> Plan:
    """Switch roles off for a client, or take from it all that the policy gives it."""
    if everything == bool(roles) or (divisions and not roles):
        raise click.UsageError("name what to take away, or give `--all`")
    if everything:
        return lambda files: remove_all(files, "clients", name)
    return lambda files: remove(files, "clients", name, roles, divisions=divisions)


@click.command("authorize")
@click.argument("name")
@click.argument("scopes", nargs=-1, required=True)
@file_option
@edits
@click.pass_context
def _authorize(context: click.Context, name: str, scopes: tuple[str, ...]) -> Plan:
    """Authorize a client for scopes."""
    unknown = _if_unknown(name, context.params["config"])

    def plan(files: PolicyFiles) -> Step:
        step = authorize(files, name, scopes, file=files.new_file)
        step.notes += unknown
        return step

    return plan


@click.command("unauthorize")
@click.argument("name")
@click.argument("scopes", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All scopes.")
@edits
def _unauthorize(name: str, scopes: tuple[str, ...], *, everything: bool) -> Plan:
    """Take scopes from a client; without any, only operations that ask for none are left to it."""
    if everything == bool(scopes):
        raise click.UsageError("name the scopes, or give `--all`")
    return lambda files: unauthorize(files, name, scopes)


@click.command("approve")
@click.argument("name")
@edit_options
def _approve(name: str, config: Path, dry_run: bool, format_: str) -> int:
    """Let a client get tokens, once the policy gives it something, and say what that is."""
    _, table = settings_and_table(config)
    given = table.clients.get(name)

    def plan(entries: Entries) -> Edit:
        entry = client_named(name, entries)
        if given is None or not given.roles:
            raise click.ClickException(
                f"client `{name}` has no role, so its tokens would open next to nothing\n"
                f"  help: `client grant {name} ROLE` gives it one"
            )
        step = Edit()
        if entry.state is not ClientState.ACTIVE:
            step.changes.append(Put(("clients", name, "state"), ClientState.ACTIVE.value))
        within = dict(given.within)
        roles = [f"{each} ({', '.join(within[each])})" if each in within else each
                 for each in given.roles]  # fmt: skip
        step.said = [f"client `{name}` is approved", f"roles: {', '.join(roles)}"]
        if given.use_scopes:
            step.said.append(f"scopes: {', '.join(given.scopes) or 'none'}")
        else:
            step.said.append("scopes are not asked for")
        return step

    return edit_clients(plan, config=config, dry_run=dry_run, format_=format_)


def _if_unknown(name: str, config: Path) -> list[str]:
    """A note if the clients file has no such client. Raises PolicyInvalid, SettingsInvalid."""
    clients = load_settings(config, os.environ).identity.clients
    if clients is None:
        return []
    entries = read_entries(clients.file)
    if name in entries:
        return []
    advice = suggestion(name, entries)
    said = f"the clients file has no client `{name}` yet"
    return [near(f"{said}: {advice}" if advice else said)]
