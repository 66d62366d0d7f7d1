"""`ucs-gateway catalogue overlaps`: which operations may answer one request, and which of them does."""

from pathlib import Path

import click

import policy
from gateway.cli.output import Exit, format_option, show_json
from policy import PolicyInvalid, ServiceSources, ServiceSpec, Severity, Sources, Text
from policy.catalogue import Operation, assemble
from policy.importing import demand_in_words
from policy.overlaps import Pair, pairs_of

__all__ = ["command"]


@click.command("overlaps")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--all", "every", is_flag=True, help="Also pairs that ask for the same.")
@format_option
def command(file: Path, every: bool, format_: str) -> int:
    """Show every two operations of a catalogue that one request may mean, and which one is meant.

    Without --all only those of which it matters: the two ask for different things.
    """
    try:
        text = Text(str(file), file.read_bytes())
    except OSError as error:
        raise click.ClickException(f"{file}: {(error.strerror or str(error)).lower()}") from None
    spec = ServiceSpec(name="catalogue", catalogue=file)
    document = policy.load(Sources((ServiceSources(spec, text),), ()))
    catalogue, findings = assemble(document.services[0])
    if any(found.severity is Severity.ERROR for found in findings):
        raise PolicyInvalid(findings)
    pairs = list(pairs_of([catalogue]))
    shown = [pair for pair in pairs if every or not pair.one.demands_the_same(pair.other)]
    crossing = sum(pair.is_crossing for pair in shown)
    if format_ == "json":
        show_json({"pairs": len(pairs), "shown": [_plain(pair) for pair in shown]})
        return Exit.YES
    for pair in shown:
        click.echo(f"{pair.request}{' (crossing)' if pair.is_crossing else ''}")
        click.echo(f"  means {_said(pair.one.operation)}")
        click.echo(f"  not   {_said(pair.other.operation)}")
    what = "shown" if every else "ask for different things"
    click.echo(
        f"{len(pairs)} pairs of operations answer a request in common; {len(shown)} {what},"
        f" of which {crossing} cross"
    )
    return Exit.YES


def _said(operation: Operation) -> str:
    return f"{operation.id} ({operation.template}): {_demand(operation)}"


def _demand(operation: Operation) -> str:
    return demand_in_words(operation.requires, operation.scopes)


def _plain(pair: Pair) -> dict[str, object]:
    return {
        "request": pair.request,
        "crossing": pair.is_crossing,
        "means": pair.one.operation.id,
        "demand": _demand(pair.one.operation),
        "not": pair.other.operation.id,
        "other_demand": _demand(pair.other.operation),
    }
