"""Passwords are checked in few places at once, and only so many wait for one."""

import asyncio
import threading

import pytest

from gateway.authn.passwords import (
    RECOMMENDED,
    Costs,
    PasswordBench,
    argon2_matches,
    hash_password,
    prepared,
)
from gateway.errors import IdentityUnavailable
from gateway.tasks import Tasks

CHEAP = Costs(time_cost=1, memory_kib=8, lanes=1)


class Blocked:
    """A check that ends when it is let go; counts how many run at once."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.running = 0
        self.most = 0
        self._lock = threading.Lock()

    def __call__(self, _hash: str, password: bytes) -> bool:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.go.wait(30)
        with self._lock:
            self.running -= 1
        return password == b"right"


def test_the_right_password_matches_and_no_other() -> None:
    hashed = hash_password("s3cret:with:colons", CHEAP)
    assert argon2_matches(hashed, b"s3cret:with:colons")
    for wrong in (b"", b"s3cret", b"s3cret:with:colons ", b"S3cret:with:colons"):
        assert not argon2_matches(hashed, wrong)


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("x", CHEAP) != hash_password("x", CHEAP)


def test_a_letter_matches_however_the_keyboard_composes_it() -> None:
    assert prepared("Mu\u0308ller") == prepared("Müller") == "Müller".encode()
    assert argon2_matches(hash_password("Mu\u0308ller", CHEAP), prepared("Müller"))


def test_the_whole_of_a_long_password_counts() -> None:
    hashed = hash_password("x" * 100 + "a", CHEAP)
    assert not argon2_matches(hashed, b"x" * 100 + b"b")


def test_the_recommended_costs_are_in_the_hash() -> None:
    hashed = hash_password("x")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert Costs.of(hashed) == RECOMMENDED


@pytest.mark.parametrize(
    ("password_hash", "fault"),
    [
        ("", "not an Argon2id hash"),
        ("secret", "not an Argon2id hash"),
        ("$2b$12$abcdefghijklmnopqrstuu", "not an Argon2id hash"),
        ("$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", "not an Argon2id hash"),
        ("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ", "not an Argon2id hash"),
        ("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", "more time or memory"),
        ("$argon2id$v=19$m=8,t=1000,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", "more time or memory"),
        ("$argon2id$v=19$m=800,t=1,p=100$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", "more time or memory"),
    ],
)
def test_a_hash_is_argon2id_and_affordable(password_hash: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Costs.of(password_hash)


def test_a_machine_without_memory_is_no_wrong_password() -> None:
    impossible = "$argon2id$v=19$m=0,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"
    with pytest.raises(IdentityUnavailable, match="could not be checked"):
        argon2_matches(impossible, b"x")


async def test_only_so_many_passwords_are_checked_at_once() -> None:
    blocked, clients = Blocked(), Tasks("clients")
    bench = PasswordBench(parallel=2, matches=blocked)
    checks = [
        clients.start(bench.matches("hash", b"right" if n % 2 else b"wrong"), name=str(n))
        for n in range(6)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert repr(bench) == "PasswordBench(4 of 32 waiting)"
    blocked.go.set()
    assert await asyncio.gather(*checks) == [False, True] * 3
    assert blocked.most <= 2
    bench.close()


async def test_only_so_many_wait() -> None:
    blocked, clients = Blocked(), Tasks("clients")
    bench = PasswordBench(parallel=1, matches=blocked, waiting=2)
    checks = [
        clients.start(bench.matches("hash", b"right"), name=str(number)) for number in range(3)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(IdentityUnavailable, match="too many passwords"):
        await bench.matches("hash", b"right")
    blocked.go.set()
    assert await asyncio.gather(*checks) == [True] * 3
    assert await bench.matches("hash", b"right")
    bench.close()


async def test_nobody_waits_long() -> None:
    blocked, clients = Blocked(), Tasks("clients")
    bench = PasswordBench(parallel=1, matches=blocked, patience_seconds=0.01)
    first = clients.start(bench.matches("hash", b"right"), name="first")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(IdentityUnavailable, match="waited too long"):
        await bench.matches("hash", b"right")
    blocked.go.set()
    assert await first
    assert await bench.matches("hash", b"right")  # the place of the impatient one is free
    bench.close()


async def test_a_check_that_fails_gives_its_place_back() -> None:
    def fails(_hash: str, _password: bytes) -> bool:
        raise IdentityUnavailable("no memory")

    bench = PasswordBench(parallel=1, matches=fails)
    for _ in range(3):
        with pytest.raises(IdentityUnavailable, match="no memory"):
            await bench.matches("hash", b"x")
    bench.close()
