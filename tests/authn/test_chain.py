"""Verifiers are asked in order, answers are remembered, and nothing is shared by mistake."""

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from gateway.authn.base import NotYet, Readiness
from gateway.authn.cache import REFUSAL_SECONDS
from gateway.authn.chain import Authenticator
from gateway.errors import CredentialsRefused, IdentityUnavailable
from gateway.tasks import Tasks
from policy import ANONYMOUS, Caller, Kind, Means
from tests.support.clock import FakeClock


class Verifier:
    """Answers as it was told, and counts how often it was asked."""

    def __init__(
        self,
        answers: dict[bytes, Caller | Exception | None],
        *,
        scheme: str = "bearer",
        cache_seconds: float = 60,
    ) -> None:
        self.answers = answers
        self.scheme = scheme
        self.cache_seconds = cache_seconds
        self.challenge = scheme.title().encode() + b' realm="UCS"'
        self.configuration = scheme.encode()
        self.asked: list[bytes] = []
        self.forget: Callable[[], None] = lambda: None
        self.running = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def verify(self, credentials: bytes) -> Caller | None:
        self.asked.append(credentials)
        await self.gate.wait()
        answer = self.answers.get(credentials)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def start(self, forget: Callable[[], None]) -> None:
        self.running, self.forget = True, forget

    async def close(self) -> None:
        self.running = False

    def ready(self) -> Readiness:
        return self.running, "running" if self.running else "not running"


def named(subject: str) -> Caller:
    return Caller(subject=subject, kind=Kind.USER, means=Means.JWT)


def chain(*verifiers: Verifier, clock: FakeClock | None = None) -> Authenticator:
    return Authenticator(verifiers, clock=clock or FakeClock(), cache_entries=100, realm="R")


async def test_no_credentials_are_an_anonymous_caller() -> None:
    verifier = Verifier({})
    assert await chain(verifier).identify(None) is ANONYMOUS
    assert verifier.asked == []


async def test_empty_credentials_are_not_anonymous() -> None:
    with pytest.raises(CredentialsRefused):
        await chain(Verifier({})).identify(b"")


async def test_the_scheme_chooses_who_is_asked() -> None:
    bearer, basic = Verifier({b"t": named("anna")}), Verifier({b"t": named("kent")}, scheme="basic")
    authenticator = chain(bearer, basic)
    assert (await authenticator.identify(b"BASIC t")).subject == "kent"
    assert (await authenticator.identify(b"Bearer t")).subject == "anna"
    assert (bearer.asked, basic.asked) == ([b"t"], [b"t"])


async def test_a_scheme_that_nobody_serves_is_refused_without_asking() -> None:
    verifier = Verifier({})
    with pytest.raises(CredentialsRefused, match="scheme of the credentials is not served") as no:
        await chain(verifier).identify(b"Negotiate t")
    assert verifier.asked == []
    assert no.value.oauth_error == ""


async def test_who_is_not_responsible_leaves_it_to_the_next() -> None:
    first, second = Verifier({}), Verifier({b"t": named("anna")})
    assert (await chain(first, second).identify(b"Bearer t")).subject == "anna"


async def test_a_refusal_is_final() -> None:
    first = Verifier({b"t": CredentialsRefused("the signature is wrong")})
    second = Verifier({b"t": named("anna")})
    with pytest.raises(CredentialsRefused, match="signature"):
        await chain(first, second).identify(b"Bearer t")
    assert second.asked == []


async def test_what_nobody_knows_is_refused() -> None:
    with pytest.raises(CredentialsRefused, match="nobody here can verify") as refusal:
        await chain(Verifier({}), Verifier({})).identify(b"Bearer t")
    assert refusal.value.oauth_error == "invalid_token"


async def test_basic_refusals_have_no_oauth_error() -> None:
    with pytest.raises(CredentialsRefused) as refusal:
        await chain(Verifier({}, scheme="basic")).identify(b"Basic t")
    assert refusal.value.oauth_error == ""


async def test_an_answer_is_remembered_for_the_verifiers_time() -> None:
    clock, verifier = FakeClock(), Verifier({b"t": named("anna")}, cache_seconds=60)
    authenticator = chain(verifier, clock=clock)
    key = authenticator.digest(b"Bearer t")
    assert authenticator.cached(key) is None
    caller = await authenticator.identify(b"Bearer t")
    assert authenticator.cached(key) is caller
    assert await authenticator.identify(b"Bearer t") is caller
    clock.advance(60)
    assert authenticator.cached(key) is None
    assert (authenticator.hits, authenticator.misses, authenticator.refused) == (2, 1, 0)


async def test_a_lasting_refusal_is_remembered_briefly() -> None:
    clock, verifier = FakeClock(), Verifier({b"t": CredentialsRefused("wrong")})
    authenticator = chain(verifier, clock=clock)
    for _ in range(3):
        with pytest.raises(CredentialsRefused, match="wrong") as refusal:
            await authenticator.identify(b"Bearer t")
        assert refusal.value.oauth_error == "invalid_token"
    assert len(verifier.asked) == 1
    assert (authenticator.hits, authenticator.misses, authenticator.refused) == (0, 1, 2)
    verifier.answers[b"t"] = named("anna")
    clock.advance(REFUSAL_SECONDS)
    assert (await authenticator.identify(b"Bearer t")).subject == "anna"


@pytest.mark.parametrize("answer", [NotYet("too early"), IdentityUnavailable("issuer away")])
async def test_what_may_change_is_not_remembered(answer: Exception) -> None:
    verifier = Verifier({b"t": answer})
    authenticator = chain(verifier)
    for _ in range(2):
        with pytest.raises((CredentialsRefused, IdentityUnavailable), match=str(answer)):
            await authenticator.identify(b"Bearer t")
    verifier.answers[b"t"] = named("anna")
    assert (await authenticator.identify(b"Bearer t")).subject == "anna"
    assert authenticator.refused == 0


