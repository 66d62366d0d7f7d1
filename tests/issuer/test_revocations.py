"""The revocations file: what one process writes all read, through restarts and half-written lines."""

import json
import threading
from pathlib import Path

import pytest

from gateway.issuer.revocations import MOST_PER_CLIENT, Revocations
from gateway.issuer.tokens import TokenClaims
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "revoked"


def opened(path: Path, clock: FakeClock) -> Revocations:
    revocations = Revocations(path, wall=clock.wall)
    revocations.open()
    return revocations


def token(name: str, clock: FakeClock, *, client: str = "c", seconds: int = 600) -> TokenClaims:
    now = int(clock.wall())
    return TokenClaims(client_id=client, token_id=name, issued_at=now, expires_at=now + seconds)


def holds(revocations: Revocations, token: TokenClaims) -> bool:
    return revocations.holds(token.client_id, token.token_id, token.issued_at)


def test_what_one_process_revokes_all_know(path: Path, clock: FakeClock) -> None:
    one, other = opened(path, clock), opened(path, clock)
    revoked, kept = token("a", clock), token("b", clock)
    one.add(revoked)
    assert holds(one, revoked)
    assert not holds(other, revoked)
    other.catch_up()
    assert holds(other, revoked)
    assert not holds(other, kept)


def test_a_restart_finds_what_was_revoked(path: Path, clock: FakeClock) -> None:
    opened(path, clock).add(token("a", clock))
    assert holds(opened(path, clock), token("a", clock))


def test_only_we_may_read_it(path: Path, clock: FakeClock) -> None:
    opened(path, clock)
    assert path.stat().st_mode & 0o777 == 0o600


def test_revoking_twice_writes_once(path: Path, clock: FakeClock) -> None:
    revocations = opened(path, clock)
    revocations.add(token("a", clock))
    revocations.add(token("a", clock))
    assert len(path.read_bytes().splitlines()) == 1


def test_a_line_says_no_more_than_is_needed(path: Path, clock: FakeClock) -> None:
    opened(path, clock).add(token("a", clock))
    line = json.loads(path.read_bytes())
    now = int(clock.wall())
    assert line == {"client": "c", "token": "a", "until": now + 600, "at": now}


def test_what_has_ended_by_itself_is_forgotten(path: Path, clock: FakeClock) -> None:
    revocations = opened(path, clock)
    revocations.add(token("a", clock, seconds=10))
    clock.advance(10)
    revocations.add(token("b", clock))
    assert len(revocations) == 1
    assert len(opened(path, clock)) == 1


def test_the_file_is_written_anew_without_what_has_ended(path: Path, clock: FakeClock) -> None:
    revocations = opened(path, clock)
    for number in range(1_001):
        revocations.add(token(f"t{number}", clock, client=f"c{number}", seconds=10))
    clock.advance(10)
    other = opened(path, clock)
    revocations.add(token("last", clock))
    assert len(path.read_bytes().splitlines()) == 1
    other.add(token("after", clock))
    revocations.catch_up()
    for each in (revocations, other, opened(path, clock)):
        assert holds(each, token("last", clock))
        assert holds(each, token("after", clock))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["revoked"]


def test_a_client_that_revokes_without_end_has_all_its_tokens_ended(
    path: Path, clock: FakeClock
) -> None:
    revocations = opened(path, clock)
    for number in range(MOST_PER_CLIENT + 5):
        revocations.add(token(f"t{number}", clock))
    assert len(revocations) == 1
    assert len(path.read_bytes().splitlines()) <= MOST_PER_CLIENT + 1
    for each in (revocations, opened(path, clock)):
        assert holds(each, token("t7", clock))
        assert holds(each, token("never-revoked", clock))
        assert not holds(each, token("another", clock, client="d"))
    clock.advance(1)
    assert not holds(revocations, token("later", clock))


@pytest.mark.parametrize(
    "left", [b'{"client":"c","tok', b"garbage", b"\n\n", b'[1]\n{"until":"x"}\n']
)
def test_what_a_killed_process_left_harms_nothing(
    path: Path, clock: FakeClock, left: bytes
) -> None:
    opened(path, clock).add(token("a", clock))
    with path.open("ab") as file:
        file.write(left)
    revocations = opened(path, clock)
    revocations.add(token("b", clock))
    for each in (revocations, opened(path, clock)):
        assert holds(each, token("a", clock))
        assert holds(each, token("b", clock))


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(
    path: Path, clock: FakeClock
) -> None:
    writer, reader = opened(path, clock), opened(path, clock)
    writer.add(token("a", clock))
    line = path.read_bytes().replace(b'"a"', b'"b"')
    for cut in range(1, len(line)):
        with path.open("ab") as file:
            file.write(line[cut - 1 : cut])
        reader.catch_up()
        assert not holds(reader, token("b", clock))
    with path.open("ab") as file:
        file.write(line[-1:])
    reader.catch_up()
    assert holds(reader, token("b", clock))


@pytest.mark.parametrize("harm", ["remove", "empty", "replace"])
def test_what_is_known_is_not_unlearnt(path: Path, clock: FakeClock, harm: str) -> None:
    revocations = opened(path, clock)
    revocations.add(token("a", clock))
    if harm == "remove":
        path.unlink()
    elif harm == "empty":
        path.write_bytes(b"")
    else:
        (path.parent / "new").write_bytes(b"")
        (path.parent / "new").replace(path)
    revocations.catch_up()
    assert holds(revocations, token("a", clock))
    revocations.add(token("b", clock))
    assert holds(opened(path, clock), token("b", clock))


def test_many_writers_lose_nothing(path: Path, clock: FakeClock) -> None:
    """Eight processes' worth of them, each with descriptors of its own, one of which writes anew."""
    writers = [opened(path, clock) for _ in range(8)]

    def write(number: int) -> None:
        for n in range(200):
            writers[number].add(token(f"{number}-{n}", clock, client=f"c{number}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    reader = opened(path, clock)
    assert all(
        reader.holds(f"c{number}", f"{number}-{n}", 0) for number in range(8) for n in range(200)
    )


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        opened(tmp_path / "folder", clock)
