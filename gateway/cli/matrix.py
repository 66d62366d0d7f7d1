"""`ucs-gateway matrix`: every role against every operation, for people who were not there."""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import msgspec

from gateway.app import load_table
from gateway.cli.known import looked_up
from gateway.cli.output import config_option, formats_option, near, why
from gateway.cli.sheets import MOST_CELLS, Sheet, as_page, as_records, as_rows, as_text
from gateway.settings import load_settings
from policy import DecisionTable
from policy.analysis import rows_of

__all__ = ["command"]

_USUAL_WIDTH = 100


@click.command("matrix")
@click.option("--service", "services", multiple=True, help="Only this service; may be repeated.")
@click.option("--role", "roles", multiple=True, help="Only this role; may be repeated.")
@click.option(
    "--width", type=click.IntRange(min=40), help="How wide text may be; as the terminal by default."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file."
)
@config_option
@formats_option(
    *("text", "csv", "json", "html"),
    told="Text for people, CSV for spreadsheets, JSON for programs, a page for browsers.",
)
def command(
    services: tuple[str, ...],
    roles: tuple[str, ...],
    width: int | None,
    out: Path | None,
    config: Path,
    format_: str,
) -> None:
    """Show what each role may do: operations by roles.

    A cell is allowed, denied, or allowed unless conditions are met that need more; it speaks of a
    caller who has that role and no other.
    """
    table = load_table(load_settings(config, os.environ))
    sheet = _sheet(table, services, roles)
    forms: dict[str, Callable[[], Iterable[str]]] = {
        "text": lambda: (f"{line}\n" for line in as_text(sheet, width or _width())),
        "csv": lambda: as_rows(sheet),
        "json": lambda: (_json(as_records(sheet)),),
        "html": lambda: (_page(sheet),),
    }
    parts = forms[format_]()
    if out is None:
        # A CSV's line ends are its own, so bytes.
        for part in parts:
            click.echo(part.encode(), nl=False)
        return
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            file.writelines(parts)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {why(error)}") from error
    click.echo(near(f"wrote {out}"), err=True)


def _sheet(table: DecisionTable, services: tuple[str, ...], roles: tuple[str, ...]) -> Sheet:
    for name in services:
        looked_up(name, table.services, "service")
    for name in roles:
        looked_up(name, table.roles, "role")
    columns = tuple(table.roles[name] for name in dict.fromkeys(roles or table.roles))
    routes = [route for route in table.operations if not services or route.service in services]
    return Sheet(table, columns, tuple(rows_of(table, columns, routes)))


def _width() -> int:
    return shutil.get_terminal_size((_USUAL_WIDTH, 24)).columns


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _page(sheet: Sheet) -> str:
    if sheet.size > MOST_CELLS:
        raise click.ClickException(
            f"{sheet.size:,} cells are too many for a page that can be read, which has at most"
            f" {MOST_CELLS:,}: choose with --service and --role, or take csv or json"
        )
    return near(as_page(sheet))
