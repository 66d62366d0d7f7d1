"""A mapping of a YAML text, cut into its entries: what stands above each, and its lines.

An import writes a file anew and keeps what people wrote into it. Everything is kept by the line:
comment lines belong to the entry below them, the comment on a line to its entry.
"""

from dataclasses import dataclass

from policy.editing.nodes import Block, Entry, Node, Sheet

__all__ = ["Chunk", "Section", "sections_of"]


@dataclass(frozen=True, slots=True)
class Section:
    """The entries of a block mapping by their keys, and what stands below the last of them."""

    chunks: "dict[str, Chunk]"
    column: int
    tail: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """One entry: the comment lines and empty lines above it (`lead`), and its own lines."""

    sheet: Sheet
    lead: str
    begins: int
    ends: int
    value: Node

    @property
    def text(self) -> str:
        return self.sheet.text[self.begins : self.ends]

    @property
    def head(self) -> str:
        """The first line alone, below which the value stands."""
        return self.sheet.text[self.begins : self._head_ends]

    @property
    def _head_ends(self) -> int:
        return _line_end(self.sheet.text, self.begins)

    @property
    def below(self) -> Section | None:
        """The entries within; None where it is no block mapping that can be cut into lines."""
        return _section(self.sheet, self.value, self._head_ends, self.ends)


def sections_of(sheet: Sheet) -> Section | None:
    """The entries of the whole file."""
    return _section(sheet, sheet.root, 0, sheet.floor)


def _section(sheet: Sheet, node: Node | None, start: int, end: int) -> Section | None:
    if not isinstance(node, Block) or not node.is_mapping or node.special:
        return None
    chunks: dict[str, Chunk] = {}
    at = start
    for entry in node.entries:
        begins, ends = _lines_of(sheet, entry)
        is_alone = not sheet.text[begins : entry.start].strip()
        if entry.key is None or entry.key.special or begins < at or not is_alone:
            return None
        chunks[entry.key.text] = Chunk(sheet, sheet.text[at:begins], begins, ends, entry.value)
        at = ends
    return Section(chunks, node.column, sheet.text[at:end])


def _lines_of(sheet: Sheet, entry: Entry) -> tuple[int, int]:
    begins = sheet.text.rfind("\n", 0, entry.start) + 1
    return begins, _line_end(sheet.text, max(entry.end - 1, entry.start))


def _line_end(text: str, place: int) -> int:
    found = text.find("\n", place)
    return len(text) if found < 0 else found + 1
