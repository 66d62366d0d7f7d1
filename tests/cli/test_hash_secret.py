"""A password becomes a line for the users file, and is nowhere else."""

import pytest
from click.testing import CliRunner, Result

from gateway.authn.passwords import argon2_matches
from gateway.cli import hash_secret
from gateway.cli.hash_secret import command


def hashed(piped: bytes | str) -> Result:
    return CliRunner().invoke(command, input=piped)


@pytest.mark.parametrize(
    ("piped", "password"),
    [
        (b"s3cret\n", b"s3cret"),
        (b"s3cret", b"s3cret"),
        (b"s3cret\r\n", b"s3cret"),
        (b" a:b c \n", b" a:b c "),
        ("Schlu\u0308ssel\n".encode(), "Schlüssel".encode()),
    ],
)
def test_a_password_that_is_piped_in_is_hashed(piped: bytes, password: bytes) -> None:
    result = hashed(piped)
    assert result.exit_code == 0
    assert result.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert argon2_matches(result.stdout.strip(), password)


@pytest.mark.parametrize(
    ("piped", "fault"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"two\nlines\n", "control characters"),
        (b"s3\x00cret", "control characters"),
        (b"\xff", "not UTF-8"),
        (b"p" * 1025, "longer than 1024 bytes"),
    ],
)
def test_a_password_that_could_not_be_sent_is_refused(piped: bytes, fault: str) -> None:
    result = hashed(piped)
    assert result.exit_code == 1
    assert fault in result.stderr
    assert result.stdout == ""


def test_the_password_is_no_argument() -> None:
    assert CliRunner().invoke(command, ["s3cret"]).exit_code == 2


def test_at_a_terminal_the_password_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_secret, "_at_a_terminal", lambda: True)
    result = hashed("s3cret\ns3cret\n")
    assert result.exit_code == 0
    assert "s3cret" not in result.output
    assert argon2_matches(result.stdout.strip(), b"s3cret")
