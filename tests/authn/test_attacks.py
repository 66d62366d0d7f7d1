"""The attack table: every way in which products of this kind were made to believe a token.

Ids are those of the threat catalogue (J-1 … J-18, R-5 … R-8). Each case is one `Authorization`
value. It is refused with the stated reason, through the same door that requests use, and leaves no
trace: no caller remembered, no key fetched from where the token says.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.authn.bearer import BearerVerifier, TrustedIssuer
from gateway.authn.chain import Authenticator
from gateway.authn.claims import ClaimRules
from gateway.authn.jwks import PublishedKeys
from gateway.errors import CredentialsRefused
from gateway.outbound.fetch import Fetcher
from tests.support.clock import FakeClock
from tests.support.issuer import (
    AUDIENCE,
    ISSUER,
    KeyServer,
    claims_at,
    encoded,
    forged,
    key_set,
    private_key,
    public_jwk,
    public_pem,
    signature_of,
    signed,
)


class World:
    """One trusted issuer with an RSA and an EC key, published by a real server."""

    def __init__(self, server: KeyServer) -> None:
        self.clock = FakeClock()
        self.server = server
        ours = PublishedKeys(
            Fetcher(server.url, timeout_seconds=5),
            clock=self.clock,
            refresh_seconds=300,
            cooldown_seconds=30,
        )
        bearer = BearerVerifier(
            [
                TrustedIssuer(
                    ClaimRules(issuer=ISSUER, audience=AUDIENCE),
                    algorithms=["RS256", "ES256"],
                    keys=ours,
                )
            ],
            clock=self.clock,
            realm="UCS",
            cache_seconds=300,
        )
        self.authenticator = Authenticator(
            [bearer], clock=self.clock, cache_entries=100, realm="UCS"
        )

    def claims(self, **changes: Any) -> dict[str, Any]:
        return claims_at(self.clock, **changes)

    def header(self, **changes: Any) -> dict[str, Any]:
        return {"alg": "RS256", "typ": "JWT", "kid": "r", **changes}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with KeyServer(key_set(r="rsa", e="p256")) as server:
        world = World(server)
        await world.authenticator.start()
        yield world
        await world.authenticator.close()


Attack = Callable[[World], bytes]


def hmac_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signing_input: hmac.digest(secret, signing_input, hashlib.sha256)


def unsigned(algorithm: Any) -> Attack:
    return lambda world: forged(world.header(alg=algorithm), world.claims())


def confused(secret: Callable[[], bytes], algorithm: str = "HS256") -> Attack:
    return lambda world: forged(world.header(alg=algorithm), world.claims(), hmac_with(secret()))


def rightly_signed(**header: Any) -> Attack:
    """A right signature of the right key over a header with something odd in it."""
    return lambda world: forged(
        world.header(**header), world.claims(), signature_of("rsa", "RS256")
    )


def raw_header(text: bytes) -> Attack:
    return lambda world: forged(text, world.claims(), signature_of("rsa", "RS256"))


def raw_claims(text: bytes) -> Attack:
    return lambda world: forged(world.header(), text, signature_of("rsa", "RS256"))


def claiming(**changes: Any) -> Attack:
    return lambda world: signed(world.claims(**changes), kid="r")


def as_text(change: Callable[[bytes], bytes]) -> Attack:
    """A good token, changed as text."""
    return lambda world: change(signed(world.claims(), kid="r"))


def part(token: bytes, index: int, change: Callable[[bytes], bytes]) -> bytes:
    parts = token.split(b".")
    parts[index] = change(parts[index])
    return b".".join(parts)


def with_other_claims(world: World) -> bytes:
    mine, other = (signed(world.claims(sub=sub), kid="r") for sub in ("anna", "admin"))
    return part(mine, 1, lambda _: other.split(b".")[1])


def other_last_bit(segment: bytes) -> bytes:
    """The same bytes in another spelling: base64's unused bits are set (a 256-byte signature)."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return segment[:-1] + alphabet[alphabet.index(segment[-1]) ^ 1 :][:1]


def pkcs1() -> bytes:
    return private_key("rsa").public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)


