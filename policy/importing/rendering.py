"""Facts as lines of a catalogue."""

from typing import Any

from policy.editing.layout import as_flow
from policy.editing.scalars import rendered
from policy.entries import AllOf, AnyOf, Requires
from policy.names import flaw_of

__all__ = ["flow", "folded", "label_of", "line", "requires_text", "split_request"]

_WIDTH = 100


def label_of(permission: str) -> str:
    """What people see, made of the name: `Analytics > Conversation Detail > View`."""
    parts = [_spaced(part) for part in permission.split(":")]
    label = " > ".join(part[:1].upper() + part[1:] for part in parts)
    return permission if flaw_of(label) else label


def _spaced(part: str) -> str:
    words, word = [], ""
    for letter in part.replace("_", " ").replace("-", " "):
        if letter == " " or (letter.isupper() and not word[-1:].isupper()):
            words.append(word)
            word = ""
        word += letter
    return " ".join(
        each.strip()[:1].upper() + each.strip()[1:] for each in [*words, word] if each.strip()
    )


def split_request(request: str) -> tuple[str, str]:
    method, _, template = request.partition(" ")
    return method, template


def flow(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, dict):
        inside = (
            f"{rendered(str(key), in_flow=True)}: {flow(each)}" for key, each in value.items()
        )
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return rendered(str(value), in_flow=True)


def line(key: str, value: str) -> str:
    return f"{rendered(key, in_flow=False)}: {rendered(value, in_flow=False)}\n"


def folded(head: str, value: str, indent: int) -> str:
    """`key: value`, a long value in brackets over several lines."""
    if len(head) + len(value) <= _WIDTH or value[:1] not in {"{", "["}:
        return head + value
    lines, line = [], head
    for part in value.replace(", ", ",\n").split("\n"):
        if len(line) + len(part) > _WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * indent
        line += part + " "
    return "\n".join([*lines, line.rstrip()])


def requires_text(requires: Requires) -> str:
    match requires:
        case str():
            return rendered(requires, in_flow=False)
        case AnyOf():
            return as_flow({"any": list(requires.any)})
        case AllOf():
            return as_flow({"all": [str(each) for each in requires.all]})
        case _:
            return as_flow({"all": [str(each) for each in requires]})
