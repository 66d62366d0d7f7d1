"""`ucs-gateway explain`: why a request is allowed or denied, from the same table as the gateway."""

import os
from pathlib import Path

import click
from msgspec.structs import replace

from gateway.app import load_table
from gateway.cli.output import Exit, config_option, format_option, near, show_json
from gateway.cli.requests import body_facts, canonical_target
from gateway.errors import GatewayError
from gateway.settings import Limits, load_settings
from policy import (
    ANONYMOUS,
    BodyFacts,
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
@click.argument("method")
@click.argument("target")
@click.option("--as", "name", help="A user, by the name in the policy's `users`.")
@click.option("--role", "roles", multiple=True, help="A caller with this role; may be repeated.")
@click.option(
    "--claim", "claims", multiple=True, help="A value of the token's roles claim; may be repeated."
)
@click.option(
    "--body",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the request's JSON body.",
)
@config_option
@format_option
def command(
    method: str,
    target: str,
    name: str | None,
    roles: tuple[str, ...],
    claims: tuple[str, ...],
    body: Path | None,
    config: Path,
    format_: str,
) -> int:
    """Tell step by step why a request is allowed or denied.

    Without --as, --role and --claim the caller has no credentials. Exits with 0 when the request
    is allowed, 2 when it is denied, 1 when the outcome depends on a body that was not given.
    """
    settings = load_settings(config, os.environ)
    table = load_table(settings)
    if unknown := sorted(set(roles) - table.roles.keys()):
        raise click.ClickException(f"no policy file defines the role `{unknown[0]}`")
    if unknown := sorted(set(claims) - table.claims.keys()):
        raise click.ClickException(f"no policy file maps the claim `{unknown[0]}`")
    if name is not None and not name.isprintable():
        raise click.ClickException("the name after --as has characters that cannot be seen")
    if name is not None and name not in table.users:
        click.echo(f"note: no policy file names the user `{name}`", err=True)
    caller = _caller(name, roles, claims)
    try:
        canonical = canonical_target(method.upper(), os.fsencode(target), settings.limits)
        inquiry = Inquiry(
            caller=caller,
            held=table.held_by(caller),
            method=method.upper(),
            segments=canonical.segments,
            query=canonical.query,
        )
        explanation = explain(table, inquiry)
        if body is not None:
            explanation = _with_body(table, explanation, body, settings.limits)
    except GatewayError as error:
        return _refused(error, format_)
    if format_ == "json":
        show_json(_report(explanation, str(canonical)))
    else:
        click.echo(near(str(explanation)))
    return _exit(explanation)


def _with_body(
    table: DecisionTable, unread: Explanation, body: Path, limits: Limits
) -> Explanation:
    """The explanation with the body's facts.

    Where the outcome does not depend on the body, the gateway does not read it: then it may be
    anything, and its facts only make the story richer.
    """
    try:
        facts = _facts(body, unread, limits)
    except GatewayError:
        if isinstance(unread.decision, NeedsBody):
            raise
        click.echo("note: the outcome does not depend on the body, so it is not read", err=True)
        return unread
    return explain(table, replace(unread.inquiry, body=facts))


def _facts(body: Path, unread: Explanation, limits: Limits) -> BodyFacts:
    with body.open("rb") as file:
        content = file.read(limits.max_inspected_body_bytes + 1)
    is_optional = unread.route is not None and unread.route.body_optional
    return body_facts(content, limits, is_optional=is_optional)


def _caller(name: str | None, roles: tuple[str, ...], claims: tuple[str, ...]) -> Caller:
    if name is None and not roles and not claims:
        return ANONYMOUS
    return Caller(
        subject=name or "(unnamed)",
        kind=Kind.USER,
        means=Means.NONE,
        roles=frozenset(roles),
        claims=frozenset(claims),
    )


def _refused(error: GatewayError, format_: str) -> int:
    """The request would be refused before any policy is asked."""
    if format_ == "json":
        show_json({
            "target": None, "effect": Effect.DENY, "reason": error.code, "detail": error.detail,
            "route": None, "missing": None, "steps": [], "suppliers": [],
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
        "steps": [_step(step) for step in explanation.steps],
        "suppliers": [
            {"role": found.role, "supplies": found.supplies, "where": str(found.where)}
            for found in explanation.suppliers
        ],
    }


def _step(step: Step) -> dict[str, object]:
    where = None if step.where is None else str(step.where)
    return {"stage": step.stage, "text": step.text, "where": where, "details": step.details}
