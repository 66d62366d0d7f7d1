"""Building much that stays, without being walked over again and again on the way.

A large policy is made of a million objects, and the collector of cycles, which runs whenever a
quarter has come on top, would find nothing: nothing here dies before the whole is done. That cost a
third of the time of reading and compiling.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection of cycles in the process until this is left, however it is left."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
