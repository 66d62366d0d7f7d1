"""A policy file's text with changes made in it, and nothing else touched.

`edited` makes them in the text, and then reads the new text: it says exactly what was meant, or the
edit is refused. So an unusual layout can keep an edit from being made, and never make another one.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy.editing.block import at_the_end, behind_key, block_with, block_without, items_below
from policy.editing.changes import Add, Change, Drop, Put, Rename, Respell, Take
from policy.editing.errors import EditRefused
from policy.editing.flow import flow_with, flow_without
from policy.editing.layout import Value, as_flow, as_flow_entry, as_item, as_lines, step_of
from policy.editing.nodes import (
    Block,
    Entry,
    Flow,
    Node,
    Scalar,
    Sheet,
    called,
    newline_of,
    sheet_of,
)
from policy.editing.scalars import rendered
from policy.editing.splices import Splice, below, spliced
from policy.source import scan

__all__ = ["edited"]

_Keys = tuple[str, ...]


def edited(text: str, changes: Iterable[Change], file: str) -> str:
    """`text` with `changes` made, one after the other. Raises EditRefused; nothing else."""
    start, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    before, faults = scan(text, file)
    meant: Any = copy.deepcopy(before.value) if before is not None else None
    meant = {} if meant is None else meant
    for together in _rounds(changes):
        sheet = sheet_of(text, file)
        if sheet.root is not None and not _is_mapping(sheet.root):
            raise sheet.refuse(sheet.root.start, "this file is no mapping")
        splices = [splice for change in together for splice in _splices(sheet, change)]
        text = spliced(text, splices)
        for change in together:
            change.apply(meant)
    after, more_faults = scan(text, file)
    # An empty file is a fault that an edit mends; it must not make any.
    if after is None or after.value != meant or len(more_faults) > len(faults):
        said = f"{file}: the way in which this is written is not understood"
        raise EditRefused(said, "nothing has been changed; change it by hand")
    return start + text


def _rounds(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Changes of values that are there are made at once, others when those before them are made."""
    together: list[Change] = []
    for change in changes:
        if isinstance(change, Take | Respell):
            together.append(change)
            continue
        if together:
            yield together
            together = []
        yield [change]
    if together:
        yield together


def _splices(sheet: Sheet, change: Change) -> list[Splice]:
    match change:
        case Put():
            return _put(sheet, change.path, change.value, change.order)
        case Add():
            return _added(sheet, change)
        case Take():
            holder = _collection(sheet, change.path)
            gone = list(holder.entries_of(*change.items))
            return _removed(sheet, holder, gone, _key_of(sheet, change.path))
        case Respell():
            holder = _collection(sheet, change.path)
            return [_reworded(sheet, name, change.new, in_flow=isinstance(each, Flow))
                    for item in holder.entries_of(change.old)
                    for each in [item.value if isinstance(item.value, Flow) else holder]
                    if (name := called(item.value)) is not None]  # fmt: skip
        case Rename():
            holder = _collection(sheet, change.path[:-1])
            own = _key_of(sheet, change.path)
            return [_reworded(sheet, own, change.name, in_flow=isinstance(holder, Flow))]
        case Drop():
            holder, above = _collection(sheet, change.path[:-1]), change.path[:-1]
            key = _key_of(sheet, above) if above else None
            return _removed(sheet, holder, [_entry(sheet, change.path)], key)


def _removed(
    sheet: Sheet, holder: Flow | Block, gone: Sequence[Entry], key: Scalar | None
) -> list[Splice]:
    for entry in gone:
        _check(sheet, entry.value)
    if isinstance(holder, Flow):
        return [flow_without(sheet, holder, gone)] if gone else []
    return block_without(sheet, holder, gone, key)


def _added(sheet: Sheet, change: Add) -> list[Splice]:
    node = sheet.at(change.path)
    if node is None or _is_nothing(node):
        return _put(sheet, change.path, change.items, change.order)
    holder = _collection(sheet, change.path)
    if isinstance(holder, Flow):
        return flow_with(sheet, holder, [as_flow(item) for item in change.items])
    return [items_below(sheet, holder, [as_item(item) for item in change.items])]


def _put(sheet: Sheet, path: _Keys, value: Value, order: _Keys) -> list[Splice]:
    depth, node = _nearest(sheet, path)
    for step in reversed(path[depth + 1 :]):
        value = {step: value}  # from here on nothing is there: what is missing is one new value
    if node is None:
        return _new(sheet, path[:depth], path[depth], value, order)
    if _is_nothing(node):
        return _filled(sheet, path[: depth + 1], node, value)
    _check(sheet, node)
    if not isinstance(node, Scalar) or not isinstance(value, str | int):
        raise sheet.refuse(node.start, f"`{path[depth]}` holds something else already")
    in_flow = isinstance(sheet.at(path[:-1]), Flow)
    written = rendered(value, in_flow=in_flow) if isinstance(value, str) else as_flow(value)
    return [Splice(node.start, node.end, written)]


