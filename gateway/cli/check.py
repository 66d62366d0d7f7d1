"""`ucs-gateway check`: read and compile everything, start nothing, tell every finding at once.

What `serve` would refuse to start with is found here: settings, keys, users, clients, catalogues, policy.
What it would take and nobody can have meant is found here only.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

import policy
from gateway.authn import build_authenticator
from gateway.cli.annotations import annotation_of
from gateway.cli.output import Exit, config_option, formats_option, show_findings, show_json
from gateway.cli.own_findings import own_findings
from gateway.cli.sarif import sarif_of
from gateway.cli.sentences import counted
from gateway.clock import SystemClock
from gateway.errors import SettingsInvalid
from gateway.issuer import Clients, read_held
from gateway.settings import load_settings, specs
from policy import DecisionTable, Diagnostic, PolicyInvalid, Severity, in_order
from policy.analysis import Accepted, Openings, accepted_of, lint

__all__ = ["command"]


@click.command("check")
@config_option
@formats_option(
    *("text", "json", "sarif", "github"),
    told="Text for people, JSON for programs, SARIF or GitHub's annotations for code review.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 2 when there are only warnings, if nobody has accepted them.",
)
def command(config: Path, format_: str, *, strict: bool) -> int:
    """Read settings, keys, users, clients, catalogues and policy, and tell every finding at once.

    Exits with 3 when there is an error; warnings alone are told and exit with 0, or with 2 under
    --strict. A comment `# accepted: CODE: reason` on the line of a warning, or right above it,
    says that it is meant so.
    """
    table, findings, accepted = _read(config)
    match format_:
        case "json":
            show_json(_report(table, findings, accepted))
        case "sarif":
            show_json(sarif_of(findings))
        case "github":
            for finding in findings:
                click.echo(annotation_of(finding))
        case _:
            show_findings(findings)
            if table is not None:
                click.echo(_summary(config, table, accepted))
    if table is None:
        return Exit.INVALID
    return Exit.DENIED_OR_DIFFERENT if strict and findings else Exit.YES


def _read(
    config: Path,
) -> tuple[DecisionTable | None, tuple[Diagnostic, ...], tuple[Accepted, ...]]:
    """The table that a gateway would start with, if it would, and all there is to say of it.

    Where something is wrong, nothing is accepted: not everything was looked at.
    """
    try:
        settings = load_settings(config, os.environ)
    except SettingsInvalid as invalid:
        return None, in_order(invalid.diagnostics), ()
    refused: tuple[Diagnostic, ...] = ()
    clock = SystemClock()
    try:
        build_authenticator(settings.identity, clock)
    except SettingsInvalid as invalid:
        refused = invalid.diagnostics
    clients: Clients | None = None
    try:
        if settings.identity.clients is not None:
            clients = read_held(settings.identity.clients, clock).clients
    except SettingsInvalid as invalid:
        refused += invalid.diagnostics
    try:
        sources = policy.read(specs(settings), settings.policy)
        document = policy.load(sources)
        table = policy.compile(document)
    except PolicyInvalid as invalid:
        return None, in_order((*refused, *invalid.diagnostics)), ()
    findings = (*lint(document, table), *own_findings(settings, table, clients))
    if refused:
        return None, in_order((*refused, *findings)), ()
    return table, *accepted_of(in_order(findings), sources)


def _summary(config: Path, table: DecisionTable, accepted: Sequence[Accepted]) -> str:
    said = (
        f"{config}: {len(table.services)} services, {len(table.operations)} operations, "
        f"{len(table.permissions)} permissions, {len(table.roles)} roles; "
        f"policy version {table.version}"
    )
    if accepted:
        said += f"\n{counted(len(accepted), 'warning')} accepted by comments"
    openings = Openings(table)
    opened = {role.name: openings.counts(role) for role in table.roles.values()}
    if not opened:
        return said
    name = max(opened, key=lambda name: opened[name])
    operations, writes = opened[name]
    return (
        f"{said}\nno role opens more than `{name}`: {operations} operations, {writes} of them write"
    )


def _report(
    table: DecisionTable | None, findings: Sequence[Diagnostic], accepted: Sequence[Accepted]
) -> dict[str, object]:
    return {
        "valid": table is not None,
        "policy": None if table is None else table.version,
        "errors": sum(finding.severity is Severity.ERROR for finding in findings),
        "findings": [msgspec.to_builtins(finding) for finding in findings],
        "accepted": [
            {**msgspec.to_builtins(each.finding), "reason": each.reason} for each in accepted
        ],
        "roles": {} if table is None else _roles(table),
    }


def _roles(table: DecisionTable) -> dict[str, dict[str, int]]:
    """How much each role opens."""
    openings = Openings(table)
    counts = {role.name: openings.counts(role) for role in table.roles.values()}
    return {name: {"operations": all_, "writes": some} for name, (all_, some) in counts.items()}
