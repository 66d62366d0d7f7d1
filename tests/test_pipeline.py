"""For how long a connection may go without asking who is calling.

A client that keeps its connection repeats its header section, and a look-up in the authenticator's
memory costs more than the decision. So its answer is good for a second on that connection: no
longer, so that who is forgotten there is forgotten everywhere, and never past a token's end.
"""

from dataclasses import dataclass, field

import pytest

from gateway.errors import CredentialsRefused
from gateway.exchange import Exchange
from gateway.http.problem import Dialect
from gateway.live import LivePolicy
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.settings import Limits
from policy import ANONYMOUS, Caller, DecisionTable, Kind, Means
from tests.support.clock import FakeClock
from tests.support.policies import CATALOGUE, POLICY, table, user
from tests.support.wire import Client, a_client

LOOK_UP_SECONDS = 1.0

ANN, BOB = b"Bearer ann", b"Bearer bob"


def holder(subject: str, expires_at: float | None = None) -> Caller:
    """Who presents a token, good until then."""
    return Caller(subject=subject, kind=Kind.USER, means=Means.JWT, expires_at=expires_at)


@dataclass
class Memory:
    """An authenticator that remembers `callers` and can prove nobody anew."""

    clock: FakeClock
    callers: dict[bytes, Caller]
    looked_up: list[bytes] = field(default_factory=list)
    asked_to_prove: list[bytes | None] = field(default_factory=list)
    challenges: tuple[bytes, ...] = (b"Bearer",)

    def digest(self, authorization: bytes) -> bytes:
        return authorization[::-1]

    def cached(self, key: bytes) -> Caller | None:
        self.looked_up.append(key[::-1])
        caller = self.callers.get(key[::-1])
        if caller is None or caller.expires_at is None or self.clock.wall() < caller.expires_at:
            return caller
        return None

    async def identify(self, authorization: bytes | None) -> Caller:
        self.asked_to_prove.append(authorization)
        raise CredentialsRefused("the token has expired, or its issuer's keys have changed")

    def challenges_after(self, _: CredentialsRefused) -> tuple[bytes, ...]:
        return self.challenges


