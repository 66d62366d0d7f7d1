"""Which client sent a request to an endpoint: proved by its secret, and how often that may fail.

A secret that is known costs a look-up. Any other is tried by the slow road, unless too many were
wrong lately. Equal credentials that come together are tried once and counted once, and only bit for
bit equal ones (threat J-11).
"""

import asyncio

from gateway.errors import IdentityUnavailable
from gateway.issuer.answers import OAuthError, Result
from gateway.issuer.clients import Client
from gateway.issuer.failures import Failures
from gateway.issuer.issuer import Issuer
from gateway.issuer.requests import NOT_PROVED, Claimed
from gateway.logs import get as get_logger
from gateway.tasks import Tasks

__all__ = ["RETRY", "Proofs"]

_log = get_logger("gateway.issuer")

RETRY = b"retry-after: 1\r\n"
"""A header line: what could not be done just now may be asked for again."""


class Proofs:
    """The proofs that are under way, and the failures so far, of one worker."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        settings = issuer.settings
        self._failures = Failures(
            per_client=settings.max_failures_per_client,
            per_address=settings.max_failures_per_address,
            seconds=settings.failure_window_seconds,
        )
        # By id and secret, for as long as they are tried.
        self._under_way: dict[tuple[str, str], asyncio.Task[bool | None]] = {}
        self._tasks = Tasks("secrets")

    def __repr__(self) -> str:
        return f"<Proofs, {len(self._under_way)} under way>"

    async def close(self) -> None:
        """Try no further secret."""
        await self._tasks.close()

    async def client_of(self, said: Claimed, peer: str) -> Client:
        """The client that `said` who it is, from the address `peer`. Raises OAuthError.

        One that is disabled is nobody.
        """
        client = self._issuer.held.clients.get(said.id)
        if not self._issuer.secrets.is_known(client, said.secret):
            detail = ("client", "-" if client is None else client.name)
            if not await self._is_right(client, said, peer, detail):
                raise OAuthError(Result.INVALID_CLIENT, NOT_PROVED, detail=detail)
        assert client is not None  # noqa: S101 - nobody's secret is never right
        return client

    async def _is_right(
        self, client: Client | None, said: Claimed, peer: str, detail: tuple[str, ...]
    ) -> bool:
        """Whether a secret that is not known is right, unless there were too many."""
        key = said.id, said.secret
        proof = self._under_way.get(key)
        if proof is None:
            now = self._issuer.clock.monotonic()
            if too_many := self._failures.too_many(said.id, peer, now):
                # No `Retry-After`: SDKs would obey it in silence, over and over, with a secret that
                # is wrong.
                message = "too many failed attempts; try again later"
                raise OAuthError(Result.TOO_MANY_FAILURES, message, detail=(*detail, too_many))
            self._failures.add(said.id, peer, now)
            proof = self._tasks.start(self._prove(client, said, peer), name="secret")
            self._under_way[key] = proof
            proof.add_done_callback(lambda _: self._under_way.pop(key, None))
        await asyncio.wait({proof})  # who leaves meanwhile leaves the proof alone
        is_right = None if proof.cancelled() else proof.result()
        if is_right is None:
            message = "too much to do just now; try again soon"
            raise OAuthError(Result.UNAVAILABLE, message, detail=detail, extra_lines=RETRY)
        return is_right

    async def _prove(self, client: Client | None, said: Claimed, peer: str) -> bool | None:
        """None where it could not be tried."""
        is_right: bool | None = None
        try:
            is_right = await self._issuer.secrets.prove(client, said.secret)
        except IdentityUnavailable as error:
            _log.debug("a secret was not tried", why=error.detail)
        if is_right is not False:
            self._failures.take_back(said.id, peer, self._issuer.clock.monotonic())
        return is_right
