"""How many wrong secrets are listened to: so many for each client and each address, then no more.

A bucket of failures leaks steadily, and is full at the limit. Whoever is refused for it costs a
look-up and no Argon2 (threats J-12, J-16). Memory is bounded: the entry that was used longest ago
goes first, and one that has run dry is worth nothing.

A stranger who guesses at a client's secret must not lock the client out. So the client's own bucket
counts only against addresses that have failed themselves; the real client, from its own address,
is listened to. A secret that was right before is not counted at all, see `secrets`.

Each worker counts for itself.
"""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

__all__ = ["Failures", "Leaking", "neighbourhood"]

_MOST_ENTRIES = 10_000
_IPV6_HOST_BITS = 64


class Leaking:
    """Buckets by key; `most` failures fill one, which is empty again after `seconds`."""

    def __init__(self, most: int, seconds: float, *, entries: int = _MOST_ENTRIES) -> None:
        self._most = most
        self._per_second = most / seconds
        self._max_entries = entries
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def __repr__(self) -> str:
        return f"<Leaking, {len(self._levels)} of {self._max_entries} buckets>"

    def level(self, key: str, now: float) -> float:
        """How much is in it at `now`, in failures."""
        found = self._levels.get(key)
        if found is None:
            return 0.0
        level, at = found
        return max(0.0, level - (now - at) * self._per_second)

    def is_full(self, key: str, now: float) -> bool:
        """Whether a further failure would be one too many."""
        return self.level(key, now) > self._most - 1

    def add(self, key: str, now: float) -> None:
        """One more failure."""
        level = min(self.level(key, now) + 1, self._most)
        self._levels[key] = level, now
        self._levels.move_to_end(key)
        if len(self._levels) > self._max_entries:
            self._levels.popitem(last=False)

    def take_back(self, key: str, now: float) -> None:
        """It was none."""
        if key in self._levels:
            self._levels[key] = max(0.0, self.level(key, now) - 1), now


class Failures:
    """Wrong secrets in one worker."""

    def __init__(self, *, per_client: int, per_address: int, seconds: float) -> None:
        self._clients = Leaking(per_client, seconds)
        self._addresses = Leaking(per_address, seconds)

    def __repr__(self) -> str:
        return f"Failures({len(self._clients)} clients, {len(self._addresses)} addresses)"

    def too_many(self, client_id: str, peer: str, now: float) -> str:
        """Of what there are too many, or empty. Known and unknown ids are treated alike."""
        address = neighbourhood(peer)
        if self._addresses.is_full(address, now):
            return "too many wrong secrets from this address"
        has_failed = self._addresses.level(address, now) > 0
        if has_failed and self._clients.is_full(client_id, now):
            return "too many wrong secrets for this client"
        return ""

    def add(self, client_id: str, peer: str, now: float) -> None:
        """A wrong secret, or one of which nobody knows yet: many may be tried at once."""
        self._clients.add(client_id, now)
        self._addresses.add(neighbourhood(peer), now)

    def take_back(self, client_id: str, peer: str, now: float) -> None:
        """It was right after all, or was not tried."""
        self._clients.take_back(client_id, now)
        self._addresses.take_back(neighbourhood(peer), now)


def neighbourhood(peer: str) -> str:
    """Whose address it is: of IPv6 everybody has 2**64 (RFC 6177), and they count as one."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> _IPV6_HOST_BITS << _IPV6_HOST_BITS))
