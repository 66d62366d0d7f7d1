"""The administrators' steps with clients: what stands in the clients file afterwards."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway.authn.passwords import argon2_matches
from gateway.cli.output import Exit
from gateway.issuer.clients import Client, read_clients
from tests.cli.conftest import Ask, Said
from tests.support.cases import CONFIG
from tests.support.clients import write_key

HEADER = "# Programs, with the team that answers for each.\n"


class Site:
    """A copy of the shipped configuration with clients, and commands that edit it."""

    def __init__(self, folder: Path, ask: Ask) -> None:
        self.folder = Path(shutil.copytree(CONFIG, folder / "config"))
        self.clients = self.folder / "clients.yaml"
        self.clients.write_text(f"{HEADER}clients: {{}}\n")
        write_key(self.folder, "key.pem", "ed25519")
        settings = self.folder / "gateway.yaml"
        clients = {
            "file": "clients.yaml", "issuer": "https://gateway.example.com",
            "signing_keys": ["key.pem"], "revocations": "revoked-tokens",
        }  # fmt: skip
        text = settings.read_text().replace(
            "\nidentity:\n", f"\nidentity:\n  clients: {json.dumps(clients)}\n"
        )
        settings.write_text(text)
        self._ask = ask

    def __call__(self, *arguments: str) -> Said:
        return self._ask("client", *arguments, "--config", self.folder / "gateway.yaml")

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--format", "json").out)

    def has(self, name: str) -> Client:
        """The client as a gateway would read it."""
        (found,) = [each for each in read_clients(self.clients).values() if each.name == name]
        return found


@pytest.fixture
def site(tmp_path: Path, ask: Ask) -> Site:
    return Site(tmp_path, ask)


@pytest.fixture
def secret(site: Site) -> str:
    """That of the client `vsm`, which there is."""
    return str(site.json("create", "vsm", "--title", "Virsae Genesys")["client_secret"])


def good(client: Client, secret: str) -> list[bool]:
    return [argon2_matches(each, secret.encode()) for each in client.secret_hashes]


def test_a_new_clients_secret_is_shown_once_and_its_hash_kept(site: Site) -> None:
    told = site("create", "vsm", "--title", "Virsae Genesys", "--token-seconds", "600")
    assert told.code == Exit.YES
    client = site.has("vsm")
    secret = told.out.split("client secret")[1].split()[0]
    assert good(client, secret) == [True]
    assert (client.title, client.token_seconds) == ("Virsae Genesys", 600)
    assert client.id in told.out
    assert "this once" in told.out
    text = site.clients.read_text()
    assert secret not in text
    assert text.startswith(HEADER)
    assert secret not in site("show", "vsm").out + site("list").out


def test_a_dry_run_writes_nothing_and_draws_no_secret(site: Site) -> None:
    told = site("create", "vsm", "--dry-run")
    assert told.code == Exit.YES
    assert "client secret" not in told.out
    assert "+  vsm:" in told.out
    assert site.clients.read_text() == f"{HEADER}clients: {{}}\n"


def test_a_client_is_created_once(site: Site, secret: str) -> None:
    told = site("create", "vsm")
    assert (told.code, told.err) == (Exit.COULD_NOT, "error: there is a client `vsm` already\n")
    assert good(site.has("vsm"), secret) == [True]


def test_a_name_that_nobody_could_use_is_refused(site: Site) -> None:
    before = site.clients.read_text()
    told = site("create", "v\u200bsm")
    assert told.code == Exit.INVALID
    assert site.clients.read_text() == before


def test_a_secret_is_changed_in_two_steps(site: Site, secret: str) -> None:
    new = site.json("rotate-secret", "vsm")["client_secret"]
    assert good(site.has("vsm"), secret) == [True, False]
    assert good(site.has("vsm"), new) == [False, True]
    assert site("end-secret", "vsm").code == Exit.YES
    assert good(site.has("vsm"), new) == [True]
    assert "one secret only" in site("end-secret", "vsm").out


def test_a_third_secret_ends_the_first(site: Site, secret: str) -> None:
    second = site.json("rotate-secret", "vsm")["client_secret"]
    third = site.json("rotate-secret", "vsm")["client_secret"]
    client = site.has("vsm")
    assert not any(good(client, secret))
    assert (good(client, second), good(client, third)) == ([True, False], [False, True])


def test_a_secret_that_leaked_is_changed_at_once(site: Site, secret: str) -> None:
    new = site.json("rotate-secret", "vsm", "--at-once")["client_secret"]
    assert good(site.has("vsm"), new) == [True]
    assert not any(good(site.has("vsm"), secret))


@pytest.mark.parametrize(
    ("command", "state"), [("disable", "disabled"), ("deactivate", "inactive")]
)
def test_a_client_is_switched_off_and_on(site: Site, secret: str, command: str, state: str) -> None:
    assert site(command, "vsm").code == Exit.YES
    client = site.has("vsm")
    assert client.state == state
    # What was disabled and is enabled again must not bring its old tokens back.
    assert (client.tokens_since > 0) is (state == "disabled")
    assert "already" in site(command, "vsm").out
    assert site("enable", "vsm").code == Exit.YES
    assert site.has("vsm").state == "active"
    assert site.has("vsm").tokens_since == client.tokens_since
    assert good(site.has("vsm"), secret) == [True]


def test_what_is_said_of_a_client_is_changed_alone(site: Site, secret: str) -> None:
    text = site.clients.read_text().replace("  vsm:", "  # The VSM team.\n  vsm:")
    site.clients.write_text(text)
    assert site("set", "vsm", "--token-seconds", "300", "--may-introspect").code == Exit.YES
    client = site.has("vsm")
    assert (client.token_seconds, client.may_introspect) == (300, True)
    assert site.clients.read_text() == text.replace("86400", "300").rstrip("\n") + (
        "\n    may_introspect: true\n"
    )
    assert site("set", "vsm", "--may-not-introspect", "--title", "VSM").code == Exit.YES
    assert (site.has("vsm").may_introspect, site.has("vsm").title) == (False, "VSM")


@pytest.mark.parametrize("seconds", ["299", "172801", "0", "x"])
def test_a_duration_is_within_genesys_bounds(site: Site, secret: str, seconds: str) -> None:
    assert site("set", "vsm", "--token-seconds", seconds).code == Exit.COULD_NOT
    assert site("create", "other", "--token-seconds", seconds).code == Exit.COULD_NOT


def test_a_client_is_deleted(site: Site, secret: str) -> None:
    site.json("create", "mindful")
    assert site("delete", "vsm").code == Exit.YES
    assert [each["name"] for each in site.json("list")] == ["mindful"]
    assert site("delete", "mindful").code == Exit.YES
    assert site.json("list") == []
    assert site.clients.read_text().startswith(HEADER)


@pytest.mark.parametrize(
    "command", ["show", "enable", "disable", "deactivate", "rotate-secret", "end-secret", "delete"]
)
def test_a_client_that_is_not_there_is_named_with_the_nearest(
    site: Site, secret: str, command: str
) -> None:
    told = site(command, "vsn")
    assert told.code == Exit.COULD_NOT
    assert "no client `vsn`" in told.err
    assert "did you mean `vsm`" in told.err


def test_a_file_with_faults_is_not_edited(site: Site, secret: str) -> None:
    text = site.clients.read_text() + "  other: {id: x}\n"
    site.clients.write_text(text)
    told = site("disable", "vsm")
    assert told.code == Exit.INVALID
    assert "expected a GUID" in told.err
    assert site.clients.read_text() == text


def test_a_gateway_without_clients_says_where_they_would_be(tmp_path: Path, ask: Ask) -> None:
    folder = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    settings = folder / "gateway.yaml"
    told = ask("client", "list", "--config", settings)
    assert told.code == Exit.COULD_NOT
    assert "`identity.clients` is not there" in told.err


def test_programs_are_told_the_same(site: Site) -> None:
    made = site.json("create", "vsm")
    assert made.keys() == {"written", "said", "notes", "client_id", "client_secret", "files"}
    (shown,) = site.json("list")
    assert shown | {"policy": None} == site.json("show", "vsm")
    assert shown == {
        "name": "vsm", "id": made["client_id"], "title": "", "state": "active", "secrets": 1,
        "token_seconds": 86_400, "tokens_since": None, "may_introspect": False,
    }  # fmt: skip
