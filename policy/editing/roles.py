"""The steps of whoever tends roles: each gives the changes that make it, or refuses.

A step that asks for what is there already gives no changes, and says so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from policy.diagnostics import visible
from policy.editing.changes import Add, Drop, Put, Rename, Respell, Take
from policy.editing.errors import EditRefused
from policy.editing.files import PolicyFiles, Step, name_for, title_for
from policy.editing.layout import Value
from policy.editing.notation import permission_named
from policy.permission_names import GrantedNames

__all__ = [
    "create_role",
    "delete_role",
    "exclude_roles",
    "grant",
    "include_roles",
    "rename_role",
    "revoke",
    "switch_role",
]

_ORDER = ("title", "enabled", "includes", "permissions")


def create_role(
    files: PolicyFiles,
    name: str,
    *,
    title: str | None = None,
    includes: Sequence[str] = (),
    permissions: Sequence[str] = (),
    file: str | None = None,
) -> Step:
    """A new role."""
    name_for("role", name)
    if (there := files.where("roles", name)) is not None:
        said = f"the role `{name}` is there already, in {there}"
        raise EditRefused(said, "`role grant` and `role include` change it")
    for included in includes:
        files.known("roles", included)
    named = [permission_named(each, files.titles) for each in permissions]
    entry: dict[str, Value] = {}
    if title is not None:
        entry["title"] = title_for(title)
    if includes:
        entry["includes"] = _once(includes)
    if named or not includes:
        entry["permissions"] = _once(named)
    home = files.home("roles", file)
    step = Step(said=[f"role `{name}` is new, in {home}"])
    step.said += [f"role `{name}` includes role `{each}`" for each in _once(includes)]
    step.said += _granted(files, name, _once(named))
    step.change(home, Put(("roles", name), entry))
    return step


def grant(files: PolicyFiles, name: str, permissions: Sequence[str]) -> Step:
    """The role gets permissions, named in either notation."""
    file = files.known("roles", name)
    named = _once(permission_named(each, files.titles) for each in permissions)
    own = _own(files, name)
    new = [each for each in named if each not in own]
    step = Step(said=_granted(files, name, new))
    step.notes += [f"role `{name}` grants `{each}` already" for each in named if each in own]
    if new:
        step.change(file, Add(("roles", name, "permissions"), tuple(new), _ORDER))
    return step


def revoke(files: PolicyFiles, name: str, permissions: Sequence[str]) -> Step:
    """The role loses permissions. What it has by including a role can only be taken from there."""
    file = files.known("roles", name)
    own = _own(files, name)
    lines = set(own.values())
    # What stands in the file may be taken out also where no catalogue knows it.
    named = _once(
        each if each in lines else permission_named(each, files.titles) for each in permissions
    )
    gone = [each if each in lines else own[each] for each in named if each in lines or each in own]
    own |= {line: line for line in lines}
    for each in named:
        if each not in own and (line := _pattern_over(files, own, each)) is not None:
            raise EditRefused(
                f"role `{name}` has `{each}` by `{line}`",
                f"revoke `{line}`, and grant what is to stay of it",
            )
        if each not in own and (giver := _giver_of(files, name, each)) is not None:
            raise EditRefused(
                f"role `{name}` has `{each}` from role `{giver}`, which it includes",
                f"exclude a role that leads there, or revoke it from `{giver}`",
            )
    step = Step(said=[f"role `{name}` no longer grants `{each}`" for each in gone])
    step.notes += [f"role `{name}` does not grant `{each}`" for each in named if each not in own]
    if gone:
        step.change(file, Take(("roles", name, "permissions"), tuple(gone)))
    return step


def switch_role(files: PolicyFiles, name: str, *, enabled: bool) -> Step:
    """The role is switched on or off; off, it grants nothing, also where it is included."""
    file = files.known("roles", name)
    entry = files.entry("roles", name)
    is_on = not isinstance(entry, dict) or entry.get("enabled", True)
    word = "on" if enabled else "off"
    if is_on == enabled:
        return Step(notes=[f"role `{name}` is {word} already"])
    step = Step(said=[f"role `{name}` is switched {word}"])
    step.change(file, Put(("roles", name, "enabled"), enabled, _ORDER))
    return step


def include_roles(files: PolicyFiles, name: str, roles: Sequence[str]) -> Step:
    """The role gets all that others grant."""
    file = files.known("roles", name)
    for each in roles:
        files.known("roles", each)
    has = files.listed("roles", name, "includes")
    new = [each for each in _once(roles) if each not in has]
    step = Step(said=[f"role `{name}` now includes role `{each}`" for each in new])
    step.notes += [
        f"role `{name}` includes `{each}` already" for each in _once(roles) if each in has
    ]
    if new:
        step.change(file, Add(("roles", name, "includes"), tuple(new), _ORDER))
    return step


def exclude_roles(files: PolicyFiles, name: str, roles: Sequence[str]) -> Step:
    """The role no longer includes others."""
    file = files.known("roles", name)
    has = files.listed("roles", name, "includes")
    for each in roles:
        if each not in has:
            files.known("roles", each)
    gone = [each for each in _once(roles) if each in has]
    step = Step(said=[f"role `{name}` no longer includes role `{each}`" for each in gone])
    step.notes += [f"role `{name}` does not include `{e}`" for e in _once(roles) if e not in has]
    if gone:
        step.change(file, Take(("roles", name, "includes"), tuple(gone)))
    return step


def rename_role(files: PolicyFiles, old: str, new: str) -> Step:
    """The role is called otherwise, wherever policy files name it."""
    file = files.known("roles", old)
    name_for("role", new)
    if old == new:
        return Step(notes=[f"role `{old}` is called so already"])
    if (there := files.where("roles", new)) is not None:
        raise EditRefused(f"the role `{new}` is there already, in {there}")
    step = Step(said=[f"role `{old}` is now `{new}`"])
    for each, path, _ in users_of(files, old):
        step.change(each, Respell(path, old, new))
    step.change(file, Rename(("roles", old), new))
    return step


def delete_role(files: PolicyFiles, name: str, *, unassign: bool = False) -> Step:
    """The role goes; with `unassign` it is first taken from whoever has or includes it."""
    file = files.known("roles", name)
    step = Step(said=[f"role `{name}` is gone"])
    having = [each for each in users_of(files, name) if each[1][:2] != ("roles", name)]
    if having and not unassign:
        some = ", ".join(said for _, _, said in having[:5])
        more = f" and {len(having) - 5} more" if len(having) > 5 else ""
        raise EditRefused(
            f"the role `{name}` is in use: {some}{more}",
            "`--unassign` takes it from them too",
        )
    for each, path, said in having:
        step.change(each, Take(path, (name,)))
        step.said.append(f"{said} no longer has it")
    step.change(file, Drop(("roles", name)))
    return step


def users_of(files: PolicyFiles, role: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Each list that names the role: its file, its path, and whose it is."""
    for section, key, kind in _LISTS:
        for name in files.names(section):
            if role in files.listed(section, name, key):
                path = (section, name) if key is None else (section, name, key)
                yield files.known(section, name), path, f"{kind} `{name}`"


