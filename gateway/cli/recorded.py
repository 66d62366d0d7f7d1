"""Why a request of the past was decided as it was, and what the policy says of it now.

An audit line holds no target, by design. So what is explained is a request like it: of the same
operation, for which the same conditions speak, sent by the same caller with the same claims.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from gateway.audit import CUT, LineBroken, LineMissing, Record, record_with, safe_text
from gateway.cli.output import Exit, near, show_json, why
from gateway.cli.sentences import lacking
from gateway.settings import Settings
from policy import (
    ANONYMOUS,
    Caller,
    DecisionTable,
    Effect,
    Explanation,
    Kind,
    Means,
    Missing,
    Reason,
    Route,
    explain,
)
from policy.analysis import Probe, conditions_true_of, probe_like

__all__ = ["Recorded", "record_of", "recorded"]

_REASONS = {reason.label: reason for reason in Reason}
_KINDS = {str(kind): kind for kind in Kind}
_MEANS = {str(Means.CLIENT_CREDENTIALS): Means.CLIENT_CREDENTIALS}


def record_of(id_: str, audit: Path | None, settings: Settings) -> Record:
    """The audit line of that id, from `audit` or the settings' own file."""
    path = audit or settings.audit.file
    if path is None or str(path) == "-":
        said = "standard output" if path is not None else "nowhere"
        raise click.ClickException(
            f"the settings write the audit to {said}: name a file with --audit"
        )
    if not path.is_file():
        other = "is no file" if path.exists() else "is not there"
        said = f"the audit file {path} {other}\n  help: `--audit` names another one"
        raise click.ClickException(near(said))
    try:
        return record_with(id_, path)
    except LineMissing:
        shown = safe_text(id_)
        raise click.ClickException(near(f"no line of {path} has the id `{shown}`")) from None
    except LineBroken as broken:
        said = f"the line of `{safe_text(id_)}` in {path} cannot be read: {broken}"
        raise click.ClickException(near(said)) from None
    except OSError as error:
        raise click.ClickException(near(f"{path} cannot be read: {why(error)}")) from None


class Recorded:
    """A line and what there is to say of it; `explanation` is None where the line has too little."""

    def __init__(
        self, table: DecisionTable, record: Record, roles: frozenset[str], claims: frozenset[str]
    ) -> None:
        self.table = table
        self.record = record
        self.notes: list[str] = []
        self.probe: Probe | None = None
        self.explanation: Explanation | None = None
        self.same_policy = record.policy == table.version
        route = self._route()
        if route is None:
            return
        reason = _REASONS[record.reason]
        self.probe = probe_like(
            table, route, reason, record.because, record.conditions, record.divisions
        )
        if self.probe is None:
            self.notes.append(
                "by the policy now, no request to this operation is decided for that reason"
            )
            return
        self.notes += self._unlike(route, reason, self.probe)
        caller = self._caller(roles, claims)
        self.explanation = explain(table, self.probe.inquiry(caller, table.held_by(caller)))

    def _route(self) -> Route | None:
        record = self.record
        if record.reason not in _REASONS:
            self.notes.append("the request was refused before any policy was asked")
        elif record.route is None:
            self.notes.append(
                "no operation was found for it, and the line does not hold its target"
            )
        else:
            for route in self.table.operations:
                if (route.service, route.id) == (record.service, record.route):
                    return route
            self.notes.append("the policy now has no such operation")
        return None

    def _unlike(self, route: Route, reason: Reason, probe: Probe) -> Iterator[str]:
        """In what the request that is explained may differ from the one that was sent."""
        record = self.record
        if CUT in record.conditions:
            yield "the line was shortened: which conditions were true is not in it"
            return
        if record.unread:
            body = "nobody looked into its body then, on which this depends:"
            yield f"{body} {', '.join(record.unread)}"
            return
        asked = reason in {Reason.PERMITTED, Reason.PERMISSION_MISSING, Reason.GUARD_FAILED}
        if asked and conditions_true_of(route, probe) != frozenset(record.conditions):
            true = " and ".join(record.conditions) or "no condition"
            yield f"by the policy now, no such request is one for which just this is true: {true}"

    def _caller(self, roles: frozenset[str], claims: frozenset[str]) -> Caller:
        """Who asked, with the claims of the line if no others are given."""
        record = self.record
        if record.kind == Kind.ANONYMOUS:
            return ANONYMOUS
        if not claims and any(claim.endswith(CUT) for claim in record.claims):
            self.notes.append(
                "the line does not hold all of the token's claims: name others with --claim"
            )
        return Caller(
            subject=record.subject,
            kind=_KINDS.get(record.kind, Kind.USER),
            means=_MEANS.get(record.means, Means.NONE),
            roles=roles,
            claims=claims or frozenset(record.claims),
            scopes=None if record.means in _MEANS else frozenset(self.table.permissions.scopes),
        )


def recorded(told: Recorded, report: dict[str, object] | None, format_: str) -> int:
    """Show it; `report` is the explanation for programs. Exits as was decided then."""
    if format_ == "json":
        show_json(_report(told, report))
    else:
        for line in _lines(told):
            # An audit file is somebody else's text: nothing of it may steer a terminal.
            click.echo(near("\n".join(map(_safe_line, line.split("\n")))))
    return Exit.YES if told.record.effect == Effect.ALLOW else Exit.DENIED_OR_DIFFERENT


def _safe_line(line: str) -> str:
    """One line without anything that cannot be seen."""
    return line if line.isprintable() else safe_text(line)


def _lines(told: Recorded) -> Iterator[str]:
    record = told.record
    caller = f"the {record.kind} `{record.subject}` ({record.means})"
    if record.kind == Kind.ANONYMOUS:
        caller = "an anonymous caller"
    yield f"request: {record.id} of {record.time}, {record.method} from {record.peer} by {caller}"
    yield from _then(record)
    if told.same_policy:
        yield f"policy: {record.policy}, which is the policy now"
    elif record.policy:
        yield f"policy: {record.policy} then, {told.table.version} now"
    yield from (f"note: {note}" for note in told.notes)
    if told.explanation is not None:
        yield f"now: a request like it, {told.probe}"
        yield str(told.explanation)


def _then(record: Record) -> Iterator[str]:
    """What was decided, and what became of it."""
    where = f" at `{record.route}` of the service `{record.service}`" if record.route else ""
    yield f"then: {record.effect}: {record.reason}{where}"
    missing = record.missing or Missing()
    yield from (f"  - missing {words}" for words in lacking(missing))
    if record.divisions:
        yield f"  - in division {', '.join(f'`{name}`' for name in record.divisions)}"
    yield from (f"  - because {words}" for words in record.because)
    if not record.enforced:
        yield "  - the service only watched: the request went on all the same"
    status = "no answer was sent" if record.status is None else f"answered {record.status}"
    yield f"  - {status}, {record.ending}, after {record.total_ms} ms"


def _report(told: Recorded, report: dict[str, object] | None) -> dict[str, object]:
    return {
        "then": told.record,
        "same_policy": told.same_policy,
        "policy": told.table.version,
        "like": None if told.probe is None else str(told.probe),
        "notes": told.notes,
        "now": report,
    }
