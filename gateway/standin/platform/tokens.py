"""Tokens for client credentials, and who presents one.

`/oauth/token` answers as the platform's login host does (RFC 6749 section 4.4, errors in OAuth's
shape and not in the platform's): both ways of giving the secret, one token kind, no refresh. The
texts of the two refusals differ, as they do at Genesys: whether a client exists can be told.
"""

import base64
import binascii
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from gateway.standin.platform.config import OAuthClient, PlatformConfig
from gateway.standin.platform.errors import bad_credentials, no_token

__all__ = ["Token", "TokenRefused", "Tokens"]

NO_CLIENT = "client not found"
WRONG_SECRET = "authentication failed"  # noqa: S105 - what is said, no secret


class TokenRefused(Exception):
    """The token endpoint says no, with this status and JSON body."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {
            "error": error,
            "description": description,
            "error_description": description,
        }


@dataclass(frozen=True, slots=True)
class Token:
    """What a bearer token stands for."""

    client: OAuthClient
    expires: datetime


class Tokens:
    """The tokens in use; the oldest go when there are too many."""

    def __init__(self, config: PlatformConfig) -> None:
        self._clients = {client.client_id: client for client in config.clients}
        self._seconds = config.token_seconds
        self._limit = config.token_limit
        self._issued: OrderedDict[str, Token] = OrderedDict()
        self.issued_count = 0

    def __repr__(self) -> str:
        return f"<Tokens {len(self._issued)} of {self.issued_count} in use>"

    def issue(self, authorization: str | None, body: bytes, now: datetime) -> dict[str, Any]:
        """The JSON of a successful answer. Raises TokenRefused."""
        form = read_form(body)
        client = self.authenticated(*read_credentials(authorization, form))
        grant = form.get("grant_type")
        if grant is None:
            raise TokenRefused(400, "invalid_request", "grant_type is missing")
        if grant != "client_credentials":
            raise TokenRefused(400, "unsupported_grant_type", f"unsupported grant type {grant}")
        value = secrets.token_urlsafe(64)
        self._issued[value] = Token(client, now + timedelta(seconds=self._seconds))
        self.issued_count += 1
        while len(self._issued) > self._limit:
            self._issued.popitem(last=False)
        return {"access_token": value, "token_type": "bearer", "expires_in": self._seconds}

    def authenticated(self, client_id: str, secret: str) -> OAuthClient:
        client = self._clients.get(client_id)
        if client is None:
            raise TokenRefused(401, "invalid_client", NO_CLIENT)
        if not hmac.compare_digest(client.secret.encode(), secret.encode()):
            raise TokenRefused(401, "invalid_client", WRONG_SECRET)
        return client

    def bearer(self, authorization: str | None, now: datetime) -> Token:
        """Whose token this is. Raises a 401 fault."""
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise no_token()
        token = self._issued.get(value.strip())
        if token is None or now >= token.expires:
            raise bad_credentials()
        return token

    def revoke(self, authorization: str | None) -> None:
        """The token that is presented ends here."""
        self._issued.pop((authorization or "").partition(" ")[2].strip(), None)

    def revoke_all(self) -> None:
        """As if the client had been disabled for a moment: everybody has to log in again."""
        self._issued.clear()


def read_form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise TokenRefused(400, "invalid_request", "the body is no form") from error
    return dict(pairs)


def read_credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """RFC 6749 section 2.3.1: in the header, or in the form."""
    if authorization is None:
        if "client_id" not in form:
            raise TokenRefused(401, "invalid_client", NO_CLIENT)
        return form["client_id"], form.get("client_secret", "")
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise TokenRefused(401, "invalid_client", NO_CLIENT) from error
    client_id, _, secret = text.partition(":")
    return client_id, secret
