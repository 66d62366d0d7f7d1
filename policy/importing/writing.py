"""A catalogue file from a description, with everything that people wrote into the last one.

What a description says of an operation (its request, what it requires, its scopes) is written
anew where it differs, and left as it stands where it means the same. All else that the file says
stays: titles, divisions, guards, `also`, the order of things, every comment. A name that people
gave an operation stays too, because metrics and audit lines know it by that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from policy import decoding
from policy.diagnostics import visible
from policy.editing.nodes import sheet_of
from policy.editing.scalars import rendered
from policy.entries import CatalogueFile
from policy.importing.described import Described, Description, shape_of
from policy.importing.operation_text import Wanted, operation_text, required
from policy.importing.rendering import flow, label_of, line, split_request
from policy.importing.sections import Chunk, Section, sections_of
from policy.source import parse
from policy.suggest import Suggestions
from policy.template import Parameter, Template

__all__ = ["Made", "catalogue_text"]

_HEADER = """\
# Operations of {title}, and what each of them asks for, as
# {source} says.
#
# Made by `ucs-gateway catalogue import`. The next import keeps what people write here: comments,
# names, titles, `division`, `division_aware`, `interface_only`, `parameters`, `also` and guards.
# What operations ask for is always the description's; to differ from it, write overrides.
#
# `nobody` closes an operation that takes no token, or one of another kind than OAuth.

