"""Whether a client's secret is right, at a price that no stranger can raise.

A right secret costs its Argon2 time once in a process; from then on it is known by a keyed digest
(the key never leaves the process), so that honest clients neither wait behind those who guess nor
are counted with them. Any other takes the slow road, and all take it alike: a wrong secret, an id
that nobody has, a client that is disabled; as many hashes are tried as any client has, those of a
decoy where there are fewer, so that neither the words nor the time tell one from another (J-12).
"""

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Iterable

from gateway.authn.passwords import (
    Costs,
    Matches,
    PasswordBench,
    argon2_matches,
    hash_password,
    prepared,
)
from gateway.issuer.clients import Client, Clients, ClientState

__all__ = ["GENERATED_COSTS", "Secrets", "new_secret"]

GENERATED_COSTS = Costs(time_cost=2, memory_kib=19_456, lanes=1)
"""For secrets that we draw: 256 bits need no stretching, so the least that OWASP recommends."""


def new_secret() -> str:
    """A secret of 256 bits, of characters that mean the same in a form, a header and a URL."""
    return secrets.token_urlsafe(32)


class Secrets:
    """The secrets of one process's clients. `matches` is Argon2, or what a test puts there."""

    def __init__(self, *, parallel: int, matches: Matches = argon2_matches) -> None:
        self._argon2 = matches
        self._bench = PasswordBench(parallel=parallel, matches=self._matches)
        self._key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}
        self._decoy = ""
        self._decoy_costs: Costs | None = None
        self._tries = 1

    def __repr__(self) -> str:
        return f"Secrets({len(self._right)} known, {self._bench!r})"

    def __len__(self) -> int:
        return len(self._right)

    def take(self, clients: Clients) -> None:
        """These are the clients now; what was found out of others is forgotten."""
        hashes = {each for client in clients.values() for each in client.secret_hashes}
        self._right = {each: digest for each, digest in self._right.items() if each in hashes}
        self._tries = max((len(client.secret_hashes) for client in clients.values()), default=1)
        costs = _usual(hashes)
        if costs != self._decoy_costs:
            self._decoy = hash_password(secrets.token_urlsafe(32), costs)
            self._decoy_costs = costs

    def is_known(self, client: Client | None, secret: str) -> bool:
        """Whether this very secret was found right before; costs next to nothing."""
        if client is None or client.state is ClientState.DISABLED:
            return False
        digest = self._digest(prepared(secret))
        return any(self._has(each, digest) for each in client.secret_hashes)

    async def prove(self, client: Client | None, secret: str) -> bool:
        """Whether it is right, by the slow road. Raises IdentityUnavailable."""
        password = prepared(secret)
        is_closed = client is None or client.state is ClientState.DISABLED
        hashes = () if client is None or is_closed else client.secret_hashes
        is_right = False
        for each in (*hashes, *(self._decoy,) * (self._tries - len(hashes))):
            if await self._bench.matches(each, password) and each is not self._decoy:
                is_right = True
                break
        return is_right

    def close(self) -> None:
        self._bench.close()

    def _matches(self, password_hash: str, password: bytes) -> bool:
        """In a thread of the bench: those who waited for the same answer need not ask again."""
        digest = self._digest(password)
        if self._has(password_hash, digest):
            return True
        if not self._argon2(password_hash, password):
            return False
        if password_hash is not self._decoy:
            self._right[password_hash] = digest
        return True

    def _has(self, password_hash: str, digest: bytes) -> bool:
        known = self._right.get(password_hash)
        return known is not None and hmac.compare_digest(known, digest)

    def _digest(self, password: bytes) -> bytes:
        return hashlib.blake2b(password, key=self._key, digest_size=32).digest()


def _usual(hashes: Iterable[str]) -> Costs:
    """What most hashes cost, so that the decoy costs the same."""
    counted = Counter(map(Costs.of, sorted(hashes))).most_common(1)
    return counted[0][0] if counted else GENERATED_COSTS
