"""`ucs-gateway who-can`: everybody who may send a request, and who lacks one permission for it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import msgspec

from gateway.app import load_table
from gateway.cli.output import Exit, config_option, format_option, near, show_json
from gateway.cli.requests import canonical_target, facts_of, header_option
from gateway.cli.sentences import lacking, listed
from gateway.errors import GatewayError
from gateway.settings import Limits, load_settings
from policy import ANONYMOUS, NOTHING_HELD, DecisionTable, Inquiry, Reason, Route, UseRole, visible
from policy.analysis import (
    NearMiss,
    Outcome,
    Population,
    Reach,
    WhoKind,
    cases_of_request,
    reach_of,
)

__all__ = ["command"]

_MOST_NAMES = 8

_NAMED_KINDS = {
    WhoKind.ROLE: "roles",
    WhoKind.GROUP: "groups",
    WhoKind.CLAIM: "claims",
    WhoKind.CLIENT: "clients",
    WhoKind.USER: "users",
}


@click.command("who-can")
@click.argument("method")
@click.argument("target")
@click.option(
    "--body",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the request's JSON body.",
)
@click.option(
    "--limit",
    "most",
    type=click.IntRange(min=0),
    help=f"How many names of a kind to list; if not given, {_MOST_NAMES} as text and all as JSON.",
)
@header_option
@config_option
@format_option
def command(
    method: str,
    target: str,
    body: Path | None,
    most: int | None,
    headers: dict[bytes, bytes],
    config: Path,
    format_: str,
) -> int:
    """Tell who may send a request, and who lacks just one permission for it.

    Roles, groups, values of the roles claim, clients and users are each taken alone. Where the
    outcome depends on a body that was not given, every case is told. Exits with 0 if anybody may, 2 if
    nobody may.
    """
    settings = load_settings(config, os.environ)
    table = load_table(settings)
    try:
        asked = canonical_target(method.upper(), os.fsencode(target), settings.limits)
        inquiry = Inquiry(
            caller=ANONYMOUS,
            held=NOTHING_HELD,
            method=method.upper(),
            segments=asked.segments,
            query=asked.query,
            headers=headers,
        )
        route = table.routes.find(inquiry.method, inquiry.segments)
        if body is not None:
            inquiry = _with_body(inquiry, route, body, settings.limits)
    except GatewayError as error:
        return _refused(error, format_)
    cases = cases_of_request(route, inquiry)
    population = Population(table)
    own = frozenset(case.only for case in cases if case.only is not None)
    reaches = [reach_of(table, population, case, except_=own) for case in cases]
    if format_ == "json":
        show_json(_report(table, str(asked), inquiry.method, route, reaches, most))
    else:
        most = _MOST_NAMES if most is None else most
        for line in _told(table, inquiry, route, reaches, most):
            click.echo(near(line))
    return Exit.YES if any(reach.anybody for reach in reaches) else Exit.DENIED_OR_DIFFERENT


def _with_body(inquiry: Inquiry, route: Route | None, body: Path, limits: Limits) -> Inquiry:
    if route is None or route.settled is not None or not route.requirement.reads_body:
        click.echo("note: the outcome does not depend on the body, so it is not read", err=True)
        return inquiry
    facts = facts_of(body, limits, is_optional=route.body_optional)
    return msgspec.structs.replace(inquiry, body=facts)


def _refused(error: GatewayError, format_: str) -> int:
    """The request would be refused before any policy is asked."""
    if format_ == "json":
        show_json({
            "request": None, "route": None, "service": None, "enforced": None,
            "refused": {"code": error.code, "detail": error.detail}, "cases": [],
        })  # fmt: skip
    else:
        click.echo(f"nobody: refused with {error.status}, {error.code}: {error.detail}")
    return Exit.DENIED_OR_DIFFERENT


# --- for people --------------------------------------------------------------------------------


def _told(
    table: DecisionTable,
    inquiry: Inquiry,
    route: Route | None,
    reaches: Sequence[Reach],
    most: int,
) -> Iterator[str]:
    request = f"`{inquiry.method} /{'/'.join(inquiry.segments)}`"
    if route is None:
        yield f"nobody: no operation answers {request}"
        return
    yield f"{request} is `{route.id}` of the service `{route.service}` ({route.where})"
    if route.use_role is UseRole.SHADOW:
        yield f"`{route.service}` only watches: every known caller is let through all the same"
    barred = [reach for reach in reaches if reach.case.outcome.barred is Reason.GUARD_FAILED]
    others = [reach for reach in reaches if reach not in barred]
    common = [
        words
        for words in (others[0].case.outcome.because if others else ())
        if all(words in reach.case.outcome.because for reach in others)
    ]
    for reach in others:
        yield ""
        yield _heading(reach, common, alone=len(others) == 1)
        yield from _case(table, reach, most)
    for reach in barred:
        whom = "nobody" if not others else "nobody, whatever they hold,"
        if reach.case.only is not None:
            whom = f"not the caller `{reach.case.only}`"
        yield ""
        yield f"{whom} where this is broken: {' and '.join(reach.case.outcome.because)}"


def _heading(reach: Reach, common: Sequence[str], *, alone: bool) -> str:
    """In which case; `common` are the conditions of every case."""
    only = "" if reach.case.only is None else f", from a caller named `{reach.case.only}`"
    if alone:
        why = f", because {' and '.join(common)}" if common else ""
        return f"this request{only}{why}:"
    because = [words for words in reach.case.outcome.because if words not in common]
    if because:
        return f"where {' and '.join(because)}{only}:"
    return f"where no {'other ' if common else ''}condition is met{only}:"


def _case(table: DecisionTable, reach: Reach, most: int) -> Iterator[str]:
    outcome = reach.case.outcome
    demand = outcome.demand
    if demand is None:
        yield f"  nobody may: {outcome.barred}"
        return
    if outcome.for_strangers:
        yield "  anybody may, without credentials"
        return
    yield f"  needs {_needs(table, outcome)}"
    if table.permissions.missing_of(demand).scopes:
        yield "  of a client the policy says the scopes; any other token has to name one"
    if reach.anybody:
        yield "  may:"
        yield from (f"    {line}" for line in _counted(table, reach.allowed, most))
    else:
        yield "  nobody may"
    if reach.together:
        together = " and ".join(f"{who.kind} `{who.name}`" for who in reach.together)
        yield f"    nobody alone, but {together} together"
    if len(list(outcome.clauses)) == 1 and not outcome.aware:
        yield f"  everybody {'else ' if reach.anybody else ''}lacks only that"
        return
    for miss in reach.near:
        yield f"  would need only {_one_of(miss)}:"
        yield from (f"    {line}" for line in _counted(table, miss.who, most))


def _counted(
    table: DecisionTable, who: Mapping[WhoKind, Sequence[str]], most: int
) -> Iterator[str]:
    """One line for each kind of which there is somebody."""
    totals = {
        WhoKind.ROLE: len(table.roles), WhoKind.GROUP: len(table.groups),
        WhoKind.CLAIM: len(table.claims), WhoKind.CLIENT: len(table.clients),
        WhoKind.USER: len(table.users),
    }  # fmt: skip
    for kind, plural in _NAMED_KINDS.items():
        names = who[kind]
        if names:
            shown = ", ".join(_name(table, kind, name) for name in names[:most])
            more = f" and {len(names) - most:,} more" if len(names) > most else ""
            listed = f": {shown}{more}" if most else ""
            yield f"{len(names):,} of {totals[kind]:,} {plural}{listed}"
    if who[WhoKind.KNOWN]:
        yield "callers without a role"


def _name(table: DecisionTable, kind: WhoKind, name: str) -> str:
    off = kind is WhoKind.ROLE and not table.roles[name].enabled
    return f"{name} (off)" if off else name


def _needs(table: DecisionTable, outcome: Outcome) -> str:
    """What has to be held, and where."""
    demand = outcome.demand
    parts = lacking(table.permissions.missing_of(demand)) if demand is not None else []
    if not parts and outcome.realm:
        parts = ["some permission of the service"]
    if not parts:
        return "nothing but to be known"
    return " and ".join(parts) + _where(outcome)


def _where(outcome: Outcome) -> str:
    if outcome.own:
        return ", in all divisions or in the caller's only one"
    if not outcome.aware:
        return ""
    shown = [f"`{visible(name)}`" for name in outcome.divisions]
    return f", in division {listed(shown)}" if shown else ", in all divisions"


def _one_of(miss: NearMiss) -> str:
    names = [*(f"`{name}`" for name in miss.permissions), *(f"scope `{n}`" for n in miss.scopes)]
    where = f" in {listed([f'`{visible(name)}`' for name in miss.divisions])}"
    return " or ".join(names) + (where if miss.divisions else "")


# --- for programs ------------------------------------------------------------------------------


def _report(
    table: DecisionTable,
    target: str,
    method: str,
    route: Route | None,
    reaches: Sequence[Reach],
    most: int | None,
) -> dict[str, object]:
    return {
        "request": f"{method} {target}",
        "route": None if route is None else route.id,
        "service": None if route is None else route.service,
        "enforced": None if route is None else route.use_role is not UseRole.SHADOW,
        "refused": None,
        "cases": [_case_report(table, reach, most) for reach in reaches],
    }


def _case_report(table: DecisionTable, reach: Reach, most: int | None) -> dict[str, object]:
    outcome, example = reach.case.outcome, reach.case.example
    needs = None if outcome.demand is None else table.permissions.missing_of(outcome.demand)
    return {
        "because": outcome.because,
        "only_caller": reach.case.only,
        "needs": needs,
        "barred": outcome.barred,
        "divisions": outcome.divisions if outcome.aware and not outcome.own else None,
        "body": None if example is None else example.body,
        "allowed": _named(reach.allowed, most),
        "together": [{"kind": who.kind, "name": who.name} for who in reach.together],
        "one_short": [
            {
                "any_of": miss.permissions,
                "any_scope_of": miss.scopes,
                "divisions": miss.divisions,
                **_named(miss.who, most),
            }
            for miss in reach.near
        ],
    }


def _named(who: Mapping[WhoKind, Sequence[str]], most: int | None) -> dict[str, object]:
    report: dict[str, object] = {
        "strangers": bool(who[WhoKind.STRANGER]),
        "without_role": bool(who[WhoKind.KNOWN]),
    }
    for kind, plural in _NAMED_KINDS.items():
        report[plural] = {"count": len(who[kind]), "names": who[kind][:most]}
    return report
