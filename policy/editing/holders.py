"""The steps of whoever gives roles: to users, groups, clients, and values of the roles claim."""

from collections.abc import Sequence

from policy.editing.changes import Add, Drop, Put, Take
from policy.editing.errors import EditRefused
from policy.editing.files import KINDS, PolicyFiles, Step, name_for
from policy.editing.layout import Value
from policy.entries import EVERYWHERE
from policy.suggest import Suggestions

__all__ = ["assign", "remove", "remove_all"]

_ORDER = ("title", "roles", "groups", "scopes", "use_scopes")


def assign(
    files: PolicyFiles,
    section: str,
    name: str,
    roles: Sequence[str] = (),
    groups: Sequence[str] = (),
    *,
    divisions: Sequence[str] = (),
    file: str | None = None,
) -> Step:
    """`name`, of `users`, `groups`, `clients` or `claims`, gets roles, and a user also groups.

    With `divisions` the roles are given in these besides where they are; without, in all of them.
    """
    kind = KINDS[section]
    name_for(kind, name)
    for each in divisions:
        name_for("division", each)
    for each in roles:
        files.known("roles", each)
    step = Step()
    given = _Given(files, section, name, step)
    for each in dict.fromkeys(roles):
        given.give(each, tuple(dict.fromkeys(divisions)))
    fresh = _fresh_groups(files, section, name, groups, step)
    if not given.added and not fresh:
        return step
    there = files.where(section, name)
    if there is None:
        there = files.home(section, file)
        near = Suggestions(files.names(section)).help_for(name)
        step.said.insert(0, f"{kind} `{name}` is new, in {there}")
        if near is not None:
            step.notes.append(f"no policy file named the {kind} `{name}` before: {near}")
        parts = {"roles": given.added, "groups": fresh}
        value: Value = {key: part for key, part in parts.items() if part}
        step.change(there, Put((section, name), given.added if section == "claims" else value))
        return step
    given.change(there)
    if fresh:
        step.change(there, Add(_path(section, name, "groups"), tuple(fresh), _ORDER))
    return step


def _fresh_groups(
    files: PolicyFiles, section: str, name: str, groups: Sequence[str], step: Step
) -> list[Value]:
    """Those that it does not have yet; `step` says so of all of them."""
    whose = f"{KINDS[section]} `{name}`"
    has = files.listed(section, name, "groups") if groups else ()
    for each in dict.fromkeys(groups):
        files.known("groups", each)
        if each in has:
            step.notes.append(f"{whose} has group `{each}` already")
        else:
            step.said.append(f"{whose} now has group `{each}`")
    return [each for each in dict.fromkeys(groups) if each not in has]


def remove(
    files: PolicyFiles,
    section: str,
    name: str,
    roles: Sequence[str] = (),
    groups: Sequence[str] = (),
    *,
    divisions: Sequence[str] = (),
) -> Step:
    """`name` loses roles and groups. What it has through a group can only be taken from there.

    With `divisions` the roles are lost in these only.
    """
    kind, file = KINDS[section], files.known(section, name)
    step = Step()
    given = _Given(files, section, name, step)
    for each in dict.fromkeys(roles):
        if not given.has(each):
            files.known("roles", each)
            if section == "users":
                _refuse_if_by_group(files, name, each)
        given.take(each, tuple(dict.fromkeys(divisions)))
    given.change(file)
    has = files.listed(section, name, "groups") if groups else ()
    for each in dict.fromkeys(groups):
        if each not in has:
            files.known("groups", each)
            step.notes.append(f"{kind} `{name}` does not have group `{each}`")
        else:
            step.said.append(f"{kind} `{name}` no longer has group `{each}`")
    gone = tuple(each for each in dict.fromkeys(groups) if each in has)
    if gone:
        step.change(file, Take(_path(section, name, "groups"), gone))
    return step


class _Given:
    """The roles of one holder, and what becomes of them: entries `taken` out, and `added`."""

    def __init__(self, files: PolicyFiles, section: str, name: str, step: Step) -> None:
        self.taken: list[str] = []
        self.added: list[Value] = []
        self._whose = f"{KINDS[section]} `{name}`"
        self._path = _path(section, name, "roles")
        self._step = step
        # None is in all divisions.
        self._divisions: dict[str, tuple[str, ...] | None] = {}
        for item in files.items(section, name, _key(section, "roles")):
            is_grant = isinstance(item, dict)
            within = item.get("divisions") if is_grant else None
            listed = tuple(map(str, within)) if isinstance(within, list) else ()
            role = str(item.get("role")) if is_grant else str(item)
            self._divisions[role] = listed if is_grant and EVERYWHERE not in listed else None

    def has(self, role: str) -> bool:
        return role in self._divisions

    def change(self, file: str) -> None:
        """Have it changed in the file."""
        if self.taken:
            self._step.change(file, Take(self._path, tuple(self.taken)))
        if self.added:
            self._step.change(file, Add(self._path, tuple(self.added), _ORDER))

    def give(self, role: str, divisions: tuple[str, ...]) -> None:
        """In these divisions besides, or in all of them."""
        known = self._divisions.get(role)
        wanted = None if not divisions or EVERYWHERE in divisions else divisions
        if self.has(role) and (known is None or not set(wanted or [""]) - set(known)):
            where = " in all divisions" if wanted is not None and known is None else ""
            self._step.notes.append(f"{self._whose} has role `{role}` already{where}")
            return
        if self.has(role):
            self.taken.append(role)
        both = None if wanted is None else tuple(dict.fromkeys((*(known or ()), *wanted)))
        self.added.append(_grant(role, both))
        self._step.said.append(f"{self._whose} now has role `{role}`{_in(wanted, self.has(role))}")

    def take(self, role: str, divisions: tuple[str, ...]) -> None:
        """In these divisions, or everywhere."""
        if not self.has(role):
            self._step.notes.append(f"{self._whose} does not have role `{role}`")
            return
        known = self._divisions[role]
        if divisions and known is None:
            raise EditRefused(
                f"{self._whose} has role `{role}` in all divisions",
                "take it away, and give it in those where it is to stay",
            )
        rest = tuple(each for each in known or () if divisions and each not in divisions)
        if divisions and rest == known:
            self._step.notes.append(f"{self._whose} does not have role `{role}`{_in(divisions)}")
            return
        self.taken.append(role)
        if rest:
            self.added.append(_grant(role, rest))
        where = _in(divisions) if divisions else ""
        self._step.said.append(f"{self._whose} no longer has role `{role}`{where}")


def _grant(role: str, divisions: tuple[str, ...] | None) -> Value:
    return role if divisions is None else {"role": role, "divisions": list(divisions)}


def _in(divisions: tuple[str, ...] | None, was_elsewhere: bool = False) -> str:
    if divisions is None:
        return " in all divisions" if was_elsewhere else ""
    word = "division" if len(divisions) == 1 else "divisions"
    return f" in {word} {', '.join(f'`{each}`' for each in divisions)}"


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
