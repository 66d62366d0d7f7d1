"""Published keys: fetched when needed, not more often, and kept while the issuer is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.authn.base import NotYet
from gateway.authn.jwks import PublishedKeys
from gateway.errors import IdentityUnavailable
from gateway.outbound.fetch import FetchFailed
from gateway.tasks import Tasks
from tests.support.clock import FakeClock
from tests.support.issuer import key_set

REFRESH, COOLDOWN = 300.0, 30.0


class Shelf:
    """A document that is fetched from nowhere; None is an issuer that is away."""

    url = "https://login.example.com/jwks.json"

    def __init__(self) -> None:
        self.content: bytes | None = key_set(a="p256")
        self.fetches = 0
        self.closed = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self) -> bytes:
        self.fetches += 1
        await self.gate.wait()
        if self.content is None:
            raise FetchFailed("the connection failed")
        return self.content

    async def close(self) -> None:
        self.closed = True


class World:
    """One source of keys, and what can happen to it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.shelf = Shelf()
        self.withdrawals = 0
        self.keys = PublishedKeys(
            self.shelf, clock=self.clock, refresh_seconds=REFRESH, cooldown_seconds=COOLDOWN
        )
        self.tasks = Tasks("clients")

    async def start(self) -> None:
        await self.keys.start(self.forget)

    def forget(self) -> None:
        self.withdrawals += 1

    async def find(self, kid: str = "a") -> str | None:
        return (await self.keys.find(kid, "ES256")).kid

    async def settled(self) -> None:
        """Let a fetch in the background end."""
        if self.keys._under_way is not None:
            await self.keys._under_way


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.tasks.close()
    await world.keys.close()
    assert world.shelf.closed


async def test_keys_are_fetched_once_at_start(world: World) -> None:
    assert world.keys.ready() == (False, "not fetched yet")
    await world.start()
    for _ in range(10):
        assert await world.find() == "a"
    assert world.shelf.fetches == 1
    assert world.keys.ready() == (True, "1 published")
    assert "1 published" in repr(world.keys)


async def test_an_issuer_that_is_away_does_not_stop_the_start(world: World) -> None:
    world.shelf.content = None
    await world.start()
    ready, detail = world.keys.ready()
    assert not ready
    assert detail == "the last fetch failed: the connection failed"
    with pytest.raises(IdentityUnavailable, match="the last fetch failed"):
        await world.find()
    assert world.shelf.fetches == 1  # the failure's cool-down holds


async def test_keys_that_were_never_there_are_asked_for_once_a_cool_down(world: World) -> None:
    world.shelf.content = None
    await world.start()
    for _ in range(3):
        world.clock.advance(COOLDOWN)
        for _ in range(5):
            with pytest.raises(IdentityUnavailable):
                await world.find()
    assert world.shelf.fetches == 4
    world.shelf.content = key_set(a="p256")
    world.clock.advance(COOLDOWN)
    assert await world.find() == "a"


async def test_keys_are_fetched_when_they_were_not_fetched_at_start(world: World) -> None:
    assert await world.find() == "a"
    world.shelf.content = key_set(b="p384")
    world.clock.advance(2 * REFRESH)
    with pytest.raises(NotYet):
        await world.find()
    assert world.withdrawals == 0  # nobody to tell


async def test_old_keys_serve_while_new_ones_are_fetched(world: World) -> None:
    await world.start()
    world.shelf.gate.clear()
    world.clock.advance(REFRESH)
    assert await world.find() == "a"
    assert await world.find() == "a"
    world.shelf.gate.set()
    await world.settled()
    assert world.shelf.fetches == 2


async def test_very_old_keys_are_renewed_before_they_are_used(world: World) -> None:
    await world.start()
    world.shelf.content = key_set(b="p256/b")
    world.clock.advance(2 * REFRESH)
    with pytest.raises(NotYet):
        await world.find("a")
    assert world.shelf.fetches == 2