NOT_ALLOWED = "`alg` is not allowed"
WRONG = "signature is wrong"
NO_VERIFIER = "nobody here can verify"
NOT_A_WORD = "`kid` is not one short word"
CHANGES = "changes how it is to be read"
NO_KEY = "no single key"

ATTACKS: Mapping[str, tuple[Attack, str]] = {
    # J-1: no signature at all
    "J-1 none": (unsigned("none"), NOT_ALLOWED),
    "J-1 None": (unsigned("None"), NOT_ALLOWED),
    "J-1 nOnE": (unsigned("nOnE"), NOT_ALLOWED),
    "J-1 NONE with space": (unsigned("NONE "), NOT_ALLOWED),
    "J-1 empty": (unsigned(""), NOT_ALLOWED),
    "J-1 null": (unsigned(None), "`alg` is not text"),
    "J-1 list": (unsigned(["RS256", "none"]), "`alg` is not text"),
    "J-1 object": (unsigned({"RS256": 1}), "`alg` is not text"),
    "J-1 absent": (raw_header(b'{"typ":"JWT"}'), "`alg` is not text"),
    "J-1 right alg, signature left out": (unsigned("RS256"), WRONG),
    "J-1 lower case": (rightly_signed(alg="rs256"), NOT_ALLOWED),
    "J-1 alg twice": (raw_header(b'{"alg":"none","alg":"RS256"}'), "header is not strict JSON"),
    "J-1 alg twice, escaped": (
        raw_header(rb'{"alg":"none","\u0061lg":"RS256"}'),
        "header is not strict JSON",
    ),
    # J-2: the public key as a shared secret
    "J-2 PEM": (confused(lambda: public_pem("rsa")), NOT_ALLOWED),
    "J-2 PEM stripped": (confused(lambda: public_pem("rsa").strip()), NOT_ALLOWED),
    "J-2 PKCS1": (confused(pkcs1), NOT_ALLOWED),
    "J-2 DER": (confused(lambda: public_pem("rsa", Encoding.DER)), NOT_ALLOWED),
    "J-2 JWK": (confused(lambda: json.dumps(public_jwk("rsa")).encode()), NOT_ALLOWED),
    "J-2 JWKS": (confused(lambda: key_set(r="rsa", e="p256")), NOT_ALLOWED),
    "J-2 empty secret": (confused(lambda: b""), NOT_ALLOWED),
    "J-2 HMAC called RS256": (confused(lambda: public_pem("rsa"), "RS256"), WRONG),
    "J-2 HMAC called ES256": (confused(lambda: public_pem("p256"), "ES256"), NO_KEY),
    "J-2 other algorithm of the same key": (
        lambda world: signed(world.claims(), algorithm="PS256", kid="r"),
        NOT_ALLOWED,
    ),
    "J-2 RSA key called EC": (rightly_signed(alg="ES256"), NO_KEY),
    "J-2 EC signature called RSA": (
        lambda world: forged(world.header(kid="e"), world.claims(), signature_of("p256", "ES256")),
        NO_KEY,
    ),
    # J-3: extensions that must be understood
    "J-3 crit": (rightly_signed(crit=["exp"], exp=1), CHANGES),
    "J-3 crit unknown": (rightly_signed(crit=["x"], x=1), CHANGES),
    "J-3 crit empty": (rightly_signed(crit=[]), CHANGES),
    "J-3 crit null": (rightly_signed(crit=None), CHANGES),
    "J-3 crit b64": (rightly_signed(crit=["b64"], b64=False), CHANGES),
    "J-3 b64 false": (rightly_signed(b64=False), CHANGES),
    "J-3 zip": (rightly_signed(zip="DEF"), CHANGES),
    "J-3 enc": (rightly_signed(enc="A256GCM"), CHANGES),
    # J-4: keys that the token brings along, and names that lead elsewhere
    "J-4 jwk": (
        lambda world: signed(
            world.claims(), "rsa/evil", kid="r", jwk=public_jwk("rsa/evil", kid="r")
        ),
        WRONG,
    ),
    "J-4 jwk without kid": (
        lambda world: signed(world.claims(), "rsa/evil", jwk=public_jwk("rsa/evil")),
        WRONG,
    ),
    "J-4 jku": (
        lambda world: signed(
            world.claims(), "rsa/evil", kid="r", jku=world.server.url.replace("jwks", "evil")
        ),
        WRONG,
    ),
    "J-4 x5u": (
        lambda world: signed(
            world.claims(), "rsa/evil", kid="r", x5u=world.server.url.replace("jwks", "evil")
        ),
        WRONG,
    ),
    "J-4 x5c": (
        lambda world: signed(world.claims(), "rsa/evil", kid="r", x5c=["MIIB"], x5t="AAAA"),
        WRONG,
    ),
    "J-4 kid path": (rightly_signed(kid="../../../dev/null"), NO_KEY),
    "J-4 kid SQL": (rightly_signed(kid="r'or'1'='1"), NO_KEY),
    "J-4 kid URL": (rightly_signed(kid="http://169.254.169.254/jwks"), NO_KEY),
    "J-4 kid of another key": (rightly_signed(kid="e"), NO_KEY),
    "J-4 kid in other case": (rightly_signed(kid="R"), NO_KEY),
    "J-4 kid long": (rightly_signed(kid="k" * 257), NOT_A_WORD),
    "J-4 kid empty": (rightly_signed(kid=""), NOT_A_WORD),
    "J-4 kid space": (rightly_signed(kid="r "), NOT_A_WORD),
    "J-4 kid control": (rightly_signed(kid="r\x00"), NOT_A_WORD),
    "J-4 kid line feed": (rightly_signed(kid="r\nX: y"), NOT_A_WORD),
    "J-4 kid non-ASCII": (rightly_signed(kid="ｒ"), NOT_A_WORD),  # noqa: RUF001
    "J-4 kid number": (rightly_signed(kid=0), NOT_A_WORD),
    "J-4 kid list": (rightly_signed(kid=["r"]), NOT_A_WORD),
    "J-4 kid object": (rightly_signed(kid={"$ne": ""}), NOT_A_WORD),
    "J-4 kid twice": (
        raw_header(b'{"alg":"RS256","kid":"x","kid":"r"}'),
        "header is not strict JSON",
    ),
    # J-6: whose token, and for whom; the exact comparison is in test_claims.py
    "J-6 no aud": (claiming(aud=None), "`aud`"),
    "J-6 other aud": (claiming(aud="other"), "`aud`"),
    "J-6 aud in a longer text": (claiming(aud="ucs-gateway,other"), "`aud`"),
    "J-6 nested aud": (claiming(aud=[["ucs-gateway"]]), "`aud`"),
    "J-6 aud object": (claiming(aud={"ucs-gateway": True}), "`aud`"),
    "J-6 no iss": (claiming(iss=None), "`iss` is not text"),
    "J-6 iss list": (claiming(iss=[ISSUER]), "`iss` is not text"),
    "J-6 iss without slash": (claiming(iss=ISSUER.rstrip("/")), NO_VERIFIER),
    "J-6 iss with more": (claiming(iss=ISSUER + "evil"), NO_VERIFIER),
    "J-6 iss with space": (claiming(iss=ISSUER + " "), NO_VERIFIER),
    "J-6 iss upper case": (claiming(iss=ISSUER.upper()), NO_VERIFIER),
    "J-6 iss of a stranger": (claiming(iss="https://evil.example.com/"), NO_VERIFIER),
    "J-6 iss twice": (
        raw_claims(b'{"iss":"https://evil/","iss":"https://login.example.com/"}'),
        "payload is not strict JSON",
    ),
    # J-7: dates; the types are in test_claims.py
    "J-7 no exp": (claiming(exp=None), "no `exp`"),
    "J-7 exp text": (claiming(exp="9999999999"), "`exp` is not a number"),
    "J-7 exp true": (claiming(exp=True), "`exp` is not a number"),
    "J-7 exp negative": (claiming(exp=-1), "`exp` is out of range"),
    "J-7 exp 2^63": (claiming(exp=2**63), "`exp` is out of range"),
    "J-7 exp infinite": (
        raw_claims(b'{"iss":"https://login.example.com/","exp":1e999}'),
        "out of range",
    ),
    "J-7 exp NaN": (
        raw_claims(b'{"iss":"https://login.example.com/","exp":NaN}'),
        "payload is not strict JSON",
    ),
    "J-7 expired": (lambda world: claiming(exp=int(world.clock.wall()) - 30)(world), "expired"),
    "J-7 not yet": (
        lambda world: claiming(nbf=int(world.clock.wall()) + 31)(world),
        "`nbf` is in the future",
    ),
    "J-7 issued tomorrow": (
        lambda world: claiming(iat=int(world.clock.wall()) + 86_400)(world),
        "`iat` is in the future",
    ),
    "J-7 nbf text": (claiming(nbf="0"), "`nbf` is not a number"),
    # J-8: the form of the token
    "J-8 one dot": (as_text(lambda t: t.rsplit(b".", 1)[0]), NO_VERIFIER),
    "J-8 three dots": (as_text(lambda t: t + b".AAAA"), NO_VERIFIER),
    "J-8 two dots together": (as_text(lambda t: t.replace(b".", b"..", 1)), NO_VERIFIER),
    "J-8 only dots": (lambda _: b"..", NO_VERIFIER),
    "J-8 no header": (as_text(lambda t: part(t, 0, lambda _: b"")), NO_VERIFIER),
    "J-8 no claims": (as_text(lambda t: part(t, 1, lambda _: b"")), NO_VERIFIER),
    "J-8 encrypted form": (lambda _: b"AAAA.AAAA.AAAA.AAAA.AAAA", NO_VERIFIER),
    "J-8 padded": (as_text(lambda t: t + b"=="), NO_VERIFIER),
    "J-8 standard base64": (as_text(lambda t: part(t, 2, lambda _: b"a+b/")), NO_VERIFIER),
    "J-8 header of one letter": (as_text(lambda t: part(t, 0, lambda _: b"AAAAA")), "base64url"),
    "J-8 claims of one letter": (as_text(lambda t: part(t, 1, lambda _: b"AAAAA")), "base64url"),
    "J-8 header no object": (raw_header(b'["RS256"]'), "header is not a JSON object"),
    "J-8 header null": (raw_header(b"null"), "header is not a JSON object"),
    "J-8 header not JSON": (raw_header(b"{"), "header is not strict JSON"),
    "J-8 header UTF-16": (
        raw_header('{"alg":"RS256"}'.encode("utf-16")),
        "header is not strict JSON",
    ),
    "J-8 header with BOM": (raw_header(b'\xef\xbb\xbf{"alg":"RS256"}'), "strict JSON"),
    "J-8 claims no object": (raw_claims(b'"anna"'), "payload is not a JSON object"),
    "J-8 claims not JSON": (raw_claims(b"x"), "payload is not strict JSON"),
    "J-8 claims not UTF-8": (raw_claims(b'{"iss":"\xff"}'), "payload is not strict JSON"),
    "J-8 claims nested deeply": (raw_claims(b"[" * 2000), "payload is not strict JSON"),
    "J-8 claims with more behind": (raw_claims(b"{} {}"), "payload is not strict JSON"),
    "J-8 nested token": (
        lambda world: forged(
            world.header(cty="JWT"), signed(world.claims(), kid="r"), signature_of("rsa", "RS256")
        ),
        "payload is not strict JSON",
    ),
    # J-13: claims as attacker text
    "J-13 subject with line feed": (claiming(sub="anna\nadmin"), "plain name"),
    "J-13 subject with space": (claiming(sub="admin "), "plain name"),
    "J-13 subject look-alike": (claiming(sub="ad\u200bmin"), "plain name"),
    "J-13 subject decomposed": (claiming(sub="Mu\u0308ller"), "plain name"),
    "J-13 subject number": (claiming(sub=1), "`sub` is not text"),
    "J-13 no subject": (claiming(sub=None), "`sub` is not text"),
    "J-13 lone surrogate": (
        raw_claims(rb'{"iss":"https://login.example.com/","sub":"\ud800"}'),
        "payload is not strict JSON",
    ),
    "J-13 roles object": (claiming(roles={"admin": True}), "`roles` is not a list of text"),
    # J-17: tokens that were made for something else
    "J-17 logout token": (rightly_signed(typ="logout+jwt"), "of a kind that does not prove"),
    "J-17 DPoP proof": (rightly_signed(typ="dpop+jwt"), "of a kind that does not prove"),
    "J-17 security event": (rightly_signed(typ="application/secevent+jwt"), "of a kind"),
    "J-17 typ number": (rightly_signed(typ=1), "of a kind"),
    "J-17 typ null": (rightly_signed(typ=None), "of a kind"),
    # J-18: another signature, other claims
    "J-18 claims exchanged": (with_other_claims, WRONG),
    "J-18 key of a stranger": (lambda world: signed(world.claims(), "rsa/evil", kid="r"), WRONG),
    "J-18 signature cut": (as_text(lambda t: t[:-4]), WRONG),
    "J-18 signature doubled": (as_text(lambda t: t + t.rsplit(b".", 1)[1]), WRONG),
    "J-18 signature in another spelling": (
        as_text(lambda t: part(t, 2, other_last_bit)),
        WRONG,
    ),
    "J-18 header in another spelling": (
        as_text(lambda t: part(t, 0, lambda h: encoded(b" " + _unpadded(h)))),
        WRONG,
    ),
    "J-18 EC zero signature": (
        lambda world: forged(
            world.header(alg="ES256", kid="e"), world.claims(), lambda _: b"\0" * 64
        ),
        WRONG,
    ),
    "J-18 EC signature in DER": (
        lambda world: forged(
            world.header(alg="ES256", kid="e"),
            world.claims(),
            lambda _: b"\x30\x06\x02\x01\x01\x02\x01\x01",
        ),
        WRONG,
    ),
}


