"""`ucs-gateway group …`: what each group has, changed in the policy files."""

import click

from gateway.cli.holders import add_commands

__all__ = ["command"]


@click.group("group")
def command() -> None:
    """Give groups roles, take them away, and show what members may do."""


add_commands(command, "groups", "group")
