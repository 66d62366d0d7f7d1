"""What the stand-ins' commands share: where one listens, and running until Ctrl-C."""

import asyncio
from collections.abc import Callable
from typing import Any

import click
from aiohttp import web

from gateway.standin import Running, serve

__all__ = ["Address", "address_option", "run"]

LAST_PORT = 65535

Address = tuple[str, int]


def host_and_port(_: click.Context, __: click.Parameter, text: str) -> Address:
    """`127.0.0.1:8081`, or `[::1]:8081`."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()):
        raise click.BadParameter(f"`{text}` is not `host:port`, such as `127.0.0.1:8081`")
    if int(port) > LAST_PORT:
        raise click.BadParameter(f"`{port}` is no port; ports end at {LAST_PORT}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def address_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--address",
        callback=host_and_port,
        metavar="HOST:PORT",
        default=default,
        show_default=True,
        help="Where to listen; port 0 takes a free one.",
    )


def run(app: web.Application, address: Address, announce: Callable[[Running], None]) -> None:
    """Until Ctrl-C. Raises ClickException where nobody can listen."""
    host, port = address
    try:
        asyncio.run(serve(app, host=host, port=port, ready=announce))
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on `{host}:{port}`: {error.strerror or error}; "
            "choose another with --address"
        ) from error
