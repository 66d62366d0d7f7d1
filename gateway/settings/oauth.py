"""The gateway as a client of somebody else's authorization server: who it is there, and how it asks.

What is common to every such endpoint stands in `OAuthClient`. The name, the secret and whatever is
asked go to the URL that the settings name and nowhere else, and over `https` unless that is on this
machine.
"""

import re
import ssl
from abc import ABC, abstractmethod
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from gateway.settings.base import finding, refuse, surroundings
from gateway.settings.secret import ExistingFile, Secret, SecretEnv, SecretFile
from gateway.settings.secret_source import FromFileOrEnvironment
from gateway.settings.upstream_tls import complaint_of_authorities, verifying_context
from gateway.settings.values import Seconds, secure_or_local

__all__ = ["EndpointUrl", "OAuthClient", "OAuthCredential"]

EndpointUrl = Annotated[str, AfterValidator(secure_or_local)]

# RFC 6749 appendix A.1 and section 3.3
_CLIENT_ID = re.compile(r"[\x20-\x7e]{1,256}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")


class OAuthClient(FromFileOrEnvironment, ABC):
    """Who the gateway is at an endpoint of an authorization server."""

    client_id: str = Field(description="what that server calls the gateway")
    client_secret_file: SecretFile | None = Field(
        default=None,
        description="file that holds the secret; read again for every question, so that a new one"
        " needs no restart",
    )
    client_secret_env: SecretEnv | None = Field(
        default=None, description="environment variable that holds the secret"
    )
    authenticate: Literal["basic", "body"] = Field(
        default="basic",
        description="where name and secret go: `basic` into `Authorization`, `body` into the form;"
        " `client_secret_basic` and `client_secret_post` of RFC 6749 section 2.3.1",
    )
    ca_file: ExistingFile | None = Field(
        default=None,
        description="PEM file of the certificate authorities to trust there, and no others; the"
        " system's if left out",
    )
    timeout_seconds: Seconds = Field(
        default=5.0, description="for one question as a whole, from connecting to the answer's end"
    )

    _context: ssl.SSLContext | None = PrivateAttr(default=None)

    @field_validator("client_id")
    @classmethod
    def _is_visible(cls, client_id: str) -> str:
        if not _CLIENT_ID.fullmatch(client_id):
            raise PydanticCustomError(
                "client-malformed", "expected the name of a client in visible ASCII characters"
            )
        return client_id

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        self.only("client_secret", self.client_secret_file, self.client_secret_env)
        faults = []
        if self.ca_file is not None and not self._endpoint().startswith("https:"):
            message = "nothing is asked by `https`, so this would be without effect"
            faults.append(finding("tls-unused", message, "ca_file"))
        elif self.ca_file is not None and surroundings() is not None:
            faults += filter(None, [complaint_of_authorities(self.ca_file)])
        refuse(faults)
        if surroundings() is not None:
            self.tls()
        return self

    @property
    def client_secret(self) -> Secret:
        return self.only("client_secret", self.client_secret_file, self.client_secret_env)

    def tls(self) -> ssl.SSLContext | None:
        """Whom to believe there, from the file as it was the first time; None without TLS."""
        if self._context is None and self._endpoint().startswith("https:"):
            self._context = verifying_context(self.ca_file)
        return self._context

    @abstractmethod
    def _endpoint(self) -> str:
        """Where it is one."""


class OAuthCredential(OAuthClient):
    """The client credentials grant: a token for the gateway itself, from an upstream's server."""

    token_url: EndpointUrl = Field(
        description="where tokens are given out, such as"
        " `https://login.mypurecloud.com/oauth/token`; `https` unless on this machine"
    )
    scopes: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="scopes to ask for; what the server gives by itself if left out"
    )
    audience: str | None = Field(
        default=None,
        min_length=1,
        description="`audience` to ask for, for servers that want one; not sent if left out",
    )
    renew_before_seconds: Seconds = Field(
        default=300.0,
        description="how long before its end a token is renewed, at the earliest after three"
        " quarters of its life; the old one serves until then",
    )

    @field_validator("scopes")
    @classmethod
    def _are_scopes(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_SCOPE.fullmatch(scope) for scope in scopes):
            raise PydanticCustomError(
                "scope-malformed", "expected scopes, each one word in visible ASCII characters"
            )
        return scopes

    def _endpoint(self) -> str:
        return self.token_url
