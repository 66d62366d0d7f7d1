"""Permissions taken out of role files, as a unified diff that somebody reviews and applies.

Only the words of permissions go, with the line where one has a line of its own; everything else,
comments above all, stays as it was typed. What comes out is compiled and compared before it is
shown: where it does not mean exactly what was intended, the file is left alone.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import unified_diff

import msgspec

import policy
from policy import DecisionTable, PolicyInvalid, Sources, Text

__all__ = ["Trimmed", "trimmed"]

_BLOCK_ITEM = re.compile(r"\s*-[ \t]+")
_BLOCK_KEY = re.compile(r"(\s*permissions\s*:)[ \t]*(#.*)?\r?\n?")
_COMMA_BEHIND = re.compile(r"[ \t]*,[ \t]*")
_COMMA_BEFORE = re.compile(r"[ \t]*,[ \t]*\Z")


class Trimmed(msgspec.Struct, frozen=True):
    """The diff, or why there is none; `left_alone` are files that have to be edited by hand."""

    diff: str
    left_alone: tuple[str, ...] = ()


def trimmed(
    sources: Sources,
    table: DecisionTable,
    removals: Mapping[str, int],
    path_of: Callable[[str], str],
    is_good: Callable[[DecisionTable], bool],
) -> Trimmed:
    """The policy files of `sources` without the permissions of `removals`, role name to bits.

    `table` is compiled from `sources`. `path_of` says what the diff calls a file, `is_good`
    whether a table that came of it may be proposed.
    """
    new, left_alone = sources, list[str]()
    for number, text in enumerate(sources.policies):
        content = _decoded(text)
        wanted = _removals_in(text.file, table, removals)
        if not wanted:
            continue
        edited = Text(text.file, _without(content, wanted.values()))
        files = (*new.policies[:number], edited, *new.policies[number + 1 :])
        changed = replace(new, policies=files)
        intended = {name: bits for name, bits in removals.items() if _stands_in(name, text, table)}
        if _means(changed, new, intended) and is_good(policy.compile(policy.load(changed))):
            new = changed
        else:
            left_alone.append(text.file)
    diff = "".join(
        _diff(path_of(old.file), _decoded(old), _decoded(now))
        for old, now in zip(sources.policies, new.policies, strict=True)
    )
    return Trimmed(diff, tuple(left_alone))


def _stands_in(role: str, text: Text, table: DecisionTable) -> bool:
    return table.roles[role].where.file == text.file


def _removals_in(
    file: str, table: DecisionTable, removals: Mapping[str, int]
) -> dict[tuple[int, int], tuple[int, int, str]]:
    """Line, column and name of each permission to take out, the last one first."""
    places = {}
    for role, bits in removals.items():
        for name in table.names_of(bits):
            where = table.roles[role].permission_places[name]
            if where.file == file:
                places[where.line, where.column] = where.line, where.column, name
    return dict(sorted(places.items(), reverse=True))


def _without(content: str, places: Iterable[tuple[int, int, str]]) -> str:
    lines = content.split("\n")
    for line, column, name in places:
        _remove(lines, line - 1, column - 1, name)
    return "\n".join(lines)


def _remove(lines: list[str], number: int, at: int, name: str) -> None:
    """Take one permission out; what cannot be found where it should be stays, and is noticed."""
    if number >= len(lines):
        return
    line = lines[number]
    before, rest = line[:at], line[at:]
    word = next((w for w in (name, f"'{name}'", f'"{name}"') if rest.startswith(w)), None)
    if word is None:
        return
    if _BLOCK_ITEM.fullmatch(before):
        del lines[number]
        _close_empty_list(lines, number, before)
        return
    behind = rest[len(word) :]
    if comma := _COMMA_BEHIND.match(behind):
        behind = behind[comma.end() :]
    else:
        before = _COMMA_BEFORE.sub("", before)
    lines[number] = before + behind


def _close_empty_list(lines: list[str], number: int, item: str) -> None:
    """A list whose last line is gone is an empty list, and not nothing."""
    if any(_is_item(line, item) for line in _neighbours(lines, number)):
        return
    for above in range(number - 1, -1, -1):
        if key := _BLOCK_KEY.fullmatch(lines[above]):
            comment = f"  {key[2]}" if key[2] else ""
            lines[above] = f"{key[1]} []{comment}"
            return
        if lines[above].strip() and not lines[above].lstrip().startswith("#"):
            return


def _neighbours(lines: Sequence[str], number: int) -> Iterable[str]:
    """The nearest line above and below that is neither empty nor a comment."""
    for way in (range(number - 1, -1, -1), range(number, len(lines))):
        for at in way:
            if lines[at].strip() and not lines[at].lstrip().startswith("#"):
                yield lines[at]
                break


def _is_item(line: str, item: str) -> bool:
    dash = item.index("-")
    return line[:dash].strip() == "" and line[dash : dash + 1] == "-"


def _means(changed: Sources, before: Sources, removals: Mapping[str, int]) -> bool:
    """Whether the only difference is that these roles do not name these permissions any more."""
    try:
        old = policy.compile(policy.load(before))
        new = policy.compile(policy.load(changed))
    except PolicyInvalid:
        return False
    wanted = {name: role.own & ~removals.get(name, 0) for name, role in old.roles.items()}
    same_roles = {name: role.own for name, role in new.roles.items()} == wanted and all(
        (role.enabled, role.includes, role.title)
        == (old.roles[name].enabled, old.roles[name].includes, old.roles[name].title)
        for name, role in new.roles.items()
    )
    return same_roles and all(
        _given(getattr(old, section)) == _given(getattr(new, section))
        for section in ("users", "groups", "claims")
    )


def _given(section: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    return {
        name: (getattr(given, "roles", ()), getattr(given, "groups", ()))
        for name, given in section.items()
    }


def _decoded(text: Text) -> str:
    """As the reader of policies reads it, without a mark of its encoding."""
    content = text.content
    return content.decode().removeprefix("\ufeff") if isinstance(content, bytes) else content


def _diff(path: str, old: str, new: str) -> str:
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in unified_diff(_lines(old), _lines(new), f"a/{path}", f"b/{path}")
    )


def _lines(text: str) -> list[str]:
    pieces = text.split("\n")
    lines = [f"{piece}\n" for piece in pieces[:-1]]
    return [*lines, pieces[-1]] if pieces[-1] else lines
