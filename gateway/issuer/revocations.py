"""Tokens that were ended before their time: a file that all processes append to and read.

A line names one token by its id, or all tokens of a client up to a moment, and says until when it
matters. It is on the disk before anybody is told that a token is revoked, and a restart finds it
there. Every process looks at the file a few times a second and reads on from where it was.

Bounded in two ways: a line whose token would have ended by itself is dropped when the file is next
written anew, and a client that revokes more than `MOST_PER_CLIENT` tokens at once has all of its
earlier ones ended instead, which is one line. What is known is never unlearnt from the file: one
that was emptied or removed revives no token in a process that has read it.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.issuer.tokens import TokenClaims
from gateway.logs import get as get_logger

__all__ = ["MOST_PER_CLIENT", "Revocations", "Revoked"]

_log = get_logger("gateway.issuer")

MOST_PER_CLIENT = 1_000

_MAX_LINE_BYTES = 1_024
# Below this it is not worth a thought how many lines have run out.
_SMALL_LINES = 1_000


class Revoked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. `token` is a `jti`; without it, all that `client` got `before` that time (included).

    Times are seconds since the epoch; after `until` all of them have ended by themselves.
    """

    client: str
    until: int
    token: str = ""
    before: int = 0
    at: int = 0


class _Place(NamedTuple):
    """Which file, and how far it was read."""

    device: int = 0
    inode: int = 0
    size: int = 0


_decode = msgspec.json.Decoder(Revoked).decode
_encode = msgspec.json.Encoder().encode


class Revocations:
    """What one process knows of the file. Its methods block, so they are for a thread."""

    def __init__(self, path: Path, *, wall: Callable[[], float]) -> None:
        self._path = path
        self._wall = wall
        self._tokens: dict[str, Revoked] = {}
        self._before: dict[str, Revoked] = {}
        self._per_client: dict[str, int] = {}
        self._read = _Place()
        self._lines = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Revocations({len(self)} in {str(self._path)!r})"

    def __len__(self) -> int:
        return len(self._tokens) + len(self._before)

    def holds(self, client_id: str, token_id: str, issued_at: float) -> bool:
        """Whether this token was revoked, as far as the file was read."""
        if token_id in self._tokens:
            return True
        ended = self._before.get(client_id)
        return ended is not None and issued_at <= ended.before

    def open(self) -> None:
        """Make the file if it is not there, and read it. Raises OSError."""
        with self._lock, self._locked():
            self._read_on()

    def catch_up(self) -> None:
        """Read what others have written. Raises OSError."""
        with self._lock:
            if self._read_on():
                self._forget_ended(int(self._wall()))

    def add(self, token: TokenClaims) -> None:
        """Revoke it; on the disk when this returns. Raises OSError."""
        now = int(self._wall())
        with self._lock, self._locked() as descriptor:
            self._read_on()
            self._forget_ended(now)
            if self.holds(token.client_id, token.token_id, token.issued_at):
                return
            line = Revoked(
                client=token.client_id, token=token.token_id, until=token.expires_at, at=now
            )
            if self._per_client.get(token.client_id, 0) >= MOST_PER_CLIENT:
                line = self._all_of(token, now)
            if self._lines > _SMALL_LINES + 2 * len(self):
                self._note(line)
                self._write_anew()
            else:
                self._append(descriptor, line)
                self._note(line)

    def _all_of(self, token: TokenClaims, now: int) -> Revoked:
        """Instead of one more: all that the client got until now."""
        _log.warning(
            "a client revokes too many tokens: all that it has are ended", id=token.client_id
        )
        ends = [each.until for each in self._tokens.values() if each.client == token.client_id]
        until = max(token.expires_at, *ends)
        return Revoked(client=token.client_id, before=now, until=until, at=now)

    def _note(self, line: Revoked) -> None:
        if line.token:
            if line.token not in self._tokens:
                count = self._per_client.get(line.client, 0)
                self._per_client[line.client] = count + 1
            self._tokens[line.token] = line
            return
        known = self._before.get(line.client)
        if known is not None:
            line = msgspec.structs.replace(
                line, before=max(known.before, line.before), until=max(known.until, line.until)
            )
        self._before[line.client] = line
        if self._per_client.get(line.client, 0) >= MOST_PER_CLIENT:
            # Each of them was issued before that moment.
            self._tokens = {
                name: each for name, each in self._tokens.items() if each.client != line.client
            }
            self._per_client.pop(line.client, None)

    def _forget_ended(self, now: int) -> None:
        if any(each.until <= now for each in (*self._tokens.values(), *self._before.values())):
            self._tokens = {name: each for name, each in self._tokens.items() if each.until > now}
            self._before = {name: each for name, each in self._before.items() if each.until > now}
            self._per_client = {}
            for each in self._tokens.values():
                self._per_client[each.client] = self._per_client.get(each.client, 0) + 1

    # --- the file -----------------------------------------------------------------------------

    def _read_on(self) -> bool:
        """Whether there was anything new."""
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                size = self._read.size
                if (found.st_dev, found.st_ino) != self._read[:2] or found.st_size < size:
                    size = self._lines = 0
                file.seek(size)
                start = size
                # What follows the last end of a line is being written, or was never finished.
                while (raw := file.readline(_MAX_LINE_BYTES)).endswith(b"\n"):
                    size += len(raw)
                    self._lines += 1
                    self._understand(raw)
        except FileNotFoundError:
            self._read = _Place()
            return False
        self._read = _Place(found.st_dev, found.st_ino, size)
        return size > start

    def _understand(self, raw: bytes) -> None:
        try:
            line = _decode(raw)
        except msgspec.MsgspecError:
            if raw.strip():
                _log.error("a line of the revocations cannot be read", file=str(self._path))
            return
        if line.until > self._wall():
            self._note(line)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file that is at the path, for us alone among all processes."""
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                ours = os.fstat(descriptor)
                try:
                    there = self._path.stat()
                except FileNotFoundError:
                    continue
                if (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino):
                    continue  # written anew while we waited
                yield descriptor
                return
            finally:
                os.close(descriptor)

    def _append(self, descriptor: int, line: Revoked) -> None:
        size = os.fstat(descriptor).st_size
        # A process that was killed while it wrote has left a part of a line.
        begin = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
        data = begin + _encode(line) + b"\n"
        if os.write(descriptor, data) != len(data):
            raise OSError(28, "no space left for a whole line")
        os.fsync(descriptor)

    def _write_anew(self) -> None:
        """Only what still matters, put in place at once; its lock is not needed, ours is held."""
        new = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        lines = [*self._before.values(), *self._tokens.values()]
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(_encode(line) + b"\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        finally:
            new.unlink(missing_ok=True)
