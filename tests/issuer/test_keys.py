"""The keys that tokens are signed with: which of them signs, and what is said of them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gateway.authn.jwk import Unusable
from gateway.issuer.keys import RIPE_SECONDS, KeyRing, read_key_ring
from tests.support.clients import private_pem, write_key
from tests.support.issuer import private_key, public_pem

LATER = 4_000_000_000.0
"""A time at which every file is old."""


def ring(folder: Path, *keys: str, now: float = LATER) -> KeyRing:
    files = [write_key(folder, f"{number}.pem", key) for number, key in enumerate(keys)]
    return read_key_ring(files, now)


def kid(folder: Path, key: str) -> str:
    (only,) = ring(folder, key).by_kid
    return only


def test_the_first_key_signs_and_all_are_published(tmp_path: Path) -> None:
    keys = ring(tmp_path, "ed25519", "p256", "rsa")
    assert keys.signer(LATER + RIPE_SECONDS).kid == kid(tmp_path, "ed25519")
    published = json.loads(keys.jwks())["keys"]
    assert [(each["kty"], each["alg"]) for each in published] == [
        ("OKP", "EdDSA"), ("EC", "ES256"), ("RSA", "RS256"),
    ]  # fmt: skip
    assert all({"d", "p", "q", "k"}.isdisjoint(each) for each in published)
    assert [each["kid"] for each in published] == list(keys.by_kid)


def test_a_file_may_hold_several_keys(tmp_path: Path) -> None:
    keys = read_key_ring([write_key(tmp_path, "all.pem", "ed25519", "p256")], LATER)
    assert [key.algorithm for key in keys.by_kid.values()] == ["EdDSA", "ES256"]


def test_a_keys_name_is_its_thumbprint(tmp_path: Path) -> None:
    """RFC 8037 appendix A.3 has this key and its thumbprint."""
    text = '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",'
    text += '"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}'
    known = jwt.algorithms.OKPAlgorithm.from_jwk(text)
    path = tmp_path / "known.pem"
    path.write_bytes(
        known.private_bytes(  # type: ignore[union-attr]
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )
    assert list(read_key_ring([path], LATER).by_kid) == [
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    ]


# --- rotation ------------------------------------------------------------------------------------


def test_a_new_key_signs_only_once_everybody_has_it(tmp_path: Path) -> None:
    former = kid(tmp_path, "ed25519/old")
    now = (tmp_path / "0.pem").stat().st_ctime
    keys = ring(tmp_path, "ed25519/new", "ed25519/old", now=now)
    new = next(iter(keys.by_kid))
    at = max(key.since for key in keys.by_kid.values())
    assert keys.signer(at, former).kid == former
    assert keys.signer(at + RIPE_SECONDS / 2, former).kid == former
    assert keys.signer(at + RIPE_SECONDS, former).kid == new


def test_a_process_that_starts_meanwhile_signs_with_what_others_have(tmp_path: Path) -> None:
    keys = ring(tmp_path, "ed25519/new", "ed25519/old", now=0.0)
    assert keys.signer(0.0).kid == kid(tmp_path, "ed25519/old")


def test_the_only_key_signs_at_once(tmp_path: Path) -> None:
    keys = ring(tmp_path, "ed25519", now=0.0)
    assert keys.signer(0.0).kid == next(iter(keys.by_kid))


def test_a_key_that_is_gone_signs_no_more(tmp_path: Path) -> None:
    former = kid(tmp_path, "ed25519/old")
    keys = ring(tmp_path, "ed25519/new", now=0.0)
    assert keys.signer(0.0, former).kid == next(iter(keys.by_kid)) != former


def test_a_date_in_the_future_does_not_keep_a_key_from_signing(tmp_path: Path) -> None:
    keys = ring(tmp_path, "ed25519/new", "ed25519/old", now=1_000.0)
    assert keys.signer(1_000.0 + RIPE_SECONDS).kid == next(iter(keys.by_kid))


def test_the_same_key_in_two_files_is_one(tmp_path: Path) -> None:
    """What a rotation looks like between its two steps."""
    keys = ring(tmp_path, "ed25519", "ed25519", "p256")
    assert len(keys.by_kid) == 2


def test_a_public_key_only_verifies(tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_bytes(public_pem("p256"))
    files = [tmp_path / "public.pem", write_key(tmp_path, "own.pem", "ed25519")]
    keys = read_key_ring(files, LATER)
    assert [key.private is not None for key in keys.by_kid.values()] == [False, True]
    assert keys.signer(LATER).algorithm == "EdDSA"
    with pytest.raises(Unusable, match="nothing could be signed"):
        read_key_ring(files[:1], LATER)


# --- what is no key ------------------------------------------------------------------------------


def encrypted() -> bytes:
    key = private_key("p256")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: b"", "no key in PEM"),
        (lambda: b"hello", "no key in PEM"),
        (lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not a key in PEM"),
        (encrypted, "encrypted"),
        (lambda: private_pem("p384"), "not Ed25519, P-256 or RSA"),
        (lambda: private_pem("rsa-1024"), "not Ed25519, P-256 or RSA"),
        (lambda: private_pem("p256k1"), "not Ed25519, P-256 or RSA"),
        (lambda: private_pem("ed25519") + b"-----BEGIN CERTIFICATE-----\nAA==\n", "not a key"),
        (lambda: b"x" * 70_000, "larger than any"),
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused_with_its_file(
    tmp_path: Path, content: object, said: str
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content())  # type: ignore[operator]
    with pytest.raises(Unusable, match=said) as refused:
        read_key_ring([path], LATER)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="no such file"):
        read_key_ring([tmp_path / "none.pem"], LATER)


def test_no_repr_shows_a_key(tmp_path: Path) -> None:
    keys = ring(tmp_path, "p256")
    numbers: Sequence[int] = [private_key("p256").private_numbers().private_value]  # type: ignore[union-attr]
    assert all(str(number) not in repr(keys) for number in numbers)
    assert os.fspath(tmp_path) not in repr(keys)
