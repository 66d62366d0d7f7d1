"""What a gateway answers itself on the public port: its issuer, wired to the rest of it."""

from collections.abc import Mapping
from functools import partial

from gateway.authn import realm_of
from gateway.clock import Clock
from gateway.counts import Metrics
from gateway.issuer import TOKEN_INFO_PATH, Authorization, Endpoints, Issuer, OwnTokens, TokenInfo
from gateway.live import LivePolicy
from gateway.pipeline import Respond
from gateway.settings import Settings

__all__ = ["OwnAnswers"]


EVERYWHERE = "*"
"""How Genesys Cloud and the policy's files write "in all divisions"."""


def _authorization_of(live: LivePolicy, name: str) -> Authorization:
    given = live.table.clients.get(name)
    if given is None:
        return Authorization()
    within = dict(given.within)
    return Authorization(
        frozenset(given.scopes),
        tuple((role, each) for role in given.roles for each in within.get(role, (EVERYWHERE,))),
    )


class OwnAnswers:
    """The issuer of one gateway, if its settings have one. Raises SettingsInvalid when built."""

    def __init__(self, settings: Settings, clock: Clock, live: LivePolicy) -> None:
        identity = settings.identity
        authorization_of = partial(_authorization_of, live)
        self.issuer: Issuer | None = None
        self.tokens: OwnTokens | None = None
        self.endpoints: Endpoints | None = None
        if identity.clients is not None:
            realm = realm_of(identity)
            self.issuer = Issuer(identity.clients, clock, watch=settings.reload.watch)
            self.tokens = OwnTokens(self.issuer, realm=realm, cache_seconds=identity.cache_seconds)
            self.endpoints = Endpoints(
                self.issuer, self.tokens, authorization_of=authorization_of, realm=realm
            )
        info = TokenInfo(self.issuer, authorization_of=authorization_of)
        self.instead: Mapping[str, Respond] = {
            service.prefix.removesuffix("/") + TOKEN_INFO_PATH: info.answer
            for service in settings.services
            if service.token_info
        }

    def __repr__(self) -> str:
        return f"<OwnAnswers {self.endpoints!r}>"

    @property
    def by_path(self) -> Mapping[str, Respond]:
        """The endpoints, which nobody needs to be identified for."""
        endpoints = self.endpoints
        return {} if endpoints is None else dict.fromkeys(endpoints.by_path, endpoints.answer)

    async def start(self) -> None:
        """Keep up with the files of the clients."""
        if self.issuer is not None:
            await self.issuer.start()

    async def close(self) -> None:
        """Look at no file and try no secret any more."""
        if self.endpoints is not None:
            await self.endpoints.close()
        if self.issuer is not None:
            await self.issuer.close()

    async def reload(self) -> None:
        """Read clients and keys again. Raises SettingsInvalid."""
        if self.issuer is not None:
            await self.issuer.reload()

    def declare(self, metrics: Metrics) -> None:
        """Have it counted."""
        issuer, endpoints = self.issuer, self.endpoints
        if issuer is None or endpoints is None:
            return
        results, revocations = endpoints.results, issuer.revocations
        metrics.read("gateway_tokens_issued_total", lambda: {
            (result,): count for result, count in results.items()
        })  # fmt: skip
        metrics.read("gateway_tokens_revoked", lambda: len(revocations))
        metrics.read("gateway_clients_stale", lambda: issuer.is_stale)
