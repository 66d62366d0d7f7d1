"""`ucs-gateway test`: hold the policy against the expectations that lie beside it."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from gateway.app import load_table
from gateway.cli.output import Exit, config_option, formats_option, show_findings, show_json, why
from gateway.cli.requests import REFUSALS, sent_request
from gateway.cli.verdict_formats import as_json, as_junit
from gateway.cli.verdicts import Report, as_text
from gateway.settings import Limits, load_settings
from policy import DecisionTable, Text
from policy.analysis import Expectation, Verdict, coverage_of, expectations_of, verdict_on

__all__ = ["command"]

# More than any table that people read; the reader of YAML has the same limit.
_MOST_BYTES = 32 * 1024 * 1024


@click.command("test")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--coverage", is_flag=True, help="Tell what no expectation tries.")
@config_option
@formats_option(
    *("text", "json", "junit"),
    told="Text for people, JSON for programs, JUnit XML for build servers.",
)
def command(files: tuple[Path, ...], coverage: bool, config: Path, format_: str) -> int:
    """Hold the policy against the expectations in its folder `tests`, or in FILES.

    Exits with 0 when all is as expected, 2 when something is not, 3 when a file is invalid.
    """
    settings = load_settings(config, os.environ)
    table = load_table(settings)
    texts = [_text_of(path) for path in _listed(files or (settings.policy / "tests",))]
    expectations, findings = expectations_of(table, texts, REFUSALS)
    verdicts = () if findings else _verdicts(table, expectations, settings.limits)
    report = Report(
        config=config,
        policy=table.version,
        files=tuple(text.file for text in texts),
        findings=findings,
        verdicts=verdicts,
        coverage=coverage_of(table, verdicts) if coverage and not findings else None,
    )
    match format_:
        case "json":
            show_json(as_json(report))
        case "junit":
            click.echo(as_junit(report))
        case _ if findings:
            show_findings(findings)
        case _:
            click.echo(as_text(report))
    if findings:
        return Exit.INVALID
    return Exit.DENIED_OR_DIFFERENT if report.surprises else Exit.YES


def _listed(paths: Iterable[Path]) -> list[Path]:
    """The files that are meant; of a folder, every YAML file directly in it."""
    found = []
    for path in paths:
        if path.is_dir():
            below = sorted(file for file in path.iterdir() if _is_table(file))
            if not below:
                raise click.ClickException(f"{path} holds no expectations (`*.yaml`)")
            found += below
        elif path.exists():
            found.append(path)
        else:
            advice = "write expectations into a file there, or name a file"
            raise click.ClickException(f"there is no {path}\n  help: {advice}")
    return list(dict.fromkeys(found))


def _is_table(file: Path) -> bool:
    return file.suffix in {".yaml", ".yml"} and not file.name.startswith(".") and file.is_file()


def _text_of(path: Path) -> Text:
    try:
        with path.open("rb") as file:
            return Text(str(path), file.read(_MOST_BYTES + 1))
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {why(error)}") from None


def _verdicts(
    table: DecisionTable, expectations: Sequence[Expectation], limits: Limits
) -> tuple[Verdict, ...]:
    return tuple(
        verdict_on(table, expectation, sent_request(table, expectation, limits))
        for expectation in expectations
    )
