"""Clients and keys kept up with their files: what is taken, when, and what stays with a fault."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.errors import SettingsInvalid
from gateway.issuer.issuer import Issuer
from gateway.issuer.keys import RIPE_SECONDS
from gateway.issuer.tokens import TokenClaims
from gateway.issuer.verifier import OwnTokens
from gateway.settings import ClientsSettings
from tests.support.clients import (
    MINDFUL,
    VSM,
    entry,
    settings_of,
    write_clients,
    write_key,
)
from tests.support.clock import FakeClock

OLD = "55555555-5555-4555-8555-555555555555"

Made = Callable[..., Issuer]


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Made]:
    every: list[Issuer] = []

    def make(*, watch: bool = True, **changes: Any) -> Issuer:
        path = tmp_path / "clients.yaml"
        given = settings_of(tmp_path, **changes) if not path.exists() else settings_there(tmp_path)
        settings = ClientsSettings.model_validate(given)
        every.append(Issuer(settings, FakeClock(4_000_000_000.0), watch=watch))
        return every[-1]

    yield make
    for each in every:
        await each.close()


def settings_there(folder: Path) -> dict[str, Any]:
    """As another process has them."""
    files = sorted(map(str, folder.glob("key-*.pem")))
    return {
        "file": str(folder / "clients.yaml"), "issuer": "https://gateway.example.com",
        "signing_keys": files, "revocations": str(folder / "revoked"),
    }  # fmt: skip


async def test_a_change_is_taken_once_two_looks_agree(made: Made, tmp_path: Path) -> None:
    issuer = made()
    write_clients(tmp_path, {"vsm": entry(state="disabled")})
    await issuer.look()
    assert issuer.held.clients[VSM].state == "active"
    await issuer.look()
    assert issuer.held.clients[VSM].state == "disabled"


async def test_the_log_says_which_clients_changed_and_nothing_secret(
    made: Made, tmp_path: Path
) -> None:
    issuer = made(clients={"vsm": entry(), "same": entry(MINDFUL), "old": entry(OLD)})
    write_clients(tmp_path, {"vsm": entry(state="disabled"), "same": entry(MINDFUL)})
    with capture_logs() as entries:
        await issuer.reload()
    told = str(entries)
    assert "vsm: disabled" in told
    assert "old: gone" in told
    assert "same:" not in told
    assert "argon2" not in told


async def test_what_goes_on_changing_is_left_alone(made: Made, tmp_path: Path) -> None:
    issuer = made()
    for number in range(4):
        write_clients(tmp_path, {"vsm": entry(title=str(number))})
        await issuer.look()
    assert issuer.held.clients[VSM].title == ""
    await issuer.look()
    assert issuer.held.clients[VSM].title == "3"


async def test_without_a_watch_only_a_reload_counts(made: Made, tmp_path: Path) -> None:
    issuer = made(watch=False)
    write_clients(tmp_path, {"vsm": entry(state="disabled")})
    for _ in range(3):
        await issuer.look(at_once=True)
    assert issuer.held.clients[VSM].state == "active"
    await issuer.reload()
    assert issuer.held.clients[VSM].state == "disabled"


async def test_without_a_watch_a_revoked_token_counts_all_the_same(
    made: Made, tmp_path: Path
) -> None:
    one, other = made(watch=False), made(watch=False)
    token = TokenClaims(client_id=VSM, token_id="t", issued_at=0, expires_at=4_000_000_600)
    await one.revoke(token)
    assert other.client_of(token) is not None
    await other.look()
    assert other.client_of(token) is None


async def test_a_fault_leaves_the_last_good_and_is_told_once(made: Made, tmp_path: Path) -> None:
    issuer = made()
    (tmp_path / "clients.yaml").write_text("clients: {vsm: 1}")
    with capture_logs() as entries:
        for _ in range(5):
            await issuer.look()
    assert VSM in issuer.held.clients
    assert issuer.is_stale
    assert str(entries).count("the last good ones stay") == 1
    write_clients(tmp_path, {"mindful": entry(MINDFUL)})
    await issuer.look()
    await issuer.look()
    assert not issuer.is_stale
    assert set(issuer.held.clients) == {MINDFUL}


async def test_every_fault_is_told_at_once(made: Made, tmp_path: Path) -> None:
    issuer = made()
    (tmp_path / "clients.yaml").write_text("clients: {vsm: {id: x, secret_hashes: [y]}}")
    (tmp_path / "key-0.pem").write_bytes(b"no key")
    with pytest.raises(SettingsInvalid) as refused:
        await issuer.reload()
    told = str(refused.value)
    assert "expected a GUID" in told
    assert "Argon2id" in told
    assert "key-0.pem" in told


@pytest.mark.parametrize("file", ["clients.yaml", "key-0.pem"])
async def test_a_file_that_vanishes_changes_nothing(made: Made, tmp_path: Path, file: str) -> None:
    issuer = made()
    (tmp_path / file).unlink()
    for _ in range(3):
        await issuer.look()
    assert VSM in issuer.held.clients
    assert issuer.is_stale


async def test_what_cannot_be_read_at_start_is_a_finding(made: Made, tmp_path: Path) -> None:
    given = settings_of(tmp_path)
    (tmp_path / "key-0.pem").write_bytes(b"")
    with pytest.raises(SettingsInvalid, match="no key in PEM"):
        Issuer(ClientsSettings.model_validate(given), FakeClock())
    settings_of(tmp_path)
    (tmp_path / "revoked").mkdir()
    with pytest.raises(SettingsInvalid, match="is a directory"):
        Issuer(ClientsSettings.model_validate(given), FakeClock())


async def test_a_process_that_starts_late_reads_what_others_go_by(
    made: Made, tmp_path: Path
) -> None:
    """It was forked from one that read the files earlier."""
    issuer = made()
    write_clients(tmp_path, {"vsm": entry(state="disabled")})
    never = asyncio.Event()
    await issuer.start(never.wait)
    assert issuer.held.clients[VSM].state == "disabled"


async def test_it_looks_as_often_as_it_rests(made: Made, tmp_path: Path) -> None:
    issuer = made()
    rested = asyncio.Semaphore(0)
    await issuer.start(rested.acquire)
    write_clients(tmp_path, {"vsm": entry(state="disabled")})
    rested.release()
    rested.release()
    async with asyncio.timeout(20):
        while issuer.held.clients[VSM].state != "disabled":
            await asyncio.to_thread(lambda: None)


# --- rotation between processes ------------------------------------------------------------------


async def issued(issuer: Issuer) -> bytes:
    _, token = await issuer.issue(issuer.held.clients[VSM], None)
    return token.encode()


async def test_no_token_is_refused_while_a_key_is_changed(made: Made, tmp_path: Path) -> None:
    """Two processes that read the files at different times, through every step of a rotation."""
    one = made(keys=("ed25519/a", "ed25519/a"))
    other = made()
    verifiers = [OwnTokens(each, realm="x", cache_seconds=1) for each in (one, other)]
    tokens: list[bytes] = []

    async def all_are_good() -> None:
        tokens.extend([await issued(one), await issued(other)])
        for token in tokens:
            for verifier in verifiers:
                assert await verifier.verify(token) is not None

    def clock_at(seconds: float) -> None:
        for each in (one, other):
            assert isinstance(each.clock, FakeClock)
            each.clock.advance(seconds)

    await all_are_good()
    changed = (tmp_path / "key-0.pem").stat().st_ctime
    for each in (one, other):  # so that files are new, and become old
        assert isinstance(each.clock, FakeClock)
        each.clock.set_wall(changed)
    await all_are_good()
    write_key(tmp_path, "key-1.pem", "ed25519/a")
    write_key(tmp_path, "key-0.pem", "ed25519/b")
    await one.reload()
    assert len(one.held.keys.by_kid) == 2
    await all_are_good()
    await other.reload()
    await all_are_good()
    signed_before = one._signed_by
    clock_at(RIPE_SECONDS + 1)
    await one.reload()
    await all_are_good()
    assert one._signed_by == other._signed_by != signed_before


async def test_a_client_that_another_process_knows_first_is_looked_for(
    made: Made, tmp_path: Path
) -> None:
    one, other = made(), made()
    write_clients(tmp_path, {"vsm": entry(), "mindful": entry(MINDFUL)})
    await one.reload()
    _, token = await one.issue(one.held.clients[MINDFUL], None)
    caller = await OwnTokens(other, realm="x", cache_seconds=1).verify(token.encode())
    assert caller is not None
    assert caller.subject == "mindful"
