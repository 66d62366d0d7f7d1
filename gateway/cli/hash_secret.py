"""`ucs-gateway hash-secret`: the Argon2id hash of a password, for a users file.

The password is asked for twice, or read from standard input when that is not a terminal. It is
never an argument: arguments show in the process list and in the shell's history.
"""

import sys

import click

from gateway.authn.passwords import MAX_PASSWORD_BYTES, hash_password, prepared

__all__ = ["command"]


@click.command("hash-secret")
def command() -> None:
    """Print the Argon2id hash of a password that is typed in or piped in."""
    if _at_a_terminal():
        secret = click.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        secret = _piped()
    if not secret:
        raise click.ClickException("the password is empty")
    if len(prepared(secret)) > MAX_PASSWORD_BYTES:
        raise click.ClickException(f"the password is longer than {MAX_PASSWORD_BYTES} bytes")
    if any(character < " " or character == "\x7f" for character in secret):
        # RFC 7617, 2: such a password could never be sent.
        raise click.ClickException("the password contains control characters; give it on one line")
    click.echo(hash_password(secret))


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _piped() -> str:
    """Everything, without the one newline that `echo` and editors put at the end."""
    piped = sys.stdin.buffer.read(MAX_PASSWORD_BYTES * 4)
    try:
        return piped.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise click.ClickException("the password is not UTF-8") from None
