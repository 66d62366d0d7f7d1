"""One server of a service: its connections, its load, and whether it is in or out.

Two things can put a node out, each on its own terms. Its *checks* (`gateway.upstream.health`), if
there are any: until enough of them pass again. And its *failures*: too many requests in a row that
came to nothing eject it for a while. When that while is over it is owed a trial: one request is let
through, the others still go elsewhere. A reply brings the node back in; another failure ejects it
for twice as long, up to a limit.

That a node is out is said once in the log, and once that it is in again.
"""

from collections.abc import Callable

import msgspec

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.logs import get as get_logger
from gateway.upstream.pool import Pool
from gateway.upstream.seldom import Seldom

__all__ = ["Ejection", "Node"]

_log = get_logger("gateway.upstream.nodes")


class Ejection(msgspec.Struct, frozen=True, kw_only=True):
    """After how many failures a node is out, for how long the first time, and at most."""

    after: int
    seconds: float
    max_seconds: float


def _nothing() -> None:
    """Nobody wants to know."""


class Node:
    """One server. `outstanding` counts the requests under way, `failures` those in a row that
    failed; whoever sends reports with `answered`, `succeeded` and `failed`.
    """

    __slots__ = (
        "_clock",
        "_ejected_until",
        "_ejection",
        "_on_trial",
        "_out_since",
        "_rounds",
        "_seldom",
        "_service",
        "_why_ejected",
        "_why_unhealthy",
        "changed",
        "ejections",
        "failures",
        "host_line",
        "is_in",
        "max_concurrent",
        "name",
        "outstanding",
        "pool",
    )

    def __init__(
        self,
        pool: Pool,
        *,
        service: str,
        clock: Clock,
        ejection: Ejection,
        max_concurrent: int,
    ) -> None:
        self.name = pool.name
        self.pool = pool
        self.host_line = b"host: %b\r\n" % pool.name.encode("ascii")
        self.is_in = True
        self.outstanding = 0
        self.max_concurrent = max_concurrent
        self.failures = 0
        self.ejections = 0
        self.changed: Callable[[], None] = _nothing
        self._service = service
        self._clock = clock
        self._ejection = ejection
        self._seldom = Seldom(clock)
        self._out_since = 0.0
        self._why_unhealthy = ""
        self._why_ejected = ""
        self._ejected_until = 0.0
        self._rounds = 0  # of ejection, since the last success
        self._on_trial = False

    def __repr__(self) -> str:
        return f"<Node {self.name} {self.state()}, {self.outstanding} outstanding>"

    # --- what is known of it ------------------------------------------------------------------

    @property
    def is_healthy(self) -> bool:
        """Whether its checks pass; true where there are none."""
        return not self._why_unhealthy

    def may_serve(self, now: float) -> bool:
        """Whether it is in, or owed a trial at `now` (monotonic seconds).

        A server that hangs keeps the places of those who wait for it; nobody can be let through.
        """
        return self.is_in or (
            self.is_healthy
            and not self._on_trial
            and now >= self._ejected_until
            and self.outstanding < self.max_concurrent
        )

    def state(self) -> str:
        """`in`, or for how long it has been out and why."""
        if self.is_in:
            return "in"
        seconds = self._clock.monotonic() - self._out_since
        return f"out for {seconds:.0f} s ({self._why_unhealthy or self._why_ejected})"

    # --- a request's place and outcome --------------------------------------------------------

    def begin(self) -> None:
        """A request takes a place; on a node that is out it is the trial."""
        self.outstanding += 1
        if not self.is_in:
            self._on_trial = True

    def end(self) -> None:
        """The place is free again, whatever became of the request."""
        self.outstanding -= 1
        if not self.is_in:
            self._on_trial = False

    def answered(self) -> None:
        """The head of a reply has come, so it is there."""
        if self._why_ejected:
            self._why_ejected = ""
            self._update()

    def succeeded(self) -> None:
        """A whole exchange came off: what failed before is forgotten."""
        self.failures = 0
        self._rounds = 0

    def failed(self, error: GatewayError) -> None:
        """A request came to nothing, and it was not the client's fault."""
        self.failures += 1
        now = self._clock.monotonic()
        if self._why_ejected:
            if now < self._ejected_until:
                return  # begun before it was ejected, or because every other node is out as well
        elif self.failures < self._ejection.after:
            return
        seconds = min(self._ejection.seconds * 2.0**self._rounds, self._ejection.max_seconds)
        if seconds < self._ejection.max_seconds:
            self._rounds += 1
        self._ejected_until = now + seconds
        self._why_ejected = error.detail
        self.ejections += 1
        self._update()

    def told(self, error: GatewayError) -> GatewayError:
        """`error` with the node's name in it, and marked if the log has heard enough of these."""
        error.detail = f"{self.name}: {error.detail}"
        self._seldom.mark(error)
        return error

    # --- what its checks say ------------------------------------------------------------------

    def unhealthy(self, why: str) -> None:
        """Its checks fail."""
        self._why_unhealthy = why
        self._update()

    def healthy(self) -> None:
        """Its checks pass again, so a request may try it at once."""
        self._why_unhealthy = ""
        self._ejected_until = 0.0
        self._update()

    def _update(self) -> None:
        """In or out by all that is known; say so where that is news."""
        is_in = not (self._why_unhealthy or self._why_ejected)
        if is_in is not self.is_in:
            self.is_in = is_in
            self._on_trial = False
            now = self._clock.monotonic()
            if is_in:
                seconds = round(now - self._out_since, 1)
                _log.info(
                    "upstream node in", service=self._service, node=self.name, out_seconds=seconds
                )
            else:
                self._out_since = now
                _log.warning(
                    "upstream node out",
                    service=self._service,
                    node=self.name,
                    why=self._why_unhealthy or self._why_ejected,
                )
        self.changed()
