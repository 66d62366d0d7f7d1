"""`ucs-gateway check`: read and compile everything, start nothing, tell every finding at once.

What `serve` would refuse to start with is found here: settings, keys, users, catalogues, policy.
"""

import os
from pathlib import Path

import click
import msgspec

from gateway.app import load_table
from gateway.authn import build_authenticator
from gateway.cli.output import Exit, config_option, format_option, show_findings, show_json
from gateway.clock import SystemClock
from gateway.errors import SettingsInvalid
from gateway.settings import load_settings
from policy import DecisionTable, Diagnostic, PolicyInvalid, Severity

__all__ = ["command"]


@click.command("check")
@config_option
@format_option
def command(config: Path, format_: str) -> int:
    """Read settings, keys, users, catalogues and policy, and tell every finding at once.

    Exits with 3 when there is an error; warnings alone are told and exit with 0.
    """
    table, findings = _read(config)
    if format_ == "json":
        show_json(_report(table, findings))
    else:
        show_findings(findings)
        if table is not None:
            click.echo(_summary(config, table))
    return Exit.INVALID if table is None else Exit.YES


def _read(config: Path) -> tuple[DecisionTable | None, tuple[Diagnostic, ...]]:
    """The table that a gateway would start with, if it would, and all there is to say of it."""
    try:
        settings = load_settings(config, os.environ)
    except SettingsInvalid as invalid:
        return None, invalid.diagnostics
    refused: tuple[Diagnostic, ...] = ()
    try:
        build_authenticator(settings.identity, SystemClock())
    except SettingsInvalid as invalid:
        refused = invalid.diagnostics
    try:
        table = load_table(settings)
    except PolicyInvalid as invalid:
        return None, refused + invalid.diagnostics
    return None if refused else table, refused + table.findings


def _summary(config: Path, table: DecisionTable) -> str:
    return (
        f"{config}: {len(table.services)} services, {len(table.operations)} operations, "
        f"{len(table.permissions)} permissions, {len(table.roles)} roles; "
        f"policy version {table.version}"
    )


def _report(table: DecisionTable | None, findings: tuple[Diagnostic, ...]) -> dict[str, object]:
    return {
        "valid": table is not None,
        "policy": None if table is None else table.version,
        "errors": sum(finding.severity is Severity.ERROR for finding in findings),
        "findings": [msgspec.to_builtins(finding) for finding in findings],
    }
