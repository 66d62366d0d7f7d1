"""A user name and its password; and nothing to learn for whoever has only one of them."""

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from gateway.authn.basic import BasicVerifier, decoy, read_basic
from gateway.authn.chain import Authenticator
from gateway.authn.passwords import Costs, PasswordBench, argon2_matches, hash_password
from gateway.authn.users import User
from gateway.errors import CredentialsRefused
from policy import Caller, Kind, Means
from tests.support.clock import FakeClock

CHEAP = Costs(time_cost=1, memory_kib=8, lanes=1)


def basic(name: str, password: str) -> bytes:
    return b64encode(f"{name}:{password}".encode())


@dataclass
class World:
    """Two users, and a record of every hash that a password was held against."""

    users: dict[str, User]
    clock: FakeClock = field(default_factory=FakeClock)
    checked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bench = PasswordBench(parallel=2, matches=self._matches)
        self.verifier = BasicVerifier(self.users, bench=self.bench, realm="UCS", cache_seconds=60)
        self.authenticator = Authenticator(
            [self.verifier], clock=self.clock, cache_entries=100, realm="UCS"
        )

    def _matches(self, password_hash: str, password: bytes) -> bool:
        self.checked.append(password_hash)
        return argon2_matches(password_hash, password)

    async def refused(self, word: bytes) -> CredentialsRefused:
        with pytest.raises(CredentialsRefused) as refusal:
            await self.authenticator.identify(b"Basic " + word)
        return refusal.value


@pytest.fixture(scope="module")
def users() -> dict[str, User]:
    return {
        "kent": User(password_hash=hash_password("s3cret", CHEAP)),
        "Jürgen": User(password_hash=hash_password("Schlüssel", CHEAP)),
        "import-job": User(password_hash=hash_password("a:b:c", CHEAP), kind="service"),
    }


@pytest.fixture
def world(users: dict[str, User]) -> Iterator[World]:
    world = World(users)
    yield world
    world.bench.close()


async def test_the_right_password_proves_the_user(world: World) -> None:
    assert await world.authenticator.identify(b"Basic " + basic("kent", "s3cret")) == Caller(
        subject="kent", kind=Kind.USER, means=Means.BASIC
    )


async def test_a_program_may_have_a_password_too(world: World) -> None:
    caller = await world.authenticator.identify(b"Basic " + basic("import-job", "a:b:c"))
    assert caller.kind is Kind.SERVICE


async def test_names_and_passwords_are_utf_8(world: World) -> None:
    caller = await world.authenticator.identify(b"Basic " + basic("Jürgen", "Schlüssel"))
    assert caller.subject == "Jürgen"
    composed = await world.authenticator.identify(b"Basic " + basic("Jürgen", "Schlu\u0308ssel"))
    assert composed.subject == "Jürgen"


async def test_an_unknown_name_takes_the_same_road_as_a_wrong_password(world: World) -> None:
    wrong = await world.refused(basic("kent", "wrong"))
    unknown = await world.refused(basic("nobody", "wrong"))
    assert world.checked == [world.users["kent"].password_hash, world.verifier._decoy]
    assert (wrong.detail, wrong.public, wrong.oauth_error) == (
        unknown.detail,
        unknown.public,
        unknown.oauth_error,
    )
    assert world.authenticator.challenges_after(wrong) == (b'Basic realm="UCS", charset="UTF-8"',)


async def test_an_unknown_name_is_refused_even_if_the_decoy_matched(
    users: dict[str, User],
) -> None:
    bench = PasswordBench(parallel=1, matches=lambda _hash, _password: True)
    verifier = BasicVerifier(users, bench=bench, realm="UCS", cache_seconds=60)
    with pytest.raises(CredentialsRefused):
        await verifier.verify(basic("nobody", "anything"))
    bench.close()


def test_the_decoy_costs_what_most_hashes_cost(users: dict[str, User]) -> None:
    dear = {"dear": User(password_hash=hash_password("x", Costs(2, 16, 1)))}
    assert Costs.of(decoy({**users, **dear})) == CHEAP
    assert Costs.of(decoy(dear)) == Costs(2, 16, 1)
    assert decoy(users) != decoy(users)


def test_the_decoy_of_an_empty_file_costs_what_is_recommended() -> None:
    assert decoy({}).startswith("$argon2id$v=19$m=65536,t=3,p=1$")


