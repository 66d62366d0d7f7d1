"""The users file says everything that is wrong with it, and where."""

from pathlib import Path

import pytest

from gateway.authn.passwords import Costs, hash_password
from gateway.authn.users import read_users
from policy import PolicyInvalid

HASH = hash_password("s3cret", Costs(time_cost=1, memory_kib=8, lanes=1))


def written(folder: Path, text: str) -> Path:
    path = folder / "users.yaml"
    path.write_text(text.replace("HASH", f"'{HASH}'"), "utf-8")
    return path


def findings(path: Path) -> list[tuple[int, str]]:
    with pytest.raises(PolicyInvalid) as invalid:
        read_users(path)
    return [(found.where.line, found.message) for found in invalid.value.diagnostics]


def test_users_and_their_kinds_are_read(tmp_path: Path) -> None:
    users = read_users(
        written(
            tmp_path,
            "users:\n"
            "  kent: {password_hash: HASH}\n"
            "  import-job: {password_hash: HASH, kind: service}\n",
        )
    )
    assert {name: user.kind for name, user in users.items()} == {
        "kent": "user",
        "import-job": "service",
    }
    assert users["kent"].password_hash == HASH


def test_a_hash_on_a_line_of_its_own_needs_no_quotes(tmp_path: Path) -> None:
    path = tmp_path / "users.yaml"
    path.write_text(f"users:\n  kent:\n    password_hash: {HASH}\n")
    assert read_users(path)["kent"].password_hash == HASH


def test_no_repr_shows_a_hash(tmp_path: Path) -> None:
    users = read_users(written(tmp_path, "users: {kent: {password_hash: HASH}}"))
    assert HASH not in repr(users)


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "users:\n"
        "  kent: {password_hash: s3cret}\n"
        "  a:b: {password_hash: HASH}\n"
        "  sam: {password_hash: HASH, kind: robot}\n"
        "  eve: {password: HASH}\n",
    )
    found = findings(path)
    assert [line for line, _ in found] == [2, 3, 4, 5, 5]
    messages = "\n".join(message for _, message in found)
    assert "not an Argon2id hash; make one with `ucs-gateway hash-secret`" in messages
    assert "without a colon" in messages
    assert "s3cret" not in messages


def test_a_name_that_is_there_twice_is_a_fault(tmp_path: Path) -> None:
    text = "users:\n  kent: {password_hash: HASH}\n  kent: {password_hash: HASH}\n"
    ((line, message),) = findings(written(tmp_path, text))
    assert line == 3
    assert "kent" in message


@pytest.mark.parametrize("text", ["", "users: []", "kent: HASH", "users: {kent: HASH}"])
def test_anything_else_is_no_users_file(tmp_path: Path, text: str) -> None:
    assert findings(written(tmp_path, text))


def test_a_file_that_is_not_there_or_too_large_is_a_fault(tmp_path: Path) -> None:
    assert findings(tmp_path / "users.yaml") == [
        (1, "cannot read the users: no such file or directory")
    ]
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(16_777_217)
    assert findings(large) == [(1, "cannot read the users: larger than any users file")]
