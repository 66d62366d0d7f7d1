"""A key set is read for its public signature keys and for nothing else."""

import json
from typing import Any

import pytest

from gateway.authn.jwk import MAX_KEYS, Unusable, is_kid, read_jwks
from tests.support.issuer import public_jwk


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


GOOD = public_jwk("p256", kid="good", use="sig", alg="ES256")


@pytest.mark.parametrize(
    ("name", "algorithms"),
    [
        ("rsa", {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ("p256", {"ES256"}),
        ("p384", {"ES384"}),
        ("p521", {"ES512"}),
        ("ed25519", {"EdDSA"}),
    ],
)
def test_every_kind_of_public_key_is_read(name: str, algorithms: set[str]) -> None:
    (key,) = read_jwks(key_set(public_jwk(name, kid="k"))).keys
    assert key.kid == "k"
    assert key.algorithms == algorithms


def test_a_single_key_need_not_be_a_set() -> None:
    (key,) = read_jwks(json.dumps(GOOD).encode()).keys
    assert key.kid == "good"


def test_the_keys_own_algorithm_narrows_its_use() -> None:
    (key,) = read_jwks(key_set(public_jwk("rsa", alg="PS256"))).keys
    assert key.algorithms == {"PS256"}
    assert key.kid is None


def test_the_order_of_key_operations_does_not_matter() -> None:
    (key,) = read_jwks(key_set(public_jwk("p256", key_ops=["other", "verify"]))).keys
    assert key.algorithms == {"ES256"}


@pytest.mark.parametrize(
    "entry",
    [
        public_jwk("rsa", use="enc"),
        public_jwk("rsa", use="SIG"),
        public_jwk("rsa", use=["sig"]),
        public_jwk("rsa", key_ops=["encrypt"]),
        public_jwk("rsa", key_ops="verify"),
        public_jwk("rsa", alg="HS256"),
        public_jwk("rsa", alg="none"),
        public_jwk("rsa", alg="RSA-OAEP"),
        public_jwk("rsa", alg="ES256"),
        public_jwk("rsa", alg=["RS256"]),
        public_jwk("rsa", alg=None),
        public_jwk("p256", alg="ES384"),
        public_jwk("p256", crv="P-384"),
        public_jwk("p256", crv="P-999"),
        public_jwk("p256", x="AAAA"),
        public_jwk("p256", x=1),
        public_jwk("p256", d="AAAA"),
        public_jwk("rsa", d="AAAA"),
        public_jwk("rsa", n="!"),
        public_jwk("rsa", n=""),
        public_jwk("rsa", e="AA"),
        public_jwk("rsa-1024"),
        public_jwk("p256k1"),
        public_jwk("ed25519", crv="X25519"),
        public_jwk("ed25519", crv="Ed448"),
        public_jwk("ed25519", x="AAAA"),
        public_jwk("rsa", kid=1),
        public_jwk("rsa", kid=""),
        public_jwk("rsa", kid="k" * 257),
        public_jwk("rsa", kid="a b"),
        public_jwk("rsa", kid="a\n"),
        public_jwk("rsa", kty="rsa"),
        public_jwk("rsa", kty=["RSA"]),
        public_jwk("rsa", kty=None),
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "alg": "HS256"},
        {"kty": "oct", "alg": "HS256"},
        {"kty": "RSA"},
        {},
        [],
        "RSA",
        None,
        7,
    ],
    ids=lambda entry: str(entry)[:60],
)
def test_entries_that_are_not_for_us_are_left_out_and_harm_nobody(entry: Any) -> None:
    assert [key.kid for key in read_jwks(key_set(entry, GOOD)).keys] == ["good"]
    with pytest.raises(Unusable, match="no public key"):
        read_jwks(key_set(entry))


@pytest.mark.parametrize("member", ["x5u", "x5c", "x5t", "jku"])
def test_certificates_and_their_addresses_are_not_looked_at(member: str) -> None:
    (key,) = read_jwks(key_set(public_jwk("p256", **{member: ["http://169.254.169.254/"]}))).keys
    assert key.algorithms == {"ES256"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", "not one JSON document"),
        (b"<html>login</html>", "not one JSON document"),
        (b'{"keys": []', "not one JSON document"),
        (b'{"keys": [], "keys": []}', "not one JSON document"),
        (b'{"keys": []} {}', "not one JSON document"),
        (b'{"keys": NaN}', "not one JSON document"),
        (b"\xff\xfe{\x00}\x00", "not one JSON document"),
        (b"[" * 100_000, "not one JSON document"),
        (b"[]", "not a JSON object"),
        (b'"keys"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "no list of `keys`"),
        (b'{"keys": {}}', "no list of `keys`"),
        (b'{"keys": null}', "no list of `keys`"),
        (b'{"Keys": []}', "no list of `keys`"),
        (b'{"keys": []}', "no public key"),
        (key_set(*[{}] * (MAX_KEYS + 1)), "more than 100 keys"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_anything_else_is_no_key_set(text: bytes, fault: str) -> None:
    with pytest.raises(Unusable, match=fault):
        read_jwks(text)


@pytest.mark.parametrize("kid", ["1", "a+/=", "https://x/#1", "../../x", "' or 1=1", "k" * 256])
def test_a_kid_is_one_short_visible_word(kid: str) -> None:
    assert is_kid(kid) is (" " not in kid)


@pytest.mark.parametrize("kid", ["", "k" * 257, "a b", "a\x00", "é", 1, None, ["a"]])
def test_anything_else_is_no_kid(kid: object) -> None:
    assert not is_kid(kid)
