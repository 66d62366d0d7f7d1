"""For whom a candidate policy counts, and when it has to go.

Who is in is a matter of the name alone: a keyed hash gives every name a place between 0 and 1, and
the share takes those below it. So whoever is in stays in while the share grows, in every worker and
after every restart, and nobody can choose a name that is in. Going back is a matter of numbers: of
the last requests of those who are in, how many does the candidate deny, and how many would the
active policy have denied of the very same.
"""

import hashlib

import msgspec

from policy import Caller, DecisionTable, Kind, Means

__all__ = ["Band", "Plan", "Rollout", "Watch", "place_of"]

_PLACES = 1 << 64
_MOST_WINDOW = 1_000_000


def place_of(subject: str, key: bytes) -> int:
    """Where the name stands among 2**64 places; evenly spread, and anew for another key."""
    name = subject.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8, key=key).digest())


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """For whom the candidate is enforced: a `share` of all names, besides some by name or group.

    `key` has up to 64 bytes, and stays the same while the share grows. Raises ValueError.
    """

    share: float = 0.0
    subjects: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    key: bytes = b""

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError("a share is between 0 and 1")
        if len(self.key) > hashlib.blake2b.MAX_KEY_SIZE:
            raise ValueError("the key is longer than 64 bytes")

    def includes(self, caller: Caller, table: DecisionTable) -> bool:
        """Whether the caller is in; `table` says who belongs to which group.

        Strangers have no name, and are never in.
        """
        if caller.kind is Kind.ANONYMOUS:
            return False
        if caller.means is not Means.CLIENT_CREDENTIALS and self._names(caller.subject, table):
            return True
        return place_of(caller.subject, self.key) < int(self.share * _PLACES)

    def _names(self, user: str, table: DecisionTable) -> bool:
        """Whether the user is in by name or by group; a client of the same name is somebody else."""
        if user in self.subjects:
            return True
        known = table.users.get(user)
        return known is not None and not self.groups.isdisjoint(known.groups)


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much more, or less, the candidate may deny, as a share of requests.

    Counted are the last `window` requests that it decided in one process, once there are `minimum`
    of them. Raises ValueError.
    """

    above: float = 0.05
    below: float = 0.05
    minimum: int = 200
    window: int = 2_000

    def __post_init__(self) -> None:
        if not (0.0 <= self.above <= 1.0 and 0.0 <= self.below <= 1.0):
            raise ValueError("the limits of a band are between 0 and 1")
        if not 1 <= self.minimum <= self.window <= _MOST_WINDOW:
            raise ValueError(
                f"the minimum is at least 1 and at most the window, which is at most {_MOST_WINDOW:,}"
            )


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator asks for: the candidate's share of callers, besides some by name or group.

    Without any of these it is only compared. Raises ValueError.
    """

    share: float = 0.0
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    band: Band = Band()

    def __post_init__(self) -> None:
        _ = self.rollout(b"")

    def rollout(self, key: bytes) -> Rollout:
        """For whom that is; `key` settles who is in the share."""
        return Rollout(share=self.share, subjects=self.users, groups=self.groups, key=key)


class Watch:
    """The last requests of those who are in, held against a band; a number at each step."""

    def __init__(self, band: Band) -> None:
        self._band = band
        # For each request of the window: +1 where only the candidate denies, -1 where only the
        # active policy would have.
        self._window = bytearray(band.window)
        self._next = 0
        self._difference = 0
        self.count = 0

    def __repr__(self) -> str:
        return f"<Watch: {self._difference:+} of {self.count}>"

    def add(self, *, denied: bool, would_be_denied: bool) -> str | None:
        """One more request, denied by the candidate or by the active policy; why it must go."""
        step = denied - would_be_denied
        self._difference += step - (self._window[self._next] - 1 if self._is_full else 0)
        self._window[self._next] = step + 1
        self._next = (self._next + 1) % len(self._window)
        if not self._is_full:
            self.count += 1
        return self._verdict()

    @property
    def _is_full(self) -> bool:
        return self.count == len(self._window)

    def _verdict(self) -> str | None:
        band, count, difference = self._band, self.count, self._difference
        if count < band.minimum:
            return None
        if difference > band.above * count:
            return self._said("more", difference, band.above)
        if -difference > band.below * count:
            return self._said("fewer", -difference, band.below)
        return None

    def _said(self, word: str, difference: int, limit: float) -> str:
        return (
            f"of the last {self.count} requests it denied {difference} {word} than the active"
            f" policy would have ({difference / self.count:.1%}; the limit is {limit:.1%})"
        )
