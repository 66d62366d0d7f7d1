"""`ucs-gateway standin`: a UCS to try the gateway on, alone on its own port."""

import asyncio
import os
from pathlib import Path

import click

from gateway.standin import Credentials, Running, StandinConfig, serve

__all__ = ["command"]

LAST_PORT = 65535


def host_and_port(_: click.Context, __: click.Parameter, text: str) -> tuple[str, int]:
    """`127.0.0.1:8081`, or `[::1]:8081`."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()):
        raise click.BadParameter(f"`{text}` is not `host:port`, such as `127.0.0.1:8081`")
    if int(port) > LAST_PORT:
        raise click.BadParameter(f"`{port}` is no port; ports end at {LAST_PORT}")
    return host.removeprefix("[").removesuffix("]"), int(port)


@click.command("standin")
@click.option(
    "--address",
    callback=host_and_port,
    metavar="HOST:PORT",
    default="127.0.0.1:8081",
    show_default=True,
    help="Where to listen; port 0 takes a free one.",
)
@click.option(
    "--database",
    default=":memory:",
    show_default=True,
    help="A SQLite file that outlives the process.",
)
@click.option("--base-path", default="/", show_default=True, help="Prefix of the profile API.")
@click.option(
    "--gms-prefix", default="/genesys/1/cs", show_default=True, help="Prefix of the services API."
)
@click.option("--no-seed", is_flag=True, help="Begin empty, without the sample customers.")
@click.option(
    "--basic",
    metavar="USER:VARIABLE",
    help="Ask for Basic credentials: a user name, and the environment variable that holds the "
    "password.",
)
@click.option(
    "--import-folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder from which `/profiles/import` may read; none without it.",
)
@click.option(
    "--strict-modes",
    is_flag=True,
    help="Refuse schema changes and imports outside maintenance mode, as UCS 8.1 did.",
)
def command(
    address: tuple[str, int],
    database: str,
    base_path: str,
    gms_prefix: str,
    no_seed: bool,
    basic: str | None,
    import_folder: Path | None,
    strict_modes: bool,
) -> None:
    """Run the stand-in UCS until Ctrl-C."""
    try:
        config = StandinConfig(
            database=database,
            base_path=base_path,
            gms_prefix=gms_prefix,
            credentials=credentials_from(basic),
            seed=not no_seed,
            import_folder=import_folder,
            strict_modes=strict_modes,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    host, port = address
    try:
        asyncio.run(serve(config, host=host, port=port, ready=announce))
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on `{host}:{port}`: {error.strerror or error}; "
            "choose another with --address"
        ) from error


def credentials_from(text: str | None) -> Credentials | None:
    if text is None:
        return None
    username, colon, variable = text.partition(":")
    if not colon or not username:
        raise click.BadParameter("write a user name and a variable, such as `ucs:UCS_PASSWORD`")
    password = os.environ.get(variable)
    if not password:
        raise click.BadParameter(f"environment variable `{variable}` is not set")
    return Credentials(username=username, password=password)


def announce(standin: Running) -> None:
    click.echo(f"stand-in UCS on {standin.url}")
    click.echo(f"what it received: {standin.url}/_standin/received")
