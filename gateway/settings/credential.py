"""What the gateway authenticates with upstream: one kind, its secret from a file or a variable."""

import base64
import re
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from gateway.settings.base import Section, finding, refuse
from gateway.settings.oauth import OAuthCredential
from gateway.settings.secret import SecretEnv, SecretFile
from gateway.settings.secret_source import FromFileOrEnvironment

__all__ = ["BasicCredential", "BearerCredential", "Credential"]


class BasicCredential(FromFileOrEnvironment):
    """A name and a password."""

    username: str = Field(description="the account that the upstream knows the gateway by")
    password_file: SecretFile | None = Field(
        default=None, description="file that holds the password"
    )
    password_env: SecretEnv | None = Field(
        default=None, description="environment variable that holds the password"
    )

    @field_validator("username")
    @classmethod
    def _fits_basic(cls, username: str) -> str:
        # RFC 7617 section 2: no colon in a user-id, no control characters
        if not username or ":" in username or not username.isprintable():
            raise PydanticCustomError(
                "username-malformed", "expected a name without `:` and control characters"
            )
        return username

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        self.only("password", self.password_file, self.password_env)
        return self

    @property
    def password(self) -> bytes:
        return self.only("password", self.password_file, self.password_env).value

    @property
    def authorization(self) -> bytes:
        joined = self.username.encode() + b":" + self.password
        return b"Basic " + base64.b64encode(joined)


# RFC 6750 section 2.1, b64token
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")


class BearerCredential(FromFileOrEnvironment):
    """A token that does not change."""

    token_file: SecretFile | None = Field(default=None, description="file that holds the token")
    token_env: SecretEnv | None = Field(
        default=None, description="environment variable that holds the token"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        key = "token_file" if self.token_file else "token_env"
        if not _TOKEN.fullmatch(self.token):
            message = "the secret is not a bearer token: letters, digits and `-._~+/=` only"
            refuse([finding("token-malformed", message, key)])
        return self

    @property
    def token(self) -> bytes:
        return self.only("token", self.token_file, self.token_env).value

    @property
    def authorization(self) -> bytes:
        return b"Bearer " + self.token


class Credential(Section):
    """How the gateway proves itself upstream; the caller's own credentials are never forwarded."""

    basic: BasicCredential | None = Field(default=None, description="HTTP Basic")
    bearer: BearerCredential | None = Field(default=None, description="a fixed bearer token")
    oauth: OAuthCredential | None = Field(
        default=None,
        description="a bearer token that the gateway fetches and renews itself, by OAuth client"
        " credentials (RFC 6749 section 4.4)",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = (self.basic, self.bearer, self.oauth)
        if sum(kind is not None for kind in kinds) != 1:
            message = "exactly one of `basic`, `bearer` and `oauth` has to be given"
            refuse([finding("credential-kind", message)])
        return self

    @property
    def authorization(self) -> bytes | None:
        """The value of the `Authorization` header, None where it changes. A secret: not for any log."""
        kind = self.basic or self.bearer
        return None if kind is None else kind.authorization
