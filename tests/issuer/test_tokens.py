"""Tokens that are not ours, or not as we write them: threats J-1 to J-18 against our own issuer.

Each is signed for real where it is signed at all, so that only what is tested is wrong with it.
"""

import hmac
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.authn.build import build_authenticator
from gateway.errors import CredentialsRefused
from gateway.issuer.issuer import Issuer
from gateway.issuer.tokens import TokenClaims, claims_of, read_claims
from gateway.issuer.verifier import OwnTokens
from gateway.settings import ClientsSettings, Identity
from policy import Kind, Means
from tests.support.clients import ISSUER, MINDFUL, VSM, entry, settings_of
from tests.support.clock import FakeClock
from tests.support.issuer import encoded, forged, private_key, public_pem, signature_of

AUDIENCE = "ucs-gateway"


class House:
    """An issuer, its verifier, and the tokens that it would have signed."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.clock = clock
        clients = {"vsm": entry(), "mindful": entry(MINDFUL)}
        self.settings = ClientsSettings.model_validate(settings_of(folder, clients, keys=("p256",)))
        self.issuer = Issuer(self.settings, clock)
        self.tokens = OwnTokens(self.issuer, realm="x", cache_seconds=300)
        (self.kid,) = self.issuer.held.keys.by_kid

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.clock.wall())
        good = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": VSM, "client_id": VSM, "iat": now,
            "exp": now + 600, "jti": "t1", **changes,
        }  # fmt: skip
        return {name: value for name, value in good.items() if value is not None}

    def signed(self, claims: Mapping[str, Any] | bytes, **header: Any) -> bytes:
        head = {"alg": "ES256", "typ": "at+jwt", "kid": self.kid, **header}
        head = {name: value for name, value in head.items() if value is not None}
        return forged(head, claims, signature_of("p256", "ES256"))

    async def says(self, token: bytes) -> str:
        """Why it is refused, or that it is good, or nobody's."""
        try:
            caller = await self.tokens.verify(token)
        except CredentialsRefused as refused:
            return refused.detail
        return "not ours" if caller is None else f"good: {caller.subject}"


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(tmp_path, FakeClock())


async def test_a_token_as_we_write_it_is_good(house: House) -> None:
    assert await house.says(house.signed(house.claims())) == "good: vsm"
    caller = await house.tokens.verify(house.signed(house.claims(scope="a b")))
    assert caller is not None
    assert (caller.kind, caller.means) == (Kind.SERVICE, Means.CLIENT_CREDENTIALS)
    assert caller.issuer == ISSUER
    assert caller.scopes == {"a", "b"}
    assert caller.expires_at == house.clock.wall() + 600


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "", "HS256", "RS256", "ES384"])
async def test_j1_another_algorithm_proves_nothing(house: House, algorithm: str) -> None:
    for signature in (b"", b"x" * 64):
        head = {"alg": algorithm, "typ": "at+jwt", "kid": house.kid}
        token = forged(head, house.claims(), lambda _, made=signature: made)
        assert "alg" in await house.says(token)


async def test_j2_our_public_key_is_no_shared_secret(house: House) -> None:
    head = {"alg": "HS256", "typ": "at+jwt", "kid": house.kid}
    for secret in (public_pem("p256"), house.issuer.held.jwks):
        token = forged(head, house.claims(), partial(hmac.digest, secret, digest="sha256"))
        assert "alg" in await house.says(token)


async def test_j3_a_header_that_changes_the_reading_is_refused(house: House) -> None:
    for member in ("crit", "b64", "zip", "enc"):
        assert "header" in await house.says(house.signed(house.claims(), **{member: ["x"]}))


async def test_j4_no_key_comes_with_the_token(house: House) -> None:
    other = private_key("p256/other").public_key()
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(other, as_dict=True)  # type: ignore[arg-type]
    for kid in (house.kid, "../../x", "other", None):
        head = {"alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": jwk, "jku": "https://x.test/"}
        head = {name: value for name, value in head.items() if value is not None}
        token = forged(head, house.claims(), signature_of("p256/other", "ES256"))
        assert not (await house.says(token)).startswith("good")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"aud": None}, "`aud`"), ({"aud": "other"}, "`aud`"), ({"aud": [AUDIENCE]}, "`aud`"),
        ({"aud": f"{AUDIENCE} "}, "`aud`"), ({"iss": f"{ISSUER}/"}, "not ours"),
        ({"iss": [ISSUER]}, "`iss`"), ({"iss": None}, "`iss`"),
    ],
)  # fmt: skip
async def test_j6_issuer_and_audience_are_ours_to_the_letter(
    house: House, changes: dict[str, Any], said: str
) -> None:
    assert said in await house.says(house.signed(house.claims(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None}, {"exp": "1900000000"}, {"exp": 1.9e9}, {"exp": True}, {"exp": -1},
        {"exp": 2**63}, {"iat": None}, {"iat": "now"}, {"iat": 1.5},
    ],
)  # fmt: skip
async def test_j7_dates_are_whole_numbers_within_reach(
    house: House, changes: dict[str, Any]
) -> None:
    assert "`iat` or `exp`" in await house.says(house.signed(house.claims(**changes)))


