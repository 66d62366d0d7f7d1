"""Sources and decision tables as bytes: one process reads, one compiles, many others decide.

Compiling a large policy takes seconds of a processor; a process that serves requests has none to
give. What arrives is the table itself, every part of it: no file is read again and nothing is
interpreted a second time, so all who take the same bytes decide alike.

The bytes are a pickle, and pickles can be made to run anything. These travel between processes of
one gateway only, over sockets that nobody else has; and the reader builds what tables are made of,
and nothing else.
"""

import pickle
from typing import Protocol, TypeVar

__all__ = ["Readable", "packed", "unpacked"]

T = TypeVar("T")

_PLAIN = frozenset(
    {
        ("builtins", "frozenset"),
        ("builtins", "object"),
        ("pathlib", "PosixPath"),
        ("msgspec._utils", "rebuild"),
    }
)


class Readable(Protocol):
    """What bytes are read from, in pieces: whoever reads on behalf of others may rest in between."""

    def read(self, size: int, /) -> bytes: ...
    def readline(self) -> bytes: ...


def packed(value: object) -> bytes:
    """A table or sources, to be read by `unpacked` of the same version of this package."""
    return pickle.dumps(value, protocol=5)


def unpacked(kind: type[T], file: Readable) -> T:
    """What was packed. Raises pickle.UnpicklingError for anything that is no `kind`.

    It is read in pieces of some 64 KiB, each of which takes about a millisecond.
    """
    value = _Unpacking(file).load()
    if not isinstance(value, kind):
        raise pickle.UnpicklingError(f"this is no {kind.__name__}")
    return value


class _Unpacking(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        # A dotted name could lead from a module of ours to one that it imports.
        if (module, name) in _PLAIN or (module.startswith("policy.") and name.isidentifier()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"`{module}.{name}` is no part of a table")
