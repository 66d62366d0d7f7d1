"""`ucs-gateway standin platform`: a Genesys Cloud to try the gateway on, alone on its own port."""

import os
from uuid import UUID

import click

from gateway.cli.standin_run import Address, address_option, run
from gateway.standin import Running
from gateway.standin.platform import OAuthClient, PlatformConfig, create_platform

__all__ = ["command"]


@click.command("platform")
@address_option("127.0.0.1:8082")
@click.option(
    "--client",
    "clients",
    multiple=True,
    metavar="ID:VARIABLE",
    help="A client that may log in: its id, a GUID, and the environment variable that holds its "
    "secret. May be repeated; without any there is one, whose secret is printed.",
)
@click.option(
    "--token-seconds",
    type=click.IntRange(min=1),
    default=PlatformConfig().token_seconds,
    show_default=True,
    help="How long a token is good for.",
)
@click.option("--login-prefix", default="", help="Prefix of `/oauth/token`, such as `/login`.")
@click.option("--api-prefix", default="", help="Prefix of `/api/v2`.")
def command(
    address: Address,
    clients: tuple[str, ...],
    token_seconds: int,
    login_prefix: str,
    api_prefix: str,
) -> None:
    """Run the stand-in Genesys Cloud Platform API until Ctrl-C."""
    known = tuple(client_from(text) for text in clients) or PlatformConfig().clients
    try:
        config = PlatformConfig(
            clients=known,
            token_seconds=token_seconds,
            login_prefix=login_prefix,
            api_prefix=api_prefix,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error

    def announce(standin: Running) -> None:
        click.echo(f"stand-in Genesys Cloud on {standin.url}{api_prefix}/api/v2")
        click.echo(f"log in at {standin.url}{login_prefix}/oauth/token")
        if not clients:
            (client,) = known
            click.echo(f"client {client.client_id} with the secret {client.secret}")
        click.echo(f"what it received: {standin.url}/_standin/received")

    run(create_platform(config), address, announce)


def client_from(text: str) -> OAuthClient:
    client_id, colon, variable = text.partition(":")
    if not colon or not is_guid(client_id):
        raise click.BadParameter(
            "write a GUID and a variable, such as "
            "`93499654-2be6-597a-bdb3-fbfaf8803579:CLIENT_SECRET`"
        )
    secret = os.environ.get(variable)
    if not secret:
        raise click.BadParameter(f"environment variable `{variable}` is not set")
    return OAuthClient(client_id=client_id, secret=secret, name=variable)


def is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
