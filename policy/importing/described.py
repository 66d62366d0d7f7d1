"""What a description says of each operation, in our terms, with what could not be understood.

Nothing in doubt is opened: permissions that are no names, a path that two operations answer, a
kind of token that is not OAuth, all of these close the operation.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import chain, count

from policy.catalogue import METHODS
from policy.diagnostics import visible
from policy.entries import AnyOf, Requires
from policy.names import MAX_LENGTH
from policy.template import Template, TemplateError

__all__ = ["Described", "Description", "Gathering", "NotDescribed", "Token", "shape_of"]

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PART = re.compile(r"\{([^{}]*)\}")
_PERMISSION = re.compile(r"[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)*")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")  # RFC 6749 section 3.3
_RESERVED = frozenset({"public", "authenticated", "nobody"})
_MAX_TITLE = 160
_MAX_NOTE = 300
# Genesys Cloud has some 3,300.
MAX_OPERATIONS = 20_000


class NotDescribed(ValueError):
    """The text is no description; the message says what it lacks."""


class Token(Enum):
    """What a caller has to show before permissions are looked at."""

    OAUTH = auto()
    NONE = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Described:
    """An operation as it is published. `is_open` says that no token is needed upstream."""

    name: str
    method: str
    template: str
    title: str
    requires: Requires
    scopes: tuple[str, ...]
    is_open: bool = False

    @property
    def shape(self) -> tuple[str, str]:
        return shape_of(self.method, self.template)


@dataclass(frozen=True, slots=True)
class Description:
    """Everything that a source describes; `notes` are what was not understood or left out."""

    title: str
    source: str
    operations: tuple[Described, ...]
    scopes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def permissions(self) -> tuple[str, ...]:
        """Every permission that some operation names, in order of names."""
        named = (name for each in self.operations for name in _names(each.requires))
        return tuple(sorted(dict.fromkeys(named)))


def shape_of(method: str, template: str) -> tuple[str, str]:
    """What requests an operation answers, whatever its parameters are called."""
    return method, _PART.sub("{}", template)


def _names(requires: Requires) -> Iterable[str]:
    if isinstance(requires, str):
        return () if requires in _RESERVED else (requires,)
    if isinstance(requires, AnyOf):
        return requires.any
    return (
        [each for each in requires if isinstance(each, str)] if isinstance(requires, tuple) else ()
    )


@dataclass(slots=True)
class Gathering:
    """Operations on their way to a description."""

    scopes: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _found: dict[tuple[str, str], Described] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def note(self, said: str) -> None:
        self.notes.append(visible(said if len(said) <= _MAX_NOTE else f"{said[:_MAX_NOTE]}…"))

    def add(
        self,
        method: str,
        path: str,
        *,
        name: str,
        title: str,
        mode: str,
        permissions: Sequence[str],
        scopes: Sequence[str],
        token: Token,
    ) -> None:
        """One operation; `mode` is ANY, ALL or NONE."""
        if len(self._found) >= MAX_OPERATIONS:
            raise NotDescribed(f"it describes more than {MAX_OPERATIONS:,} operations")
        called = f"{method} {path}"
        template = self._template(method, path)
        if template is None:
            return
        requires = self._requires(called, mode, permissions, token)
        known = [scope for scope in dict.fromkeys(scopes) if _SCOPE.fullmatch(scope)]
        if len(known) < len(set(scopes)):
            self.note(f"{called}: a scope is no word; the operation is closed")
            requires, known = "nobody", []
        found = Described(
            name=self._name(name, method, template),
            method=method,
            template=template,
            title=_title(title),
            requires=requires,
            scopes=tuple(known) if token is Token.OAUTH else (),
            is_open=token is Token.NONE,
        )
        first = self._found.setdefault(found.shape, found)
        if first is not found:
            self._names.discard(found.name)
            same = (first.requires, first.scopes) == (found.requires, found.scopes)
            self.note(
                f"{called} answers the same requests as {first.method} {first.template}"
                + ("" if same else ", and asks for something else; the operation is closed")
            )
            if not same:
                self._found[found.shape] = replace(first, requires="nobody", scopes=())
            return
        self.scopes |= dict.fromkeys(found.scopes)

    def described(self, title: str, source: str) -> Description:
        """All of it, by path and method. Raises NotDescribed if there is nothing."""
        if not self._found:
            raise NotDescribed("it describes no operation that could be read")
        order = {method: number for number, method in enumerate(METHODS)}
        operations = sorted(self._found.values(), key=lambda one: (one.template, order[one.method]))
        return Description(
            title=_title(title),
            source=source,
            operations=tuple(operations),
            scopes=tuple(sorted(self.scopes)),
            notes=tuple(self.notes),
        )

    def _template(self, method: str, path: str) -> str | None:
        called = f"{method} {path}"
        if method not in METHODS:
            self.note(f"{called}: the method is not one that is passed on; left out")
            return None
        text = path.rstrip("/") or "/"
        seen: set[str] = set()

        def plain(part: re.Match[str]) -> str:
            word = re.sub(r"[^A-Za-z0-9_-]", "_", part[1])[:60]
            word = word if re.match(r"[A-Za-z_]", word) else f"_{word}"
            names = chain([word], (f"{word}_{number}" for number in count(2)))
            name = next(each for each in names if each not in seen)
            seen.add(name)
            return f"{{{name}}}"

        try:
            template = Template.parse(_PART.sub(plain, text) if text.count("{") < 100 else "", {})
        except TemplateError as error:
            self.note(f"{called}: {error}; left out")
            return None
        return str(template)

    def _requires(
        self, called: str, mode: str, permissions: Sequence[str], token: Token
    ) -> Requires:
        if token is not Token.OAUTH:
            return "nobody"
        names = tuple(dict.fromkeys(permissions))
        if mode == "NONE" or (mode in {"ANY", "ALL"} and not names):
            return "authenticated"
        bad = [
            name
            for name in names
            if not _PERMISSION.fullmatch(name) or name in _RESERVED or len(name) > MAX_LENGTH
        ]
        if bad or mode not in {"ANY", "ALL"}:
            what = f"{_short(bad[0])} is no permission" if bad else f"{_short(mode)} is no mode"
            self.note(f"{called}: {what}; the operation is closed")
            return "nobody"
        if mode == "ANY":
            return AnyOf(any=names)  # of one as well: the platform's refusals tell the two apart
        return names[0] if len(names) == 1 else names

    def _name(self, name: str, method: str, template: str) -> str:
        """The published name, or one made of the request where that one cannot be used."""
        made = "-".join([method.lower(), *re.findall(r"[A-Za-z0-9._]+", template)])[:120]
        # Of long paths only the beginning is in a name.
        digest = hashlib.blake2b(f"{method} {template}".encode(), digest_size=4).hexdigest()
        others = (f"{made[:100]}-{digest}-{number}" for number in count(2))
        wanted = chain([name, made, f"{made[:100]}-{digest}"], others)
        found = next(each for each in wanted if _WORD.fullmatch(each) and each not in self._names)
        self._names.add(found)
        return found


def _title(text: str) -> str:
    words = " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())
    return words if len(words) <= _MAX_TITLE else words[: _MAX_TITLE - 1].rstrip() + "…"


def _short(text: str) -> str:
    return f"`{text[:60]}`" if text.isprintable() else f"`{ascii(text[:60])[1:-1]}`"
