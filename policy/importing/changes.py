"""What a new catalogue means for callers: new, gone, weakened and strengthened operations.

Operations are the same if they answer the same requests, whatever they or their parameters are
called. One is *weakened* if whoever could call it still can and others may be able to, and
*strengthened* the other way round; where some win and some lose, it has *changed*.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from policy.entries import AllOf, AnyOf, CatalogueFile, OperationEntry, Requires
from policy.importing.described import shape_of
from policy.permissions import NO_DEMAND, Demand, Permissions
from policy.requirements import ACCESS_WORDS, demand_of, named_in
from policy.routes import Routes
from policy.template import Grammar, Parameter, Template, TemplateError

__all__ = ["Change", "Changes", "Kind", "changes_between", "demand_in_words"]

_LEVELS = {"public": 0, "authenticated": 1, "nobody": 3}
_PERMITTED = 2


class Kind(StrEnum):
    """How an operation differs."""

    NEW = "new"
    GONE = "gone"
    WEAKENED = "weakened"
    STRENGTHENED = "strengthened"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One operation; `was` and `now` are what it asks for, in words.

    `taken_by` answers the requests of one that is gone.
    """

    kind: Kind
    operation: str
    request: str
    was: str = ""
    now: str = ""
    taken_by: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything in which two catalogues differ, as far as callers are concerned."""

    operations: tuple[Change, ...] = ()
    new_permissions: tuple[str, ...] = ()
    gone_permissions: tuple[str, ...] = ()
    new_scopes: tuple[str, ...] = ()
    gone_scopes: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[Change, ...]:
        return tuple(each for each in self.operations if each.kind is kind)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)


def changes_between(old: CatalogueFile | None, new: CatalogueFile) -> Changes:
    """What differs; everything is new where there is no old one."""
    was = {} if old is None else dict(old.operations)
    now = dict(new.operations)
    return Changes(
        operations=tuple(_operations(was, now, new)),
        new_permissions=_beyond(new.permissions, {} if old is None else old.permissions),
        gone_permissions=_beyond({} if old is None else old.permissions, new.permissions),
        new_scopes=_beyond(new.scopes, () if old is None else old.scopes),
        gone_scopes=_beyond(() if old is None else old.scopes, new.scopes),
    )


def _beyond(these: Mapping[str, str] | tuple[str, ...], those: object) -> tuple[str, ...]:
    known = set(those) if isinstance(those, tuple | dict) else set()
    return tuple(name for name in these if name not in known)


def _operations(
    old: Mapping[str, OperationEntry], new: Mapping[str, OperationEntry], file: CatalogueFile
) -> Iterator[Change]:
    was = {_shape(entry): (name, entry) for name, entry in old.items()}
    now = {_shape(entry): (name, entry) for name, entry in new.items()}
    names = dict.fromkeys(
        name for entry in (*old.values(), *new.values()) for _, name in named_in(entry.requires)
    )
    permissions = Permissions(dict.fromkeys(names, ""))
    for shape, (name, entry) in now.items():
        if shape not in was:
            yield Change(
                kind=Kind.NEW,
                operation=name,
                request=entry.request,
                now=demand_in_words(entry.requires, entry.scopes),
            )
            continue
        _, before = was[shape]
        kind = _kind(_Asked.of(before, permissions), _Asked.of(entry, permissions))
        if kind is not None:
            yield Change(
                kind=kind,
                operation=name,
                request=entry.request,
                was=demand_in_words(before.requires, before.scopes),
                now=demand_in_words(entry.requires, entry.scopes),
            )
    routes = _Found(file) if was.keys() - now.keys() else None
    for shape, (name, entry) in was.items():
        if shape not in now and routes is not None:
            yield Change(
                kind=Kind.GONE,
                operation=name,
                request=entry.request,
                was=demand_in_words(entry.requires, entry.scopes),
                taken_by=routes.for_request(entry.request),
            )


def _shape(entry: OperationEntry) -> tuple[str, str]:
    method, _, template = entry.request.partition(" ")
    return shape_of(method, template)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an operation asks for, so that it can be compared."""

    level: int
    demand: Demand
    scopes: frozenset[str]

    @classmethod
    def of(cls, entry: OperationEntry, permissions: Permissions) -> "_Asked":
        requires = entry.requires
        scopes = frozenset(entry.scopes)
        if isinstance(requires, str) and requires in ACCESS_WORDS:
            return cls(_LEVELS[requires], NO_DEMAND, scopes)
        return cls(_PERMITTED, demand_of(requires, permissions), scopes)

    def implies(self, other: "_Asked") -> bool:
        """Whether whoever may call this may call the other."""
        if self.level == _LEVELS["nobody"] or other.level == _LEVELS["public"]:
            return True
        if other.level > self.level:
            return False
        allowed = not other.scopes or (bool(self.scopes) and self.scopes <= other.scopes)
        return allowed and self.demand.implies(other.demand)


def _kind(was: _Asked, now: _Asked) -> Kind | None:
    match was.implies(now), now.implies(was):
        case True, True:
            return None
        case True, False:
            return Kind.WEAKENED
        case False, True:
            return Kind.STRENGTHENED
        case _:
            return Kind.CHANGED


def demand_in_words(requires: Requires, scopes: Sequence[str]) -> str:
    """`any of a, b, scope s or t`."""
    said = _words_of(requires)
    return f"{said}, scope {' or '.join(scopes)}" if scopes else said


def _words_of(requires: Requires) -> str:
    match requires:
        case str():
            return requires
        case AnyOf():
            some = ", ".join(requires.any)
            return some if len(requires.any) == 1 else f"any of {some}"
        case AllOf():
            return " and ".join(map(_words_of, requires.all))
        case _:
            return " and ".join(map(_words_of, requires))


@dataclass(slots=True)
class _Found:
    """Which operation of a catalogue answers a request."""

    file: CatalogueFile
    _routes: Routes[str] = field(init=False)

    def __post_init__(self) -> None:
        self._routes = Routes(self._entries())

    def _entries(self) -> Iterator[tuple[str, Template, str]]:
        grammars = {
            name: Grammar(each.alphabet, each.max_length, frozenset(each.excluded))
            for name, each in self.file.parameters.items()
        }
        for name, entry in self.file.operations.items():
            method, _, text = entry.request.partition(" ")
            try:
                yield method, Template.parse(text, grammars), name
            except TemplateError:
                continue

    def for_request(self, request: str) -> str:
        method, _, text = request.partition(" ")
        try:
            template = Template.parse(text, {})
        except TemplateError:
            return ""
        segments = tuple("0" if isinstance(each, Parameter) else each for each in template.segments)
        return self._routes.find(method, segments) or ""
