"""The gateway's own token: when it is fetched, how long it serves, and what a failure costs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.errors import UpstreamTokenMissing
from gateway.outbound import Fetcher, FetchFailed, OAuthEndpoint
from gateway.settings import Secret
from gateway.tasks import Tasks
from gateway.upstream.token import UpstreamToken, read_token
from tests.support.clock import FakeClock
from tests.support.oauth_server import OAuthServer


@pytest.fixture
async def server() -> AsyncIterator[OAuthServer]:
    async with OAuthServer() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class Pauses:
    """A keeper's pauses, each of which lasts until the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Event()
        self.begun = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.begun.set()
        await self.over.wait()
        self.over.clear()

    async def next(self) -> float:
        """How long the keeper wants to rest, once it has done what there was to do."""
        await self.begun.wait()
        self.begun.clear()
        return self.asked[-1]


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def token(
    server: OAuthServer, clock: FakeClock, pauses: Pauses
) -> AsyncIterator[UpstreamToken]:
    endpoint = OAuthEndpoint(
        Fetcher(server.token_url, timeout_seconds=5),
        client_id="gateway",
        secret=Secret(b"s3cret", "a test"),
        authenticate="basic",
    )
    token = UpstreamToken(
        endpoint,
        service="cloud",
        form={"scope": "a b"},
        renew_before_seconds=300.0,
        clock=clock,
        pause=pauses,
    )
    yield token
    await token.close()


def issued(server: OAuthServer, index: int = -1) -> bytes:
    return b"authorization: Bearer %b\r\n" % list(server.tokens)[index].encode()


async def test_the_first_request_waits_for_the_token_and_the_next_do_not(
    token: UpstreamToken, server: OAuthServer
) -> None:
    assert token.line() == b""
    assert await token.fresh_line() == issued(server)
    assert token.line() == issued(server)
    [asked] = server.asked
    assert dict(asked.form) == {"grant_type": "client_credentials", "scope": "a b"}


async def test_many_who_wait_cost_one_fetch_and_one_who_leaves_takes_nothing_away(
    token: UpstreamToken, server: OAuthServer
) -> None:
    tasks = Tasks("requests")
    server.gate.clear()
    waiting = [tasks.start(token.fresh_line(), name="request") for _ in range(20)]
    await server.arrived.wait()
    waiting[0].cancel()
    server.gate.set()
    lines = await asyncio.gather(*waiting[1:])
    assert set(lines) == {issued(server)}
    assert len(server.asked) == 1


async def test_it_is_renewed_before_its_end_and_the_old_one_serves_meanwhile(
    token: UpstreamToken, server: OAuthServer, clock: FakeClock
) -> None:
    first = await token.fresh_line()
    clock.advance(3299)
    assert (token.line(), len(server.asked)) == (first, 1)
    server.gate.clear()
    server.arrived.clear()
    clock.advance(1)  # 300 seconds before its end
    assert token.line() == first
    await server.arrived.wait()
    assert token.line() == first
    server.gate.set()
    second = await token.other_than(first)
    assert second == issued(server) != first
    assert token.line() == second
    assert len(server.asked) == 2


async def test_a_short_life_is_renewed_after_three_quarters_of_it(
    token: UpstreamToken, server: OAuthServer, clock: FakeClock
) -> None:
    server.lifetime = 40
    first = await token.fresh_line()
    clock.advance(29)
    assert (token.line(), token._under_way) == (first, None)
    clock.advance(1)
    assert token.line() == first
    assert await token.other_than(first) == issued(server) != first


async def test_nobody_is_sent_with_a_token_that_has_ended(
    token: UpstreamToken, server: OAuthServer, clock: FakeClock
) -> None:
    await token.fresh_line()
    server.status = 500
    clock.advance(3600)
    assert token.line() == b""
    with pytest.raises(UpstreamTokenMissing, match="status is 500"):
        await token.fresh_line()


async def test_its_end_is_counted_from_the_question_and_not_from_the_answer(
    token: UpstreamToken, server: OAuthServer, clock: FakeClock
) -> None:
    tasks = Tasks("requests")
    server.gate.clear()
    waiting = tasks.start(token.fresh_line(), name="request")
    await server.arrived.wait()
    clock.advance(100)
    server.gate.set()
    await waiting
    assert token.seconds_left == 3500
    assert token.expires_at == clock.wall() + 3500
    clock.advance(3500)
    assert token.expires_at == 0


async def test_a_failure_is_followed_by_ever_longer_pauses(
    token: UpstreamToken, server: OAuthServer, clock: FakeClock
) -> None:
    server.status = 503
    for count, pause in enumerate((1, 2, 4, 8, 16, 30, 30), start=1):
        for _ in range(3):
            with pytest.raises(UpstreamTokenMissing):
                await token.fresh_line()
        assert len(server.asked) == count
        clock.advance(pause - 0.01)
        with pytest.raises(UpstreamTokenMissing):
            await token.fresh_line()
        assert len(server.asked) == count
        clock.advance(0.02)
    server.behave()
    assert await token.fresh_line() == issued(server)
    assert (token.fetched, token.failed) == (1, 7)


