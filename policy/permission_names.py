"""Which permissions a word of an author's stands for.

An operation asks for permissions by their names. A role may also name them as people see them on
the screens of Genesys Cloud, and many at once:

    analytics:conversationDetail:view
    Analytics > Conversation Detail > View          the same: only letters and digits count
    telephony:station:*                             every action, also those of a later catalogue
    Telephony > Station > All Permissions           the same

`*` stands for a whole part and for nothing less, and only where permissions are granted. `all` is
an action like any other: `telephony:plugin:all` and `Telephony > Plugin > All` are one permission.
A name without parts (`admin`) is nobody's `*`. What stands for nothing, or for two things, is an
error: dropped silently, a role would lack what its author believes it has.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from policy.diagnostics import Code, Diagnostic
from policy.source import Place
from policy.suggest import Suggestions

__all__ = ["GrantedNames", "PermissionNames"]

_EVERY = "*"
_EVERY_IN_WORDS = "allpermissions"


class PermissionNames:
    """The permissions that may be named, and what to say of a name that is none of them."""

    def __init__(self, titles: Mapping[str, str], others: Iterable[str] = ()) -> None:
        self._names = {*titles, *others}
        self._by_title = {title.casefold(): name for name, title in titles.items()}
        self._suggestions = Suggestions(self._names)

    def holds(self, names: Iterable[str]) -> bool:
        """Whether there is nothing to complain of."""
        return self._names.issuperset(names)

    def complaint(self, name: str, place: Place, *steps: str | int) -> Diagnostic | None:
        if name in self._names:
            return None
        where = place.where(*steps)
        if "*" in name:
            said = f"`{name}` is a pattern, and patterns are not read"
            return Diagnostic(
                where, Code.WILDCARD_PERMISSION, said, "name each permission by itself"
            )
        said = f"no catalogue knows the permission `{name}`"
        if (meant := self._by_title.get(name.casefold())) is not None:
            advice: str | None = f"this is what people see; the permission's name is `{meant}`"
        else:
            advice = self._suggestions.help_for(name)
        return Diagnostic(where, Code.UNKNOWN_PERMISSION, said, advice)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a line stands for: `names` in the catalogues' order, and `written` in short notation.

    `rivals` are two permissions of which either may be meant.
    """

    names: tuple[str, ...] = ()
    written: str = ""
    is_pattern: bool = False
    rivals: tuple[str, ...] = ()


class GrantedNames:
    """The permissions that a role may name, in either notation and by patterns.

    `titles` are the permissions with the names that people see, `others` further names that are
    no mistake.
    """

    def __init__(self, titles: Mapping[str, str], others: Iterable[str] = ()) -> None:
        self._plain = PermissionNames(titles, others)
        self._titles = titles
        self._known = {*titles, *others}
        self._meanings: dict[str, _Meaning] = {}
        self._index: _Index | None = None

    def holds(self, names: Iterable[str]) -> bool:
        """Whether all of these are names of permissions as they are."""
        return self._known.issuperset(names)

    def names_of(self, line: str) -> tuple[str, ...]:
        """The permissions that a line of a role stands for; none if it is an error."""
        return (line,) if line in self._titles else self._meaning(line).names

    def is_pattern(self, line: str) -> bool:
        """Whether the line may stand for several permissions, and for more tomorrow."""
        return line not in self._known and self._meaning(line).is_pattern

    def written(self, line: str) -> str | None:
        """The line in short notation, `a:b:c` or `a:b:*`; None if it is an error."""
        if line in self._titles:
            return line
        return self._meaning(line).written or None

    def complaint(self, line: str, place: Place, *steps: str | int) -> Diagnostic | None:
        """What is wrong with a line, which stands at `steps` below `place`."""
        if line in self._known:
            return None
        meaning = self._meaning(line)
        if meaning.names:
            return None
        where = place.where(*steps)
        if meaning.rivals:
            one, other = meaning.rivals
            said = f"`{line}` may be `{one}` or `{other}`"
            return Diagnostic(where, Code.UNKNOWN_PERMISSION, said, "write the one that is meant")
        index = self._indexed()
        parts, is_label = _parts_of(line)
        if _EVERY not in line and _EVERY not in parts:
            advice = index.help_for(":".join(parts)) if is_label else None
            return (
                self._plain.complaint(line, place, *steps)
                if advice is None
                else Diagnostic(
                    where,
                    Code.UNKNOWN_PERMISSION,
                    f"no catalogue knows the permission `{line}`",
                    advice,
                )
            )
        if any(_EVERY in part and part != _EVERY for part in parts) or len(parts) < 2:
            said = f"`{line}` is a pattern that is not read: `*` stands for a whole part"
            return Diagnostic(where, Code.WILDCARD_PERMISSION, said, index.pattern_advice)
        said = f"no catalogue knows a permission that `{line}` stands for"
        return Diagnostic(
            where, Code.UNKNOWN_PERMISSION, said, index.pattern_help_for(":".join(parts))
        )

    def _meaning(self, line: str) -> _Meaning:
        if (known := self._meanings.get(line)) is None:
            known = self._meanings[line] = self._indexed().meaning_of(line)
        return known

    def _indexed(self) -> "_Index":
        if self._index is None:
            self._index = _Index(self._titles)
        return self._index