_LISTS = (
    ("roles", "includes", "role"),
    ("users", "roles", "user"),
    ("groups", "roles", "group"),
    ("clients", "roles", "client"),
    ("claims", None, "claim"),
)


def _own(files: PolicyFiles, name: str) -> dict[str, str]:
    """What a role names itself: each permission in short notation, and the line as it stands."""
    known = GrantedNames(files.titles)
    lines = files.listed("roles", name, "permissions")
    return {known.written(line) or line: line for line in reversed(lines)}


def _pattern_over(files: PolicyFiles, own: Mapping[str, str], permission: str) -> str | None:
    """The line of a role that gives it the permission among others."""
    known = GrantedNames(files.titles)
    return next((own[each] for each in own if permission in known.names_of(each)), None)


def _giver_of(files: PolicyFiles, name: str, permission: str) -> str | None:
    """A role that `name` includes, at whatever remove, and that names the permission."""
    seen, waiting = {name}, [name]
    while waiting:
        for each in files.listed("roles", waiting.pop(), "includes"):
            if permission in _own(files, each):
                return each
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return None


def _granted(files: PolicyFiles, role: str, permissions: Sequence[str]) -> list[str]:
    known = GrantedNames(files.titles)
    return [
        f"role `{role}` now grants `{each}` ({_described(files, known, each)})"
        for each in permissions
    ]


def _described(files: PolicyFiles, known: GrantedNames, permission: str) -> str:
    if permission in files.titles:
        return visible(files.titles[permission])
    many = len(known.names_of(permission))
    return f"{many} permission{'' if many == 1 else 's'} today, and those that come"


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