async def test_a_login_server_that_is_away_costs_nothing_while_the_token_is_good(
    token: UpstreamToken, server: OAuthServer, clock: FakeClock
) -> None:
    first = await token.fresh_line()
    server.status = 503
    clock.advance(3300)
    assert token.line() == first
    assert await token.other_than(first) == b""
    clock.advance(299)
    assert token.line() == first
    assert token.check() == (
        True,
        "token good for 1 s, not renewed: the answer's status is 503, expected 200",
    )


async def test_a_refused_token_is_replaced_once_however_many_were_refused_with_it(
    token: UpstreamToken, server: OAuthServer
) -> None:
    first = await token.fresh_line()
    for _ in range(10):
        token.refused(first)
    assert await token.other_than(first) == issued(server) != first
    token.refused(first)  # by a request that was under way for long
    assert await token.other_than(first) == issued(server)
    assert len(server.asked) == 2


async def test_an_upstream_that_refuses_every_token_is_no_flood_at_the_login_server(
    token: UpstreamToken, server: OAuthServer, clock: FakeClock
) -> None:
    line = await token.fresh_line()
    for _ in range(10):
        token.refused(line)
        line = await token.other_than(line) or line
    assert len(server.asked) == 2
    clock.advance(10)
    token.refused(line)
    assert await token.other_than(line) == issued(server)
    assert len(server.asked) == 3


async def test_a_refused_token_stays_where_no_other_is_to_be_had(
    token: UpstreamToken, server: OAuthServer
) -> None:
    first = await token.fresh_line()
    server.status = 500
    token.refused(first)
    assert await token.other_than(first) == b""
    assert token.line() == first


async def test_it_is_kept_fresh_while_nobody_asks(
    token: UpstreamToken, server: OAuthServer, clock: FakeClock, pauses: Pauses
) -> None:
    token.start()
    assert await pauses.next() == 3300
    assert token.check() == (True, "token good for 3600 s")
    clock.advance(3300)
    server.status = 500
    pauses.over.set()
    assert await pauses.next() == 1, "until it may be tried again"
    clock.advance(1)
    server.behave()
    pauses.over.set()
    assert await pauses.next() == 3300
    assert len(server.asked) == 3


async def test_without_a_token_the_gateway_is_not_ready_and_says_why(
    token: UpstreamToken, server: OAuthServer, pauses: Pauses
) -> None:
    assert token.check() == (False, "no token: not fetched yet")
    server.clients["gateway"] = "another"
    token.start()
    await pauses.next()
    assert token.check() == (
        False,
        "no token: the answer's status is 401, expected 200: invalid_client",
    )


async def test_the_log_hears_of_an_outage_seldom_and_never_of_the_token(
    token: UpstreamToken, server: OAuthServer, clock: FakeClock
) -> None:
    with capture_logs() as log:
        await token.fresh_line()
        server.status = 503
        clock.advance(3600)
        for _ in range(100):
            with pytest.raises(UpstreamTokenMissing):
                await token.fresh_line()
            clock.advance(31)
        server.behave()
        line = await token.fresh_line()
    events = [entry["event"] for entry in log]
    assert events == ["upstream token not renewed"] * 7 + ["upstream token renewed again"]
    assert [entry["failures"] for entry in log[:-1]] == [1, 2, 4, 8, 16, 32, 64]
    secrets = [*server.tokens, "s3cret", line.decode()]
    assert not any(secret in text for secret in secrets for text in (str(log), repr(token)))


GOOD: Mapping[str, Any] = {"access_token": "a.b-c_d~e+f/g==", "token_type": "bearer"}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"expires_in": 60}, 60.0),
        ({"expires_in": 59.5}, 59.5),
        ({"expires_in": "3599"}, 3599.0),
        ({"token_type": "BEARER", "expires_in": 1}, 1.0),
        ({}, 300.0),
        ({"expires_in": 10**400}, 10 * 366 * 86_400.0),
    ],
)
def test_an_answer_says_for_how_long(said: Mapping[str, Any], seconds: float) -> None:
    assert read_token({**GOOD, **said}) == (GOOD["access_token"], seconds)


@pytest.mark.parametrize(
    ("member", "values"),
    [
        (
            "access_token",
            [None, "", 7, ["t"], "a b", "a\r\nx: y", "a\n", "ä", "a=b", "x" * 8001, b"t"],
        ),
        ("token_type", [None, "", "mac", "DPoP", 7, ["bearer"], "bearer "]),
        ("expires_in", [None, True, 0, -1, "", "1e3", "-5", "٣", [60], "1" * 10]),
    ],
)
def test_what_is_no_token_is_not_used(member: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(FetchFailed, match=f"`{member}`"):
            read_token({**GOOD, member: value})
    if member != "expires_in":
        with pytest.raises(FetchFailed, match=f"`{member}`"):
            read_token({name: value for name, value in GOOD.items() if name != member})
