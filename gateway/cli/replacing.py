"""Files replaced whole: whoever reads one gets the old content or the new one, and never a mixture.

Each new content is written into a hidden file beside the old one, with the same mode and owner,
and brought to the disk; only then are they renamed, one after the other, and their folders brought
to the disk. Should the machine die in between, some files are new and the others old: each is
whole, but together they may be a policy that nobody meant. A gateway that finds it unsound keeps
what it has; running the same command again makes the rest. Hidden files may be left, which no
reader of policies looks at.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from gateway.cli.output import why

__all__ = ["locked", "replace_files", "target_of"]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """While this lasts, no other command of ours edits the folder.

    Editors and other programs know nothing of it. Where folders cannot be locked (NFS may not),
    what was read is still compared before it is replaced.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise click.ClickException(f"{folder}: {why(error)}") from None
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def target_of(path: Path) -> Path:
    """The file to replace: what `path` is a link to. Raises ClickException where it must not be."""
    real = path.resolve()
    # Kubernetes swaps `..data`, a link to a folder that begins with two dots as well.
    if any(part.startswith("..") for part in real.parts):
        raise click.ClickException(
            f"{path}: this is mounted by Kubernetes, which would undo the change\n"
            "  help: change the ConfigMap; `--dry-run` shows what to change"
        )
    return real


def replace_files(contents: Mapping[Path, bytes], unchanged: Callable[[], bool]) -> None:
    """Give each file its new content, unless `unchanged` says, at the last moment, that they are not.

    What an editor saves between that moment and the renaming, some microseconds later, is lost.
    Raises ClickException; then no file has been replaced, unless it says so.
    """
    ready: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            target = target_of(path)
            ready[target] = _beside(target, content)
        if not unchanged():
            raise click.ClickException(
                "the policy files were changed by somebody else in the meantime; nothing is written\n"
                "  help: run the command again"
            )
        replaced: list[Path] = []
        for target, new in ready.items():
            try:
                new.replace(target)
            except OSError as error:
                done = f"; already written: {', '.join(map(str, replaced))}" if replaced else ""
                raise click.ClickException(f"{target}: {why(error)}{done}") from None
            replaced.append(target)
        for folder in {target.parent for target in ready}:
            _to_disk(folder)
    finally:
        for new in ready.values():
            new.unlink(missing_ok=True)


def _beside(target: Path, content: bytes) -> Path:
    """A hidden file in the same folder with this content, and the target's mode and owner."""
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=".new", dir=target.parent
        )
    except OSError as error:
        raise click.ClickException(
            f"{target.parent}: no file can be written here: {why(error)}"
        ) from None
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            _like(descriptor, target)
            os.fsync(descriptor)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise click.ClickException(f"{target}: {why(error)}") from None
    return new


def _like(descriptor: int, target: Path) -> None:
    """Mode and owner of `target`, or of its folder's files where it is new."""
    try:
        old = target.stat()
    except FileNotFoundError:
        siblings = [each for each in target.parent.glob("*.y*ml") if each.is_file()]
        os.fchmod(descriptor, stat.S_IMODE(siblings[0].stat().st_mode) if siblings else 0o644)
        return
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some file systems cannot do this for folders; the files themselves are on the disk.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
