r"""Path templates: what the requests of an operation look like, and which of two is closer.

    /profiles/{customer_id}/extensions/{ext_name}/by/unique

A segment is a literal, compared with its case, or a parameter. A parameter accepts what its
*grammar* accepts: one alphabet of a closed set, a length, and literals that are never meant by
it. There are no patterns of the author's own: nothing to anchor, to escape, or to blow up.

*Closer* is a partial order. A literal is closer than a parameter that accepts it; a grammar is
closer than one that accepts more. A template is closer than another if it is in no segment
further and in some segment closer. Templates of which each is closer somewhere *cross*: for the
requests that match both, neither is the better answer.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

import msgspec

__all__ = [
    "ALPHABETS",
    "Closeness",
    "Grammar",
    "TemplateError",
    "Parameter",
    "Template",
    "closeness",
    "grammar_closeness",
]

# In the order of what they accept: each alphabet holds those above it. `text` is any segment that
# a canonical target can hold.
ALPHABETS: Mapping[str, str] = {
    "digits": "[0-9]",
    "identifier": "[A-Za-z0-9_-]",
    "dotted": "[A-Za-z0-9_.-]",
    "text": r"[^/\\\x00-\x1f\x7f]",
}
_BREADTH = {name: breadth for breadth, name in enumerate(ALPHABETS)}
_LITERAL = re.compile(r"(?!\.\.?\Z)[A-Za-z0-9._~:@-]+")
_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]{0,63})\}")


class TemplateError(ValueError):
    """A text that is no template; the message says which part, and why."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a parameter accepts. `fits(segment)` is truthy if the whole segment is of this kind.

    >>> bool(Grammar("identifier", 64, frozenset({"start"})).fits("0004Va58A92T0017"))
    True
    """

    alphabet: str = "identifier"
    max_length: int = 64
    never: frozenset[str] = frozenset()
    fits: Callable[[str], object] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # `.` and `..` are never the name of anything, whatever the alphabet says of dots.
        barred = "|".join(map(re.escape, sorted({".", "..", *self.never})))
        pattern = rf"(?!(?:{barred})\Z){ALPHABETS[self.alphabet]}{{1,{self.max_length}}}"
        object.__setattr__(self, "fits", re.compile(pattern).fullmatch)

    def __reduce__(self) -> tuple[object, ...]:
        return Grammar, (self.alphabet, self.max_length, self.never)

    @property
    def order(self) -> tuple[object, ...]:
        """A total order that puts every grammar before those that accept more."""
        barred = sorted(
            name for name in self.never if Grammar(self.alphabet, self.max_length).fits(name)
        )
        return _BREADTH[self.alphabet], self.max_length, -len(barred), barred

    def within(self, other: "Grammar") -> bool:
        """Whether `other` accepts everything that this grammar accepts."""
        return (
            _BREADTH[self.alphabet] <= _BREADTH[other.alphabet]
            and self.max_length <= other.max_length
            and not any(self.fits(name) for name in other.never)
        )


_IDENTIFIER = Grammar()


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    grammar: Grammar = _IDENTIFIER

    def __str__(self) -> str:
        return f"{{{self.name}}}"


class Template(msgspec.Struct, frozen=True):
    """The segments of a path below `/`; no segments at all is the root itself."""

    segments: tuple[str | Parameter, ...]

    @classmethod
    def parse(cls, text: str, grammars: Mapping[str, Grammar]) -> "Template":
        """Read `/a/{b}`; a parameter that `grammars` does not describe is an identifier."""
        if text == "/":
            return cls(())
        if not text.startswith("/"):
            raise TemplateError(f"`{text}` does not begin with `/`")
        if text.endswith("/"):
            raise TemplateError(f"`{text}` ends with `/`; one slash at the end is always accepted")
        segments = tuple(_segment(part, grammars) for part in text[1:].split("/"))
        names = [segment.name for segment in segments if isinstance(segment, Parameter)]
        for name in names:
            if names.count(name) > 1:
                raise TemplateError(f"the parameter `{name}` occurs more than once")
        return cls(segments)

    def below(self, prefix: Iterable[str]) -> "Template":
        return Template((*prefix, *self.segments))

    @property
    def parameters(self) -> tuple[tuple[int, str], ...]:
        """Position and name of each parameter."""
        named = [
            (position, segment.name)
            for position, segment in enumerate(self.segments)
            if isinstance(segment, Parameter)
        ]
        return tuple(named)

    def __str__(self) -> str:
        return "/" + "/".join(map(str, self.segments))


def _segment(part: str, grammars: Mapping[str, Grammar]) -> str | Parameter:
    if named := _NAME.fullmatch(part):
        return Parameter(named[1], grammars.get(named[1], _IDENTIFIER))
    if not part:
        raise TemplateError("a segment is empty")
    if "{" in part or "}" in part:
        raise TemplateError(f"`{part}` is not a parameter; one is a whole segment: `{{name}}`")
    if not _LITERAL.fullmatch(part):
        raise TemplateError(f"`{part}` is not a literal; use ASCII letters, digits and `._~:@-`")
    return part


class Closeness(Enum):
    """How the requests of one template relate to those of another."""

    APART = auto()
    SAME = auto()
    CLOSER = auto()
    FURTHER = auto()
    CROSSING = auto()


def closeness(one: Template, other: Template) -> Closeness:
    """Whether `one` is the closer of the two."""
    if len(one.segments) != len(other.segments):
        return Closeness.APART
    found = {_of_segments(*pair) for pair in zip(one.segments, other.segments, strict=True)}
    if Closeness.APART in found:
        return Closeness.APART
    found.discard(Closeness.SAME)
    if not found:
        return Closeness.SAME
    return found.pop() if len(found) == 1 else Closeness.CROSSING


def grammar_closeness(one: Grammar, other: Grammar) -> Closeness:
    # Every alphabet holds the digits, so two grammars always have something in common.
    inside, outside = one.within(other), other.within(one)
    if inside and outside:
        return Closeness.SAME
    if inside:
        return Closeness.CLOSER
    return Closeness.FURTHER if outside else Closeness.CROSSING


def _of_segments(one: str | Parameter, other: str | Parameter) -> Closeness:
    if isinstance(one, str):
        if isinstance(other, str):
            return Closeness.SAME if one == other else Closeness.APART
        return Closeness.CLOSER if other.grammar.fits(one) else Closeness.APART
    if isinstance(other, str):
        return Closeness.FURTHER if one.grammar.fits(other) else Closeness.APART
    return grammar_closeness(one.grammar, other.grammar)
