"""The command line: one command, one file.

Exit codes: 0 yes, 1 could not, 2 denied or different, 3 invalid. Every command that reports
something also does so as JSON (`--format json`).
"""

import sys
from collections.abc import Sequence

import click

from gateway.cli import (
    catalogue,
    check,
    claim,
    client,
    demo,
    diff,
    explain,
    group,
    hash_secret,
    matrix,
    mine,
    policy,
    prove,
    replay,
    role,
    schema,
    serve,
    standin,
    test,
    token,
    user,
    who_can,
)
from gateway.cli.output import Exit, show_fault, show_findings, show_misuse
from gateway.errors import SettingsInvalid
from policy import PolicyInvalid, PolicyUnreadable

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ucs-gateway", prog_name="ucs-gateway")
def ucs_gateway() -> None:
    """Role-based authorization in front of Genesys UCS and Context Services."""


_COMMANDS = (
    catalogue.command,
    check.command,
    claim.command,
    client.command,
    demo.command,
    diff.command,
    explain.command,
    group.command,
    hash_secret.command,
    matrix.command,
    mine.command,
    policy.command,
    prove.command,
    replay.command,
    role.command,
    schema.command,
    serve.command,
    standin.command,
    test.command,
    token.command,
    user.command,
    who_can.command,
)
for _command in _COMMANDS:
    ucs_gateway.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. What went wrong is told on standard error."""
    try:
        result = ucs_gateway.main(arguments, prog_name="ucs-gateway", standalone_mode=False)
    except (SettingsInvalid, PolicyInvalid) as invalid:
        show_findings(invalid.diagnostics)
        return Exit.INVALID
    except PolicyUnreadable as unreadable:
        show_fault(str(unreadable))
        return Exit.COULD_NOT
    except click.exceptions.NoArgsIsHelpError as nothing:
        nothing.show()
        return Exit.COULD_NOT
    except click.UsageError as misuse:
        show_misuse(misuse)
        return Exit.COULD_NOT
    except click.ClickException as error:
        show_fault(error.format_message())
        return Exit.COULD_NOT
    except (click.Abort, KeyboardInterrupt):
        return Exit.COULD_NOT
    return int(result) if isinstance(result, int) else Exit.YES
