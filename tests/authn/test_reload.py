"""Users and keys that changed while the gateway runs: all of them at once, or none."""

import asyncio
import json
from base64 import b64encode
from pathlib import Path

import jwt
import pytest

from gateway.authn import Authenticator, build_authenticator
from gateway.authn.passwords import Costs, hash_password
from gateway.errors import CredentialsRefused, SettingsInvalid
from gateway.settings import BasicSettings, Identity, Jwks, JwtIssuer, Secret
from policy import Caller
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

SECRET = b"0123456789abcdef0123456789abcdef"
OTHER_SECRET = SECRET[::-1]


def basic(name: str, password: str) -> bytes:
    return b"Basic " + b64encode(f"{name}:{password}".encode())


def write_users(path: Path, **passwords: str) -> Path:
    cheap = Costs(time_cost=1, memory_kib=8, lanes=1)
    users = {
        name: {"password_hash": hash_password(each, cheap)} for name, each in passwords.items()
    }
    path.write_text(json.dumps({"users": users}))
    return path


def of_users(path: Path) -> Authenticator:
    return build_authenticator(Identity(basic=BasicSettings(users=path)), FakeClock())


async def refused(authenticator: Authenticator, authorization: bytes) -> str:
    with pytest.raises(CredentialsRefused) as refusal:
        await authenticator.identify(authorization)
    return refusal.value.detail


async def test_a_changed_users_file_counts_from_the_reload_on(tmp_path: Path) -> None:
    users = write_users(tmp_path / "users.yaml", anna="old", kent="same")
    authenticator = of_users(users)
    await authenticator.identify(basic("anna", "old"))
    key = authenticator.digest(basic("anna", "old"))
    await refused(authenticator, basic("anna", "new"))
    write_users(users, anna="new", sam="first")

    assert authenticator.cached(key) is not None
    await authenticator.reload()

    assert authenticator.cached(key) is None
    assert "password is wrong" in await refused(authenticator, basic("anna", "old"))
    assert "is unknown" in await refused(authenticator, basic("kent", "same"))
    for name, password in (("anna", "new"), ("sam", "first")):
        assert (await authenticator.identify(basic(name, password))).subject == name
    await authenticator.close()


async def test_every_kind_of_key_file_is_read_again(tmp_path: Path) -> None:
    clock = FakeClock()
    pem, jwk, secret = (tmp_path / name for name in ("key.pem", "key.json", "secret"))

    def write(key: str, shared: bytes) -> None:
        pem.write_bytes(public_pem(key))
        jwk.write_text(json.dumps(public_jwk(key, kid="k")))
        secret.write_bytes(shared + b"\n")

    def tokens(key: str, shared: bytes) -> list[bytes]:
        by_hand = jwt.encode(claims_at(clock, iss="secret"), shared, algorithm="HS256").encode()
        return [
            b"Bearer " + signed(claims_at(clock, iss="pem"), key, algorithm="ES256"),
            b"Bearer " + signed(claims_at(clock, iss="jwk"), key, algorithm="ES256"),
            b"Bearer " + by_hand,
        ]

    def issuer(name: str, algorithm: str, **source: object) -> JwtIssuer:
        common = {"issuer": name, "audience": AUDIENCE, "subject_prefix": ""}
        return JwtIssuer.model_validate({**common, "algorithms": (algorithm,), **source})

    write("p256", SECRET)
    identity = Identity(
        jwt=(
            issuer("pem", "ES256", pem_file=pem),
            issuer("jwk", "ES256", jwk_file=jwk),
            issuer("secret", "HS256", secret_file=Secret(SECRET, f"file {secret}", secret)),
        )
    )
    authenticator = build_authenticator(identity, clock)
    former, later = tokens("p256", SECRET), tokens("p256/renewed", OTHER_SECRET)
    for token in former:
        assert (await authenticator.identify(token)).subject == "anna"

    write("p256/renewed", OTHER_SECRET)
    await authenticator.reload()

    for token in later:
        assert (await authenticator.identify(token)).subject == "anna"
    for token in former:
        assert "signature is wrong" in await refused(authenticator, token)
    await authenticator.close()


