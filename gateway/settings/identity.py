"""How callers prove who they are: token issuers, a users file, certificates, our own clients."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from gateway.settings.base import Section, at_least_one, distinct, finding, refuse
from gateway.settings.clients import ClientsSettings
from gateway.settings.introspection import IntrospectionServer, claim_name
from gateway.settings.secret import ExistingFile, SecretFile
from gateway.settings.values import Count, Seconds, secure_or_local
from policy import Code

__all__ = ["Algorithm", "BasicSettings", "CertificateNames", "Identity", "Jwks", "JwtIssuer"]

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "EdDSA",
    "HS256", "HS384", "HS512",
]  # fmt: skip
"""Signature algorithms of RFC 7518 section 3.1 and RFC 8037; `none` is not one of them."""

_KEY_SOURCES = ("jwks", "jwk_file", "pem_file", "secret_file")


class Jwks(Section):
    """An issuer's published keys."""

    url: Annotated[str, AfterValidator(secure_or_local)] = Field(
        description="where the issuer publishes its keys; `https` unless on this machine"
    )
    refresh_seconds: Seconds = Field(
        default=300.0, description="age at which keys are fetched again; old ones serve meanwhile"
    )
    cooldown_seconds: Seconds = Field(
        default=30.0,
        description="least time between two fetches asked for by unknown key ids, so that made-up"
        " ones cannot flood the issuer",
    )
    timeout_seconds: Seconds = Field(default=5.0, description="for one fetch as a whole")


class JwtIssuer(Section):
    """One issuer of bearer tokens, and how to check that a token is its own."""

    issuer: str = Field(min_length=1, description="exact value of the `iss` claim")
    audience: str = Field(min_length=1, description="value that the `aud` claim must contain")
    algorithms: Annotated[tuple[Algorithm, ...], Field(strict=False), at_least_one] = Field(
        description="signature algorithms to accept; `HS*` only with `secret_file`, and alone"
    )
    jwks: Jwks | None = Field(default=None, description="keys from a URL")
    jwk_file: ExistingFile | None = Field(
        default=None, description="keys from a JSON file, one JWK or a set of them"
    )
    pem_file: ExistingFile | None = Field(default=None, description="one public key in PEM")
    secret_file: SecretFile | None = Field(
        default=None, description="shared secret for `HS*`, at least as long as the hash"
    )
    roles_claim: str = Field(
        default="roles",
        description="claim that holds the caller's roles; `a.b` reaches into an object, a name with"
        " `/` in it is taken whole",
    )
    scopes_claim: str | None = Field(
        default=None,
        description="claim that holds the token's scopes, `scope` or `scp` at most issuers, as one"
        " text with spaces or as a list; a token that lacks it has none. Left out, tokens say nothing"
        " of scopes",
    )
    subject_claim: str = Field(default="sub", description="claim that holds the caller's name")
    subject_prefix: str | None = Field(
        default=None,
        description='put before the name; has to be given, if only as `""`, where names come from'
        " several sources, because `users` of the policy takes equal names for the same person",
    )
    leeway_seconds: float = Field(
        default=30.0, ge=0, le=300, description="clock difference to forgive in `exp` and `nbf`"
    )

    @field_validator("roles_claim", "scopes_claim", "subject_claim")
    @classmethod
    def _names_every_step(cls, claim: str | None) -> str | None:
        return claim_name(claim)

    @model_validator(mode="after")
    def _key_fits_algorithms(self) -> Self:
        refuse(self._misfits())
        return self

    def _misfits(self) -> Iterator[InitErrorDetails]:
        """One key family per issuer: a public key is never tried as a shared secret (J-2)."""
        given = [key for key in _KEY_SOURCES if getattr(self, key) is not None]
        if len(given) != 1:
            yield finding(
                "key-source",
                "expected exactly one of `jwks`, `jwk_file`, `pem_file` and `secret_file`,"
                " found {found}",
                found=" and ".join(f"`{key}`" for key in given) or "none",
            )
            return
        for index, algorithm in enumerate(self.algorithms):
            shared = algorithm.startswith("HS")
            if shared is not (given == ["secret_file"]):
                message = "`{algorithm}` cannot be checked with `{source}`"
                yield finding(
                    "algorithm-misfit", message, "algorithms", index,
                    algorithm=algorithm, source=given[0],
                )  # fmt: skip
            # RFC 7518 section 3.2: a key of the same size as the hash output or larger
            elif (
                shared and self.secret_file and len(self.secret_file.value) * 8 < int(algorithm[2:])
            ):
                message = (
                    "the secret is too short for `{algorithm}`: expected {bytes} bytes or more"
                )
                yield finding(
                    "key-length", message, "secret_file",
                    algorithm=algorithm, bytes=int(algorithm[2:]) // 8,
                )  # fmt: skip


