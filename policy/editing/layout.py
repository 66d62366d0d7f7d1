"""New values as lines, in the manner of what stands around them."""

from collections.abc import Iterator, Mapping, Sequence

from policy.editing.flow import WIDTH
from policy.editing.nodes import Block, Flow, Node
from policy.editing.scalars import rendered

__all__ = ["Value", "as_flow", "as_flow_entry", "as_item", "as_lines", "is_compact", "step_of"]

Value = str | int | Sequence["Value"] | Mapping[str, "Value"]
"""What can be written; a truth value is a number of its own kind."""


def as_flow(value: Value) -> str:
    """`[a, b]`, `{roles: [a]}`, or a scalar as it stands within brackets."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return rendered(value, in_flow=True)
        case Mapping():
            return "{" + ", ".join(as_flow_entry(key, each) for key, each in value.items()) + "}"
        case _:
            return "[" + ", ".join(map(as_flow, value)) + "]"


def as_flow_entry(key: str, value: Value) -> str:
    return f"{rendered(key, in_flow=True)}: {as_flow(value)}"


def as_item(value: Value) -> str:
    """An item of a list as it stands behind its dash."""
    return rendered(value, in_flow=False) if isinstance(value, str) else as_flow(value)


def as_lines(key: str, value: Value, indent: int, step: int, *, compact: bool) -> list[str]:
    """`key: value` as lines; `compact` puts a mapping on one line, where there is room."""
    return list(_lines(key, value, indent, step, compact=compact))


def _lines(key: str, value: Value, indent: int, step: int, *, compact: bool) -> Iterator[str]:
    head = " " * indent + rendered(key, in_flow=False) + ":"
    if isinstance(value, str):
        yield f"{head} {rendered(value, in_flow=False)}"
        return
    short = f"{head} {as_flow(value)}"
    if isinstance(value, int):
        yield short
        return
    is_nested = isinstance(value, Mapping) and not compact
    if not value or (len(short) <= WIDTH and not is_nested):
        yield short
        return
    yield head
    if isinstance(value, Mapping):
        for inner, each in value.items():
            yield from _lines(inner, each, indent + step, step, compact=compact)
    else:
        for item in value:
            yield f"{' ' * (indent + step)}- {as_item(item)}"


def step_of(root: Node | None) -> int:
    """By how many columns this file moves nested values to the right."""
    if isinstance(root, Block):
        for entry in root.entries:
            below = entry.value
            if isinstance(below, Block) and below.is_mapping and below.column > root.column:
                return below.column - root.column
    return 2


def is_compact(siblings: Sequence[Node]) -> bool:
    """Whether mappings stand on one line here, as the last of them does."""
    return bool(siblings) and isinstance(siblings[-1], Flow)
