"""The gateway's own token for an upstream: fetched early, renewed before its end, by itself.

Requests use what is here. One of them waits for a fetch only where there is nothing to use: at the
very start, or when the login server has been away for longer than the last token was good. There
is one fetch at a time in a worker. It belongs to the token and not to the request that needs it,
so it outlives that request's client.

A token may be refused before its end: it was withdrawn, or the upstream has forgotten it. Then a
new one is fetched, at most once in a while, since an upstream that refuses every token must not
become a flood at the login server. After a failure every fetch waits, each time for twice as long.

The token stands in one header line and nowhere else: in no log, no message and no `repr`.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.clock import Clock
from gateway.errors import UpstreamTokenMissing
from gateway.logs import get as get_logger
from gateway.outbound import FetchFailed, OAuthEndpoint
from gateway.tasks import Tasks
from gateway.upstream.seldom import Seldom

__all__ = ["UpstreamToken", "read_token"]

_log = get_logger("gateway.upstream.token")

# RFC 6750 section 2.1, b64token: nothing that could end a header line. 8 KiB is what servers take
# as one line of a head.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_MAX_TOKEN_LENGTH = 8000

# RFC 6749 section 5.1 recommends `expires_in`; where it is missing, a token is renewed soon.
_ASSUMED_SECONDS = 300.0
# Nobody gives out tokens for longer; Genesys Cloud's longest are 450 days.
_MAX_SECONDS = 10 * 366 * 86_400.0
_DIGITS = re.compile(r"[0-9]{1,9}")

# After failures in a row.
_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)

# Between two fetches that refusals ask for.
_REFUSAL_PAUSE_SECONDS = 10.0

_LONG_AGO = float("-inf")


class UpstreamToken:
    """The token for one service, in one worker.

    `fetched` and `failed` count the fetches by their end.
    """

    def __init__(
        self,
        endpoint: OAuthEndpoint,
        *,
        service: str,
        form: Mapping[str, str],
        renew_before_seconds: float,
        clock: Clock,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.fetched = 0
        self.failed = 0
        self._endpoint = endpoint
        self._service = service
        self._form = {"grant_type": "client_credentials", **form}
        self._renew_before_seconds = renew_before_seconds
        self._now = clock.monotonic
        self._wall = clock.wall
        self._pause = pause
        self._tasks = Tasks("upstream-token")
        self._under_way: asyncio.Task[None] | None = None
        self._seldom = Seldom(clock)
        self._line = b""
        self._due_at = _LONG_AGO
        self._ends_at = _LONG_AGO
        self._not_before = _LONG_AGO
        self._refused_at = _LONG_AGO
        self._failures = 0  # in a row
        self._error = "not fetched yet"

    def __repr__(self) -> str:
        return f"<UpstreamToken {self._service} {self.check()[1]}>"

    # --- for requests -------------------------------------------------------------------------

    def line(self) -> bytes:
        """The header line with its CRLF as long as the token is good, else nothing."""
        now = self._now()
        if now >= self._due_at:
            self._renew()
        return self._line if now < self._ends_at else b""

    async def fresh_line(self) -> bytes:
        """The header line, after a fetch if need be. Raises UpstreamTokenMissing."""
        line = self.line()
        if not line and (fetch := self._renew()) is not None:
            await asyncio.wait({fetch})  # being cancelled here leaves the fetch alone
            line = self.line()
        if not line:
            error = UpstreamTokenMissing(f"{self._service}: {self._endpoint.url}: {self._error}")
            self._seldom.mark(error)
            raise error
        return line

    def refused(self, line: bytes) -> None:
        """The upstream has refused the token in `line`: fetch another, unless that is done."""
        if line != self._line or self._under_way is not None:
            return
        now = self._now()
        if now - self._refused_at >= _REFUSAL_PAUSE_SECONDS:
            self._refused_at = now
            _log.warning("upstream refused the gateway's token", service=self._service)
            self._renew()

    async def other_than(self, line: bytes) -> bytes:
        """Another header line than `line`, which was refused, or nothing."""
        if line == self._line and self._under_way is not None:
            await asyncio.wait({self._under_way})
        other = self.line()
        return b"" if other == line else other

    # --- for operators ------------------------------------------------------------------------

    @property
    def seconds_left(self) -> float:
        """For how long the token is good; 0 without one."""
        return max(self._ends_at - self._now(), 0.0)

    @property
    def expires_at(self) -> float:
        """When it ends, in seconds since the epoch; 0 without one."""
        return self._wall() + self.seconds_left if self.seconds_left else 0.0

    def check(self) -> tuple[bool, str]:
        """Whether there is a token, and what is to be said of it."""
        stale = f", not renewed: {self._error}" if self._error else ""
        if not self.seconds_left:
            return False, f"no token: {self._error or 'it has ended'}"
        return True, f"token good for {self.seconds_left:.0f} s{stale}"

    def start(self) -> None:
        """Fetch the first token, and from now on each in time."""
        _ = self._tasks.start(self._keep(), name=self._service)

    async def close(self) -> None:
        await self._tasks.close()
        await self._endpoint.close()

    # --- fetching -----------------------------------------------------------------------------

    async def _keep(self) -> None:
        """A token is renewed even while nobody asks, so that nobody has to wait for it."""
        while True:
            if self._now() >= self._due_at and (fetch := self._renew()) is not None:
                await asyncio.wait({fetch})
            await self._pause(max(self._due_at, self._not_before) - self._now())

    def _renew(self) -> asyncio.Task[None] | None:
        """The fetch that is under way, or a new one if one may be made now."""
        if self._under_way is None and self._now() >= self._not_before:
            self._under_way = self._tasks.start(self._fetch(), name=self._endpoint.url)
        return self._under_way

    async def _fetch(self) -> None:
        asked_at = self._now()
        try:
            token, seconds = read_token(await self._endpoint.ask(self._form))
        except FetchFailed as failure:
            self.failed += 1
            self._tell_failure(str(failure))
        else:
            self.fetched += 1
            if self._failures:
                _log.info("upstream token renewed again", service=self._service)
            self._failures, self._error = 0, ""
            self._line = b"authorization: Bearer %b\r\n" % token.encode("ascii")
            self._ends_at = asked_at + seconds
            self._due_at = self._ends_at - min(self._renew_before_seconds, seconds / 4)
        finally:
            self._under_way = None

    def _tell_failure(self, error: str) -> None:
        """The log hears of the first failure, of another one, and of a long row ever less often."""
        self._failures += 1
        self._not_before = (
            self._now() + _PAUSES_SECONDS[min(self._failures, len(_PAUSES_SECONDS)) - 1]
        )
        is_new = error != self._error
        self._error = error
        if is_new or self._failures & (self._failures - 1) == 0:
            _log.warning(
                "upstream token not renewed",
                service=self._service,
                url=self._endpoint.url,
                error=error,
                failures=self._failures,
                good_seconds=round(self.seconds_left),
            )


def read_token(answer: Mapping[str, Any]) -> tuple[str, float]:
    """The token and its life in seconds, or FetchFailed (RFC 6749 section 5.1).

    Of a type that is not bearer nobody here would know what to send (section 7.1).
    """
    token, kind = answer.get("access_token"), answer.get("token_type")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or len(token) > _MAX_TOKEN_LENGTH:
        raise FetchFailed("the answer's `access_token` is not a bearer token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise FetchFailed("the answer's `token_type` is not `bearer`")
    seconds = answer.get("expires_in", _ASSUMED_SECONDS)
    if isinstance(seconds, str) and _DIGITS.fullmatch(seconds):
        seconds = int(seconds)  # some servers write it as text
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise FetchFailed("the answer's `expires_in` is not a number of seconds")
    return token, float(min(seconds, _MAX_SECONDS))
