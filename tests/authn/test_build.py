"""From settings to an Authenticator that works, or to everything that is wrong."""

import json
from base64 import b64encode
from functools import partial
from pathlib import Path

import jwt
import pytest

from gateway.authn import build_authenticator
from gateway.authn.passwords import Costs, hash_password
from gateway.errors import CredentialsRefused, SettingsInvalid
from gateway.settings import BasicSettings, Identity, Jwks, JwtIssuer, Secret
from tests.support.clock import FakeClock
from tests.support.issuer import (
    AUDIENCE,
    ISSUER,
    KeyServer,
    claims_at,
    key_set,
    public_jwk,
    public_pem,
    signed,
)

PARTNER = "https://partner.example.com/"
SECRET = b"0123456789abcdef0123456789abcdef"


# `anna` of one of these is `anna` of the others.
SameNames = partial(JwtIssuer, subject_prefix="")


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture
def users_file(tmp_path: Path) -> Path:
    hashed = hash_password("s3cret", Costs(time_cost=1, memory_kib=8, lanes=1))
    return written(
        tmp_path / "users.yaml", f"users: {{kent: {{password_hash: '{hashed}'}}}}".encode()
    )


async def test_every_source_of_keys_and_the_users_work_together(
    tmp_path: Path, users_file: Path
) -> None:
    pem = written(tmp_path / "key.pem", public_pem("rsa"))
    jwk = written(tmp_path / "key.json", json.dumps(public_jwk("ed25519", kid="k")).encode())
    clock = FakeClock()
    async with KeyServer(key_set(p="p256")) as server:
        published = Jwks(url=server.url)
        identity = Identity(
            jwt=(
                SameNames(issuer="pem", audience=AUDIENCE, algorithms=("RS256",), pem_file=pem),
                SameNames(issuer="jwk", audience=AUDIENCE, algorithms=("EdDSA",), jwk_file=jwk),
                SameNames(
                    issuer="secret",
                    audience=AUDIENCE,
                    algorithms=("HS256",),
                    secret_file=Secret(SECRET, "a test"),
                ),
                SameNames(issuer=ISSUER, audience=AUDIENCE, algorithms=("ES256",), jwks=published),
                JwtIssuer(
                    issuer=PARTNER,
                    audience=AUDIENCE,
                    algorithms=("ES256",),
                    jwks=Jwks(url=server.url),
                    roles_claim="realm_access.roles",
                    subject_prefix="partner:",
                ),
            ),
            basic=BasicSettings(users=users_file, realm="Contact Center"),
        )
        authenticator = build_authenticator(identity, clock)
        await authenticator.start()
        by_hand = jwt.encode(claims_at(clock, iss="secret"), SECRET, algorithm="HS256")
        theirs = claims_at(clock, iss=PARTNER, realm_access={"roles": ["agent"]})
        headers = [
            b"Bearer " + signed(claims_at(clock, iss="pem")),
            b"Bearer " + signed(claims_at(clock, iss="jwk"), "ed25519", algorithm="EdDSA"),
            b"Bearer " + by_hand.encode(),
            b"Bearer " + signed(claims_at(clock), "p256", algorithm="ES256", kid="p"),
            b"Bearer " + signed(theirs, "p256", algorithm="ES256", kid="p"),
            b"Basic " + b64encode(b"kent:s3cret"),
        ]
        callers = [await authenticator.identify(header) for header in headers]
        assert server.asked == 1  # two issuers, one URL
        await authenticator.close()
    assert [caller.subject for caller in callers] == [
        "anna", "anna", "anna", "anna", "partner:anna", "kent",
    ]  # fmt: skip
    assert callers[4].claims == {"agent"}
    assert authenticator.challenges == (
        b'Bearer realm="Contact Center"',
        b'Basic realm="Contact Center", charset="UTF-8"',
    )


async def test_a_gateway_for_tokens_only_does_not_ask_for_passwords(tmp_path: Path) -> None:
    pem = written(tmp_path / "key.pem", public_pem("rsa"))
    issuer = JwtIssuer(issuer=ISSUER, audience=AUDIENCE, algorithms=("RS256",), pem_file=pem)
    authenticator = build_authenticator(Identity(jwt=(issuer,)), FakeClock())
    assert authenticator.challenges == (b'Bearer realm="ucs-gateway"',)
    with pytest.raises(CredentialsRefused, match="not served"):
        await authenticator.identify(b"Basic " + b64encode(b"kent:s3cret"))


def test_a_gateway_without_identity_settings_asks_for_tokens_it_cannot_verify() -> None:
    assert build_authenticator(Identity(), FakeClock()).challenges == (
        b'Bearer realm="ucs-gateway"',
    )


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    private = written(tmp_path / "private.pem", b"-----BEGIN PRIVATE KEY-----")
    rsa = written(tmp_path / "rsa.pem", public_pem("rsa"))
    garbage = written(tmp_path / "garbage.json", b"{}")
    users = written(tmp_path / "users.yaml", b"users: {kent: {password_hash: plain}}")

    def issuer(name: str, **source: object) -> JwtIssuer:
        return JwtIssuer.model_validate(
            {
                "issuer": name,
                "subject_prefix": "",
                "audience": AUDIENCE,
                "algorithms": ("ES256",),
                **source,
            }
        )

    identity = Identity(
        jwt=(
            issuer("a", pem_file=private),
            issuer("b", pem_file=rsa),
            issuer("c", jwk_file=garbage),
        ),
        basic=BasicSettings(users=users),
    )
    with pytest.raises(SettingsInvalid) as invalid:
        build_authenticator(identity, FakeClock())
    found = [(Path(each.where.file).name, each.message) for each in invalid.value.diagnostics]
    assert [file for file, _ in found] == ["private.pem", "rsa.pem", "garbage.json", "users.yaml"]
    assert "only the public half" in found[0][1]
    assert found[1][1] == (
        "the keys of the issuer `b` cannot be used: none of them fits the issuer's `algorithms`"
    )
    assert "no list of `keys`" in found[2][1]
    assert "Argon2id" in found[3][1]