@dataclass
class Records:
    """An audit that keeps the exchanges themselves."""

    exchanges: list[Exchange] = field(default_factory=list)

    def reserve(self) -> None:
        """There is always room."""

    def note(self, exchange: Exchange) -> None:
        """Nobody is killed here."""

    def write(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


@dataclass
class Shop:
    """A service as far as a denial asks for it."""

    name: str = "shop"
    prefix: str = "/"
    dialect: Dialect = "problem"
    reveal_missing: bool = True


class House:
    """A pipeline that has nothing to forward: each request is denied, its caller recorded."""

    def __init__(self, **callers: Caller) -> None:
        self.clock = FakeClock()
        self.authenticator = Memory(
            self.clock, {f"Bearer {name}".encode(): caller for name, caller in callers.items()}
        )
        self.audit = Records()
        self.live = LivePolicy(table(), since=0.0)
        self._pipeline = Pipeline(
            live=self.live,
            authenticator=self.authenticator,
            upstreams=(Shop(),),
            audit=self.audit,
            metrics=Metrics(),
            limits=Limits(),
            clock=self.clock,
        )

    @property
    def looked_up(self) -> list[bytes]:
        return self.authenticator.looked_up

    def connect(self) -> Client:
        return a_client(self._pipeline.converse)

    def ask(
        self, client: Client, authorization: bytes | None, target: bytes = b"/nowhere"
    ) -> Exchange:
        """One request on this connection and what became of it."""
        line = b"" if authorization is None else b"Authorization: %b\r\n" % authorization
        client.feed(b"GET %b HTTP/1.1\r\nHost: h\r\n%b\r\n" % (target, line))
        before = len(self.audit.exchanges)
        assert client.connection._task.waits, "the conversation has ended"
        [exchange] = self.audit.exchanges[before:]
        return exchange


# --- within the second ------------------------------------------------------------------------


def test_a_caller_just_looked_up_is_not_looked_up_again() -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    for _ in range(4):
        assert house.ask(client, ANN).caller.subject == "ann"
        house.clock.advance(LOOK_UP_SECONDS / 4)
    assert house.looked_up == [ANN]


@pytest.mark.parametrize("later", [LOOK_UP_SECONDS, 60.0])
def test_after_a_second_the_caller_is_looked_up_again(later: float) -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    for times in (1, 2, 3):
        assert house.ask(client, ANN).caller.subject == "ann"
        assert house.looked_up == [ANN] * times
        house.clock.advance(later)


def test_requests_that_keep_coming_do_not_prolong_the_second() -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    for _ in range(9):
        house.ask(client, ANN)
        house.clock.advance(LOOK_UP_SECONDS / 4)
    assert house.looked_up == [ANN] * 3


def test_who_is_forgotten_is_forgotten_everywhere_after_a_second() -> None:
    """J-10."""
    house = House(ann=holder("ann"))
    client = house.connect()
    house.ask(client, ANN)
    house.authenticator.callers.clear()
    house.clock.advance(LOOK_UP_SECONDS)
    refused = house.ask(client, ANN)
    assert (refused.status, refused.error_code) == (401, "credentials-refused")
    assert refused.caller is ANONYMOUS
    assert house.authenticator.asked_to_prove == [ANN]


def test_who_became_another_is_another_after_a_second() -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    house.ask(client, ANN)
    house.authenticator.callers[ANN] = holder("ann-the-second")
    assert house.ask(client, ANN).caller.subject == "ann"
    house.clock.advance(LOOK_UP_SECONDS)
    assert house.ask(client, ANN).caller.subject == "ann-the-second"


# --- and never past a token's end -------------------------------------------------------------


def test_a_token_is_not_good_past_its_end_within_the_second() -> None:
    """J-7: the second begins with the look-up, and ends with the token."""
    house = House()
    house.authenticator.callers[ANN] = holder("ann", house.clock.wall() + 0.5)
    client = house.connect()
    assert house.ask(client, ANN).caller.subject == "ann"
    house.clock.advance(0.25)
    assert house.ask(client, ANN).caller.subject == "ann"
    assert house.looked_up == [ANN]
    house.clock.advance(0.25)
    refused = house.ask(client, ANN)
    assert house.looked_up == [ANN, ANN]
    assert (refused.status, refused.error_code) == (401, "credentials-refused")


def test_a_token_that_is_good_for_longer_is_looked_up_as_often_as_any() -> None:
    house = House()
    house.authenticator.callers[ANN] = holder("ann", house.clock.wall() + 3600)
    client = house.connect()
    house.ask(client, ANN)
    house.clock.advance(LOOK_UP_SECONDS * 0.75)
    house.ask(client, ANN)
    assert house.looked_up == [ANN]
    house.clock.advance(LOOK_UP_SECONDS * 0.25)
    house.ask(client, ANN)
    assert house.looked_up == [ANN, ANN]


def test_a_corrected_date_ends_a_token_after_a_second_at_the_latest() -> None:
    """The second is counted on the clock that is never corrected."""
    house = House()
    house.authenticator.callers[ANN] = holder("ann", house.clock.wall() + 600)
    client = house.connect()
    house.ask(client, ANN)
    house.clock.set_wall(house.clock.wall() + 3600)
    house.clock.advance(LOOK_UP_SECONDS)
    assert house.ask(client, ANN).error_code == "credentials-refused"


# --- and for nobody else ----------------------------------------------------------------------


def test_each_connection_looks_up_for_itself() -> None:
    house = House(ann=holder("ann"))
    for _ in range(2):
        house.ask(house.connect(), ANN)
    assert house.looked_up == [ANN, ANN]


def test_other_credentials_on_the_same_connection_are_another_caller() -> None:
    house = House(ann=holder("ann"), bob=holder("bob"))
    client = house.connect()
    callers = [house.ask(client, who).caller.subject for who in (ANN, BOB, ANN, None, BOB)]
    assert callers == ["ann", "bob", "ann", "", "bob"]
    assert house.looked_up == [ANN, BOB, ANN, BOB]


def test_credentials_that_nobody_knows_are_never_anybodys() -> None:
    """A look-up that found nobody is not an answer, however often it is repeated."""
    house = House(ann=holder("ann"))
    for _ in range(3):
        client = house.connect()
        house.ask(client, ANN)
        assert house.ask(client, b"Bearer eve").error_code == "credentials-refused"
    assert house.authenticator.asked_to_prove == [b"Bearer eve"] * 3


def test_whoever_shows_no_credentials_is_nobody_without_a_look_up() -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    assert house.ask(client, None).caller is ANONYMOUS
    assert house.looked_up == []
    assert house.authenticator.asked_to_prove == []


# --- what the caller may do is another question -----------------------------------------------


def stripped() -> DecisionTable:
    """The same policy after ann has lost her role."""
    return table(CATALOGUE, POLICY.replace("ann: {roles: [writer]}", "ann: {}"))


def test_a_policy_that_is_swapped_within_the_second_holds_at_once() -> None:
    house = House(ann=user("ann"))
    client = house.connect()
    missing = []
    for house.live.table in (table(), stripped(), table()):
        decision = house.ask(client, ANN, b"/records?details=1").decision
        assert decision is not None
        missing.append(decision.missing.all_of)
    assert missing == [("detail",), ("read", "detail"), ("detail",)]
    assert house.looked_up == [ANN]
