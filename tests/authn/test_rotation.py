"""Keys change while tokens are in use: through the whole Authenticator, with a real key server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.authn.bearer import BearerVerifier, TrustedIssuer
from gateway.authn.chain import Authenticator
from gateway.authn.claims import ClaimRules
from gateway.authn.jwks import PublishedKeys
from gateway.errors import CredentialsRefused, IdentityUnavailable
from gateway.outbound.fetch import Fetcher
from gateway.tasks import Tasks
from policy import Caller
from tests.support.clock import FakeClock
from tests.support.issuer import AUDIENCE, ISSUER, KeyServer, claims_at, key_set, signed

REFRESH, COOLDOWN, CACHE = 300.0, 30.0, 120.0


class World:
    def __init__(self, server: KeyServer) -> None:
        self.clock = FakeClock()
        self.server = server
        keys = PublishedKeys(
            Fetcher(server.url, timeout_seconds=5),
            clock=self.clock,
            refresh_seconds=REFRESH,
            cooldown_seconds=COOLDOWN,
        )
        rules = ClaimRules(issuer=ISSUER, audience=AUDIENCE)
        issuer = TrustedIssuer(rules, algorithms=["ES256"], keys=keys)
        bearer = BearerVerifier([issuer], clock=self.clock, realm="UCS", cache_seconds=CACHE)
        self.keys = keys
        self.authenticator = Authenticator(
            [bearer], clock=self.clock, cache_entries=100, realm="UCS"
        )

    def header(self, kid: str, key: str, **claims: Any) -> bytes:
        token = signed(claims_at(self.clock, **claims), key, algorithm="ES256", kid=kid)
        return b"Bearer " + token

    async def ask(self, kid: str, key: str, **claims: Any) -> Caller:
        return await self.authenticator.identify(self.header(kid, key, **claims))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with KeyServer(key_set(a="p256/a")) as server:
        world = World(server)
        await world.authenticator.start()
        yield world
        await world.authenticator.close()


async def test_a_new_key_is_good_at_once(world: World) -> None:
    assert (await world.ask("a", "p256/a")).subject == "anna"
    world.server.document = key_set(a="p256/a", b="p256/b")
    assert (await world.ask("b", "p256/b")).subject == "anna"
    assert world.server.asked == 2


async def test_a_key_published_during_the_cool_down_is_good_after_it(world: World) -> None:
    with pytest.raises(CredentialsRefused):
        await world.ask("x", "p256/x")
    world.server.document = key_set(a="p256/a", b="p256/b")
    header = world.header("b", "p256/b")
    with pytest.raises(CredentialsRefused, match="no single key"):
        await world.authenticator.identify(header)
    world.clock.advance(COOLDOWN)
    assert (await world.authenticator.identify(header)).subject == "anna"
    assert world.authenticator.refused == 0  # it was never remembered as refused


async def test_a_withdrawn_key_ends_the_tokens_it_had_proved(world: World) -> None:
    header = world.header("a", "p256/a")
    await world.authenticator.identify(header)
    world.server.document = key_set(b="p256/b")
    await world.ask("b", "p256/b")
    assert world.authenticator.cached(world.authenticator.digest(header)) is None
    with pytest.raises(CredentialsRefused, match="no single key"):
        await world.authenticator.identify(header)


async def test_callers_go_on_while_the_issuer_is_away(world: World) -> None:
    world.server.status = 503
    for minute in range(20):
        world.clock.advance(REFRESH)
        assert (await world.ask("a", "p256/a", jti=str(minute))).subject == "anna"
    ready, detail = world.authenticator.ready()
    assert ready
    assert "kept although the last fetch failed: the answer's status is 503" in detail


async def test_a_storm_of_made_up_kids_is_one_fetch(world: World) -> None:
    storm = [world.ask(f"made-up-{number}", "p256/x") for number in range(100)]
    results = await asyncio.gather(*storm, return_exceptions=True)
    assert all(isinstance(result, CredentialsRefused) for result in results)
    assert world.server.asked == 2
    assert (await world.ask("a", "p256/a")).subject == "anna"


async def test_a_cached_token_ends_when_it_expires(world: World) -> None:
    header = world.header("a", "p256/a", exp=int(world.clock.wall()) + 60)
    key = world.authenticator.digest(header)
    await world.authenticator.identify(header)
    world.clock.advance(59)
    assert world.authenticator.cached(key) is not None
    world.clock.advance(1)
    assert world.authenticator.cached(key) is None
    await world.authenticator.identify(header)  # within the leeway it is proved each time
    assert world.authenticator.cached(key) is None
    world.clock.advance(30)
    with pytest.raises(CredentialsRefused, match="has expired"):
        await world.authenticator.identify(header)


async def test_a_cached_token_is_proved_again_after_the_longest_time(world: World) -> None:
    header = world.header("a", "p256/a")
    for _ in range(3):
        await world.authenticator.identify(header)
    assert (world.authenticator.hits, world.authenticator.misses) == (2, 1)
    world.clock.advance(CACHE)
    await world.authenticator.identify(header)
    assert (world.authenticator.hits, world.authenticator.misses) == (2, 2)


async def test_a_client_that_leaves_takes_nothing_from_the_others(world: World) -> None:
    world.server.document = key_set(a="p256/a", b="p256/b")
    world.server.gate.clear()
    world.server.arrived.clear()
    header = world.header("b", "p256/b")
    clients = Tasks("clients")
    first, second = (
        clients.start(world.authenticator.identify(header), name=name) for name in ("1", "2")
    )
    await world.server.arrived.wait()
    first.cancel()
    await asyncio.wait({first})
    world.server.gate.set()
    assert (await second).subject == "anna"
    assert first.cancelled()
    assert world.authenticator.misses == 2
    assert world.server.asked == 2


async def test_an_issuer_that_was_never_there_is_unavailable_and_not_refused() -> None:
    async with KeyServer() as server:
        server.status = 500
        world = World(server)
        await world.authenticator.start()
        assert world.authenticator.ready() == (
            False,
            f"bearer: {ISSUER}: the last fetch failed: the answer's status is 500, expected 200",
        )
        header = world.header("a", "p256/a")
        with pytest.raises(IdentityUnavailable):
            await world.authenticator.identify(header)
        server.status, server.document = 200, key_set(a="p256/a")
        world.clock.advance(COOLDOWN)
        assert (await world.authenticator.identify(header)).subject == "anna"
        assert world.authenticator.ready() == (True, f"bearer: {ISSUER}: 1 published")
        await world.authenticator.close()
