"""Passwords and their Argon2id hashes, and a bound on how much work strangers can make us do.

One verification takes tens of milliseconds and tens of megabytes by design. So they run in a few
threads of their own (the event loop goes on), only so many wait, and none waits long; who finds
no room gets 503 at once and may try again. Everybody waits in the same line, known or not.
"""

import asyncio
import contextlib
import os
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError
from argon2.low_level import verify_secret

from gateway.errors import IdentityUnavailable

__all__ = [
    "MAX_PASSWORD_BYTES",
    "RECOMMENDED",
    "Costs",
    "Matches",
    "PasswordBench",
    "argon2_matches",
    "hash_password",
    "prepared",
]

# OWASP ASVS 2.1.2 wants 64 characters accepted and 128 refused at the earliest; a 4-byte letter
# each makes 512, and nothing is lost with twice that. Argon2 itself would take 4 GiB.
MAX_PASSWORD_BYTES = 1024

# What one line of a users file may make us do. Anything above is a typing error or worse.
_MAX_TIME_COST = 20
_MAX_MEMORY_KIB = 262_144
_MAX_LANES = 16

# A third of the weight that others have (sched_prio_to_weight of the kernel's scheduler).
_NICENESS = 5

Matches = Callable[[str, bytes], bool]


class Costs(NamedTuple):
    """What checking a hash takes; two hashes with equal costs take equally long."""

    time_cost: int
    memory_kib: int
    lanes: int
    hash_bytes: int = 32
    salt_bytes: int = 16

    @classmethod
    def of(cls, password_hash: str) -> "Costs":
        """The costs of a hash that may stand in a users file, or ValueError saying why not."""
        try:
            found = extract_parameters(password_hash)
        except InvalidHashError:
            found = None
        if found is None or found.type is not Type.ID:
            raise ValueError("not an Argon2id hash; make one with `ucs-gateway hash-secret`")
        costs = cls(
            found.time_cost, found.memory_cost, found.parallelism, found.hash_len, found.salt_len
        )
        most = (_MAX_TIME_COST, _MAX_MEMORY_KIB, _MAX_LANES)
        if any(cost > limit for cost, limit in zip(costs[:3], most, strict=True)):
            raise ValueError("the hash takes more time or memory to check than a request may")
        return costs


# RFC 9106, 4, second recommended option, but on one lane: the threads are bounded, so each should
# be one thread's work. 64 MiB, about 0.1 s of one core.
RECOMMENDED = Costs(time_cost=3, memory_kib=65_536, lanes=1)


def prepared(password: str) -> bytes:
    """The bytes that are hashed: NFC, so that every keyboard gives the same (RFC 8265, 4.2.2)."""
    return unicodedata.normalize("NFC", password).encode("utf-8")


def hash_password(password: str, costs: Costs = RECOMMENDED) -> str:
    hasher = PasswordHasher(
        time_cost=costs.time_cost,
        memory_cost=costs.memory_kib,
        parallelism=costs.lanes,
        hash_len=costs.hash_bytes,
        salt_len=costs.salt_bytes,
        type=Type.ID,
    )
    return hasher.hash(prepared(password))


def argon2_matches(password_hash: str, password: bytes) -> bool:
    """Whether the password is the right one; compares in constant time."""
    try:
        return verify_secret(password_hash.encode("ascii"), password, Type.ID)
    except VerifyMismatchError:
        return False
    except Argon2Error as error:
        # The hash was checked at start, so this is the machine: out of memory, no threads.
        raise IdentityUnavailable(f"the password could not be checked: {error}") from error


def _step_back() -> None:
    """A password may wait a little for the processor; requests that need none may not.

    On Linux a thread has a niceness of its own (sched(7)).
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


class PasswordBench:
    """The few places where passwords are checked, and the short line before them."""

    def __init__(
        self,
        *,
        parallel: int,
        matches: Matches = argon2_matches,
        waiting: int = 32,
        patience_seconds: float = 5.0,
    ) -> None:
        self._matches = matches
        self._places = asyncio.Semaphore(parallel)
        self._max_waiting = waiting
        self._waiting = 0
        self._patience_seconds = patience_seconds
        self._threads = ThreadPoolExecutor(
            parallel, thread_name_prefix="password", initializer=_step_back
        )

    def __repr__(self) -> str:
        return f"PasswordBench({self._waiting} of {self._max_waiting} waiting)"

    async def matches(self, password_hash: str, password: bytes) -> bool:
        await self._take_place()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._matches, password_hash, password)
        finally:
            self._places.release()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _take_place(self) -> None:
        if self._waiting >= self._max_waiting:
            raise IdentityUnavailable("too many passwords are waiting to be checked")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise IdentityUnavailable("the password waited too long to be checked") from None
        finally:
            self._waiting -= 1
