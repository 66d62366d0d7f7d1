"""Key files hold public keys, or stop the gateway from starting."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gateway.authn.jwk import Unusable
from gateway.authn.key_files import read_jwk_file, read_pem_file, shared_secret
from tests.support.issuer import private_key, public_jwk, public_pem


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("rsa", "RS256"),
        ("p256", "ES256"),
        ("p384", "ES384"),
        ("p521", "ES512"),
        ("ed25519", "EdDSA"),
    ],
)
def test_a_pem_file_holds_one_public_key(tmp_path: Path, name: str, algorithm: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(public_pem(name))
    (key,) = read_pem_file(path).keys
    assert algorithm in key.algorithms
    assert key.kid is None


def test_the_older_form_of_rsa_keys_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    public = private_key("rsa").public_key()
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.PKCS1))
    assert len(read_pem_file(path)) == 1


def test_a_private_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(
        private_key("p256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    with pytest.raises(Unusable, match="only the public half"):
        read_pem_file(path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "exactly one PEM block"),
        (b"ssh-ed25519 AAAA kent", "exactly one PEM block"),
        (public_pem("p256") + public_pem("p384"), "exactly one PEM block"),
        (public_pem("rsa-1024"), "2048 to 8192 bits"),
        (public_pem("p256k1"), "P-256"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a public key"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a public key"),
        (b"x" * 262_145, "larger than any key file"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_anything_else_is_no_pem_file(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(Unusable, match=fault):
        read_pem_file(path)


def test_a_jwk_file_holds_a_key_or_a_set(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [public_jwk("p256", kid="a"), public_jwk("rsa", kid="b")]}))
    assert [key.kid for key in read_jwk_file(path).keys] == ["a", "b"]


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="no such file"):
        read_jwk_file(tmp_path / "keys.json")


def test_a_shared_secret_is_at_least_as_long_as_the_hash() -> None:
    (key,) = shared_secret(b"s" * 48, frozenset({"HS256", "HS384"})).keys
    assert key.algorithms == {"HS256", "HS384"}
    with pytest.raises(Unusable, match="openssl rand"):
        shared_secret(b"s" * 48, frozenset({"HS256", "HS512"}))
