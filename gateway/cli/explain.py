"""`ucs-gateway explain`: why a request is allowed or denied, from the same table as the gateway."""

import os
from pathlib import Path

import click
from msgspec.structs import replace

from gateway.app import load_table
from gateway.cli.known import looked_up
from gateway.cli.output import Exit, config_option, format_option, near, show_json
from gateway.cli.recorded import Recorded, record_of, recorded
from gateway.cli.requests import canonical_target, facts_of, header_option
from gateway.errors import GatewayError
from gateway.http.target import Target
from gateway.settings import Limits, load_settings
from policy import (
    ANONYMOUS,
    Caller,
    Decision,
    DecisionTable,
    Effect,
    Explanation,
    Inquiry,
    Kind,
    Means,
    NeedsBody,
    Step,
    explain,
)

__all__ = ["command"]


@click.command("explain")
@click.argument("method", required=False)
@click.argument("target", required=False)
@click.option("--id", "id_", help="Explain the request of this id from its audit line instead.")
@click.option(
    "--audit",
    type=click.Path(path_type=Path),
    help="The audit file to look in; that of the settings by default.",
)
@click.option("--as", "name", help="A user, by the name in the policy's `users`.")
@click.option("--client", help="An OAuth client, by its id in the policy's `clients`.")
@click.option("--role", "roles", multiple=True, help="A caller with this role; may be repeated.")
@click.option(
    "--in", "divisions", multiple=True, help="A division in which --role counts; all if left out."
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="A scope that the token names; may be repeated; all of them if left out.",
)
@click.option(
    "--claim", "claims", multiple=True, help="A value of the token's roles claim; may be repeated."
)
@click.option(
    "--body",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the request's JSON body.",
)
@header_option
@config_option
@format_option
def command(
    method: str | None,
    target: str | None,
    id_: str | None,
    audit: Path | None,
    name: str | None,
    client: str | None,
    roles: tuple[str, ...],
    divisions: tuple[str, ...],
    scopes: tuple[str, ...],
    claims: tuple[str, ...],
    body: Path | None,
    headers: dict[bytes, bytes],
    config: Path,
    format_: str,
) -> int:
    """Tell step by step why a request is allowed or denied.

    Without --as, --client, --role and --claim the caller has no credentials. Exits with 0 when the request
    is allowed, 2 when it is denied, 1 when the outcome depends on a body that was not given.

    With --id it tells what was decided then and what the policy says now; --role and --claim add
    what the caller's token gave it. Exits as was decided then, with 1 if there is no such line.
    """
    _one_question(method, target, id_, only_without_id=(name, client, body), only_with_id=(audit,))
    settings = load_settings(config, os.environ)
    table = load_table(settings)
    for role in roles:
        looked_up(role, table.roles, "role")
    for claim in claims:
        looked_up(claim, table.claims, "claim")
    if id_ is not None:
        record = record_of(id_, audit, settings)
        told = Recorded(table, record, frozenset(roles), frozenset(claims))
        now = told.explanation
        report = None if now is None or told.probe is None else _report(now, told.probe.target)
        return recorded(told, report, format_)
    if name is not None and not (name and name.isprintable()):
        fault = "has characters that cannot be seen" if name else "is empty"
        raise click.ClickException(f"the name after --as {fault}")
    if name is not None and name not in table.users:
        click.echo(f"note: no policy file names the user `{name}`", err=True)
    caller = _caller(name, roles, claims, divisions)
    if client is not None:
        caller = _client(table, client, alone=caller is ANONYMOUS)
    if scopes or (client is None and caller is not ANONYMOUS):
        caller = replace(caller, scopes=frozenset(filter(None, scopes or table.permissions.scopes)))
    try:
        asked, explanation = _explained(
            table, caller, (method or "").upper(), target or "", headers, body, settings.limits
        )
    except GatewayError as error:
        return _refused(error, format_)
    if format_ == "json":
        show_json(_report(explanation, str(asked)))
    else:
        click.echo(near(str(explanation)))
    return _exit(explanation)


