"""`ucs-gateway serve`: run the gateway."""

import os
from pathlib import Path

import click

import policy
from gateway.app import read_sources, serve
from gateway.cli.output import Exit, config_option, show_findings
from gateway.logs import configure
from gateway.server.doors import CannotListen
from gateway.server.supervisor import WorkerFailed
from gateway.settings import load_settings

__all__ = ["command"]


@click.command("serve")
@config_option
def command(config: Path) -> int:
    """Run the gateway until SIGTERM or Ctrl-C; SIGHUP reads changed files anew.

    SIGTERM lets requests in flight end. SIGHUP takes over policy, catalogues, users, keys and
    certificates if all of them are sound, and reopens the audit file; a changed policy or
    catalogue is noticed without it (`reload.watch`). Other settings need a restart, or a second
    gateway that takes over (`listen.takeover_socket`).

    A settings or policy file with an error is told with every finding, and nothing is started.
    """
    settings = load_settings(config, os.environ)
    sources = read_sources(settings)
    table = policy.compile(policy.load(sources))
    show_findings(table.findings)
    configure(settings.log.format, settings.log.level)
    try:
        serve(settings, sources, table, os.environ)
    except WorkerFailed as fault:
        raise click.ClickException(str(fault)) from None
    except CannotListen as fault:
        raise click.ClickException(f"cannot listen: {fault.strerror or fault}") from None
    return Exit.YES
