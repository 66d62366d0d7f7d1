"""`ucs-gateway standin`: a UCS to try the gateway on, alone on its own port."""

import os
from pathlib import Path

import click
from click.core import ParameterSource

from gateway.cli import standin_platform
from gateway.cli.standin_run import Address, address_option, run
from gateway.standin import Credentials, Running, StandinConfig, create_app

__all__ = ["command"]


@click.group("standin", invoke_without_command=True)
@click.pass_context
@address_option("127.0.0.1:8081")
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
    context: click.Context,
    address: Address,
    database: str,
    base_path: str,
    gms_prefix: str,
    no_seed: bool,
    basic: str | None,
    import_folder: Path | None,
    strict_modes: bool,
) -> None:
    """Run a stand-in until Ctrl-C: a UCS, or with `platform` a Genesys Cloud."""
    if context.invoked_subcommand is not None:
        refuse_options_before(context)
        return
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
    run(create_app(config), address, announce)


def refuse_options_before(context: click.Context) -> None:
    """An option of the stand-in UCS would be passed over in silence."""
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        name = context.invoked_subcommand
        raise click.UsageError(f"`{given[0]}` is of the stand-in UCS; write options after `{name}`")


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


command.add_command(standin_platform.command)