async def test_with_one_file_at_fault_nothing_changes_and_every_fault_is_told(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    users = write_users(tmp_path / "users.yaml", kent="old")
    pem, secret = tmp_path / "key.pem", tmp_path / "secret"
    pem.write_bytes(public_pem("p256"))
    secret.write_bytes(SECRET)
    common = {"audience": AUDIENCE, "subject_prefix": ""}
    identity = Identity(
        jwt=(
            JwtIssuer(issuer="pem", algorithms=("ES256",), pem_file=pem, **common),
            JwtIssuer(
                issuer="secret",
                algorithms=("HS256",),
                secret_file=Secret(SECRET, f"file {secret}", secret),
                **common,
            ),
        ),
        basic=BasicSettings(users=users),
    )
    authenticator = build_authenticator(identity, clock)
    token = b"Bearer " + signed(claims_at(clock, iss="pem"), "p256", algorithm="ES256")
    await authenticator.identify(basic("kent", "old"))

    pem.write_bytes(b"half a k")
    secret.unlink()
    users.write_text("users: {kent: {password_hash: plain}}")
    with pytest.raises(SettingsInvalid) as invalid:
        await authenticator.reload()

    found = [(Path(each.where.file).name, each.message) for each in invalid.value.diagnostics]
    assert [file for file, _ in found] == ["key.pem", "secret", "users.yaml"]
    assert "not exactly one PEM block" in found[0][1]
    assert "no such file" in found[1][1]
    assert "Argon2id" in found[2][1]
    assert authenticator.cached(authenticator.digest(basic("kent", "old"))) is not None
    assert (await authenticator.identify(token)).subject == "anna"
    await refused(authenticator, basic("kent", "plain"))
    await authenticator.close()


async def test_published_keys_are_kept_even_while_their_issuer_is_away(tmp_path: Path) -> None:
    clock = FakeClock()
    users = write_users(tmp_path / "users.yaml", kent="old")
    async with KeyServer(key_set(p="p256")) as server:
        issuer = JwtIssuer(
            issuer=ISSUER, audience=AUDIENCE, algorithms=("ES256",), jwks=Jwks(url=server.url),
            subject_prefix="",
        )  # fmt: skip
        identity = Identity(jwt=(issuer,), basic=BasicSettings(users=users))
        authenticator = build_authenticator(identity, clock)
        await authenticator.start()
        server.status = 503
        for _ in range(3):
            await authenticator.reload()
        token = b"Bearer " + signed(claims_at(clock), "p256", algorithm="ES256", kid="p")
        assert (await authenticator.identify(token)).subject == "anna"
        assert server.asked == 1
        assert authenticator.ready()[0]
        await authenticator.close()


class Gate:
    """An authenticator's verifiers, each of them held up until it is told to go on."""

    def __init__(self, authenticator: Authenticator) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        (verifier,) = authenticator._round.verifiers
        self._verify = verifier.verify
        verifier.verify = self._held_up  # type: ignore[method-assign]

    async def _held_up(self, credentials: bytes) -> Caller | None:
        self.begun.set()
        await self.go.wait()
        return await self._verify(credentials)


async def test_a_proof_under_way_is_brought_to_its_end_and_not_remembered(tmp_path: Path) -> None:
    users = write_users(tmp_path / "users.yaml", anna="old")
    authenticator = of_users(users)
    gate, header = Gate(authenticator), basic("anna", "old")
    early = asyncio.gather(authenticator.identify(header), authenticator.identify(header))
    await gate.begun.wait()

    write_users(users, anna="new")
    await authenticator.reload()
    # Whoever asks now is answered by what the file holds now, and waits for nobody.
    assert "password is wrong" in await refused(authenticator, header)
    gate.go.set()

    assert [caller.subject for caller in await early] == ["anna", "anna"]
    assert authenticator.cached(authenticator.digest(header)) is None
    assert "password is wrong" in await refused(authenticator, header)
    await authenticator.close()


async def test_what_was_proved_before_keys_were_withdrawn_is_not_remembered(
    tmp_path: Path,
) -> None:
    authenticator = of_users(write_users(tmp_path / "users.yaml", anna="old"))
    gate, header = Gate(authenticator), basic("anna", "old")
    early = asyncio.gather(authenticator.identify(header))
    await gate.begun.wait()
    authenticator.forget()
    await authenticator.reload()  # the former verifiers have to wait for that proof
    gate.go.set()
    assert [caller.subject for caller in await early] == ["anna"]
    assert authenticator.cached(authenticator.digest(header)) is None
    await authenticator.close()
