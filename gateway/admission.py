"""How many requests are carried out at once, and what becomes of one too many.

Work that is begun and given up is worse than work refused: beyond what can be carried out in good
time, every further request makes all of them late. So there is a number, and whoever comes beyond
it is told at once, before anything is looked up or decided, to ask again a little later.

Refusing costs something too, and a client that comes back at once would be refused again and
again. So its connection is not read from for a while: the longer, the more there are of its kind,
so that all of them together cost a part of a core (0.06 to 0.08 ms each was measured), but half a
second at most.
Not longer than needed either: who waits in vain hangs up and connects anew, which costs most.

Requests count from their decision being asked for to their reply's last byte. Whoever is waited
for without being served (a head that dribbles in, a body that a decision waits for, a refused body that is thrown away)
does not count, or a few idle strangers could fill every place.
"""

from gateway.logs import get as get_logger
from gateway.wire.client import ClientConnection

__all__ = ["Admission"]

_log = get_logger("gateway.admission")

# Said once in so many seconds: a log line for each would cost more than what was turned away.
_LOG_SECONDS = 10.0

# A refusal costs nearly half of a small request, with its system calls and its audit line.
_REFUSALS_PER_SECOND = 2_500

# What a client sends meanwhile grows old unread: a request that is carried out when nobody waits
# for it any more is a place wasted. Half of `Retry-After`, and half of the shortest usual patience.
_LONGEST_REST_SECONDS = 0.5


class Admission:
    """The places of one event loop."""

    __slots__ = ("_resting", "_said_at", "_turned_away", "in_flight", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self.in_flight = 0
        self._resting = 0
        self._turned_away = 0
        self._said_at = float("-inf")

    def __repr__(self) -> str:
        return f"<Admission {self.in_flight} of {self.most}, {self._resting} turned away>"

    def turn_away(self, now: float) -> None:
        """Count one too many, at `now` on the monotonic clock; the log hears of many at once."""
        self._turned_away += 1
        if now - self._said_at >= _LOG_SECONDS:
            _log.warning("overloaded", in_flight=self.in_flight, turned_away=self._turned_away)
            self._said_at = now
            self._turned_away = 0

    async def rest(self, client: ClientConnection) -> None:
        """Do not listen for a while to a client that was turned away."""
        self._resting += 1
        try:
            await client.rest(min(self._resting / _REFUSALS_PER_SECOND, _LONGEST_REST_SECONDS))
        finally:
            self._resting -= 1