async def test_keys_are_kept_while_the_issuer_is_away(world: World) -> None:
    await world.start()
    world.shelf.content = None
    for _ in range(100):
        world.clock.advance(REFRESH)
        assert await world.find() == "a"
        await world.settled()
    assert world.keys.ready() == (
        True,
        "1 published, kept although the last fetch failed: the connection failed",
    )


async def test_nobody_waits_for_an_issuer_known_to_be_away(world: World) -> None:
    await world.start()
    world.shelf.content = None
    world.clock.advance(REFRESH)
    assert await world.find() == "a"
    await world.settled()
    world.clock.advance(10 * REFRESH)
    world.shelf.gate.clear()
    assert await world.find() == "a"  # the fetch hangs; the answer does not
    world.shelf.gate.set()
    await world.settled()


@pytest.mark.parametrize("garbage", [b"", b"<html>", b"{}", b'{"keys": []}', b'{"keys": [{}]}'])
async def test_garbage_replaces_nothing(world: World, garbage: bytes) -> None:
    await world.start()
    world.shelf.content = garbage
    world.clock.advance(REFRESH)
    assert await world.find() == "a"
    await world.settled()
    assert await world.find() == "a"
    ready, detail = world.keys.ready()
    assert ready
    assert "kept although" in detail


async def test_a_new_kid_is_asked_for_at_once(world: World) -> None:
    await world.start()
    world.shelf.content = key_set(a="p256", b="p256/b")
    assert await world.find("b") == "b"
    assert world.shelf.fetches == 2


async def test_a_storm_of_made_up_kids_asks_once_a_cool_down(world: World) -> None:
    await world.start()
    for minute in range(4):
        for number in range(50):
            with pytest.raises(NotYet, match="no single key"):
                await world.find(f"made-up-{minute}-{number}")
            assert await world.find("a") == "a"
        world.clock.advance(COOLDOWN)
    assert world.shelf.fetches == 1 + 4


async def test_a_kid_nobody_can_ask_for_is_not_refused_but_unavailable(world: World) -> None:
    await world.start()
    world.shelf.content = None
    for _ in range(2):
        with pytest.raises(IdentityUnavailable, match="no key of https://login"):
            await world.find("b")
    assert world.shelf.fetches == 2


async def test_a_withdrawn_key_is_told(world: World) -> None:
    await world.start()
    world.shelf.content = key_set(a="p256", b="p256/b")
    assert await world.find("b") == "b"
    assert world.withdrawals == 0
    world.shelf.content = key_set(b="p256/b")
    world.clock.advance(COOLDOWN)
    with pytest.raises(NotYet):
        await world.find("c")
    assert world.withdrawals == 1
    with pytest.raises(NotYet):
        await world.find("a")


async def test_a_kid_that_is_used_again_for_another_key_is_noticed_in_time(world: World) -> None:
    await world.start()
    before = await world.keys.find("a", "ES256")
    world.shelf.content = key_set(a="p256/b")
    world.clock.advance(REFRESH)
    await world.find()
    await world.settled()
    after = await world.keys.find("a", "ES256")
    assert before.material != after.material
    assert world.withdrawals == 1


async def test_many_who_wait_share_one_fetch(world: World) -> None:
    world.shelf.gate.clear()
    clients = [world.tasks.start(world.find(), name=str(number)) for number in range(50)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.shelf.gate.set()
    assert await asyncio.gather(*clients) == ["a"] * 50
    assert world.shelf.fetches == 1


async def test_a_client_that_leaves_does_not_cancel_the_fetch(world: World) -> None:
    world.shelf.gate.clear()
    first, second = (world.tasks.start(world.find(), name=name) for name in ("first", "second"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    world.shelf.gate.set()
    assert await second == "a"
    assert world.shelf.fetches == 1


async def test_closing_ends_a_fetch_and_those_who_wait_for_it(world: World) -> None:
    world.shelf.gate.clear()
    client = world.tasks.start(world.find(), name="client")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await world.keys.close()
    with pytest.raises(IdentityUnavailable):
        await client
