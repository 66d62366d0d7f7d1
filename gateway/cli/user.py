"""`ucs-gateway user …`: what each user has, changed in the policy files."""

import click

from gateway.cli.holders import add_commands

__all__ = ["command"]


@click.group("user")
def command() -> None:
    """Give users roles and groups, take them away, and show what they may do."""


add_commands(command, "users", "user")