@pytest.mark.parametrize(
    "name", ["Kent", "kent ", " kent", "KENT", "ke\u200bnt", "J\u0075\u0308rgen", "kent\x00", ""]
)
async def test_names_are_compared_exactly_and_never_repaired(world: World, name: str) -> None:
    await world.refused(basic(name, "s3cret"))


async def test_a_wrong_password_that_comes_again_costs_nothing(world: World) -> None:
    for _ in range(5):
        await world.refused(basic("kent", "wrong"))
    assert len(world.checked) == 1
    assert world.authenticator.refused == 4


async def test_a_right_password_is_checked_again_after_a_while(world: World) -> None:
    header = b"Basic " + basic("kent", "s3cret")
    for _ in range(3):
        await world.authenticator.identify(header)
    assert len(world.checked) == 1
    world.clock.advance(60)
    await world.authenticator.identify(header)
    assert len(world.checked) == 2


async def test_many_requests_with_one_password_are_one_check(world: World) -> None:
    header = b"Basic " + basic("kent", "s3cret")
    callers = await asyncio.gather(*(world.authenticator.identify(header) for _ in range(20)))
    assert {caller.subject for caller in callers} == {"kent"}
    assert len(world.checked) == 1


@pytest.mark.parametrize(
    ("text", "name", "password"),
    [
        ("kent:s3cret", "kent", b"s3cret"),
        ("kent:a:b:c", "kent", b"a:b:c"),
        ("kent::", "kent", b":"),
        ("kent: ", "kent", b" "),
        ("kent:pässword", "kent", "pässword".encode()),
        ("kent:" + "p" * 1024, "kent", b"p" * 1024),
    ],
)
def test_the_first_colon_ends_the_name(text: str, name: str, password: bytes) -> None:
    assert read_basic(b64encode(text.encode())) == (name, password)


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        (b"a2VudDpzM2NyZX", "not base64"),
        (b"a2VudDpzM2NyZXQ", "not base64"),
        (b"a2VudDpzM2NyZXQ==", "base64"),
        (b"a", "not base64"),
        (b"a2VudDpz-2NyZXQ_", "not base64"),
        (b"a2VudDpzM2NyZXR=", "not canonical"),
        (b64encode("kent:pässword".encode("latin-1")), "not base64 of UTF-8"),
        (b64encode(b"kent:\xed\xa0\x80"), "not base64 of UTF-8"),
        (b64encode(b"kent"), "a plain name, a colon and a password"),
        (b64encode(b"kent:"), "a plain name, a colon and a password"),
        (b64encode(b":s3cret"), "a plain name, a colon and a password"),
        (b64encode(b":"), "a plain name, a colon and a password"),
        (b64encode(b"ke\nnt:s3cret"), "a plain name, a colon and a password"),
        (b64encode(b"kent :s3cret"), "a plain name, a colon and a password"),
        (b64encode(b"k" * 257 + b":s3cret"), "a plain name, a colon and a password"),
        (b64encode(b"kent:s3\x00cret"), "control characters"),
        (b64encode(b"kent:s3cret\n"), "control characters"),
        (b64encode(b"kent:s3cret\x7f"), "control characters"),
        (b64encode(b"kent:" + b"p" * 1025), "longer than 1024 bytes"),
    ],
)
async def test_malformed_credentials_are_refused_before_any_hash(
    world: World, word: bytes, fault: str
) -> None:
    assert fault in (await world.refused(word)).detail
    assert world.checked == []


async def test_another_users_file_is_another_configuration(
    world: World, users: dict[str, User]
) -> None:
    fewer = {name: users[name] for name in ("kent", "Jürgen")}
    new_password = {**users, "kent": User(password_hash=hash_password("new", CHEAP))}
    for changed in (fewer, new_password):
        assert World(changed).verifier.configuration != world.verifier.configuration
    assert World(users).verifier.configuration == world.verifier.configuration


async def test_readiness_and_repr_tell_how_many_users_and_no_hash(world: World) -> None:
    await world.verifier.start(lambda: None)
    assert world.verifier.ready() == (True, "3 users")
    assert repr(world.verifier) == "BasicVerifier(3 users, PasswordBench(0 of 32 waiting))"
    await world.verifier.close()
