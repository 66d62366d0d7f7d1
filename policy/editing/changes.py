"""Changes of a policy file: what is to become of its values. They say nothing of layout."""

from collections.abc import Mapping
from typing import Any

import msgspec

from policy.editing.layout import Value

__all__ = ["Add", "Change", "Drop", "Put", "Rename", "Respell", "Take"]

_Keys = tuple[str, ...]


class Put(msgspec.Struct, frozen=True):
    """The key at `path` gets this value; it and all above it are made where they are not there.

    `order` names the keys of its mapping as they usually stand, to find a new one's place.
    """

    path: _Keys
    value: Value
    order: _Keys = ()

    def apply(self, root: dict[str, Any]) -> None:
        at = root
        for step in self.path[:-1]:
            if not isinstance(at.get(step), dict):
                at[step] = {}
            at = at[step]
        at[self.path[-1]] = _plain(self.value)


class Add(msgspec.Struct, frozen=True):
    """The list at `path` gets `items` at its end; it is made where it is not there."""

    path: _Keys
    items: tuple[Value, ...]
    order: _Keys = ()

    def apply(self, root: dict[str, Any]) -> None:
        old = _value_at(root, self.path)
        Put(self.path, [*(old or ()), *self.items]).apply(root)


class Take(msgspec.Struct, frozen=True):
    """The list at `path` loses every entry that is called one of `items`; it may become empty.

    A grant in some divisions is called by its role.
    """

    path: _Keys
    items: _Keys

    def apply(self, root: dict[str, Any]) -> None:
        old = _value_at(root, self.path)
        Put(self.path, [each for each in old if _called(each) not in self.items]).apply(root)


class Respell(msgspec.Struct, frozen=True):
    """In the list at `path`, `old` becomes `new`."""

    path: _Keys
    old: str
    new: str

    def apply(self, root: dict[str, Any]) -> None:
        old = _value_at(root, self.path)
        Put(self.path, [self._respelt(each) for each in old]).apply(root)

    def _respelt(self, item: Any) -> Any:
        if _called(item) != self.old:
            return item
        return {**item, "role": self.new} if isinstance(item, dict) else self.new


class Rename(msgspec.Struct, frozen=True):
    """The key at `path` becomes `name`."""

    path: _Keys
    name: str

    def apply(self, root: dict[str, Any]) -> None:
        at = _value_at(root, self.path[:-1])
        at[self.name] = at.pop(self.path[-1])


class Drop(msgspec.Struct, frozen=True):
    """The key at `path` goes, with its value. What holds it may become empty."""

    path: _Keys

    def apply(self, root: dict[str, Any]) -> None:
        del _value_at(root, self.path[:-1])[self.path[-1]]


Change = Put | Add | Take | Respell | Rename | Drop


def _value_at(root: Any, path: _Keys) -> Any:
    for step in path:
        root = root.get(step) if isinstance(root, dict) else None
    return root


def _plain(value: Value) -> Any:
    match value:
        case int() | str():
            return value
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case _:
            return [_plain(each) for each in value]


def _called(item: Any) -> Any:
    """As `nodes.called`, of values."""
    return item.get("role") if isinstance(item, dict) else item
