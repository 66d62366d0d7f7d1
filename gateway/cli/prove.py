"""`ucs-gateway prove`: whether the assertions beside a policy hold, and who shows that one does not."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

import policy
from gateway.app import load_table
from gateway.cli.output import Exit, config_option, format_option, near, show_json
from gateway.cli.policies import policy_at
from gateway.cli.requests import canonical_target
from gateway.errors import GatewayError
from gateway.settings import Limits, load_settings
from policy import DecisionTable
from policy.analysis import Counterexample, Proof, Reader, prove

__all__ = ["command"]

_FOLDER = "proofs"
_SHOWN = 3
_NAMED = 5


@click.command("prove")
@click.option(
    "--against",
    type=click.Path(exists=True, path_type=Path),
    help="Another policy, of which the same must hold: a settings file, or a folder of policy files.",
)
@config_option
@format_option
def command(against: Path | None, config: Path, format_: str) -> int:
    """Prove the assertions beside the policy, for every request and every caller there can be.

    They are read from `proofs/*.yaml` in the policy's folder. Exits with 0 when all of them hold, 2
    when one does not, 3 when files are wrong or an assertion speaks of what is not there.
    """
    settings = load_settings(config, os.environ)
    table = load_table(settings) if against is None else policy_at(against, settings)
    folder = settings.policy / _FOLDER
    if not folder.exists():
        advice = "write assertions into a file there, `*.yaml`"
        raise click.ClickException(f"there is no {folder}\n  help: {advice}")
    texts = policy.read((), folder).policies
    verdicts = prove(table, texts, _reader(settings.limits))
    if format_ == "json":
        show_json(_report(table, verdicts))
    else:
        for verdict in verdicts:
            click.echo(near("\n".join(_lines(verdict))))
        click.echo(_summary(verdicts))
    return Exit.YES if all(each.holds for each in verdicts) else Exit.DENIED_OR_DIFFERENT


def _reader(limits: Limits) -> Reader:
    """Reads a target as the gateway would; what it would refuse is a ValueError."""

    def read(method: str, target: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        try:
            canonical = canonical_target(method, os.fsencode(target), limits)
        except GatewayError as error:
            raise ValueError(f"{error.code}: {error.detail}") from error
        return canonical.segments, canonical.query

    return read


# --- for people --------------------------------------------------------------------------------


def _lines(verdict: Proof) -> Iterator[str]:
    said = verdict.assertion
    if verdict.holds:
        yield f"proved: {said.name}: {said.title}"
        return
    yield f"violated: {said.name}: {said.title} ({said.where})"
    shown = verdict.counterexamples[:_SHOWN]
    for example in shown:
        yield f"  {example} {_deed(verdict, example)}"
        yield from (f"    - {why}" for why in example.why)
        yield from (f"    - {origin.permission}: {origin}" for origin in example.origins)
    rest = [*map(str, verdict.counterexamples[_SHOWN:]), *map(str, verdict.others)]
    if rest:
        more = ", …" if len(rest) > _NAMED else ""
        yield f"  and {_counted(len(rest), 'other')}: {', '.join(rest[:_NAMED])}{more}"


def _deed(verdict: Proof, example: Counterexample) -> str:
    """What the caller can and must not do, or cannot and must."""
    said = verdict.assertion
    must = said.rule == "always"
    if not example.asked:
        return "does not hold what it must" if must else "holds all of this"
    requests = " and ".join(example.requests)
    more = len(example.operations) - len({asked.route.id for asked in example.asked})
    others = f", and the like of {_counted(more, 'other operation')}" if more else ""
    return f"{'cannot' if must else 'can'} send {requests}{others}"


def _summary(verdicts: tuple[Proof, ...]) -> str:
    violated = sum(not verdict.holds for verdict in verdicts)
    proved = len(verdicts) - violated
    return f"{_counted(len(verdicts), 'assertion')}: {proved} proved, {violated} violated"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


# --- for programs ------------------------------------------------------------------------------


def _report(table: DecisionTable, verdicts: tuple[Proof, ...]) -> dict[str, object]:
    return {
        "policy": table.version,
        "proved": sum(verdict.holds for verdict in verdicts),
        "violated": sum(not verdict.holds for verdict in verdicts),
        "assertions": [_assertion(verdict) for verdict in verdicts],
    }


def _assertion(verdict: Proof) -> dict[str, object]:
    said = verdict.assertion
    return {
        "name": said.name,
        "title": said.title,
        "where": str(said.where),
        "holds": verdict.holds,
        "requests": verdict.requests,
        "callers": verdict.callers,
        "claims": "together" if said.together else "alone",
        "counterexamples": [_example(example) for example in verdict.counterexamples],
        "others": [{"kind": who.kind, "name": who.name} for who in verdict.others],
    }


def _example(example: Counterexample) -> dict[str, object]:
    return {
        "caller": [{"kind": who.kind, "name": who.name} for who in example.who],
        "requests": [
            {
                "service": asked.route.service,
                "operation": asked.route.id,
                "method": asked.probe.question.method,
                "target": asked.probe.target,
                "body": asked.probe.body,
            }
            for asked in example.asked
        ],
        "operations": example.operations,
        "why": example.why,
        "permissions": [
            {
                "permission": origin.permission,
                "path": origin.path,
                "where": str(origin.where),
            }
            for origin in example.origins
        ],
        "missing": example.missing,
    }
