"""From the identity settings to an Authenticator, or to everything that is wrong with its files.

The same road is taken again when the files have changed: everything is read and built aside, and
only then takes over. What is fetched and not read, an issuer's published keys, is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gateway.authn.base import Verifier
from gateway.authn.basic import BasicVerifier
from gateway.authn.bearer import BearerVerifier, TrustedIssuer
from gateway.authn.certificates import CertificateRules
from gateway.authn.chain import Authenticator
from gateway.authn.claims import ClaimRules
from gateway.authn.introspection import IntrospectionVerifier, Introspector
from gateway.authn.jwk import Unusable
from gateway.authn.jwks import PublishedKeys
from gateway.authn.key_files import read_jwk_file, read_pem_file, shared_secret
from gateway.authn.keys import FixedKeys, KeySet, KeySource
from gateway.authn.passwords import PasswordBench
from gateway.authn.users import read_users
from gateway.clock import Clock
from gateway.counts import Reading
from gateway.errors import SettingsInvalid
from gateway.outbound import Fetcher, an_endpoint
from gateway.settings import (
    BasicSettings,
    CertificateNames,
    Identity,
    IntrospectionServer,
    Jwks,
    JwtIssuer,
    Secret,
)
from policy import Caller, Code, Diagnostic, Kind, Location, Means, PolicyInvalid

__all__ = ["Vouching", "build_authenticator", "realm_of"]

# The protection space of a gateway whose settings name none.
_REALM = "ucs-gateway"


def realm_of(identity: Identity) -> str:
    """What challenges call the gateway."""
    return _REALM if identity.basic is None else identity.basic.realm


class Vouching(Verifier, Protocol):
    """A verifier that is told of changes by other ways: it outlives reloads, and is asked again."""

    def stands(self, caller: Caller) -> bool:
        """Whether a caller that it vouched for, and that is remembered, still is who it was."""


def build_authenticator(
    identity: Identity, clock: Clock, own: Vouching | None = None
) -> Authenticator:
    """Read every file that the settings name; raise SettingsInvalid with all that is wrong.

    `own` verifies the tokens that the gateway issues itself.
    """
    files = _Files(identity, clock, own)
    certificates = identity.certificates
    return Authenticator(
        files.read(),
        clock=clock,
        cache_entries=identity.cache_entries,
        realm=files.realm,
        read_again=files.read,
        stands=(lambda _caller: True) if own is None else own.stands,
        certificates=None if certificates is None else _certificates(certificates),
        readings=files.readings(),
    )


class _Files:
    """What the settings name, to be read as often as it may have changed."""

    def __init__(self, identity: Identity, clock: Clock, own: Vouching | None) -> None:
        self._identity = identity
        self._clock = clock
        self._own = own
        self.realm = realm_of(identity)
        # Issuers with the same URL share its fetches, and whoever reads again shares them too:
        # an issuer that happens to be away must not take its good keys with it.
        self._published = {
            each.jwks: _published(each.jwks, clock) for each in identity.jwt if each.jwks
        }
        self._introspectors = {
            each.url: _introspector(each, clock) for each in identity.introspection
        }

    def read(self) -> Sequence[Verifier]:
        """Verifiers of what the files hold now, or SettingsInvalid with all that is wrong."""
        identity = self._identity
        findings: list[Diagnostic] = []
        verifiers: list[Verifier] = [] if self._own is None else [self._own]
        if identity.jwt:
            bearer = BearerVerifier(
                self._issuers(findings),
                clock=self._clock,
                realm=self.realm,
                cache_seconds=identity.cache_seconds,
            )
            verifiers.append(bearer)
        # After the issuers of JWTs, who know their own without asking anybody.
        verifiers += (self._introspection(each) for each in identity.introspection)
        if identity.basic is not None:
            try:
                verifiers.append(_basic(identity.basic))
            except PolicyInvalid as invalid:
                findings.extend(invalid.diagnostics)
        if findings:
            raise SettingsInvalid(tuple(findings))
        return verifiers

    def readings(self) -> Mapping[str, Reading]:
        """What is counted by what outlives the verifiers."""
        asked = self._introspectors
        return {
            "gateway_introspections_total": lambda: {
                (url, result): count
                for url, each in asked.items()
                for result, count in (
                    ("active", each.active), ("inactive", each.inactive), ("failed", each.failed),
                )
            }
        } if asked else {}  # fmt: skip

    def _introspection(self, settings: IntrospectionServer) -> IntrospectionVerifier:
        rules = ClaimRules(
            issuer=settings.issuer,
            audience=settings.audience,
            origin=settings.url,
            means=Means.INTROSPECTION,
            has_to_end=False,
            roles_claim=settings.roles_claim,
            scopes_claim=settings.scopes_claim,
            subject_claim=settings.subject_claim,
            subject_prefix=settings.subject_prefix or "",
            leeway_seconds=settings.leeway_seconds,
        )
        return IntrospectionVerifier(
            self._introspectors[settings.url],
            rules,
            clock=self._clock,
            realm=self.realm,
            cache_seconds=settings.cache_seconds,
            token_prefix=settings.token_prefix,
        )

    def _issuers(self, findings: list[Diagnostic]) -> list[TrustedIssuer]:
        issuers = []
        for each in self._identity.jwt:
            if each.jwks is not None:
                keys = self._published[each.jwks]
                issuers.append(_issuer(each, keys, origin=each.jwks.url))
                continue
            origin, read = _file(each)
            try:
                fixed = read()
            except Unusable as fault:
                message = f"the keys of the issuer `{each.issuer}` cannot be used: {fault}"
                findings.append(Diagnostic(Location(origin), Code.BAD_VALUE, message))
            else:
                issuers.append(_issuer(each, FixedKeys(fixed), origin=origin))
        return issuers


def _issuer(settings: JwtIssuer, keys: KeySource, *, origin: str) -> TrustedIssuer:
    rules = ClaimRules(
        issuer=settings.issuer,
        audience=settings.audience,
        roles_claim=settings.roles_claim,
        scopes_claim=settings.scopes_claim,
        subject_claim=settings.subject_claim,
        subject_prefix=settings.subject_prefix or "",
        leeway_seconds=settings.leeway_seconds,
    )
    return TrustedIssuer(rules, algorithms=settings.algorithms, keys=keys, origin=origin)


def _introspector(settings: IntrospectionServer, clock: Clock) -> Introspector:
    return Introspector(
        an_endpoint(settings, settings.url),
        clock=clock,
        parallel=settings.parallel,
        patience_seconds=settings.timeout_seconds,
        cooldown_seconds=settings.cooldown_seconds,
    )


def _published(jwks: Jwks, clock: Clock) -> PublishedKeys:
    return PublishedKeys(
        Fetcher(jwks.url, timeout_seconds=jwks.timeout_seconds),
        clock=clock,
        refresh_seconds=jwks.refresh_seconds,
        cooldown_seconds=jwks.cooldown_seconds,
    )


def _file(settings: JwtIssuer) -> tuple[str, Callable[[], KeySet]]:
    """The file that holds the issuer's keys, and how it is read."""
    algorithms = frozenset[str](settings.algorithms)
    secret, pem, jwk = settings.secret_file, settings.pem_file, settings.jwk_file
    if secret is not None:
        origin = secret.origin if secret.path is None else str(secret.path)
        return origin, lambda: shared_secret(_now_in(secret), algorithms)
    if pem is not None:
        return str(pem), lambda: _fitting(read_pem_file(pem), algorithms)
    assert jwk is not None, "the settings have exactly one source of keys"  # noqa: S101
    return str(jwk), lambda: _fitting(read_jwk_file(jwk), algorithms)


def _now_in(secret: Secret) -> bytes:
    try:
        return secret.read_again().value
    except ValueError as error:
        raise Unusable(str(error)) from None


def _certificates(settings: CertificateNames) -> CertificateRules:
    return CertificateRules(
        name_from=settings.name_from,
        subject_prefix=settings.subject_prefix or "",
        kind=Kind(settings.kind),
    )


def _fitting(keys: KeySet, algorithms: frozenset[str]) -> KeySet:
    if not any(algorithms & key.algorithms for key in keys.keys):
        raise Unusable("none of them fits the issuer's `algorithms`")
    return keys


def _basic(settings: BasicSettings) -> BasicVerifier:
    return BasicVerifier(
        read_users(settings.users),
        bench=PasswordBench(parallel=settings.parallel),
        realm=settings.realm,
        cache_seconds=settings.cache_seconds,
    )