async def test_j7_a_token_ends_to_the_second(house: House) -> None:
    token = house.signed(house.claims())
    house.clock.advance(599)
    assert await house.says(token) == "good: vsm"
    house.clock.advance(1)
    assert await house.says(token) == "the token has expired"


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": None}, {"sub": MINDFUL}, {"sub": [VSM]}, {"client_id": None}, {"client_id": ""},
        {"client_id": MINDFUL}, {"jti": None}, {"jti": 1}, {"scope": ["a"]}, {"scope": 1},
    ],
)  # fmt: skip
async def test_j13_claims_have_one_type_and_agree(house: House, changes: dict[str, Any]) -> None:
    assert not (await house.says(house.signed(house.claims(**changes)))).startswith("good")


@pytest.mark.parametrize("typ", ["JWT", "jwt", "application/at+jwt", "logout+jwt", None, 1])
async def test_another_kind_of_token_is_no_access_token(house: House, typ: object) -> None:
    """RFC 9068 section 4, RFC 8725 section 3.11: our key may have signed something else."""
    said = await house.says(house.signed(house.claims(), typ=typ))
    assert "access token" in said or "kind" in said


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"{}x", b'{"iss": "https://gateway.example.com", "iss": "x"}', b"\xff", b"nul"],
)
async def test_what_is_no_object_is_refused(house: House, payload: bytes) -> None:
    assert not (await house.says(house.signed(payload))).startswith("good")


async def test_j18_a_changed_byte_is_noticed(house: House) -> None:
    token = house.signed(house.claims())
    head, _, signature = token.split(b".")
    for claims in (house.claims(sub=MINDFUL, client_id=MINDFUL), house.claims(scope="all")):
        changed = b".".join((head, encoded(json.dumps(claims).encode()), signature))
        assert await house.says(changed) == "the token's signature is wrong"


async def test_a_client_that_we_do_not_know_holds_nothing(house: House) -> None:
    nobody = "99999999-9999-4999-8999-999999999999"
    said = await house.says(house.signed(house.claims(sub=nobody, client_id=nobody)))
    assert "gone" in said


async def test_others_tokens_are_left_to_others(house: House) -> None:
    for token in (b"opaque-token", house.signed(house.claims(iss="https://login.example.com/"))):
        assert await house.says(token) == "not ours"


async def test_j9_a_remembered_caller_is_asked_after_again(house: House) -> None:
    """J-10: the cache knows nothing of revocations, and must not have to."""
    identity = Identity.model_validate({"clients": house.settings.model_dump(mode="json")})
    authenticator = build_authenticator(identity, house.clock, house.tokens)
    header = b"Bearer " + house.signed(house.claims())
    caller = await authenticator.identify(header)
    key = authenticator.digest(header)
    assert authenticator.cached(key) is caller
    house.issuer.revocations.add(
        TokenClaims(client_id=VSM, token_id="t1", issued_at=0, expires_at=2_000_000_000)
    )
    assert authenticator.cached(key) is None
    with pytest.raises(CredentialsRefused):
        await authenticator.identify(header)
    await authenticator.close()


SCOPES = st.none() | st.lists(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1), max_size=5
).map(tuple)


@given(st.integers(0, 2**33), st.integers(1, 172_800), SCOPES)
def test_what_is_written_is_read(
    issued_at: int, seconds: int, scopes: tuple[str, ...] | None
) -> None:
    token = TokenClaims(
        client_id=VSM, token_id="t", issued_at=issued_at, expires_at=issued_at + seconds,
        scopes=scopes,
    )  # fmt: skip
    claims = json.loads(json.dumps(claims_of(token, issuer=ISSUER, audience=AUDIENCE)))
    assert read_claims(claims, issuer=ISSUER, audience=AUDIENCE, now=issued_at) == token
