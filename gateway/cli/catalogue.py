"""`ucs-gateway catalogue …`: catalogues made and renewed from what an upstream says of itself."""

from pathlib import Path

import click

import policy
from gateway.cli import catalogue_overlaps
from gateway.cli.catalogue_report import Report
from gateway.cli.catalogue_roles import affected_by
from gateway.cli.catalogue_source import content_of, description_of
from gateway.cli.output import Exit, format_option, show_fault, show_findings, show_json
from gateway.cli.replacing import locked, replace_files
from policy import PolicyInvalid, ServiceSources, ServiceSpec, Severity, Sources, Text
from policy.editing import EditRefused
from policy.entries import CatalogueFile
from policy.importing import NotDescribed, catalogue_text, changes_between

__all__ = ["command"]


@click.group("catalogue")
def command() -> None:
    """Make catalogues from what an upstream says of itself, and keep them up to date."""


command.add_command(catalogue_overlaps.command)


@command.command("import")
@click.argument("source")
@click.option(
    "--into",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The catalogue to make, or to bring up to date.",
)
@click.option("--name", default="genesys-cloud", show_default=True, help="A new catalogue's name.")
@click.option("--title", default="", help="What people call a new catalogue.")
@click.option(
    "--public",
    "public",
    multiple=True,
    metavar="OPERATION",
    help="An operation that needs no token and is offered to everybody; may be repeated. Without"
    " this such operations are closed.",
)
@click.option(
    "--with-removed", is_flag=True, help="Also what a table marks as removed by its upstream."
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Tell what this means for the roles of this gateway, and refuse what breaks its policy.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds that fetching an address may take.",
)
@click.option(
    "--dry-run",
    "--check",
    "dry_run",
    is_flag=True,
    help="Write nothing; exit with 2 if something would change.",
)
@format_option
def import_(
    source: str,
    file: Path,
    name: str,
    title: str,
    public: tuple[str, ...],
    with_removed: bool,
    config: Path | None,
    timeout_seconds: float,
    dry_run: bool,
    format_: str,
) -> int:
    """Make a catalogue of a description, or bring one up to date, and tell what has changed.

    SOURCE is a file or an http(s) address: a Swagger 2 or OpenAPI 3 description (JSON or YAML) with
    `x-inin-requires-permissions`, or a table of operations with tabs between its cells. Genesys Cloud
    serves its own at https://api.REGION/api/v2/docs/swagger.

    Titles, comments, divisions, guards and names that people wrote into the catalogue are kept.
    """
    content = content_of(source, timeout_seconds=timeout_seconds)
    try:
        description = description_of(content, source, with_removed=with_removed)
    except NotDescribed as error:
        show_fault(f"{source}: {error}")
        return Exit.INVALID
    previous = _text_of(file)
    try:
        made = catalogue_text(
            description, previous, name=name, title=title, public=public, file=str(file)
        )
    except (EditRefused, ValueError) as error:
        raise click.ClickException(str(error)) from None
    old = None if previous is None else _entries(previous, file)
    report = Report(file, made, changes_between(old, _entries(made.text, file)), previous)
    if config is not None:
        report.affected = affected_by(config, file, made.text)
    if not report.is_sound:
        _show(report, format_, dry_run=dry_run)
        return Exit.INVALID
    if report.is_different and not dry_run:
        _write(file, made.text, previous)
        report.is_written = True
    _show(report, format_, dry_run=dry_run)
    return Exit.DENIED_OR_DIFFERENT if dry_run and report.is_different else Exit.YES


def _show(report: Report, format_: str, *, dry_run: bool) -> None:
    if format_ == "json":
        show_json(report.as_json())
        return
    if report.affected is not None:
        show_findings(report.affected.findings)
    report.show(dry_run=dry_run)


def _text_of(file: Path) -> str | None:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise click.ClickException(f"{file}: this is not UTF-8 text") from None
    except OSError as error:
        raise click.ClickException(f"{file}: {(error.strerror or str(error)).lower()}") from None


def _entries(text: str, file: Path) -> CatalogueFile:
    """The catalogue, which is sound by itself. Raises PolicyInvalid."""
    spec = ServiceSpec(name="catalogue", catalogue=file)
    document = policy.load(Sources((ServiceSources(spec, Text(str(file), text)),), ()))
    try:
        policy.compile(document)
    except PolicyInvalid as invalid:
        errors = [each for each in invalid.diagnostics if each.severity is Severity.ERROR]
        raise PolicyInvalid(errors) from None
    return document.services[0].catalogue.entries


def _write(file: Path, text: str, previous: str | None) -> None:
    folder = file.resolve().parent
    if not folder.is_dir():
        raise click.ClickException(f"{folder}: there is no such folder")
    with locked(folder):
        replace_files({file: text.encode()}, lambda: _text_of(file) == previous)