"""


@dataclass(frozen=True, slots=True)
class Made:
    """The text of a catalogue, and what there is to say of it."""

    text: str
    notes: tuple[str, ...] = ()


def catalogue_text(
    description: Description,
    previous: str | None = None,
    *,
    name: str = "genesys-cloud",
    title: str = "",
    public: Iterable[str] = (),
    file: str = "catalogue.yaml",
) -> Made:
    """The catalogue that `description` makes of `previous`, or makes by itself.

    `public` are operations that need no token upstream and are offered to everybody; those that
    were so before stay so. Raises PolicyInvalid or EditRefused where `previous` is no catalogue.
    """
    return _Writing(description, previous, file, title or description.title or name).made(
        name, frozenset(public)
    )


@dataclass(slots=True)
class _Old:
    """The catalogue of last time: what it means, and where it says so."""

    entries: CatalogueFile
    values: Mapping[str, Any]
    sections: Section
    names: Mapping[tuple[str, str], str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = {
            shape_of(*split_request(each.request)): name
            for name, each in self.entries.operations.items()
        }

    @classmethod
    def of(cls, text: str, file: str) -> "_Old":
        source = parse(text, file)
        entries = decoding.validate(CatalogueFile, source)
        sheet = sheet_of(text, file)
        sections = sections_of(sheet)
        if sections is None or not isinstance(source.value, dict):
            raise sheet.refuse(0, "this catalogue is written in an unusual way")
        return cls(entries, source.value, sections)


class _Writing:
    def __init__(
        self, description: Description, previous: str | None, file: str, title: str
    ) -> None:
        self._description = description
        self._old = None if previous is None else _Old.of(previous, file)
        self._title = title
        self.notes: list[str] = list(description.notes)

    def made(self, name: str, public: frozenset[str]) -> Made:
        operations = self._named(public)
        permissions = self._permissions()
        fresh: dict[str, Callable[[Chunk | None], str]] = {
            "catalogue": lambda old: old.text if old else f"catalogue: {name}\n",
            "title": lambda old: old.text if old else line("title", self._title),
            "source": lambda _: line("source", self._source()),
            "overlaps": lambda old: old.text if old else "overlaps: literal-first\n",
            "permissions": lambda old: self._mapping("permissions", permissions, old),
            "interface_only": lambda old: self._mapping(
                "interface_only", self._interface_only(), old
            ),
            "scopes": lambda old: self._list("scopes", self._description.scopes, old),
            "division_aware": lambda old: self._list("division_aware", self._aware(), old),
            "parameters": lambda old: self._parameters(operations, old),
            "operations": lambda old: self._operations(operations, old),
        }
        if self._old is None:
            head = _HEADER.format(title=visible(self._title), source=visible(self._source()))
            parts = [fresh[key](None) for key in fresh]
            text = "\n".join(["".join(parts[:4]), *filter(None, parts[4:])])
            return Made(head + text, tuple(self.notes))
        chunks = self._old.sections.chunks
        text = ""
        missing = [key for key in fresh if key not in chunks]
        for key, chunk in chunks.items():
            made = fresh[key](chunk) if key in fresh else chunk.text
            if key == "operations":
                apart = "\n" if chunk.lead.startswith(("\n", "\r")) else ""
                for each in missing:
                    added = fresh[each](None)
                    text += f"{apart}{added}" if added else ""
            text += (chunk.lead + made) if made else ""
        return Made(text + self._old.sections.tail, tuple(self.notes))

    def _source(self) -> str:
        return ", ".join(filter(None, (self._description.title, self._description.source)))

    def _named(self, public: frozenset[str]) -> "dict[str, Wanted]":
        """Every operation under the name that it has in the file, in the file's order."""
        old = self._old
        known = {} if old is None else dict(old.names)
        shapes = {each.shape for each in self._description.operations}
        # A name whose requests are gone may be taken over: the operation has moved.
        kept = {name for shape, name in known.items() if shape in shapes}
        names: dict[str, Described] = {}
        for each in self._description.operations:
            name = known.get(each.shape, each.name)
            wanted = chain([name], (f"{name}-{number}" for number in count(2)))
            is_new = each.shape not in known
            name = next(one for one in wanted if one not in names and not (is_new and one in kept))
            names[name] = each
        closed = {name for name, each in names.items() if each.is_open}
        closed |= {each.name for each in names.values() if each.is_open}
        for name in sorted(public - closed):
            said = f"`{visible(name)}` is no operation that needs no token"
            advice = Suggestions(closed).help_for(name)
            raise ValueError(said if advice is None else f"{said}; {advice}")
        entries = {} if old is None else old.entries.operations
        ordered = {name: names[name] for name in merged(list(names), entries)}
        return {
            name: Wanted(each, required(each, name, entries.get(name), public), entries.get(name))
            for name, each in ordered.items()
        }

    def _permissions(self) -> dict[str, str]:
        old = {} if self._old is None else self._old.entries.permissions
        return {
            name: old.get(name) or label_of(name)
            for name in merged(self._description.permissions, old)
        }

    def _interface_only(self) -> dict[str, str]:
        if self._old is None:
            return {}
        named = set(self._description.permissions)
        only = self._old.entries.interface_only
        for name in only:
            if name in named:
                self.notes.append(f"`{name}` is no longer interface_only: operations ask for it")
        return {name: title for name, title in only.items() if name not in named}

    def _aware(self) -> tuple[str, ...]:
        if self._old is None:
            return ()
        known = {*self._description.permissions, *self._old.entries.interface_only}
        aware = self._old.entries.division_aware
        for name in aware:
            if name not in known:
                self.notes.append(f"`{name}` is no longer division_aware: no operation asks for it")
        return tuple(name for name in aware if name in known)

    def _mapping(self, key: str, wanted: Mapping[str, str], old: Chunk | None) -> str:
        """Names with titles, a line each; lines that were there stay as they are."""
        if not wanted and key != "permissions":
            return ""
        below = None if old is None else old.below
        if old is not None and below is None and dict(self._value(key)) == dict(wanted):
            return old.text
        indent = 2 if below is None else below.column
        text = f"{key}:\n" if below is None or old is None else old.head
        if not wanted:
            return f"{key}: {{}}\n"
        for name, title in wanted.items():
            chunk = None if below is None else below.chunks.get(name)
            if chunk is not None:
                text += chunk.lead + chunk.text
            else:
                text += f"{' ' * indent}{line(name, title)}"
        return text + ("" if below is None else below.tail)

    def _list(self, key: str, wanted: Sequence[str], old: Chunk | None) -> str:
        if old is not None and set(self._value(key)) == set(wanted):
            return old.text
        if not wanted:
            return ""
        return f"{key}:\n" + "".join(f"  - {rendered(name, in_flow=False)}\n" for name in wanted)

    def _parameters(self, operations: "Mapping[str, Wanted]", old: Chunk | None) -> str:
        """What is written of parameters stays; those whose name is no `…Id` may be any text."""
        used = {
            segment.name: None
            for wanted in operations.values()
            for segment in Template.parse(wanted.template, {}).segments
            if isinstance(segment, Parameter)
        }
        described = {} if self._old is None else self._value("parameters")
        gone = [name for name in described if name not in used]
        for name in gone:
            self.notes.append(f"no template has the parameter `{name}` any more")
        # Those that are not described have been ids before, and stay so.
        news = [] if self._old is not None else sorted(name for name in used if _is_text(name))
        if old is not None and not gone and not news:
            return old.text
        below = None if old is None else old.below
        text = "parameters:\n" if below is None or old is None else old.head
        for name, value in described.items():
            if name in used:
                chunk = None if below is None else below.chunks.get(name)
                text += (
                    chunk.lead + chunk.text
                    if chunk is not None
                    else f"  {rendered(name, in_flow=False)}: {flow(value)}\n"
                )
        for name in news:
            text += f"  {rendered(name, in_flow=False)}: {{alphabet: text, max_length: 256}}\n"
        is_empty = not news and all(name in gone for name in described)
        return "" if is_empty else text + ("" if below is None else below.tail)

    def _operations(self, operations: "Mapping[str, Wanted]", old: Chunk | None) -> str:
        below = None if old is None else old.below
        indent = 2 if below is None else below.column
        text = "operations:\n" if below is None or old is None else old.head
        values = self._value("operations")
        for name, wanted in operations.items():
            chunk = None if below is None else below.chunks.get(name)
            lead = "" if chunk is None else chunk.lead
            text += lead + operation_text(name, wanted, chunk, values.get(name), indent)
        return text + ("" if below is None else below.tail)

    def _value(self, key: str) -> Any:
        return {} if self._old is None else self._old.values.get(key, {})


def merged(names: Sequence[str], old: Mapping[str, object]) -> list[str]:
    """`names`, which are in order, in the order of `old`, each new one behind its neighbour."""
    known = set(names)
    there = [name for name in old if name in known]
    if not there:
        return list(names)
    followers: dict[str | None, list[str]] = {}
    before = None
    for name in names:
        if name in old:
            before = name
        else:
            followers.setdefault(before, []).append(name)
    merged = list(followers.get(None, ()))
    for name in there:
        merged += [name, *followers.get(name, ())]
    return merged


def _is_text(parameter: str) -> bool:
    return not parameter.casefold().endswith("id")
