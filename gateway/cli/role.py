"""`ucs-gateway role …`: the administrators' steps with roles, made in the policy files."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

import policy
from gateway.cli.editing import (
    edit,
    edit_options,
    file_option,
    looked_up,
    settings_and_table,
    show_options,
)
from gateway.cli.output import Exit, near, show_json
from gateway.settings import load_settings
from policy import DecisionTable, PolicyInvalid
from policy.editing import (
    RolePortrait,
    create_role,
    delete_role,
    exclude_roles,
    grant,
    include_roles,
    portrait_of_role,
    rename_role,
    revoke,
    switch_role,
)

__all__ = ["command"]


@click.group("role")
def command() -> None:
    """Create roles, change what they grant, and show what they open."""


@command.command("create")
@click.argument("name")
@click.option("--title", help="What people call the role.")
@click.option("--include", "includes", multiple=True, help="A role to include; may be repeated.")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    help="A permission, by its name or its display name; may be repeated.",
)
@file_option
@edit_options
def create(
    name: str,
    title: str | None,
    includes: tuple[str, ...],
    permissions: tuple[str, ...],
    file: Path | None,
    config: Path,
    dry_run: bool,
    format_: str,
) -> int:
    """Create a role, in the file that has most roles or in --file."""
    return edit(
        lambda files: create_role(
            files,
            name,
            title=title,
            includes=includes,
            permissions=permissions,
            file=files.new_file,
        ),
        config=config,
        dry_run=dry_run,
        format_=format_,
        file=file,
    )


@command.command("grant")
@click.argument("name")
@click.argument("permissions", nargs=-1, required=True)
@edit_options
def grant_(
    name: str, permissions: tuple[str, ...], config: Path, dry_run: bool, format_: str
) -> int:
    """Give a role permissions, by name or by display name."""
    return edit(
        lambda files: grant(files, name, permissions),
        config=config,
        dry_run=dry_run,
        format_=format_,
    )


@command.command("revoke")
@click.argument("name")
@click.argument("permissions", nargs=-1, required=True)
@edit_options
def revoke_(
    name: str, permissions: tuple[str, ...], config: Path, dry_run: bool, format_: str
) -> int:
    """Take permissions from a role."""
    return edit(
        lambda files: revoke(files, name, permissions),
        config=config,
        dry_run=dry_run,
        format_=format_,
    )


@command.command("enable")
@click.argument("name")
@edit_options
def enable(name: str, config: Path, dry_run: bool, format_: str) -> int:
    """Switch a role on."""
    return edit(
        lambda files: switch_role(files, name, enabled=True),
        config=config,
        dry_run=dry_run,
        format_=format_,
    )


@command.command("disable")
@click.argument("name")
@edit_options
def disable(name: str, config: Path, dry_run: bool, format_: str) -> int:
    """Switch a role off: it stays where it is, and grants nothing."""
    return edit(
        lambda files: switch_role(files, name, enabled=False),
        config=config,
        dry_run=dry_run,
        format_=format_,
    )


@command.command("include")
@click.argument("name")
@click.argument("roles", nargs=-1, required=True)
@edit_options
def include(name: str, roles: tuple[str, ...], config: Path, dry_run: bool, format_: str) -> int:
    """Give a role all that other roles grant."""
    return edit(
        lambda files: include_roles(files, name, roles),
        config=config,
        dry_run=dry_run,
        format_=format_,
    )


@command.command("exclude")
@click.argument("name")
@click.argument("roles", nargs=-1, required=True)
@edit_options
def exclude(name: str, roles: tuple[str, ...], config: Path, dry_run: bool, format_: str) -> int:
    """Have a role no longer include other roles."""
    return edit(
        lambda files: exclude_roles(files, name, roles),
        config=config,
        dry_run=dry_run,
        format_=format_,
    )


@command.command("rename")
@click.argument("old")
@click.argument("new")
@edit_options
def rename(old: str, new: str, config: Path, dry_run: bool, format_: str) -> int:
    """Call a role otherwise, wherever policy files name it."""
    _tell_of_others(old, config)
    return edit(
        lambda files: rename_role(files, old, new),
        config=config,
        dry_run=dry_run,
        format_=format_,
    )


@command.command("delete")
@click.argument("name")
@click.option("--unassign", is_flag=True, help="Take it from whoever has or includes it, too.")
@edit_options
def delete(name: str, unassign: bool, config: Path, dry_run: bool, format_: str) -> int:
    """Delete a role that nobody has."""
    _tell_of_others(name, config)
    return edit(
        lambda files: delete_role(files, name, unassign=unassign),
        config=config,
        dry_run=dry_run,
        format_=format_,
    )


def _tell_of_others(name: str, config: Path) -> None:
    """Expectations and proofs that name the role: these are not edited."""
    folder = load_settings(config, os.environ).policy
    for kind in ("tests", "proofs"):
        for path in sorted((folder / kind).glob("*.y*ml")):
            lines = ", ".join(map(str, _lines_naming(name, path)))
            if lines:
                click.echo(
                    near(
                        f"note: {path} names `{name}` as well, on line {lines}: change it by hand"
                    ),
                    err=True,
                )


def _lines_naming(name: str, path: Path) -> Iterator[int]:
    try:
        source = policy.parse_yaml(path.read_bytes(), str(path))
    except (OSError, PolicyInvalid):
        return
    pattern = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if pattern.search(line) and source.value is not None:
            yield number


@command.command("list")
@show_options
def list_(config: Path, format_: str) -> int:
    """List all roles: how much each grants, and how many have it."""
    _, table = settings_and_table(config)
    users = Counter(role for name in table.users for role in _roles_of_user(table, name))
    claims = Counter(role for given in table.claims.values() for role in {*given.roles})
    if format_ == "json":
        show_json([
            {
                "name": name, "title": role.title, "enabled": role.enabled,
                "where": str(role.where), "permissions": len(table.names_of(role.mask)),
                "users": users[name], "claims": claims[name],
            }
            for name, role in table.roles.items()
        ])  # fmt: skip
        return Exit.YES
    rows = [("role", "permissions", "users", "claims", "title")]
    for name, role in table.roles.items():
        rows.append((
            name if role.enabled else f"{name} (off)", str(len(table.names_of(role.mask))),
            str(users[name]), str(claims[name]), role.title,
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(map(str.ljust, row, widths)).rstrip())
    return Exit.YES


def _roles_of_user(table: DecisionTable, name: str) -> set[str]:
    given = table.users[name]
    by_group = (role for group in given.groups for role in table.groups[group].roles)
    return {*given.roles, *by_group}


@command.command("show")
@click.argument("name")
@show_options
def show(name: str, config: Path, format_: str) -> int:
    """Show a role: what it grants, who has it, and what it opens."""
    _, table = settings_and_table(config)
    looked_up(name, table.roles, "role")
    portrait = portrait_of_role(table, name)
    if format_ == "json":
        show_json(_as_json(table, portrait))
    else:
        click.echo(near("\n".join(_in_words(table, portrait))))
    return Exit.YES


def _in_words(table: DecisionTable, role: RolePortrait) -> Iterator[str]:
    off = "" if role.enabled else ", switched off: it grants nothing"
    yield f"role `{role.name}`{off} ({role.where})"
    if role.title:
        yield f"title: {role.title}"
    for label, names in (
        ("includes", role.includes),
        ("included by", role.included_by),
        ("users", role.users),
        ("groups", role.groups),
        ("claims", role.claims),
    ):
        if names:
            yield f"{label}: {', '.join(names)}"
    if not (role.users or role.claims):
        yield "nobody has it"
    for label, names in (("permissions", role.own), ("inherited", role.inherited)):
        if names:
            yield f"{label}:"
            yield from (f"  {each} ({table.permissions.title_of(each)})" for each in names)
    yield f"opens {role.reach}:" if role.reach else "opens no operation"
    yield from (f"  {route.method} {route.template}" for route in role.reach.whole)
    yield from (f"  {route.method} {route.template}, some requests" for route in role.reach.partly)


def _as_json(table: DecisionTable, role: RolePortrait) -> dict[str, object]:
    return {
        "name": role.name,
        "title": role.title,
        "enabled": role.enabled,
        "where": str(role.where),
        "includes": role.includes,
        "included_by": role.included_by,
        "permissions": {each: table.permissions.title_of(each) for each in role.own},
        "inherited": {each: table.permissions.title_of(each) for each in role.inherited},
        "users": role.users,
        "groups": role.groups,
        "claims": role.claims,
        "operations": [route.id for route in role.reach.whole],
        "operations_partly": [route.id for route in role.reach.partly],
        "writes": role.reach.writes,
    }
