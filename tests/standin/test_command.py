"""The command line of the stand-in."""

import asyncio
import os
import signal
import socket

import aiohttp
import pytest
from click.testing import CliRunner

from gateway.cli.standin import command, credentials_from
from gateway.cli.standin_platform import client_from
from gateway.standin import Credentials, Running, create_app, serve
from gateway.standin.platform import OAuthClient
from gateway.standin.seed import ANNA


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_a_signal(number: signal.Signals) -> None:
    ready: asyncio.Queue[Running] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(create_app(), host="127.0.0.1", port=0, ready=ready.put_nowait))
        standin = await ready.get()
        url = f"{standin.url}/profiles/{ANNA}"
        async with aiohttp.ClientSession() as session, session.get(url) as reply:
            assert reply.status == 200
        os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--address", "8081"], "is not `host:port`"),
        (["--address", "localhost:http"], "is not `host:port`"),
        (["--address", "localhost:70000"], "ports end at 65535"),
        (["--base-path", "cv"], "`base_path` is `cv`"),
        (["--basic", "kent"], "write a user name and a variable"),
        (["--basic", "kent:NO_SUCH_VARIABLE_HERE"], "is not set"),
        (["--import-folder", "/no/such/folder"], "does not exist"),
        (["--strict-modes", "platform"], "`--strict-modes` is of the stand-in UCS"),
        (["platform", "--client", "vsm:SECRET"], "write a GUID and a variable"),
        (
            ["platform", "--client", f"{OAuthClient().client_id}:NO_SUCH_VARIABLE_HERE"],
            "is not set",
        ),
        (["platform", "--api-prefix", "api"], "`api_prefix` is `api`"),
        (["platform", "--token-seconds", "0"], "x>=1"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_with_what_to_do(
    arguments: list[str], says: str
) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code != 0
    assert says in result.output


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(command, ["--address", f"127.0.0.1:{port}"])
    assert result.exit_code == 1
    assert f"cannot listen on `127.0.0.1:{port}`" in result.output
    assert "choose another with --address" in result.output


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UCS_PASSWORD", "secret")
    expected = Credentials(username="kent", password="secret")
    assert credentials_from("kent:UCS_PASSWORD") == expected
    assert credentials_from(None) is None


def test_a_clients_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSM_SECRET", "secret")
    client_id = OAuthClient().client_id
    client = client_from(f"{client_id}:VSM_SECRET")
    assert (client.client_id, client.secret) == (client_id, "secret")
    assert "secret" not in repr(client)