async def test_equal_credentials_that_arrive_together_are_proved_once() -> None:
    verifier, clients = Verifier({b"t": named("anna")}), Tasks("clients")
    verifier.gate.clear()
    authenticator = chain(verifier)
    waiting = [
        clients.start(authenticator.identify(b"Bearer t"), name=str(number)) for number in range(9)
    ]
    for _ in range(3):
        await asyncio.sleep(0)
    verifier.gate.set()
    callers = await asyncio.gather(*waiting)
    assert {caller.subject for caller in callers} == {"anna"}
    assert verifier.asked == [b"t"]


async def test_different_credentials_never_share_an_answer() -> None:
    verifier, clients = Verifier({b"t": named("anna"), b"T": named("kent")}), Tasks("clients")
    verifier.gate.clear()
    authenticator = chain(verifier)
    anna = clients.start(authenticator.identify(b"Bearer t"), name="anna")
    kent = clients.start(authenticator.identify(b"Bearer T"), name="kent")
    nobody = clients.start(_refusal(authenticator, b"Bearer t."), name="nobody")
    for _ in range(3):
        await asyncio.sleep(0)
    verifier.gate.set()
    assert ((await anna).subject, (await kent).subject) == ("anna", "kent")
    assert (await nobody).detail == "nobody here can verify these credentials"
    assert sorted(verifier.asked) == [b"T", b"t", b"t."]


async def test_each_who_waits_gets_an_exception_of_its_own() -> None:
    verifier, clients = Verifier({b"t": CredentialsRefused("wrong")}), Tasks("clients")
    verifier.gate.clear()
    authenticator = chain(verifier)
    waiting = [
        clients.start(_refusal(authenticator, b"Bearer t"), name=str(number)) for number in (1, 2)
    ]
    for _ in range(3):
        await asyncio.sleep(0)
    verifier.gate.set()
    one, other = await asyncio.gather(*waiting)
    assert one is not other
    assert (one.detail, other.detail) == ("wrong", "wrong")


async def _refusal(authenticator: Authenticator, header: bytes) -> CredentialsRefused:
    with pytest.raises(CredentialsRefused) as refusal:
        await authenticator.identify(header)
    return refusal.value


async def test_a_client_that_leaves_does_not_cancel_the_proof() -> None:
    verifier, clients = Verifier({b"t": named("anna")}), Tasks("clients")
    verifier.gate.clear()
    authenticator = chain(verifier)
    client = clients.start(authenticator.identify(b"Bearer t"), name="client")
    for _ in range(3):
        await asyncio.sleep(0)
    client.cancel()
    await asyncio.wait({client})
    verifier.gate.set()
    assert (await authenticator.identify(b"Bearer t")).subject == "anna"
    assert client.cancelled()
    assert verifier.asked == [b"t"]


async def test_a_defect_in_a_verifier_is_nobodys_identity() -> None:
    authenticator = chain(Verifier({b"t": ZeroDivisionError("a defect")}))
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await authenticator.identify(b"Bearer t")
    assert [line["task"] for line in logs] == ["identity/bearer"] * 2


async def test_closing_leaves_nobody_waiting() -> None:
    verifier, clients = Verifier({}), Tasks("clients")
    verifier.gate.clear()
    authenticator = chain(verifier)
    await authenticator.start()
    client = clients.start(authenticator.identify(b"Bearer t"), name="client")
    for _ in range(3):
        await asyncio.sleep(0)
    await authenticator.close()
    with pytest.raises(IdentityUnavailable, match="shutting down"):
        await client
    assert not verifier.running


async def test_a_verifier_may_have_everything_forgotten() -> None:
    verifier = Verifier({b"t": named("anna")})
    authenticator = chain(verifier)
    await authenticator.start()
    await authenticator.identify(b"Bearer t")
    verifier.forget()
    assert authenticator.cached(authenticator.digest(b"Bearer t")) is None
    await authenticator.close()


async def test_readiness_is_everybodys() -> None:
    authenticator = chain(Verifier({}), Verifier({}, scheme="basic"))
    assert authenticator.ready() == (False, "bearer: not running; basic: not running")
    await authenticator.start()
    assert authenticator.ready() == (True, "bearer: running; basic: running")
    await authenticator.close()


def test_the_challenges_ask_for_every_scheme() -> None:
    authenticator = chain(Verifier({}), Verifier({}, scheme="basic"))
    assert authenticator.challenges == (b'Bearer realm="UCS"', b'Basic realm="UCS"')


def test_only_a_refused_token_is_told_so() -> None:
    authenticator = chain(Verifier({}), Verifier({}, scheme="basic"))
    of_token = CredentialsRefused("x", oauth_error="invalid_token")
    assert authenticator.challenges_after(of_token) == (
        b'Bearer realm="UCS", error="invalid_token"',
        b'Basic realm="UCS"',
    )
    assert authenticator.challenges_after(CredentialsRefused("x")) == authenticator.challenges


async def test_a_gateway_without_verifiers_knows_nobody_and_says_so() -> None:
    authenticator = chain()
    assert authenticator.challenges == (b'Bearer realm="R"',)
    assert authenticator.ready() == (True, "nobody can log in")
    assert await authenticator.identify(None) is ANONYMOUS
    with pytest.raises(CredentialsRefused):
        await authenticator.identify(b"Bearer t")


async def test_the_repr_shows_no_credentials() -> None:
    authenticator = chain(Verifier({b"topsecret": named("anna")}))
    await authenticator.identify(b"Bearer topsecret")
    assert "topsecret" not in repr(authenticator)
    assert "1 callers" in repr(authenticator)
