"""The steps of whoever gives roles to people: to users, groups, and values of the roles claim."""

from collections.abc import Sequence

from policy.editing.changes import Add, Drop, Put, Take
from policy.editing.errors import EditRefused
from policy.editing.files import KINDS, PolicyFiles, Step, name_for
from policy.editing.layout import Value
from policy.suggest import Suggestions

__all__ = ["assign", "remove", "remove_all"]

_ORDER = ("roles", "groups")


def assign(
    files: PolicyFiles,
    section: str,
    name: str,
    roles: Sequence[str] = (),
    groups: Sequence[str] = (),
    *,
    file: str | None = None,
) -> Step:
    """`name`, of `users`, `groups` or `claims`, gets roles, and a user also groups."""
    kind = KINDS[section]
    name_for(kind, name)
    for each in roles:
        files.known("roles", each)
    for each in groups:
        files.known("groups", each)
    step = Step()
    new: dict[str, list[str]] = {}
    for key, names in (("roles", roles), ("groups", groups)):
        has = files.listed(section, name, _key(section, key))
        fresh = [each for each in dict.fromkeys(names) if each not in has]
        step.notes += [
            f"{kind} `{name}` has {key[:-1]} `{each}` already"
            for each in dict.fromkeys(names)
            if each in has
        ]
        step.said += [f"{kind} `{name}` now has {key[:-1]} `{each}`" for each in fresh]
        if fresh:
            new[key] = fresh
    if not new:
        return step
    there = files.where(section, name)
    if there is None:
        there = files.home(section, file)
        near = Suggestions(files.names(section)).help_for(name)
        step.said.insert(0, f"{kind} `{name}` is new, in {there}")
        if near is not None:
            step.notes.append(f"no policy file named the {kind} `{name}` before: {near}")
        value: Value = new["roles"] if section == "claims" else new
        step.change(there, Put((section, name), value))
        return step
    for key, names in new.items():
        step.change(there, Add(_path(section, name, key), tuple(names), _ORDER))
    return step


def remove(
    files: PolicyFiles,
    section: str,
    name: str,
    roles: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> Step:
    """`name` loses roles and groups. What it has through a group can only be taken from there."""
    kind, file = KINDS[section], files.known(section, name)
    step = Step()
    for key, names in (("roles", roles), ("groups", groups)):
        has = files.listed(section, name, _key(section, key))
        for each in dict.fromkeys(names):
            if each in has:
                step.said.append(f"{kind} `{name}` no longer has {key[:-1]} `{each}`")
                continue
            files.known(key, each)
            if key == "roles" and section == "users":
                _refuse_if_by_group(files, name, each)
            step.notes.append(f"{kind} `{name}` does not have {key[:-1]} `{each}`")
        gone = tuple(each for each in dict.fromkeys(names) if each in has)
        if gone:
            step.change(file, Take(_path(section, name, key), gone))
    return step


def remove_all(files: PolicyFiles, section: str, name: str) -> Step:
    """`name` is no longer named at all."""
    kind, file = KINDS[section], files.known(section, name)
    if section == "groups":
        members = [
            user for user in files.names("users") if name in files.listed("users", user, "groups")
        ]
        if members:
            some = ", ".join(f"`{user}`" for user in members[:5])
            raise EditRefused(
                f"the group `{name}` still has members: {some}",
                f"take them out first: `user remove {members[0]} --group {name}`",
            )
    step = Step(said=[f"{kind} `{name}` is no longer named, and has nothing"])
    step.change(file, Drop((section, name)))
    return step


def _refuse_if_by_group(files: PolicyFiles, user: str, role: str) -> None:
    for group in files.listed("users", user, "groups"):
        if role in files.listed("groups", group, "roles"):
            raise EditRefused(
                f"user `{user}` has role `{role}` through group `{group}`",
                f"take the user out of the group: `user remove {user} --group {group}`",
            )


def _key(section: str, key: str) -> str | None:
    """A claim's entry is a list of roles itself, and only users have groups."""
    return None if section == "claims" and key == "roles" else key


def _path(section: str, name: str, key: str) -> tuple[str, ...]:
    return (section, name) if section == "claims" else (section, name, key)
