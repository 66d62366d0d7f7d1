"""A token of a trusted issuer, signed with that issuer's key, is proof of its caller."""

import jwt
import pytest

from gateway.authn.bearer import BearerVerifier, TrustedIssuer
from gateway.authn.claims import ClaimRules
from gateway.authn.key_files import shared_secret
from gateway.authn.keys import FixedKeys, KeySet, VerificationKey, algorithms_of
from gateway.authn.token import UnprovedToken
from gateway.errors import CredentialsRefused
from policy import Caller, Kind, Means
from tests.support.clock import FakeClock
from tests.support.issuer import AUDIENCE, ISSUER, claims_at, private_key, signed

RULES = ClaimRules(issuer=ISSUER, audience=AUDIENCE)
PARTNER = "https://partner.example.com/"


def fixed(name: str) -> FixedKeys:
    key = private_key(name).public_key()
    return FixedKeys(KeySet([VerificationKey(None, algorithms_of(key), key)]))


def verifier_of(clock: FakeClock, *issuers: TrustedIssuer) -> BearerVerifier:
    return BearerVerifier(issuers, clock=clock, realm="UCS", cache_seconds=300)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        ("rsa", "RS256"),
        ("rsa", "RS384"),
        ("rsa", "RS512"),
        ("rsa", "PS256"),
        ("rsa", "PS384"),
        ("rsa", "PS512"),
        ("p256", "ES256"),
        ("p384", "ES384"),
        ("p521", "ES512"),
        ("ed25519", "EdDSA"),
    ],
)
async def test_every_algorithm_proves_its_caller(
    clock: FakeClock, key: str, algorithm: str
) -> None:
    issuer = TrustedIssuer(RULES, algorithms=[algorithm], keys=fixed(key))
    token = signed(claims_at(clock), key, algorithm=algorithm)
    assert await verifier_of(clock, issuer).verify(token) == Caller(
        subject="anna",
        kind=Kind.USER,
        means=Means.JWT,
        issuer=ISSUER,
        claims=frozenset({"profile-editor"}),
        expires_at=clock.wall() + 600,
    )


async def test_a_shared_secret_proves_its_caller_where_one_is_configured(clock: FakeClock) -> None:
    secret = b"s" * 64
    keys = FixedKeys(shared_secret(secret, frozenset({"HS512"})))
    issuer = TrustedIssuer(RULES, algorithms=["HS512"], keys=keys)
    token = jwt.encode(claims_at(clock), secret, algorithm="HS512").encode()
    caller = await verifier_of(clock, issuer).verify(token)
    assert caller is not None
    assert caller.subject == "anna"


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "at+jwt", "application/at+jwt", "JOSE"])
async def test_the_type_of_an_access_token_may_be_written_in_several_ways(
    clock: FakeClock, typ: str | None
) -> None:
    issuer = TrustedIssuer(RULES, algorithms=["RS256"], keys=fixed("rsa"))
    token = signed(claims_at(clock), typ=typ)
    assert await verifier_of(clock, issuer).verify(token) is not None


async def test_what_is_no_token_of_ours_is_left_to_others(clock: FakeClock) -> None:
    verifier = verifier_of(clock, TrustedIssuer(RULES, algorithms=["RS256"], keys=fixed("rsa")))
    assert await verifier.verify(b"opaque-token") is None
    assert await verifier.verify(signed(claims_at(clock, iss=PARTNER))) is None


async def test_each_issuer_vouches_for_its_own_tokens_only(clock: FakeClock) -> None:
    partner_rules = ClaimRules(issuer=PARTNER, audience=AUDIENCE, subject_prefix="partner:")
    verifier = verifier_of(
        clock,
        TrustedIssuer(RULES, algorithms=["RS256"], keys=fixed("rsa")),
        TrustedIssuer(partner_rules, algorithms=["RS256"], keys=fixed("rsa/partner")),
    )
    theirs = await verifier.verify(signed(claims_at(clock, iss=PARTNER), "rsa/partner"))
    assert theirs is not None
    assert theirs.subject == "partner:anna"
    with pytest.raises(CredentialsRefused, match="signature is wrong"):
        await verifier.verify(signed(claims_at(clock), "rsa/partner"))


def test_the_repr_of_an_unproved_token_shows_no_token(clock: FakeClock) -> None:
    token = UnprovedToken.parse(signed(claims_at(clock), kid="k"))
    assert repr(token) == f"UnprovedToken('RS256', kid='k', issuer={ISSUER!r})"


def test_an_issuer_that_is_there_twice_is_a_mistake(clock: FakeClock) -> None:
    issuers = [TrustedIssuer(RULES, algorithms=["RS256"], keys=fixed("rsa")) for _ in range(2)]
    with pytest.raises(ValueError, match="is there twice"):
        verifier_of(clock, *issuers)


def test_the_configuration_tells_verifiers_apart(clock: FakeClock) -> None:
    def digest(rules: ClaimRules = RULES, algorithm: str = "RS256", origin: str = "a") -> bytes:
        issuer = TrustedIssuer(rules, algorithms=[algorithm], keys=fixed("rsa"), origin=origin)
        return verifier_of(clock, issuer).configuration

    different = {
        digest(),
        digest(ClaimRules(issuer=ISSUER, audience="other")),
        digest(ClaimRules(issuer=ISSUER, audience=AUDIENCE, roles_claim="groups")),
        digest(algorithm="PS256"),
        digest(origin="b"),
    }
    assert len(different) == 5
    assert digest() == digest()


async def test_readiness_names_every_issuer(clock: FakeClock) -> None:
    verifier = verifier_of(clock, TrustedIssuer(RULES, algorithms=["RS256"], keys=fixed("rsa")))
    await verifier.start(lambda: None)
    assert verifier.ready() == (True, f"{ISSUER}: 1 from a file")
    assert repr(verifier) == f"BearerVerifier([TrustedIssuer({ISSUER!r}, RS256)])"
    await verifier.close()