def _nearest(sheet: Sheet, path: _Keys) -> tuple[int, Node | None]:
    """The first step on `path` that leads nowhere or to nothing, or else the last, and its value."""
    depth, node = 0, sheet.at(path[:1])
    while depth < len(path) - 1 and node is not None and not _is_nothing(node):
        depth += 1
        node = sheet.at(path[: depth + 1])
    return depth, node


def _new(sheet: Sheet, above: _Keys, key: str, value: Value, order: _Keys) -> list[Splice]:
    """A new entry in the mapping at `above`, which is there."""
    if sheet.root is None or (not above and isinstance(sheet.root, Block)):
        return [at_the_end(sheet, key, value)]
    holder = _collection(sheet, above, is_mapping=True)
    if isinstance(holder, Block):
        return [block_with(sheet, holder, key, value, order)]
    if (
        not holder.entries
        and above
        and isinstance(sheet.at(above[:-1]), Block)
        and isinstance(value, Mapping)
    ):
        return _filled(sheet, above, holder, {key: value})
    return flow_with(sheet, holder, [as_flow_entry(key, value)])


def _filled(sheet: Sheet, path: _Keys, node: Node, value: Value) -> list[Splice]:
    """A value where a key has none, or `{}`."""
    key = _key_of(sheet, path)
    parent = sheet.at(path[:-1])
    if (
        isinstance(node, Flow)
        and isinstance(value, Mapping)
        and "\n" in sheet.text[node.start : node.end]
    ):
        return flow_with(sheet, node, [as_flow_entry(name, each) for name, each in value.items()])
    if not isinstance(parent, Block) or not _is_deep(value):
        if isinstance(node, Flow) or node.start < node.end:
            return [Splice(node.start, node.end, as_flow(value))]
        return [behind_key(sheet, key, as_flow(value))]
    lines = as_lines(path[-1], value, parent.column, step_of(sheet.root), compact=False)[1:]
    start = key.end if node.start == node.end else node.start
    emptied = [Splice(node.start - 1, node.end)] if node.start < node.end else []
    return [*emptied, below(sheet.text, start, lines, newline_of(sheet.text, start))]


def _is_deep(value: Value) -> bool:
    """Whether a value wants lines of its own: a mapping of mappings."""
    return isinstance(value, Mapping) and any(isinstance(each, Mapping) for each in value.values())


def _reworded(sheet: Sheet, node: Scalar, text: str, *, in_flow: bool) -> Splice:
    _check(sheet, node)
    style = node.style if node.style in {"'", '"'} else ""
    return Splice(node.start, node.end, rendered(text, in_flow=in_flow, style=style))


def _collection(sheet: Sheet, path: _Keys, *, is_mapping: bool | None = None) -> Flow | Block:
    """The collection at `path`, which may be edited."""
    for depth in range(len(path)):
        if (above := sheet.at(path[:depth])) is not None:
            _check(sheet, above)
    if (node := sheet.at(path)) is not None:
        _check(sheet, node)
    if isinstance(node, Flow | Block) and is_mapping in {None, node.is_mapping}:
        return node
    place = 0 if node is None else node.start
    kind = "mapping" if is_mapping else "list"
    raise sheet.refuse(place, f"`{path[-1] if path else 'this'}` is no {kind}")


def _check(sheet: Sheet, node: Node) -> None:
    if node.special:
        raise sheet.refuse(
            node.start, f"{node.special}: this cannot be edited", "write the value out first"
        )


def _entry(sheet: Sheet, path: _Keys) -> Entry:
    found = _collection(sheet, path[:-1], is_mapping=True).entry(path[-1])
    if found is None:
        raise EditRefused(f"{sheet.file}: there is no `{path[-1]}` to change")
    return found


def _key_of(sheet: Sheet, path: _Keys) -> Scalar:
    entry = _entry(sheet, path)
    if entry.key is None:
        raise sheet.refuse(entry.start, "this is no mapping")
    return entry.key


def _is_mapping(node: Node) -> bool:
    return isinstance(node, Flow | Block) and node.is_mapping


def _is_nothing(node: Node) -> bool:
    """`key:`, `key: ~` or `key: null`."""
    return isinstance(node, Scalar) and not node.special and not node.style and (
        node.text in {"", "~", "null"}
    )  # fmt: skip