class _Index:
    """The permissions by their parts; made only where some line is not simply a name."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._parts = {name: tuple(name.split(":")) for name in titles}
        self._keys = {name: tuple(map(_key, parts)) for name, parts in self._parts.items()}
        self._labels = {
            name: tuple(map(_key, title.split(">")))
            for name, title in titles.items()
            if ">" in title
        }
        self._by_key = _grouped(self._keys)
        self._by_label = _grouped(self._labels)
        self._names = Suggestions(titles)
        self._patterns = Suggestions(dict.fromkeys(self._every_pattern()))

    def _every_pattern(self) -> Iterator[str]:
        for parts in self._parts.values():
            if len(parts) > 1:
                for kept in range(len(parts) - 1, 0, -1):
                    yield ":".join((*parts[:kept], *[_EVERY] * (len(parts) - kept)))

    def meaning_of(self, line: str) -> _Meaning:
        wanted, is_label = _parts_of(line)
        if len(wanted) < 2 or not all(wanted):
            return _Meaning()
        is_pattern = _EVERY in wanted
        if not is_label:
            names = _matching(wanted, self._parts) if is_pattern else ()
            return _Meaning(names, line if names else "", is_pattern)
        if is_pattern:
            names, labelled = _matching(wanted, self._keys), _matching(wanted, self._labels)
        else:
            names, labelled = self._by_key.get(wanted, ()), self._by_label.get(wanted, ())
        if others := [name for name in labelled if name not in names]:
            if names:
                return _Meaning(rivals=(names[0], others[0]))
            names = labelled
        if len(names) > 1 and not is_pattern:
            return _Meaning(rivals=names[:2])
        return _Meaning(names, self._written(wanted, names), is_pattern)

    def _written(self, wanted: tuple[str, ...], names: tuple[str, ...]) -> str:
        """A label in short notation, where the parts that it names are the same of all."""
        every = [self._parts[name] for name in names]
        if not every or any(len(parts) != len(wanted) for parts in every):
            return ""
        parts = [
            {_EVERY} if part == _EVERY else {each[place] for each in every}
            for place, part in enumerate(wanted)
        ]
        return ":".join(part.pop() for part in parts) if all(len(p) == 1 for p in parts) else ""

    @property
    def pattern_advice(self) -> str:
        """How to do without a pattern that is not read."""
        advice = "name each permission by itself"
        if all(len(parts) == 1 for parts in self._parts.values()):
            return advice
        return f"{advice}, or all of an entity: `domain:entity:*`"

    def help_for(self, name: str) -> str | None:
        return self._names.help_for(name)

    def pattern_help_for(self, pattern: str) -> str | None:
        return self._patterns.help_for(pattern)


def _parts_of(line: str) -> tuple[tuple[str, ...], bool]:
    """The parts of a line, and whether it is written as on the screen."""
    if ">" not in line:
        return tuple(line.split(":")), False
    parts = [part if _EVERY in part else _key(part) for part in map(str.strip, line.split(">"))]
    if parts[-1] == _EVERY_IN_WORDS:
        parts[-1] = _EVERY
    return tuple(parts), True


def _key(part: str) -> str:
    """What is left of a part in any notation: its letters and digits, without case.

    No two of the 1,464 names of three parts that Genesys Cloud publishes are the same so.
    """
    return "".join(filter(str.isalnum, part.casefold()))


def _grouped(known: Mapping[str, tuple[str, ...]]) -> dict[tuple[str, ...], tuple[str, ...]]:
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for name, parts in known.items():
        found[parts] = (*found.get(parts, ()), name)
    return found


def _matching(wanted: tuple[str, ...], known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(
        name
        for name, parts in known.items()
        if len(parts) == len(wanted)
        and all(want in (_EVERY, part) for want, part in zip(wanted, parts, strict=True))
    )
