"""`/api/v2/tokens/me` of Genesys Cloud, answered here: what a caller's token is, and its end.

Upstream the same request would be about the gateway's own token, since a client's never passes
(threat H-11): it would describe a stranger, and a log-out would cut everybody off. So it is answered
here for every caller, after the policy has allowed it as any other operation. Field names are those
of the Platform API's `TokenInfo`, the capital O of `OAuthClient` among them.
"""

from collections.abc import Mapping

import msgspec

from gateway.errors import RevocationUnavailable, TokenNotOurs
from gateway.exchange import Ending, Exchange, Own, RequestHead
from gateway.http.target import Target
from gateway.issuer.answers import Answer, Result, reply
from gateway.issuer.clients import Client
from gateway.issuer.endpoints import Authorization, AuthorizationOf
from gateway.issuer.issuer import Issuer
from gateway.issuer.tokens import ClientCaller, TokenClaims
from gateway.wire.client import ClientConnection

__all__ = ["TOKEN_INFO_PATH", "TokenInfo"]

TOKEN_INFO_PATH = "/api/v2/tokens/me"  # noqa: S105 - a path


class TokenInfo:
    """Answers in the upstream's place. Without an issuer of our own no token can be ended."""

    def __init__(self, issuer: Issuer | None, *, authorization_of: AuthorizationOf) -> None:
        self._issuer = issuer
        self._authorization_of = authorization_of

    def __repr__(self) -> str:
        return f"<TokenInfo of {self._issuer!r}>"

    async def answer(
        self, exchange: Exchange, client: ClientConnection, head: RequestHead, _target: Target
    ) -> None:
        """Raises TokenNotOurs or RevocationUnavailable."""
        if head.method == "DELETE":
            await self._end(exchange)
            # This connection remembers its caller for a moment; the next request is a stranger's.
            head.section.caller_until = 0.0
            body = b""
        else:
            body = msgspec.json.encode(self._told(exchange))
        keep = client.reusable = client.reusable and client.can_skip_body()
        answer = Answer(status=200, result=Result.TOKEN_DESCRIBED, body=body)
        exchange.status = answer.status
        exchange.ending = Ending.COMPLETE
        client.write(
            reply(
                answer,
                request_id=exchange.id,
                keep=keep,
                is_head=head.method == "HEAD",
                is_1_1=head.is_1_1,
            )
        )

    async def _end(self, exchange: Exchange) -> None:
        caller = exchange.caller
        if self._issuer is None or not isinstance(caller, ClientCaller):
            raise TokenNotOurs
        token = TokenClaims(
            client_id=caller.client_id,
            token_id=caller.token_id,
            issued_at=int(caller.issued_at),
            expires_at=int(caller.expires_at or 0),
        )
        try:
            await self._issuer.revoke(token)
        except OSError as error:
            raise RevocationUnavailable(error.strerror or str(error)) from None
        decision = exchange.decision
        route = "" if decision is None or decision.route is None else decision.route.id
        said = (f"token {token.token_id}",)
        exchange.own = Own(route, Result.TOKEN_REVOKED.value, said, True)

    def _told(self, exchange: Exchange) -> Mapping[str, object]:
        caller = exchange.caller
        client = None
        if self._issuer is not None and isinstance(caller, ClientCaller):
            client = self._issuer.held.clients.get(caller.client_id)
        if client is None:
            return {"authorizedScope": sorted(caller.scopes or ())}
        given = self._authorization_of(client.name)
        scopes = given.scopes if caller.scopes is None else given.scopes & caller.scopes
        return {
            "authorizedScope": sorted(scopes),
            "OAuthClient": _described(client, given),
        }


def _described(client: Client, given: Authorization) -> Mapping[str, object]:
    return {
        "id": client.id,
        "name": client.title or client.name,
        "authorizedGrantType": "CLIENT-CREDENTIALS",
        "scope": sorted(given.scopes),
        "roleDivisions": [
            {"roleId": role, "divisionId": division} for role, division in given.grants
        ],
        "accessTokenValiditySeconds": client.token_seconds,
        "state": client.state.value,
    }
