"""`ucs-gateway replay`: recorded requests, put to another policy before it bites."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from gateway.app import load_table
from gateway.audit import safe_text
from gateway.cli.audit_log import (
    audit_log,
    audit_options,
    in_words,
    oddities,
    oddities_in_words,
    requests,
    span,
)
from gateway.cli.output import Exit, config_option, format_option, near, show_json
from gateway.cli.policies import policy_at
from gateway.learning import AuditLog, Flip, FlipKind, Flips
from gateway.settings import load_settings

__all__ = ["command"]

_MOST_SHOWN = 50


@click.command("replay")
@audit_options
@click.option(
    "--against",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="The other policy: a folder of policy files, or a settings file.",
)
@config_option
@format_option
def command(
    logs: tuple[str, ...], since: str, until: str, against: Path, config: Path, format_: str
) -> int:
    """Tell which recorded decisions another policy would make otherwise, new allows first.

    What a line does not tell is not guessed: such lines are counted apart. --config names the
    settings under which the lines were recorded. Exits with 0 when nothing flips, 2 when something
    does, 1 when no line could be replayed.
    """
    settings = load_settings(config, os.environ)
    flips = Flips(load_table(settings), policy_at(against, settings))
    log = audit_log(logs, since, until)
    for line in log:
        flips.add(line)
    if format_ == "json":
        show_json(_report(log, flips))
    else:
        for text in _told(log, flips):
            click.echo(near(text))
    if flips.flipped:
        return Exit.DENIED_OR_DIFFERENT
    return Exit.YES if flips.replayed else Exit.COULD_NOT


def _told(log: AuditLog, flips: Flips) -> Iterator[str]:
    groups, counts = flips.groups(), flips.counts()
    for kind in FlipKind:
        if counts[kind]:
            yield f"{kind}: {requests(counts[kind])}"
            found = [flip for flip in groups if flip.kind is kind]
            for flip in found[:_MOST_SHOWN]:
                yield from _flip(flip)
            if len(found) > _MOST_SHOWN:
                yield f"  and {len(found) - _MOST_SHOWN} more groups; --format json has all"
    if flips.unknown:
        yield f"cannot tell: {requests(flips.unknown.total())}"
        for unknown, count in flips.unknown.most_common(_MOST_SHOWN):
            example = safe_text(flips.examples[unknown])
            yield f"  {safe_text(unknown.operation)}, {requests(count)}, such as {example}"
            yield f"    {unknown.why}"
    if flips.undecided:
        yield f"left out: {requests(flips.undecided)} that ended in an error before any decision"
    yield from oddities_in_words(log)
    yield f"{requests(flips.replayed)} replayed{span(flips.first, flips.last)}: {_summary(flips)}"


def _summary(flips: Flips) -> str:
    if not flips.flipped:
        return "nothing flips" if flips.replayed else "nothing can be said"
    return f"{flips.same} as before, {flips.flipped} {'flips' if flips.flipped == 1 else 'flip'}"


def _flip(flip: Flip) -> Iterator[str]:
    who = safe_text(flip.caller)
    if flip.claims:
        who += f" ({', '.join(map(safe_text, flip.claims))})"
    operation = safe_text(flip.route or "unknown operation")
    yield f"  {who}: {safe_text(flip.method)} {operation}, {requests(flip.count)}"
    if flip.conditions:
        yield f"    when {' and '.join(map(safe_text, flip.conditions))}"
    after = flip.after or "one of several reasons"
    if flip.missing:
        word = "held now" if flip.kind is FlipKind.ALLOWED else "missing now"
        after += f", {word}: {in_words(flip.missing)}"
    yield f"    {flip.before} → {after}"
    yield f"   {span(flip.first, flip.last)}, such as {safe_text(flip.example)}"


def _report(log: AuditLog, flips: Flips) -> dict[str, object]:
    return {
        "replayed": flips.replayed,
        "same": flips.same,
        "flipped": flips.flipped,
        "by_kind": flips.counts(),
        "first": flips.first or None,
        "last": flips.last or None,
        "flips": [msgspec.to_builtins(flip) for flip in flips.groups()],
        "cannot_tell": [
            {
                "why": unknown.why,
                "operation": unknown.operation,
                "count": count,
                "example": flips.examples[unknown],
            }
            for unknown, count in flips.unknown.most_common()
        ],
        "undecided": flips.undecided,
        **oddities(log),
    }
