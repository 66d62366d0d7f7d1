"""Opaque tokens: what a server's answer lets in, and what a server's failures cost (threat J-15)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.authn import Authenticator, build_authenticator
from gateway.authn.introspection import _MAX_WAITING
from gateway.errors import CredentialsRefused, GatewayError, IdentityUnavailable
from gateway.settings import Identity
from gateway.tasks import Tasks
from policy import Caller, Kind, Means
from tests.support.clock import FakeClock
from tests.support.issuer import AUDIENCE, ISSUER, KeyServer, claims_at, key_set, signed
from tests.support.oauth_server import FAR, OAuthServer


@pytest.fixture
async def server() -> AsyncIterator[OAuthServer]:
    async with OAuthServer() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("s3cret")
    monkeypatch.chdir(tmp_path)


def entry(server: OAuthServer, **changes: Any) -> dict[str, Any]:
    return {
        "url": server.introspection_url,
        "client_id": "gateway",
        "client_secret_file": "secret",
        "subject_prefix": "",
        **changes,
    }


@asynccontextmanager
async def gateway_that_asks(
    clock: FakeClock, *entries: dict[str, Any], **identity: Any
) -> AsyncIterator[Authenticator]:
    settings = Identity.model_validate({"introspection": list(entries), **identity})
    authenticator = build_authenticator(settings, clock)
    await authenticator.start()
    try:
        yield authenticator
    finally:
        await authenticator.close()


@pytest.fixture
async def asking(server: OAuthServer, clock: FakeClock) -> AsyncIterator[Authenticator]:
    async with gateway_that_asks(clock, entry(server)) as authenticator:
        yield authenticator


def bearer(token: str) -> bytes:
    return f"Bearer {token}".encode()


async def refused(asking: Authenticator, token: str, why: str) -> None:
    with pytest.raises(CredentialsRefused) as refusal:
        await asking.identify(bearer(token))
    assert why in refusal.value.detail
    assert refusal.value.oauth_error == "invalid_token"


async def untold(asking: Authenticator, token: str, why: str) -> None:
    with pytest.raises(IdentityUnavailable) as failure:
        await asking.identify(bearer(token))
    assert why in failure.value.detail
    assert token not in failure.value.detail


# --- who is let in -----------------------------------------------------------------------------


async def test_an_active_tokens_holder_is_who_its_server_says(
    asking: Authenticator, server: OAuthServer
) -> None:
    token = server.issue(sub="anna", roles=["editor"], scope="a:b c:readonly", client_id="app")
    assert await asking.identify(bearer(token)) == Caller(
        subject="anna",
        kind=Kind.USER,
        means=Means.INTROSPECTION,
        issuer=server.introspection_url,
        claims=frozenset({"editor"}),
        scopes=frozenset({"a:b", "c:readonly"}),
        expires_at=float(FAR),
    )
    [asked] = server.asked
    assert (asked.client, dict(asked.form)) == (
        "gateway",
        {"token": token, "token_type_hint": "access_token"},
    )


@pytest.mark.parametrize("subject_claim", ["sub", "client_id"])
async def test_a_client_by_itself_is_a_service(
    clock: FakeClock, server: OAuthServer, subject_claim: str
) -> None:
    token = server.issue(client_id="vsm", **({"sub": "vsm"} if subject_claim == "sub" else {}))
    asked = entry(server, subject_claim=subject_claim, subject_prefix="app:")
    async with gateway_that_asks(clock, asked) as asking:
        caller = await asking.identify(bearer(token))
    assert (caller.subject, caller.kind) == ("app:vsm", Kind.SERVICE)


@pytest.mark.parametrize(
    ("said", "scopes"),
    [
        ({"scope": "a"}, {"a"}),
        ({"scope": "b  a "}, {"a", "b"}),
        ({"scope": ["a", "b:c"]}, {"a", "b:c"}),
        ({"scope": ""}, set()),
        ({"scope": []}, set()),
        ({}, set()),
    ],
)
async def test_a_tokens_scopes_are_those_that_its_server_names(
    asking: Authenticator, server: OAuthServer, said: dict[str, Any], scopes: set[str]
) -> None:
    assert (await asking.identify(bearer(server.issue(sub="anna", **said)))).scopes == scopes


async def test_a_servers_tokens_may_say_nothing_of_scopes(
    clock: FakeClock, server: OAuthServer
) -> None:
    async with gateway_that_asks(clock, entry(server, scopes_claim=None)) as asking:
        caller = await asking.identify(bearer(server.issue(sub="anna", scope="a")))
    assert caller.scopes is None


# --- who is not --------------------------------------------------------------------------------


async def test_a_token_that_is_not_active_is_refused(
    asking: Authenticator, server: OAuthServer
) -> None:
    await refused(asking, "made-up", "nobody here can verify")


@pytest.mark.parametrize("active", ["true", 1, "false", 0, None, [True], {}, "yes"])
async def test_nothing_but_true_is_true(
    asking: Authenticator, server: OAuthServer, active: object
) -> None:
    token = server.issue(sub="anna", active=active)
    await untold(asking, token, "`active` is neither true nor false")


async def test_a_second_active_cannot_hide_the_first(
    asking: Authenticator, server: OAuthServer
) -> None:
    server.document = b'{"active": false, "active": true, "sub": "anna"}'
    await untold(asking, "some-token", "not one JSON object")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "`sub` is not text"),
        ({"sub": 7}, "`sub` is not text"),
        ({"sub": " anna"}, "`sub` is not a plain name"),
        ({"sub": "anna", "exp": "4102444800"}, "`exp` is not a number"),
        ({"sub": "anna", "exp": True}, "`exp` is not a number"),
        ({"sub": "anna", "exp": 1_700_000_000}, "has expired"),
        ({"sub": "anna", "nbf": 1_800_000_100}, "`nbf` is in the future"),
        ({"sub": "anna", "roles": "a b", "scope": 7}, "`scope` is no list of scopes"),
        ({"sub": "anna", "scope": ["a b"]}, "holds what is no scope"),
        ({"sub": "anna", "scope": [["a"]]}, "holds what is no scope"),
        ({"sub": "anna", "scope": ["a"] * 1001}, "`scope` is no list of scopes"),
        ({"sub": "anna", "scope": 'a"b'}, "holds what is no scope"),
        ({"sub": "anna", "roles": {"a": 1}}, "`roles` is not a list of text"),
        ({"sub": "anna", "token_type": "refresh_token"}, "`token_type` is not that of an access"),
        ({"sub": "anna", "token_type": ["Bearer"]}, "`token_type` is not that of an access"),
        ({"sub": "anna", "token_type": "DPoP"}, "`token_type` is not that of an access"),
        ({"sub": "anna", "token_use": "refresh_token"}, "`token_use` is not that of an access"),
        ({"sub": "anna", "typ": "ID"}, "`typ` is not that of an access"),
        ({"sub": "anna", "cnf": {"jkt": "x"}}, "bound to a key"),
    ],
)
async def test_an_active_token_may_still_prove_nobody(
    asking: Authenticator, server: OAuthServer, said: dict[str, Any], why: str
) -> None:
    await refused(asking, server.issue(**said), why)


@pytest.mark.parametrize(
    ("said", "is_good"),
    [
        ({"iss": ISSUER, "aud": AUDIENCE}, True),
        ({"iss": ISSUER, "aud": ["other", AUDIENCE]}, True),
        ({"iss": ISSUER}, False),
        ({"aud": AUDIENCE}, False),
        ({"iss": ISSUER + "x", "aud": AUDIENCE}, False),
        ({"iss": [ISSUER], "aud": AUDIENCE}, False),
        ({"iss": ISSUER, "aud": f"{AUDIENCE} other"}, False),
    ],
)
async def test_issuer_and_audience_are_compared_where_they_are_named(
    clock: FakeClock, server: OAuthServer, said: dict[str, Any], is_good: bool
) -> None:
    asked = entry(server, issuer=ISSUER, audience=AUDIENCE)
    async with gateway_that_asks(clock, asked) as asking:
        token = server.issue(sub="anna", **said)
        if is_good:
            assert (await asking.identify(bearer(token))).issuer == ISSUER
        else:
            await refused(asking, token, "the token's `")


# --- a server that fails -----------------------------------------------------------------------


Rude = Callable[[OAuthServer], None]


def answers(status: int, document: bytes = b"{}", **headers: str) -> Rude:
    def rude(server: OAuthServer) -> None:
        server.status, server.document, server.headers = status, document, headers

    return rude


ACTIVE = json.dumps({"active": True, "sub": "anna"}).encode()


@pytest.mark.parametrize(
    ("rude", "why"),
    [
        (answers(500, ACTIVE), "status is 500"),
        (answers(201, ACTIVE), "status is 201"),
        (answers(302, ACTIVE, Location="/elsewhere"), "status is 302"),
        (answers(401, b'{"error": "invalid_client"}'), "status is 401, expected 200: invalid_cl"),
        (answers(200, b" " * 65_536 + ACTIVE), "longer than"),
        (answers(200, ACTIVE, **{"Content-Encoding": "gzip"}), "compressed"),
        (answers(200, b"[" + ACTIVE + b"]"), "not one JSON object"),
        (answers(200, b"<html>Please log in</html>"), "not one JSON object"),
        (answers(200, b'{"sub": "anna"}'), "neither true nor false"),
    ],
)
async def test_a_server_that_fails_lets_nobody_in(
    asking: Authenticator, server: OAuthServer, rude: Rude, why: str
) -> None:
    rude(server)
    await untold(asking, "some-token", why)
    assert server.others_asked == 0


async def test_a_slow_server_is_not_waited_for(clock: FakeClock, server: OAuthServer) -> None:
    server.gate.clear()
    async with gateway_that_asks(clock, entry(server, timeout_seconds=0.05)) as asking:
        await untold(asking, server.issue(sub="anna"), "within 0.05 seconds")


async def test_a_failure_is_not_remembered(asking: Authenticator, server: OAuthServer) -> None:
    token = server.issue(sub="anna")
    server.status = 500
    await untold(asking, token, "status is 500")
    server.behave()
    assert (await asking.identify(bearer(token))).subject == "anna"


async def test_a_server_that_fails_three_times_is_left_alone_and_tried_again_by_one(
    asking: Authenticator, server: OAuthServer, clock: FakeClock
) -> None:
    token = server.issue(sub="anna")
    server.status = 500
    with capture_logs() as log:
        for _ in range(3):
            await untold(asking, token, "status is 500")
        for _ in range(10):
            await untold(asking, token, "left alone for a while")
        assert len(server.asked) == 3
        clock.advance(5)
        await untold(asking, token, "status is 500")
        await untold(asking, token, "left alone for a while")
        assert len(server.asked) == 4
        clock.advance(5)
        server.behave()
        server.gate.clear()
        server.arrived.clear()
        tasks = Tasks("callers")
        trial = tasks.start(asking.identify(bearer(token)), name="caller")
        await server.arrived.wait()
        await untold(asking, server.issue(sub="sam"), "left alone for a while")
        server.gate.set()
        assert (await trial).subject == "anna"
        assert (await asking.identify(bearer(server.issue(sub="sam")))).subject == "sam"
    assert [line["event"] for line in log] == ["introspection is away", "introspection is back"]


async def test_who_is_known_stays_known_while_the_server_is_away(
    asking: Authenticator, server: OAuthServer, clock: FakeClock
) -> None:
    token = server.issue(sub="anna")
    await asking.identify(bearer(token))
    server.status = 500
    clock.advance(29)
    assert (await asking.identify(bearer(token))).subject == "anna"
    clock.advance(1)
    await untold(asking, token, "status is 500")


# --- what is remembered, and how much is asked -------------------------------------------------


async def test_an_answer_is_believed_for_so_long_and_no_longer(
    asking: Authenticator, server: OAuthServer, clock: FakeClock
) -> None:
    token = server.issue(sub="anna")
    await asking.identify(bearer(token))
    server.revoke(token)
    clock.advance(29)
    await asking.identify(bearer(token))
    assert len(server.asked) == 1
    clock.advance(1)
    await refused(asking, token, "nobody here")


async def test_no_answer_is_believed_beyond_the_tokens_end(
    asking: Authenticator, server: OAuthServer, clock: FakeClock
) -> None:
    token = server.issue(sub="anna", exp=int(clock.wall()) + 10)
    await asking.identify(bearer(token))
    clock.advance(10)
    server.revoke(token)
    await refused(asking, token, "nobody here")


async def test_a_token_without_an_end_is_asked_about_again_and_again(
    asking: Authenticator, server: OAuthServer, clock: FakeClock
) -> None:
    token = server.issue(sub="anna", exp=None)
    for _ in range(3):
        assert (await asking.identify(bearer(token))).expires_at is None
        clock.advance(30)
    assert len(server.asked) == 3


async def test_a_refusal_is_remembered_briefly_for_that_token_only(
    asking: Authenticator, server: OAuthServer, clock: FakeClock
) -> None:
    """J-9 and J-11: what is remembered of one token says nothing of another."""
    for _ in range(10):
        await refused(asking, "made-up", "nobody here")
    assert len(server.asked) == 1
    assert (await asking.identify(bearer(server.issue(sub="anna")))).subject == "anna"
    clock.advance(5)
    await refused(asking, "made-up", "nobody here")
    assert len(server.asked) == 3


async def test_a_flood_of_made_up_tokens_is_asked_about_a_few_at_a_time(
    clock: FakeClock, server: OAuthServer
) -> None:
    async def told(asking: Authenticator, token: str) -> str:
        with pytest.raises(GatewayError) as end:
            await asking.identify(bearer(token))
        return end.value.detail

    tasks = Tasks("strangers")
    async with gateway_that_asks(clock, entry(server, parallel=2)) as asking:
        server.gate.clear()
        strangers = [
            tasks.start(told(asking, f"made-up-{index}"), name="stranger")
            for index in range(_MAX_WAITING + 2 + 50)
        ]
        await asyncio.wait(strangers, return_when=asyncio.FIRST_COMPLETED)
        while len(server.asked) < 2:
            server.arrived.clear()
            await server.arrived.wait()
        server.gate.set()
        ends = await asyncio.gather(*strangers)
    assert sum("too many tokens wait" in end for end in ends) == 50
    assert sum("nobody here can verify" in end for end in ends) == _MAX_WAITING + 2
    assert server.most_at_once == 2


async def test_equal_tokens_that_come_together_are_asked_about_once(
    asking: Authenticator, server: OAuthServer
) -> None:
    tasks = Tasks("callers")
    token = server.issue(sub="anna")
    server.gate.clear()
    callers = [tasks.start(asking.identify(bearer(token)), name="caller") for _ in range(20)]
    await server.arrived.wait()
    callers[0].cancel()
    server.gate.set()
    assert {caller.subject for caller in await asyncio.gather(*callers[1:])} == {"anna"}
    assert len(server.asked) == 1


async def test_a_reload_keeps_the_servers_counts_and_asks_anew(
    asking: Authenticator, server: OAuthServer
) -> None:
    token = server.issue(sub="anna")
    await asking.identify(bearer(token))
    await asking.reload()
    server.revoke(token)
    await refused(asking, token, "nobody here")
    url = server.introspection_url
    assert asking.readings["gateway_introspections_total"]() == {
        (url, "active"): 1,
        (url, "inactive"): 1,
        (url, "failed"): 0,
    }


# --- several servers, and JWTs beside them -----------------------------------------------------


async def test_each_server_vouches_for_its_own_tokens(
    clock: FakeClock, server: OAuthServer
) -> None:
    async with OAuthServer() as second:
        entries = entry(server, subject_prefix="one:"), entry(second, subject_prefix="two:")
        async with gateway_that_asks(clock, *entries) as asking:
            first = await asking.identify(bearer(server.issue(sub="anna")))
            other = await asking.identify(bearer(second.issue(sub="anna")))
            await refused(asking, "made-up", "nobody here")
    assert (first.subject, other.subject) == ("one:anna", "two:anna")
    assert len(server.asked) == 3


async def test_a_server_that_is_away_leaves_in_doubt_what_no_other_vouches_for(
    clock: FakeClock, server: OAuthServer
) -> None:
    async with OAuthServer() as second:
        server.status = 500
        async with gateway_that_asks(clock, entry(server), entry(second)) as asking:
            assert (await asking.identify(bearer(second.issue(sub="anna")))).subject == "anna"
            await untold(asking, "its-own-or-made-up", "status is 500")


async def test_what_one_server_refuses_for_its_contents_no_other_is_asked_about(
    clock: FakeClock, server: OAuthServer
) -> None:
    async with OAuthServer() as second:
        async with gateway_that_asks(clock, entry(server, audience="us"), entry(second)) as asking:
            token = server.issue(sub="anna", aud="them")
            second.tokens[token] = {"active": True, "sub": "root"}
            await refused(asking, token, "`aud`")
        assert second.asked == []


async def test_a_server_hears_only_of_tokens_that_begin_as_its_own_do(
    clock: FakeClock, server: OAuthServer
) -> None:
    async with gateway_that_asks(clock, entry(server, token_prefix="oat_")) as asking:
        await refused(asking, "secret-of-another", "nobody here")
        assert server.asked == []
        await refused(asking, "oat_made-up", "nobody here")
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("issuer", "asked"), [(ISSUER, 0), ("https://opaque.example.com/", 1), ("https://third/", 0)]
)
async def test_a_jwt_goes_to_its_own_issuer_and_to_nobody_else(
    clock: FakeClock, server: OAuthServer, issuer: str, asked: int
) -> None:
    """A signature that its own issuer refuses is not asked about elsewhere."""
    async with KeyServer(key_set(a="rsa")) as keys:
        jwt = {
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "algorithms": ["RS256"],
            "subject_prefix": "",
            "jwks": {"url": keys.url},
        }
        opaque = entry(server, issuer="https://opaque.example.com/")
        async with gateway_that_asks(clock, opaque, jwt=[jwt]) as asking:
            good = signed(claims_at(clock), kid="a").decode()
            assert (await asking.identify(bearer(good))).means is Means.JWT
            token = signed(claims_at(clock, iss=issuer), "rsa/b", kid="a").decode()
            server.tokens[token] = {"active": True, "sub": "anna", "iss": issuer}
            if asked:
                assert (await asking.identify(bearer(token))).means is Means.INTROSPECTION
            else:
                await refused(asking, token, "")
    assert len(server.asked) == asked


async def test_readiness_does_not_hang_on_a_server_that_only_its_own_callers_need(
    asking: Authenticator, server: OAuthServer
) -> None:
    assert asking.ready() == (True, "bearer: asked about opaque tokens")
    server.status = 500
    for _ in range(3):
        await untold(asking, "some-token", "status is 500")
    assert asking.ready() == (True, "bearer: away, the answer's status is 500, expected 200")