def _one_question(
    method: str | None,
    target: str | None,
    id_: str | None,
    *,
    only_without_id: tuple[object, ...],
    only_with_id: tuple[object, ...],
) -> None:
    """Either a request is asked about, or a line of the audit."""
    if id_ is None:
        if method is None or target is None:
            raise click.UsageError("name a METHOD and a TARGET, or a request of the past with --id")
        if any(given is not None for given in only_with_id):
            raise click.UsageError("--audit says where to look for an --id, and there is none")
    elif any(given is not None for given in (method, target, *only_without_id)):
        raise click.UsageError(
            "the line of an --id knows request and caller: leave out METHOD, TARGET, --as and --body"
        )


def _explained(
    table: DecisionTable,
    caller: Caller,
    method: str,
    target: str,
    headers: dict[bytes, bytes],
    body: Path | None,
    limits: Limits,
) -> tuple[Target, Explanation]:
    """The target as it is read, and the explanation. Raises GatewayError where it is refused."""
    asked = canonical_target(method, os.fsencode(target), limits)
    inquiry = Inquiry(
        caller=caller,
        held=table.held_by(caller),
        method=method,
        segments=asked.segments,
        query=asked.query,
        headers=headers,
    )
    explanation = explain(table, inquiry)
    if body is not None:
        explanation = _with_body(table, explanation, body, limits)
    return asked, explanation


def _with_body(
    table: DecisionTable, unread: Explanation, body: Path, limits: Limits
) -> Explanation:
    """The explanation with the body's facts.

    Where the outcome does not depend on the body, the gateway does not read it: then it may be
    anything, and its facts only make the story richer.
    """
    try:
        optional = unread.route is not None and unread.route.body_optional
        facts = facts_of(body, limits, is_optional=optional)
    except GatewayError:
        if isinstance(unread.decision, NeedsBody):
            raise
        click.echo("note: the outcome does not depend on the body, so it is not read", err=True)
        return unread
    return explain(table, replace(unread.inquiry, body=facts))


def _client(table: DecisionTable, name: str, *, alone: bool) -> Caller:
    """The client of that name, which the policy has."""
    if not alone:
        raise click.UsageError("--client is a caller by itself: leave out --as, --role and --claim")
    if name not in table.clients:
        raise click.ClickException(f"no policy file defines the client `{name}`")
    return Caller(subject=name, kind=Kind.SERVICE, means=Means.CLIENT_CREDENTIALS)


def _caller(
    name: str | None,
    roles: tuple[str, ...],
    claims: tuple[str, ...],
    divisions: tuple[str, ...],
) -> Caller:
    if name is None and not roles and not claims:
        return ANONYMOUS
    return Caller(
        subject=name or "(unnamed)",
        kind=Kind.USER,
        means=Means.NONE,
        roles=frozenset(roles),
        divisions=frozenset(divisions) if divisions else None,
        claims=frozenset(claims),
    )


def _refused(error: GatewayError, format_: str) -> int:
    """The request would be refused before any policy is asked."""
    if format_ == "json":
        show_json({
            "target": None, "effect": Effect.DENY, "reason": error.code, "detail": error.detail,
            "route": None, "missing": None, "divisions": [], "steps": [], "suppliers": [],
        })  # fmt: skip
    else:
        click.echo(f"verdict: refused with {error.status}, {error.code}: {error.detail}")
    return Exit.DENIED_OR_DIFFERENT


def _exit(explanation: Explanation) -> int:
    decision = explanation.decision
    if not isinstance(decision, Decision):
        return Exit.COULD_NOT
    return Exit.YES if decision.effect is Effect.ALLOW else Exit.DENIED_OR_DIFFERENT


def _report(explanation: Explanation, target: str) -> dict[str, object]:
    decision = explanation.decision if isinstance(explanation.decision, Decision) else None
    return {
        "target": target,
        "effect": None if decision is None else decision.effect,
        "reason": "needs-body" if decision is None else decision.reason,
        "detail": None,
        "route": None if explanation.route is None else explanation.route.id,
        "missing": None if decision is None else decision.missing,
        "divisions": [] if decision is None else decision.divisions,
        "steps": [_step(step) for step in explanation.steps],
        "suppliers": [
            {"role": found.role, "supplies": found.supplies, "where": str(found.where)}
            for found in explanation.suppliers
        ],
    }


def _step(step: Step) -> dict[str, object]:
    where = None if step.where is None else str(step.where)
    return {"stage": step.stage, "text": step.text, "where": where, "details": step.details}
