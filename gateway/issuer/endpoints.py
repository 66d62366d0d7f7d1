"""The endpoints of the issuer on the public port: token, revoke, introspect, jwks, metadata.

Each is found by its exact path before anybody is identified, for a client shows its own credentials
here and not a caller's. The order of the checks is the defence: what can be told from the form of a
request is told before a secret is looked at, who has failed too often is turned away before it
costs anything, and only a proved client hears what else is wrong.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from random import uniform
from typing import NamedTuple

import msgspec

from gateway.errors import BodyTooLarge
from gateway.exchange import Ending, Exchange, Own, RequestHead
from gateway.http.target import Target
from gateway.issuer.answers import Answer, OAuthError, Result, json_answer, refused, reply
from gateway.issuer.clients import Client, ClientState
from gateway.issuer.form import MAX_FORM_BYTES, FormUnreadable, is_form, read_form
from gateway.issuer.issuer import Issuer
from gateway.issuer.proofs import RETRY, Proofs
from gateway.issuer.requests import claimed, scopes_in
from gateway.issuer.tokens import MAX_SCOPE_LENGTH, TokenClaims
from gateway.issuer.verifier import OwnTokens
from gateway.logs import get as get_logger
from gateway.wire.client import ClientConnection
from policy import Caller, Kind, Means

__all__ = ["Authorization", "AuthorizationOf", "Endpoints"]

_log = get_logger("gateway.issuer")


class Authorization(NamedTuple):
    """What the policy gives a client: its scopes, and its roles, each with a division or `*`."""

    scopes: frozenset[str] = frozenset()
    grants: tuple[tuple[str, str], ...] = ()


AuthorizationOf = Callable[[str], Authorization]
"""By the client's name, at this moment."""

# On average; the longest rest after an overload is that long. Each guess holds one connection.
_GUESSERS_WAIT_SECONDS = 0.5

GRANT_TYPE = "client_credentials"

# RFC 6749 section 5.2: the challenge of the scheme that the client used, or could have.
_CHALLENGE = b'www-authenticate: Basic realm="%b", charset="UTF-8"\r\n'


class _Asked(NamedTuple):
    """One request to an endpoint, its body not yet read."""

    exchange: Exchange
    client: ClientConnection
    head: RequestHead
    target: Target


class _Endpoint(NamedTuple):
    route: str
    methods: frozenset[str]
    answer: Callable[[_Asked], Awaitable[Answer]]


_READ = frozenset({"GET", "HEAD"})
_POST = frozenset({"POST"})