def _unpadded(segment: bytes) -> bytes:
    return urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))


@pytest.mark.parametrize("name", ATTACKS)
async def test_the_attack_is_refused(world: World, name: str) -> None:
    attack, detail = ATTACKS[name]
    header = b"Bearer " + attack(world)
    with pytest.raises(CredentialsRefused) as refusal:
        await world.authenticator.identify(header)
    assert detail in refusal.value.detail
    assert refusal.value.oauth_error == "invalid_token"
    assert refusal.value.public == "the credentials were not accepted"
    assert world.authenticator.cached(world.authenticator.digest(header)) is None
    assert world.server.asked <= 2  # at start, and for one unknown kid
    assert world.server.others_asked == 0


async def test_the_table_would_notice_a_verifier_that_refuses_everything(world: World) -> None:
    for algorithm, key, kid in (("RS256", "rsa", "r"), ("ES256", "p256", "e")):
        token = signed(world.claims(), key, algorithm=algorithm, kid=kid)
        assert (await world.authenticator.identify(b"Bearer " + token)).subject == "anna"
    forgery = forged(world.header(), world.claims(), signature_of("rsa", "RS256"))
    assert (await world.authenticator.identify(b"Bearer " + forgery)).subject == "anna"


async def test_a_token_with_unused_members_is_still_good(world: World) -> None:
    token = signed(world.claims(), kid="r", jku="http://127.0.0.1:1/", x5c=["MIIB"], jwk={})
    assert (await world.authenticator.identify(b"Bearer " + token)).subject == "anna"
    assert world.server.others_asked == 0


async def test_a_huge_token_is_not_even_looked_at(world: World) -> None:
    token = signed(world.claims(padding="x" * 8192), kid="r")
    with pytest.raises(CredentialsRefused, match="longer than 8192 bytes"):
        await world.authenticator.identify(b"Bearer " + token)
    assert world.authenticator.misses == 0


async def test_every_single_changed_character_is_noticed(world: World) -> None:
    token = signed(world.claims(), "p256", algorithm="ES256", kid="e")
    for index in range(0, len(token), 7):
        other = b"A" if token[index : index + 1] != b"A" else b"B"
        with pytest.raises(CredentialsRefused):
            await world.authenticator.identify(
                b"Bearer " + token[:index] + other + token[index + 1 :]
            )
    assert (await world.authenticator.identify(b"Bearer " + token)).subject == "anna"
