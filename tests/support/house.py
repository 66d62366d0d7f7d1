"""A pipeline with fakes for everything around it: no socket, no upstream, time as a number."""

from collections.abc import Awaitable
from dataclasses import dataclass, field

from gateway.counts import Metrics
from gateway.errors import CredentialsRefused
from gateway.exchange import Exchange
from gateway.http.problem import Dialect
from gateway.live import LivePolicy
from gateway.pipeline import Pipeline
from gateway.settings import Limits
from policy import Caller, Kind, Means
from tests.support.clock import FakeClock
from tests.support.policies import table
from tests.support.wire import Client, Signal, a_client

__all__ = ["ANN", "BOB", "House", "holder"]

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
    takes_its_time: Awaitable[object] | None = None

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
        if self.takes_its_time is not None:
            await self.takes_its_time
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

    def __init__(self, *, limits: Limits | None = None, **callers: Caller) -> None:
        self.metrics = Metrics()
        self._kept: list[object] = []
        self.clock = FakeClock()
        self.authenticator = Memory(
            self.clock, {f"Bearer {name}".encode(): caller for name, caller in callers.items()}
        )
        self.audit = Records()
        self.live = LivePolicy(table(), since=0.0)
        self.pipeline = Pipeline(
            live=self.live,
            authenticator=self.authenticator,
            upstreams=(Shop(),),
            audit=self.audit,
            metrics=self.metrics,
            limits=limits or Limits(),
            clock=self.clock,
        )

    @property
    def looked_up(self) -> list[bytes]:
        return self.authenticator.looked_up

    def connect(self, **options: float) -> Client:
        """A client, who stays here: nobody leaves because a test has forgotten him."""
        client = a_client(self.pipeline.converse, **options)
        self._kept.append(client)
        return client

    def stall(self) -> Signal:
        """From now on nobody's credentials are settled before this is set."""
        self.authenticator.takes_its_time = signal = Signal()
        self._kept.append(signal)
        return signal

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