class Endpoints:
    """What the issuer answers, by path. `results` counts requests for tokens by their result."""

    def __init__(
        self, issuer: Issuer, tokens: OwnTokens, *, authorization_of: AuthorizationOf, realm: str
    ) -> None:
        self._issuer = issuer
        self._tokens = tokens
        self._authorization_of = authorization_of
        self._challenge = _CHALLENGE % realm.encode("ascii")
        self._proofs = Proofs(issuer)
        self.results: Counter[str] = Counter(dict.fromkeys(_TOLD, 0))
        paths = issuer.settings.endpoints
        self.by_path: Mapping[str, _Endpoint] = {
            paths["token"]: _Endpoint("oauth-token", _POST, self._token),
            paths["revoke"]: _Endpoint("oauth-revoke", _POST, self._revoke),
            paths["introspect"]: _Endpoint("oauth-introspect", _POST, self._introspect),
            paths["jwks"]: _Endpoint("oauth-jwks", _READ, self._jwks),
            paths["metadata"]: _Endpoint("oauth-metadata", _READ, self._metadata),
        }
        self._told = _metadata_of(issuer)

    def __repr__(self) -> str:
        return f"<Endpoints {', '.join(self.by_path)}>"

    async def close(self) -> None:
        """Try no further secret."""
        await self._proofs.close()

    async def answer(
        self, exchange: Exchange, client: ClientConnection, head: RequestHead, target: Target
    ) -> None:
        """Answer a request to the path of an endpoint, whatever is wrong with it.

        Raises FramingRejected or RequestTimeout where its body does not come.
        """
        endpoint = self.by_path[target.path]
        asked = _Asked(exchange, client, head, target)
        try:
            if head.method not in endpoint.methods:
                raise _method_refused(endpoint.methods)
            answer = await endpoint.answer(asked)
        except OAuthError as error:
            answer = refused(error)
            if error.result is Result.INVALID_CLIENT:
                answer = msgspec.structs.replace(answer, extra_lines=self._challenge)
        if answer.result in _SLOWED and not client.peer.is_trusted:
            # Who guesses is to wait for it; a proxy's connection is many clients', who do not.
            # Not all for as long, or those that came together come together again and again.
            await client.rest(_GUESSERS_WAIT_SECONDS * uniform(0.5, 1.5))  # noqa: S311
        if endpoint.route == "oauth-token":
            self.results[answer.result.value] += 1
        self._write(asked, endpoint.route, answer)

    def _write(self, asked: _Asked, route: str, answer: Answer) -> None:
        exchange, client, head, _ = asked
        keep = client.reusable = client.reusable and client.can_skip_body()
        exchange.own = Own(route, answer.result.value, answer.because, not answer.is_refusal)
        exchange.status = answer.status
        exchange.ending = Ending.REFUSED if answer.is_refusal else Ending.COMPLETE
        client.write(
            reply(
                answer,
                request_id=exchange.id,
                keep=keep,
                is_head=head.method == "HEAD",
                is_1_1=head.is_1_1,
            )
        )

    # --- what all of them have in common --------------------------------------------------------

    async def _form(self, asked: _Asked) -> dict[str, str]:
        _, client, head, target = asked
        if target.query:
            # RFC 6749 section 2.3.1: parameters "MUST NOT be included in the request URI".
            raise _malformed("parameters belong into the body")
        if not is_form(head.headers):
            raise _malformed("the body has to be application/x-www-form-urlencoded")
        if (head.headers.content_length or 0) > MAX_FORM_BYTES:
            raise _too_large()
        try:
            return read_form(await client.whole_body(MAX_FORM_BYTES))
        except BodyTooLarge:
            raise _too_large() from None
        except FormUnreadable as error:
            raise _malformed(str(error)) from None

    async def _proved(self, asked: _Asked, form: dict[str, str]) -> Client:
        exchange = asked.exchange
        said = claimed(asked.head.headers.authorization, form)
        client = await self._proofs.client_of(said, exchange.peer)
        exchange.caller = Caller(
            subject=client.name, kind=Kind.SERVICE, means=Means.CLIENT_CREDENTIALS
        )
        return client

    # --- RFC 6749 section 4.4 -------------------------------------------------------------------

    async def _token(self, asked: _Asked) -> Answer:
        form = await self._form(asked)
        grant_type = form.get("grant_type")
        if grant_type is None:
            raise _malformed("`grant_type` is missing")
        if grant_type != GRANT_TYPE:
            message = "the only grant type here is `client_credentials`"
            raise OAuthError(Result.UNSUPPORTED_GRANT_TYPE, message)
        client = await self._proved(asked, form)
        if client.state is not ClientState.ACTIVE:
            message = "the client is inactive and gets no new tokens"
            raise OAuthError(Result.UNAUTHORIZED_CLIENT, message)
        authorized = self._authorization_of(client.name).scopes
        scopes = _narrowed(form.get("scope"), authorized)
        token, text = await self._issuer.issue(client, scopes)
        granted = tuple(sorted(authorized)) if scopes is None else scopes
        because = [f"token {token.token_id}"]
        if scopes is not None:
            because.append(f"scope {' '.join(scopes)}")
        return json_answer(
            Result.TOKEN_ISSUED,
            {
                "access_token": text,
                "token_type": "bearer",
                "expires_in": client.token_seconds,
                # RFC 6749 section 5.1: required where it differs from what was asked for.
                **({"scope": " ".join(granted)} if granted else {}),
            },
            *because,
        )

    # --- RFC 7009 -------------------------------------------------------------------------------

    async def _revoke(self, asked: _Asked) -> Answer:
        form = await self._form(asked)
        text = _token_in(form)
        client = await self._proved(asked, form)
        token = self._tokens.claims(text)
        if token is None:
            # Section 2.2: "invalid tokens do not cause an error response".
            return Answer(status=200, result=Result.TOKEN_REVOKED, because=("no token of ours",))
        if token.client_id != client.id:
            # Section 2.1: it "verifies whether the token was issued to the client".
            raise OAuthError(Result.UNAUTHORIZED_CLIENT, "the token was issued to another client")
        try:
            await self._issuer.revoke(token)
        except OSError as error:
            _log.error("a token cannot be revoked", why=error.strerror or str(error))
            message = "the revocation cannot be recorded just now"
            raise OAuthError(Result.UNAVAILABLE, message, extra_lines=RETRY) from None
        return Answer(status=200, result=Result.TOKEN_REVOKED, because=(f"token {token.token_id}",))

    # --- RFC 7662 -------------------------------------------------------------------------------

    async def _introspect(self, asked: _Asked) -> Answer:
        form = await self._form(asked)
        text = _token_in(form)
        asking = await self._proved(asked, form)
        token = self._tokens.claims(text)
        holder = None if token is None else self._issuer.client_of(token)
        if token is None or holder is None or not (asking.may_introspect or holder is asking):
            # Section 2.2: whoever may not know of a token learns that it is not active, no more.
            return json_answer(Result.TOKEN_DESCRIBED, {"active": False}, "not active")
        return json_answer(
            Result.TOKEN_DESCRIBED, self._described(token, holder), f"token {token.token_id}"
        )

    def _described(self, token: TokenClaims, holder: Client) -> dict[str, object]:
        authorized = self._authorization_of(holder.name).scopes
        scopes = authorized if token.scopes is None else authorized.intersection(token.scopes)
        settings = self._issuer.settings
        return {
            "active": True,
            **({"scope": " ".join(sorted(scopes))} if scopes else {}),
            "client_id": token.client_id,
            "username": holder.name,
            "token_type": "bearer",
            "exp": token.expires_at,
            "iat": token.issued_at,
            "sub": token.client_id,
            "aud": settings.audience,
            "iss": settings.issuer,
            "jti": token.token_id,
        }

    # --- RFC 7517 and RFC 8414 ------------------------------------------------------------------

    async def _jwks(self, _asked: _Asked) -> Answer:
        return Answer(
            status=200, result=Result.PUBLISHED, body=self._issuer.held.jwks, may_be_kept=True
        )

    async def _metadata(self, _asked: _Asked) -> Answer:
        return Answer(status=200, result=Result.PUBLISHED, body=self._told, may_be_kept=True)


