"""From one `Authorization` header to a Caller: ask the verifiers in order, remember the answer.

On the hot path nothing waits: `cached(digest(header))` is a hash and a look-up. On a miss, equal
credentials that arrive together are proved once, and only bit for bit equal ones (J-11). The proof
belongs to nobody's connection, so a client that leaves takes nothing away from the others.

When something may have changed, a new round begins: what was found out in an earlier one is not
remembered in this one, nor joined by whoever asks now. Whoever waits for it gets it all the same.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gateway.authn.base import CannotTell, NotYet, Readiness, Verifier
from gateway.authn.cache import CallerCache, Refusal, configuration_digest
from gateway.authn.certificates import CertificateRules
from gateway.authn.challenge import OAUTH_ERRORS, bearer_challenge, with_error
from gateway.authn.credentials import Credentials
from gateway.clock import Clock
from gateway.counts import Reading
from gateway.errors import CredentialsRefused, IdentityUnavailable
from gateway.tasks import Tasks
from policy import ANONYMOUS, Caller, Means

__all__ = ["Authenticator"]


class Unavailable(NamedTuple):
    """Nobody could tell."""

    detail: str


Answer = Caller | Refusal | Unavailable


class _Round:
    """The time during which what was found out stays true.

    `under_way` are the proofs that a newcomer may join; `proofs` all that the verifiers are at,
    those of earlier rounds too.
    """

    def __init__(self, verifiers: Sequence[Verifier]) -> None:
        self.verifiers = tuple(verifiers)
        self.under_way: dict[bytes, asyncio.Task[Answer]] = {}
        self.proofs: set[asyncio.Task[Answer]] = set()

    def next(self) -> "_Round":
        """The same verifiers, and nothing remembered."""
        following = _Round(self.verifiers)
        following.proofs = self.proofs
        return following


class Authenticator:
    """Who is asking.

    `hits`, `misses` and `refused` count look-ups: answered with a remembered caller, proved
    anew, answered with a remembered refusal. `certificates` is how client certificates are read,
    if they name callers at all. `read_again` makes verifiers of what the files hold now. `stands`
    says whether a client of ours that is remembered still is what it was. `readings` are the
    verifiers' own numbers, by the metric's name.
    """

    def __init__(
        self,
        verifiers: Sequence[Verifier],
        *,
        clock: Clock,
        cache_entries: int,
        realm: str,
        read_again: Callable[[], Sequence[Verifier]] | None = None,
        certificates: CertificateRules | None = None,
        readings: Mapping[str, Reading] | None = None,
        stands: Callable[[Caller], bool] = lambda _caller: True,
    ) -> None:
        self._round = _Round(verifiers)
        self._read_again = read_again
        self._reloading = asyncio.Lock()
        self._stands = stands
        self.certificates = certificates
        self.readings = readings or {}
        self._cache = CallerCache(
            clock=clock,
            entries=cache_entries,
            configuration=configuration_digest(*(each.configuration for each in verifiers)),
        )
        self._tasks = Tasks("identity")
        self._schemes = frozenset(each.scheme for each in verifiers)
        # RFC 9110, 15.5.2: a 401 "MUST send a WWW-Authenticate header", even with nobody to ask.
        by_scheme = {each.scheme: each.challenge for each in verifiers}
        by_scheme = by_scheme or {"bearer": bearer_challenge(realm)}
        self.challenges = tuple(by_scheme.values())
        self._challenges_after = {
            error: tuple(
                with_error(challenge, error) if OAUTH_ERRORS.get(scheme) == error else challenge
                for scheme, challenge in by_scheme.items()
            )
            for error in OAUTH_ERRORS.values()
        }
        self.hits = 0
        self.misses = 0
        self.refused = 0

    def __repr__(self) -> str:
        return f"Authenticator({list(self._round.verifiers)!r}, {self._cache!r})"

    def digest(self, authorization: bytes) -> bytes:
        """The key under which these credentials are remembered; not the credentials."""
        return self._cache.key(authorization)

    def cached(self, key: bytes) -> Caller | None:
        caller = self._cache.find(key)
        if caller is None:
            return None
        if caller.means is Means.CLIENT_CREDENTIALS and not self._stands(caller):
            return None
        self.hits += 1
        return caller

    async def identify(self, authorization: bytes | None) -> Caller:
        """The caller; CredentialsRefused or IdentityUnavailable if there is no telling."""
        if authorization is None:
            return ANONYMOUS
        credentials = Credentials.parse(authorization)
        if credentials.scheme not in self._schemes:
            raise CredentialsRefused("the scheme of the credentials is not served")
        key = self.digest(authorization)
        caller = self.cached(key)
        if caller is not None:
            return caller
        refusal = self._cache.refusal(key)
        if refusal is not None:
            self.refused += 1
            raise CredentialsRefused(refusal.detail, oauth_error=refusal.oauth_error)
        self.misses += 1
        return await self._proved(key, credentials)

    def challenges_after(self, refusal: CredentialsRefused) -> tuple[bytes, ...]:
        """The `WWW-Authenticate` values for a 401 that answers refused credentials."""
        return self._challenges_after.get(refusal.oauth_error, self.challenges)

    def forget(self) -> None:
        """Prove everybody anew: something that was remembered may no longer be true."""
        self._begin(self._round.next())

    async def start(self) -> None:
        await self._start(self._round.verifiers)

    async def reload(self) -> None:
        """Read the users and the keys again; SettingsInvalid leaves everything as it was.

        What the settings file itself says is not read again. Proofs under way are brought to
        their end by the verifiers that began them, which go when the last is done.
        """
        if self._read_again is None:
            return
        async with self._reloading:
            # A large users file takes seconds to read, for which everybody else would wait.
            verifiers = await asyncio.to_thread(self._read_again)
            await self._start(verifiers)
            former = self._round
            self._begin(_Round(verifiers))
            _ = self._tasks.start(self._retire(former), name="retire")

    async def close(self) -> None:
        async with self._reloading:
            await self._tasks.close()
            for verifier in self._round.verifiers:
                await verifier.close()

    def ready(self) -> Readiness:
        states = [(each.scheme, *each.ready()) for each in self._round.verifiers]
        if self.certificates is not None:
            states.append(("certificates", True, f"named by {self.certificates.name_from}"))
        detail = "; ".join(f"{scheme}: {words}" for scheme, _, words in states)
        return all(ready for _, ready, _ in states), detail or "nobody can log in"

    async def _start(self, verifiers: Sequence[Verifier]) -> None:
        await asyncio.gather(*(verifier.start(self.forget) for verifier in verifiers))

    def _begin(self, following: _Round) -> None:
        self._round = following
        self._cache.clear()

    async def _retire(self, former: _Round) -> None:
        try:
            if former.proofs:
                await asyncio.wait(former.proofs)
        finally:
            for verifier in former.verifiers:
                await verifier.close()

    async def _proved(self, key: bytes, credentials: Credentials) -> Caller:
        now = self._round
        proof = now.under_way.get(key)
        if proof is None:
            proof = self._tasks.start(self._prove(now, key, credentials), name=credentials.scheme)
            now.under_way[key] = proof
            now.proofs.add(proof)
            proof.add_done_callback(now.proofs.discard)
        await asyncio.wait({proof})  # being cancelled here leaves the proof alone
        if proof.cancelled():
            raise IdentityUnavailable("the gateway is shutting down")
        answer = proof.result()
        if isinstance(answer, Refusal):
            raise CredentialsRefused(answer.detail, oauth_error=answer.oauth_error)
        if isinstance(answer, Unavailable):
            raise IdentityUnavailable(answer.detail)
        return answer

    async def _prove(self, began: _Round, key: bytes, credentials: Credentials) -> Answer:
        """The answer as a value: several may wait for it, and each raises its own exception."""
        try:
            return await self._ask(began, key, credentials)
        except CredentialsRefused as refused:
            refusal = Refusal(refused.detail, OAUTH_ERRORS.get(credentials.scheme, ""))
            if began is self._round and not isinstance(refused, NotYet):
                self._cache.keep_refusal(key, refusal)
            return refusal
        except IdentityUnavailable as unavailable:
            return Unavailable(unavailable.detail)
        finally:
            del began.under_way[key]

    async def _ask(self, began: _Round, key: bytes, credentials: Credentials) -> Caller:
        undecided: CannotTell | None = None
        for verifier in began.verifiers:
            if verifier.scheme != credentials.scheme:
                continue
            try:
                caller = await verifier.verify(credentials.word)
            except CannotTell as cannot:
                undecided = undecided or cannot
                continue
            if caller is not None:
                if began is self._round:
                    self._cache.keep(key, caller, seconds=verifier.cache_seconds)
                return caller
        raise undecided or CredentialsRefused("nobody here can verify these credentials")
