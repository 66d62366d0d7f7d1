"""Whether a secret is right: what it costs, and what nobody can tell from it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.authn.passwords import argon2_matches
from gateway.issuer.clients import Client, ClientState
from gateway.issuer.secrets import Secrets, new_secret
from policy import Location
from tests.support.clients import MINDFUL, VSM, cheap_hash

RIGHT, WRONG = "right", "wrong"


def client(*secrets: str, id_: str = VSM, state: ClientState = ClientState.ACTIVE) -> Client:
    return Client(
        name="vsm", id=id_, title="", secret_hashes=tuple(map(cheap_hash, secrets)), state=state,
        token_seconds=300, tokens_since=0.0, may_introspect=False,
        where=Location("clients.yaml"),
    )  # fmt: skip


class Counted:
    """Argon2, and how often it was asked for which hash."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, password_hash: str, password: bytes) -> bool:
        self.asked.append(password_hash)
        return argon2_matches(password_hash, password)


Made = Callable[..., Secrets]


@pytest.fixture
async def argon2() -> Counted:
    return Counted()


@pytest.fixture
async def made(argon2: Counted) -> AsyncIterator[Made]:
    every = []

    def make(*clients: Client) -> Secrets:
        secrets = Secrets(parallel=1, matches=argon2)
        secrets.take({each.id: each for each in clients})
        every.append(secrets)
        return secrets

    yield make
    for each in every:
        each.close()


async def test_a_right_secret_is_known_from_then_on(made: Made, argon2: Counted) -> None:
    vsm = client(RIGHT)
    secrets = made(vsm)
    assert not secrets.is_known(vsm, RIGHT)
    assert await secrets.prove(vsm, RIGHT)
    assert secrets.is_known(vsm, RIGHT)
    assert not secrets.is_known(vsm, WRONG)
    assert len(argon2.asked) == 1


async def test_every_wrong_way_costs_the_same(made: Made, argon2: Counted) -> None:
    """J-12: an unknown id, a wrong secret, a disabled client, one of two hashes or one of one."""
    one, two = client(RIGHT), client("a", "b", id_=MINDFUL)
    disabled = client(RIGHT, state=ClientState.DISABLED)
    secrets = made(one, two)
    for each in (None, one, two, disabled):
        argon2.asked.clear()
        assert not await secrets.prove(each, WRONG)
        assert len(argon2.asked) == 2


async def test_a_wrong_secret_costs_the_same_when_the_right_one_is_known(
    made: Made, argon2: Counted
) -> None:
    vsm = client(RIGHT)
    secrets = made(vsm)
    await secrets.prove(vsm, RIGHT)
    argon2.asked.clear()
    assert not await secrets.prove(vsm, WRONG)
    assert not await secrets.prove(None, WRONG)
    assert len(argon2.asked) == 2


async def test_a_disabled_client_has_no_right_secret(made: Made) -> None:
    secrets = made(client(RIGHT))
    assert await secrets.prove(client(RIGHT), RIGHT)
    disabled = client(RIGHT, state=ClientState.DISABLED)
    assert not secrets.is_known(disabled, RIGHT)
    assert not await secrets.prove(disabled, RIGHT)


async def test_nobodys_secret_is_never_right(made: Made) -> None:
    secrets = made()
    assert not await secrets.prove(None, secrets._decoy)
    assert not await secrets.prove(None, "")


async def test_what_is_no_longer_in_the_file_is_forgotten(made: Made) -> None:
    vsm = client(RIGHT)
    secrets = made(vsm)
    await secrets.prove(vsm, RIGHT)
    secrets.take({MINDFUL: client("other", id_=MINDFUL)})
    assert len(secrets) == 0
    assert not secrets.is_known(vsm, RIGHT)


async def test_wrong_secrets_leave_nothing_behind(made: Made) -> None:
    vsm = client(RIGHT)
    secrets = made(vsm)
    for number in range(50):
        assert not await secrets.prove(vsm, f"wrong-{number}")
    assert len(secrets) == 0


async def test_those_who_wait_for_the_same_answer_pay_once(made: Made, argon2: Counted) -> None:
    vsm = client(RIGHT)
    secrets = made(vsm)
    answers = await asyncio.gather(*(secrets.prove(vsm, RIGHT) for _ in range(20)))
    assert all(answers)
    assert len(argon2.asked) == 1


async def test_secrets_are_kept_by_a_keyed_digest_only(made: Made) -> None:
    vsm = client(RIGHT)
    one, other = made(vsm), made(vsm)
    await one.prove(vsm, RIGHT)
    await other.prove(vsm, RIGHT)
    assert set(one._right.values()).isdisjoint(other._right.values())
    assert RIGHT not in repr(one)


def test_a_drawn_secret_needs_no_escaping() -> None:
    drawn = {new_secret() for _ in range(50)}
    assert len(drawn) == 50
    assert all(len(each) == 43 and set(each) <= _PLAIN for each in drawn)


_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
