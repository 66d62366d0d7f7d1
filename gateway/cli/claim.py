"""`ucs-gateway claim …`: what each claim has, changed in the policy files."""

import click

from gateway.cli.holders import add_commands

__all__ = ["command"]


@click.group("claim")
def command() -> None:
    """Give values of a token's roles claim roles, take them away, and show what they mean."""


add_commands(command, "claims", "claim")
