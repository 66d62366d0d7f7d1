"""One operation of a catalogue: the facts of its description within the lines of last time."""

from dataclasses import dataclass
from typing import Any

from policy.editing.layout import as_flow
from policy.editing.scalars import rendered
from policy.entries import OperationEntry, Requires
from policy.entry_parts import groups_of
from policy.importing.described import Described, shape_of
from policy.importing.rendering import flow, folded, requires_text, split_request
from policy.importing.sections import Chunk

__all__ = ["Wanted", "operation_text", "required"]

_FACTS = ("request", "requires", "scopes")
_ORDER = ("request", "title", "requires", "scopes", "division")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operation's entry shall say."""

    described: Described
    requires: Requires
    old: OperationEntry | None

    @property
    def template(self) -> str:
        """As it was written, if it means the same requests."""
        if self.old is not None:
            method, template = split_request(self.old.request)
            if shape_of(method, template) == self.described.shape:
                return template
        return self.described.template

    @property
    def facts(self) -> dict[str, str]:
        """Each fact as it is written."""
        facts = {
            "request": rendered(f"{self.described.method} {self.template}", in_flow=False),
            "requires": requires_text(self.requires),
        }
        if self.described.scopes:
            facts["scopes"] = as_flow(list(self.described.scopes))
        return facts

    def is_so_already(self, key: str) -> bool:
        """Whether the last file says the same."""
        old = self.old
        match key:
            case "request":
                return old is not None and old.request == f"{self.described.method} {self.template}"
            case "requires":
                return old is not None and groups_of(old.requires) == groups_of(self.requires)
            case _:
                return old is not None and set(old.scopes) == set(self.described.scopes)


def operation_text(name: str, wanted: Wanted, chunk: Chunk | None, value: Any, indent: int) -> str:
    pad, facts = " " * indent, wanted.facts
    if chunk is not None and all(wanted.is_so_already(key) for key in _FACTS):
        return chunk.text
    inner = None if chunk is None else chunk.below
    if chunk is None or inner is None:
        # New, or in brackets: its other keys are written out.
        kept = {key: flow(each) for key, each in (value or {}).items() if key not in _FACTS}
        if wanted.described.title and "title" not in kept and value is None:
            kept["title"] = rendered(wanted.described.title, in_flow=False)
        every = facts | kept
        keys = [*(key for key in _ORDER if key in every), *(k for k in every if k not in _ORDER)]
        lines = [f"{pad}{rendered(name, in_flow=False)}:"]
        lines += [folded(f"{pad}  {key}: ", every[key], indent + 4) for key in keys]
        return "\n".join(lines) + "\n"
    text, step = chunk.head, " " * inner.column
    missing = [key for key in facts if key not in inner.chunks]
    for key, part in inner.chunks.items():
        if key not in _FACTS or (key in facts and wanted.is_so_already(key)):
            text += part.lead + part.text
        elif key in facts:
            text += part.lead + folded(f"{step}{key}: ", facts[key], inner.column + 2) + "\n"
        if key == "requires":
            for each in missing:
                text += folded(f"{step}{each}: ", facts[each], inner.column + 2) + "\n"
    return text + inner.tail


def required(
    each: Described, name: str, old: OperationEntry | None, public: frozenset[str]
) -> Requires:
    if each.is_open:
        if {name, each.name} & public:
            return "public"
        if old is not None and old.requires == "public":
            return old.requires
    return each.requires
