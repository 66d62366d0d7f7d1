"""Changes of files are noticed by looking at them now and then.

A look is a `stat` of every file, which is cheap and works on every file system: inotify does not
see what another host writes to a network share, and a watch on a file is lost when an editor puts
a new one in its place. Symbolic links are followed, because a Kubernetes ConfigMap is changed by
turning one of them (`..data`). A change is taken once two looks agree, so that files that are
still being written are left alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from gateway.logs import get as get_logger

__all__ = ["Settling", "Signature", "look", "watch"]

_log = get_logger("gateway.watch")

Signature = tuple[tuple[str | int, ...], ...]


def look(files: Sequence[Path], folder: Path) -> Signature:
    """What the files, and everything directly in `folder`, look like; never an exception."""
    return tuple(_looks(files, folder))


def _looks(files: Sequence[Path], folder: Path) -> Iterator[tuple[str | int, ...]]:
    for path in files:
        yield _look(path)
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        yield str(folder), error.errno or 0
        return
    yield from map(_look, inside)


def _look(path: Path) -> tuple[str | int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        return str(path), error.errno or 0
    # The change time too: `cp --preserve` and `touch` set the other one at will.
    return (
        str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns,
    )  # fmt: skip


class Settling:
    """Which looks tell of a change that has come to rest."""

    def __init__(self) -> None:
        self._last: Signature | None = None
        self._told: Signature | None = None

    def __repr__(self) -> str:
        return f"<Settling, {'at rest' if self._last == self._told else 'something changes'}>"

    def saw(self, signature: Signature) -> bool:
        """Whether this look shows, like the one before, something that has not been told yet."""
        rests, self._last = signature == self._last, signature
        if not rests or signature == self._told:
            return False
        self._told = signature
        return True


async def watch(
    looks: Callable[[], Signature],
    changed: Callable[[], Awaitable[object]],
    *,
    rest: Callable[[], Awaitable[object]],
) -> None:
    """Look, for ever, with a `rest` in between; what changed before the first look is told too."""
    settling = Settling()
    while True:
        # A network share that hangs keeps a thread waiting, and nobody else.
        if settling.saw(await asyncio.to_thread(looks)):
            _log.debug("the policy's files may have changed")
            await changed()
        await rest()
