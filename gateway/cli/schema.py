"""`ucs-gateway schema`: JSON Schemas of every file, so that editors complete and check."""

from pathlib import Path

import click
import msgspec

from gateway.authn.users import UsersFile
from gateway.cli.output import Exit, show_json, why
from gateway.issuer.clients import ClientsFile
from gateway.settings import settings_schema
from policy import json_schema_of, json_schemas

__all__ = ["command"]


@click.command("schema")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write one file per kind of file into this folder, instead of printing them all.",
)
@click.option(
    "--verify", is_flag=True, help="Write nothing; exit with 2 where the folder's files differ."
)
def command(folder: Path | None, *, verify: bool) -> int:
    """Print the JSON Schema of every file, or write them into a folder."""
    if verify and folder is None:
        raise click.UsageError("`--verify` compares the files of a folder: name it with `--folder`")
    schemas = {
        "gateway": settings_schema(),
        "clients": json_schema_of(ClientsFile, "OAuth clients"),
        "users": json_schema_of(UsersFile, "Users of HTTP Basic"),
        **json_schemas(),
    }
    if folder is None:
        show_json(schemas)
        return Exit.YES
    texts = {
        folder / f"{name}.schema.json": msgspec.json.format(msgspec.json.encode(schema), indent=2)
        for name, schema in schemas.items()
    }
    if verify:
        stale = [path for path, text in texts.items() if _content(path) != text + b"\n"]
        for path in stale:
            click.echo(f"{path} is stale: run `ucs-gateway schema --folder {folder}`", err=True)
        return Exit.DENIED_OR_DIFFERENT if stale else Exit.YES
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_bytes(text + b"\n")
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {why(error)}") from error
    return Exit.YES


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
