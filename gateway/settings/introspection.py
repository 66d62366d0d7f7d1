"""Servers that are asked about tokens that nobody else can read (RFC 7662)."""

from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from gateway.settings.base import finding, refuse
from gateway.settings.oauth import EndpointUrl, OAuthClient
from gateway.settings.values import Count, Seconds

__all__ = ["IntrospectionServer", "claim_name"]


def claim_name(claim: str | None) -> str | None:
    """A dotted path, none of whose steps is empty."""
    if claim is not None and not all(claim.split(".")):
        raise PydanticCustomError(
            "claim-malformed", "expected a claim's name such as `roles` or `realm_access.roles`"
        )
    return claim


class IntrospectionServer(OAuthClient):
    """One authorization server whose opaque tokens are good here; it is asked about each."""

    url: EndpointUrl = Field(
        description="its introspection endpoint; `https` unless on this machine, since every token"
        " goes there"
    )
    issuer: str | None = Field(
        default=None,
        min_length=1,
        description="value that `iss` of its answers must have; a JWT that names another issuer is"
        " not sent there",
    )
    audience: str | None = Field(
        default=None,
        min_length=1,
        description="value that `aud` of its answers must contain. Left out, a token that it gave out"
        " for any other service is good here",
    )
    token_prefix: str = Field(
        default="",
        description="what its tokens begin with, if anything: tokens that begin otherwise are not"
        " sent there, which keeps one server's tokens from another",
    )
    roles_claim: str = Field(
        default="roles",
        description="member of the answer that holds the caller's roles; `a.b` reaches into an"
        " object, a name with `/` in it is taken whole",
    )
    scopes_claim: str | None = Field(
        default="scope",
        description="member that holds the token's scopes, as one text with spaces or as a list;"
        " where it is missing the token has none. `null` for a server whose tokens say nothing of"
        " scopes",
    )
    subject_claim: str = Field(
        default="sub",
        description="member that holds the caller's name; `client_id` for a server that names"
        " programs there",
    )
    subject_prefix: str | None = Field(
        default=None,
        description='put before the name; has to be given, if only as `""`, where names come from'
        " several sources, as for `jwt`",
    )
    leeway_seconds: float = Field(
        default=30.0, ge=0, le=300, description="clock difference to forgive in `exp` and `nbf`"
    )
    cache_seconds: float = Field(
        default=30.0,
        ge=0,
        le=3_600,
        description="how long an answer is believed, `exp` at the latest: so long a token that is"
        " withdrawn there is still good here; 0 to ask for every request",
    )
    cooldown_seconds: Seconds = Field(
        default=5.0,
        description="how long it is left alone after three failures in a row; meanwhile its callers"
        " get 503 at once, then one question tries whether it is back",
    )
    parallel: Count = Field(
        default=16,
        description="questions that one worker has under way there; of the further ones up to 256"
        " wait, as long as `timeout_seconds`",
    )

    @field_validator("roles_claim", "scopes_claim", "subject_claim")
    @classmethod
    def _names_every_step(cls, claim: str | None) -> str | None:
        return claim_name(claim)

    @model_validator(mode="after")
    def _prefix_is_of_a_token(self) -> Self:
        if not (self.token_prefix.isascii() and self.token_prefix.isprintable()):
            message = "expected the visible ASCII characters that its tokens begin with"
            refuse([finding("prefix-malformed", message, "token_prefix")])
        return self

    def _endpoint(self) -> str:
        return self.url
