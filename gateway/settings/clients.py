"""The gateway's own OAuth 2.0 token endpoint: where it is, who may use it, what it signs with."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.settings.base import Section, at_least_one, finding, refuse
from gateway.settings.secret import ExistingFile, WritableFile
from gateway.settings.values import BasePath, Count, Seconds

__all__ = ["ClientsSettings", "under"]


def _issuer(value: str) -> str:
    """RFC 8414 section 2: a URL with no query or fragment; it is a name, and never fetched."""
    try:
        parts = urlsplit(value)
        well_formed = bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        parts, well_formed = urlsplit(""), False
    path = parts.path.removesuffix("/")
    if (
        parts.scheme not in {"http", "https"}
        or not well_formed
        or not (value.isascii() and value.isprintable())
        or {"?", "#", " ", '"', "\\", "%"} & set(value)
        or any(segment in {"", ".", ".."} for segment in path.split("/")[1:])
    ):
        raise PydanticCustomError(
            "url-malformed",
            "expected a URL such as `https://gateway.example.com`, without query and fragment",
        )
    return value


def under(prefix: str, path: str) -> str:
    """`path` under `prefix`, each of which may be `/`."""
    return prefix.removesuffix("/") + path


class ClientsSettings(Section):
    """Programs that get their tokens here, by the client credentials grant of OAuth 2.0."""

    file: ExistingFile = Field(
        description="YAML file of clients and the Argon2id hashes of their secrets, which"
        " `ucs-gateway client` edits; with `reload.watch` it is taken over as soon as it changes"
    )
    issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        description="what clients call this gateway, as `https://gateway.example.com`: the `iss`"
        " of its tokens, and the beginning of the addresses that its metadata tell"
    )
    audience: str = Field(
        default="ucs-gateway", min_length=1, description="the `aud` of its tokens"
    )
    signing_keys: Annotated[tuple[ExistingFile, ...], Field(strict=False), at_least_one] = Field(
        description="files of private keys in PEM, one or more in each: Ed25519 signs `EdDSA`,"
        " P-256 `ES256`, RSA `RS256`; the first key signs, once it is five seconds old, all verify"
        " and are published; a public key only verifies"
    )
    revocations: WritableFile = Field(
        description="file to which revoked tokens are appended until they would have ended by"
        " themselves; made where it is not there; keep it, or they are good again"
    )
    prefix: BasePath = Field(
        default="/",
        description="path under which clients see the endpoints, as the SDKs' gateway setting has"
        " it for the login",
    )
    token_path: BasePath = Field(
        default="/oauth/token",
        description="the token endpoint, under `prefix`; beside it are `revoke`, `introspect` and"
        " `jwks`",
    )
    parallel: int = Field(
        default=1,
        ge=1,
        le=64,
        description="secrets verified at once in a worker; one that was right is remembered",
    )
    max_failures_per_client: Count = Field(
        default=20,
        description="wrong secrets for one client id within `failure_window_seconds` in a worker,"
        " after which addresses that have failed before get 429 for it unasked",
    )
    max_failures_per_address: Count = Field(
        default=20,
        description="wrong secrets from one address (of IPv6, one /64), after which it gets 429 for"
        " any secret but one that was right before",
    )
    failure_window_seconds: Seconds = Field(
        default=60.0, description="time in which so many failures are forgotten, bit by bit"
    )

    @model_validator(mode="after")
    def _endpoints_are_told_apart(self) -> Self:
        paths = list(self.endpoints.values())
        message = "`{path}` is the path of another endpoint"
        if len(set(paths)) < len(paths):
            refuse([finding("endpoint-shared", message, "token_path", path=self.token_path)])
        return self

    @property
    def endpoints(self) -> dict[str, str]:
        """What clients see: each endpoint's name and its path."""
        token = under(self.prefix, self.token_path)
        beside = token.rpartition("/")[0]
        path = urlsplit(self.issuer).path.removesuffix("/")
        return {
            "token": token,
            "revoke": f"{beside}/revoke",
            "introspect": f"{beside}/introspect",
            "jwks": f"{beside}/jwks",
            # RFC 8414 section 3: the well-known word stands before the issuer's own path.
            "metadata": f"/.well-known/oauth-authorization-server{path}",
        }

    @property
    def origin(self) -> str:
        """Scheme and authority of the issuer."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"
