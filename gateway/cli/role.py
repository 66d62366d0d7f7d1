"""`ucs-gateway role …`: the administrators' steps with roles, made in the policy files."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

import policy
from gateway.cli.editing import Plan, edits, file_option, settings_and_table, show_options
from gateway.cli.known import looked_up
from gateway.cli.output import Exit, near, show_json
from gateway.cli.sentences import listed
from policy import DecisionTable, PolicyInvalid
from policy.editing import (
    PolicyFiles,
    RolePortrait,
    Step,
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
@edits
def create(
    name: str, title: str | None, includes: tuple[str, ...], permissions: tuple[str, ...]
) -> Plan:
    """Create a role, in the file that has most roles or in --file."""
    return lambda files: create_role(
        files,
        name,
        title=title,
        includes=includes,
        permissions=permissions,
        file=files.new_file,
    )


@command.command("grant")
@click.argument("name")
@click.argument("permissions", nargs=-1, required=True)
@edits
def grant_(name: str, permissions: tuple[str, ...]) -> Plan:
    """Give a role permissions, by name or by display name."""
    return lambda files: grant(files, name, permissions)


@command.command("revoke")
@click.argument("name")
@click.argument("permissions", nargs=-1, required=True)
@edits
def revoke_(name: str, permissions: tuple[str, ...]) -> Plan:
    """Take permissions from a role."""
    return lambda files: revoke(files, name, permissions)


@command.command("enable")
@click.argument("name")
@edits
def enable(name: str) -> Plan:
    """Switch a role on."""
    return lambda files: switch_role(files, name, enabled=True)


@command.command("disable")
@click.argument("name")
@edits
def disable(name: str) -> Plan:
    """Switch a role off: it stays where it is, and grants nothing."""
    return lambda files: switch_role(files, name, enabled=False)


@command.command("include")
@click.argument("name")
@click.argument("roles", nargs=-1, required=True)
@edits
def include(name: str, roles: tuple[str, ...]) -> Plan:
    """Give a role all that other roles grant."""
    return lambda files: include_roles(files, name, roles)


@command.command("exclude")
@click.argument("name")
@click.argument("roles", nargs=-1, required=True)
@edits
def exclude(name: str, roles: tuple[str, ...]) -> Plan:
    """Have a role no longer include other roles."""
    return lambda files: exclude_roles(files, name, roles)


@command.command("rename")
@click.argument("old")
@click.argument("new")
@edits
def rename(old: str, new: str) -> Plan:
    """Call a role otherwise, wherever policy files name it."""
    return _telling_of_others(lambda files: rename_role(files, old, new), old)


@command.command("delete")
@click.argument("name")
@click.option("--unassign", is_flag=True, help="Take it from whoever has or includes it, too.")
@edits
def delete(name: str, unassign: bool) -> Plan:
    """Delete a role that nobody has."""
    return _telling_of_others(lambda files: delete_role(files, name, unassign=unassign), name)


def _telling_of_others(plan: Plan, name: str) -> Plan:
    """`plan`, which notes expectations and proofs that name the role: these are not edited."""

    def noting(files: PolicyFiles) -> Step:
        step = plan(files)
        folders = {Path(file).parent for file in step.changes}
        step.notes += [
            f"{path} names `{name}` as well, on line {listed(lines)}: change it by hand"
            for folder in folders
            for kind in ("tests", "proofs")
            for path in sorted((folder / kind).glob("*.y*ml"))
            if (lines := tuple(map(str, _lines_naming(name, path))))
        ]
        return step

    return noting


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
    if not table.roles:
        click.echo("no policy file defines a role")
        return Exit.YES
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
