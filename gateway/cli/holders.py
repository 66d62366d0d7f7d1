"""The commands of users, groups and claims, which are alike: assign, remove, show, list."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from gateway.cli.editing import Plan, edits, file_option, settings_and_table, show_options
from gateway.cli.known import looked_up
from gateway.cli.output import Exit, near, show_json
from policy import DecisionTable
from policy.editing import (
    HolderPortrait,
    assign,
    portrait_of_holder,
    remove,
    remove_all,
)

__all__ = ["add_commands", "division_option"]

Command = Callable[..., int]

division_option = click.option(
    "--division", "divisions", multiple=True,
    help="Only in this division; may be repeated. Without it, in all of them.",
)  # fmt: skip
_groups_option = click.option("--group", "groups", multiple=True, help="A group; may be repeated.")


def add_commands(group: click.Group, section: str, kind: str) -> None:
    """Give `group` the four commands for that section of policy files."""
    what = "roles and groups" if section == "users" else "roles"
    commands = (
        ("assign", _assign(section), f"Give a {kind} {what}; one that is new is added."),
        ("remove", _remove(section, kind), f"Take {what} from a {kind}."),
        ("show", _show(section, kind), f"Show a {kind}: its roles, and whence each permission."),
        ("list", _list(section, kind), f"List every {kind} that policy files name."),
    )
    for name, function, told in commands:
        takes_groups = section == "users" and name in {"assign", "remove"}
        group.command(name, help=told)(_groups_option(function) if takes_groups else function)


def _assign(section: str) -> Command:
    @click.argument("name")
    @click.argument("roles", nargs=-1)
    @division_option
    @file_option
    @edits
    def assign_(
        name: str,
        roles: tuple[str, ...],
        divisions: tuple[str, ...],
        groups: tuple[str, ...] = (),
    ) -> Plan:
        if not roles and not groups:
            raise click.UsageError("name what to assign")
        if divisions and not roles:
            raise click.UsageError("only roles are given in divisions")
        return lambda files: assign(
            files, section, name, roles, groups, divisions=divisions, file=files.new_file
        )

    return assign_


def _remove(section: str, kind: str) -> Command:
    @click.argument("name")
    @click.argument("roles", nargs=-1)
    @division_option
    @click.option("--all", "everything", is_flag=True, help=f"Take the {kind} out of the policy.")
    @edits
    def remove_(
        name: str,
        roles: tuple[str, ...],
        divisions: tuple[str, ...],
        everything: bool,
        groups: tuple[str, ...] = (),
    ) -> Plan:
        if everything == bool(roles or groups) or (divisions and not roles):
            raise click.UsageError("name what to take away, or give `--all`")
        if everything:
            return lambda files: remove_all(files, section, name)
        return lambda files: remove(files, section, name, roles, groups, divisions=divisions)

    return remove_


def _show(section: str, kind: str) -> Command:
    @click.argument("name")
    @show_options
    def show(name: str, config: Path, format_: str) -> int:
        _, table = settings_and_table(config)
        looked_up(name, getattr(table, section), kind)
        portrait = portrait_of_holder(table, section, name)
        if format_ == "json":
            show_json(_as_json(table, portrait))
        else:
            click.echo(near("\n".join(_in_words(table, portrait, kind))))
        return Exit.YES

    return show


def _list(section: str, kind: str) -> Command:
    @show_options
    def list_(config: Path, format_: str) -> int:
        _, table = settings_and_table(config)
        every = getattr(table, section)
        if format_ == "json":
            show_json([
                {"name": name, "where": str(each.where), "roles": each.roles, "groups": each.groups}
                for name, each in every.items()
            ])  # fmt: skip
            return Exit.YES
        if not every:
            click.echo(f"no policy file names a {kind}")
        width = max(map(len, every), default=0)
        for name, each in every.items():
            has = [*each.roles, *(f"group {member}" for member in each.groups)]
            click.echo(f"{name.ljust(width)}  {', '.join(has) or 'nothing'}")
        return Exit.YES

    return list_


def _in_words(table: DecisionTable, holder: HolderPortrait, kind: str) -> Iterator[str]:
    yield f"{kind} `{holder.name}` ({holder.where})"
    roles = [
        name if table.roles[name].enabled else f"{name} (switched off)" for name in holder.roles
    ]
    for label, names in (("roles", roles), ("groups", holder.groups), ("members", holder.members)):
        if names:
            yield f"{label}: {', '.join(names)}"
    yield "permissions:" if holder.permissions else "no permission"
    for permission, origins in holder.permissions:
        yield f"  {permission} ({table.permissions.title_of(permission)})"
        yield from (f"    {origin}" for origin in origins)
    yield f"may call {holder.reach}" if holder.reach else "may call no operation"


def _as_json(table: DecisionTable, holder: HolderPortrait) -> dict[str, object]:
    return {
        "name": holder.name,
        "where": str(holder.where),
        "roles": holder.roles,
        "groups": holder.groups,
        "members": holder.members,
        "permissions": [
            {
                "permission": permission,
                "title": table.permissions.title_of(permission),
                "origins": [{"path": each.path, "where": str(each.where)} for each in origins],
            }
            for permission, origins in holder.permissions
        ],
        "operations": [route.id for route in holder.reach.whole],
        "operations_partly": [route.id for route in holder.reach.partly],
        "writes": holder.reach.writes,
    }
