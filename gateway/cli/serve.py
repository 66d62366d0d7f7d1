"""`ucs-gateway serve`: run the gateway."""

import os
from pathlib import Path

import click
import uvloop

from gateway.app import load_table, serve
from gateway.cli.output import Exit, config_option, show_findings
from gateway.errors import AuditUnavailable
from gateway.logs import configure
from gateway.settings import load_settings

__all__ = ["command"]


@click.command("serve")
@config_option
def command(config: Path) -> int:
    """Run the gateway until SIGTERM or Ctrl-C; SIGHUP reopens the audit file.

    A settings or policy file with an error is told with every finding, and nothing is started.
    """
    settings = load_settings(config, os.environ)
    table = load_table(settings)
    show_findings(table.findings)
    configure(settings.log.format, settings.log.level)
    try:
        uvloop.run(serve(settings, table))
    except AuditUnavailable as error:
        raise click.ClickException(f"cannot record: {error.detail}") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise click.ClickException(f"cannot listen: {why}") from None
    return Exit.YES