# What costs us little and would cost a guesser nothing.
_SLOWED = frozenset({Result.TOO_MANY_FAILURES, Result.UNAVAILABLE})

_TOLD = tuple(
    result.value for result in Result if result.oauth_error or result is Result.TOKEN_ISSUED
)


def _narrowed(wanted: str | None, authorized: frozenset[str]) -> tuple[str, ...] | None:
    """The scopes of a token that was asked for with `wanted`. Raises OAuthError (J-16)."""
    if wanted is None:
        return None
    if len(wanted) > MAX_SCOPE_LENGTH:
        raise OAuthError(Result.INVALID_SCOPE, "the scope is too long")
    scopes = scopes_in(wanted)
    if not authorized.issuperset(scopes):
        raise OAuthError(
            Result.INVALID_SCOPE, "the client is not authorized for every scope that it asks for"
        )
    return scopes


def _token_in(form: dict[str, str]) -> bytes:
    text = form.get("token")
    if text is None:
        raise _malformed("`token` is missing")
    return text.encode("utf-8")


def _malformed(description: str) -> OAuthError:
    return OAuthError(Result.INVALID_REQUEST, description)


def _too_large() -> OAuthError:
    return OAuthError(Result.INVALID_REQUEST, "the form is too large", status=413)


def _method_refused(methods: frozenset[str]) -> OAuthError:
    allow = b"allow: %b\r\n" % ", ".join(sorted(methods)).encode("ascii")
    message = f"only {' and '.join(sorted(methods))} is served here"
    return OAuthError(Result.INVALID_REQUEST, message, status=405, extra_lines=allow)


def _metadata_of(issuer: Issuer) -> bytes:
    """RFC 8414 section 2."""
    settings = issuer.settings
    at = {name: settings.origin + path for name, path in settings.endpoints.items()}
    ways = ["client_secret_basic", "client_secret_post"]
    return msgspec.json.encode({
        "issuer": settings.issuer,
        "token_endpoint": at["token"],
        "jwks_uri": at["jwks"],
        "revocation_endpoint": at["revoke"],
        "introspection_endpoint": at["introspect"],
        "response_types_supported": [],
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ways,
        "revocation_endpoint_auth_methods_supported": ways,
        "introspection_endpoint_auth_methods_supported": ways,
    })  # fmt: skip