class BasicSettings(Section):
    """HTTP Basic against a users file."""

    users: ExistingFile = Field(description="YAML file of users and their Argon2id hashes")
    realm: str = Field(default="UCS", description="what a browser asks the password for")
    parallel: int = Field(
        default=2, ge=1, le=64, description="passwords verified at once; each takes 64 MiB or so"
    )
    cache_seconds: float = Field(
        default=60.0,
        ge=0,
        le=3_600,
        description="how long a password that was right is not verified again; 0 for never",
    )

    @field_validator("realm")
    @classmethod
    def _fits_a_quoted_string(cls, realm: str) -> str:
        if not (realm.isascii() and realm.isprintable()) or not realm or {'"', "\\"} & set(realm):
            raise PydanticCustomError(
                "realm-malformed", 'expected visible ASCII characters without `"` and `\\`'
            )
        return realm


class CertificateNames(Section):
    """Client certificates as proof of who is calling; which ones, `listen.tls` says."""

    name_from: Literal["common-name", "dns", "uri", "email"] = Field(
        description="where a certificate has its holder's name: the subject's common name, or the"
        " subject alternative name of that kind; one that has several of them, or none, is refused"
    )
    subject_prefix: str | None = Field(
        default=None,
        description='put before the name; has to be given, if only as `""`, where names come from'
        " several sources, as for `jwt`",
    )
    kind: Literal["service", "user"] = Field(
        default="service", description="whether certificates stand for programs or for persons"
    )


class Identity(Section):
    """Who may vouch for callers."""

    jwt: Annotated[tuple[JwtIssuer, ...], Field(strict=False), distinct("issuer")] = Field(
        default=(), description="issuers of bearer tokens"
    )
    introspection: Annotated[
        tuple[IntrospectionServer, ...], Field(strict=False), distinct("url")
    ] = Field(
        default=(),
        description="servers that are asked about bearer tokens which none of `jwt` can read, in this"
        " order (RFC 7662)",
    )
    basic: BasicSettings | None = Field(
        default=None, description="HTTP Basic, which is what UCS clients speak"
    )
    certificates: CertificateNames | None = Field(
        default=None,
        description="client certificates, for requests without `Authorization`; needs"
        " `listen.tls.client_ca_file`",
    )
    clients: ClientsSettings | None = Field(
        default=None,
        description="the gateway's own OAuth 2.0 token endpoint, for programs; without it there is"
        " none",
    )
    cache_entries: Count = Field(
        default=10_000, description="verified callers remembered, so that a token is verified once"
    )
    cache_seconds: Seconds = Field(
        default=300.0,
        description="longest that a verified token is remembered, its expiry at the latest",
    )

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> Self:
        """Two sources that vouch for `anna` mean one person only if the operator says so (J-13)."""
        certificates = self.certificates
        others = (self.basic is not None) + (certificates is not None)
        several = len(self.jwt) + len(self.introspection) + others > 1
        message = (
            "names come from several sources: say what stands before the names of this one,"
            ' or `""` if equal names mean the same person'
        )
        prefixes = {
            "jwt": [issuer.subject_prefix for issuer in self.jwt],
            "introspection": [server.subject_prefix for server in self.introspection],
        }
        at: list[tuple[str | int, ...]] = [
            (key, index)
            for key, given in prefixes.items()
            for index, prefix in enumerate(given)
            if prefix is None
        ]
        if certificates is not None and certificates.subject_prefix is None:
            at.append(("certificates",))
        refuse(finding("names-collide", message, *each) for each in at if several)
        return self

    @model_validator(mode="after")
    def _issuers_are_told_apart(self) -> Self:
        """A token's `iss` says whose it is; two cannot have the same."""
        clients = self.clients
        message = "`{issuer}` is an issuer of `identity.jwt` already"
        if clients is not None and any(each.issuer == clients.issuer for each in self.jwt):
            at = ("clients", "issuer")
            refuse([finding(Code.DUPLICATE_NAME, message, *at, issuer=clients.issuer)])
        return self
