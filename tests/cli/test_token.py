"""A development key makes tokens that a gateway with the public half believes."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import x448
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gateway.authn import build_authenticator
from gateway.cli.token import command
from gateway.clock import SystemClock
from gateway.settings import Identity, JwtIssuer
from tests.support.issuer import private_key, public_pem

GOOD = ["--subject", "anna", "--issuer", "dev", "--audience", "ucs-gateway"]


def key_file(folder: Path, name: str) -> str:
    path = folder / "dev.pem"
    key = private_key(name)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


@pytest.mark.parametrize(
    ("name", "algorithm", "option"),
    [
        ("rsa", "RS256", []),
        ("rsa", "PS512", ["--algorithm", "PS512"]),
        ("p256", "ES256", []),
        ("p384", "ES384", []),
        ("p521", "ES512", []),
        ("ed25519", "EdDSA", []),
    ],
)
async def test_the_token_is_good_where_the_public_half_is_trusted(
    tmp_path: Path, name: str, algorithm: str, option: list[str]
) -> None:
    pem = tmp_path / "public.pem"
    pem.write_bytes(public_pem(name))
    roles = ["--role", "profile-editor", "--role", "a,b"]
    arguments = ["--key", key_file(tmp_path, name), *GOOD, *roles, *option]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0
    token = result.output.encode().removesuffix(b"\n")
    issuer = {"issuer": "dev", "audience": "ucs-gateway", "algorithms": [algorithm]}
    identity = Identity(jwt=(JwtIssuer.model_validate({**issuer, "pem_file": pem}),))
    authenticator = build_authenticator(identity, SystemClock())
    caller = await authenticator.identify(b"Bearer " + token)
    assert caller.subject == "anna"
    assert caller.claims == {"profile-editor", "a,b"}
    assert caller.expires_at is not None
    assert 3500 < caller.expires_at - SystemClock().wall() <= 3600
    await authenticator.close()


def test_a_token_needs_no_roles(tmp_path: Path) -> None:
    arguments = ["--key", key_file(tmp_path, "p256"), *GOOD, "--expires-seconds", "60"]
    assert CliRunner().invoke(command, arguments).output.count(".") == 2


def failure(arguments: list[str]) -> str:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code != 0
    assert result.stdout == ""
    return result.stderr


def test_an_algorithm_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    arguments = ["--key", key_file(tmp_path, "p256"), *GOOD, "--algorithm", "HS256"]
    assert "`HS256` does not fit the key; use `ES256`" in failure(arguments)


@pytest.mark.parametrize("name", ["rsa-1024", "p256k1"])
def test_a_key_that_no_gateway_accepts_is_refused(tmp_path: Path, name: str) -> None:
    assert "no gateway accepts" in failure(["--key", key_file(tmp_path, name), *GOOD])


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x448.pem"
    key = x448.X448PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "neither RSA, EC nor Ed25519" in failure(["--key", str(path), *GOOD])


@pytest.mark.parametrize("content", [b"", b"s3cret", public_pem("p256")])
def test_a_file_without_a_private_key_says_how_to_make_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    assert "openssl genpkey" in failure(["--key", str(path), *GOOD])


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    locked = BestAvailableEncryption(b"passphrase")
    path.write_bytes(private_key("p256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    assert "without a passphrase" in failure(["--key", str(path), *GOOD])
