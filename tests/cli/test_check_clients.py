"""What `check` says of clients: of their file and keys, and of names that do not meet."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.cli.output import Exit
from tests.cli.conftest import Ask, Said
from tests.support.clients import entry, settings_of

CATALOGUE: dict[str, Any] = {
    "catalogue": "platform",
    "permissions": {"p": "P"},
    "operations": {"queues": {"request": "GET /api/v2/routing/queues", "requires": "p"}},
}
POLICY = {"roles": {"r": {"permissions": ["p"]}}, "clients": {"vsm": {"roles": ["r"]}}}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "policy.yaml").write_text(yaml.safe_dump(POLICY))
    (tmp_path / "platform.yaml").write_text(yaml.safe_dump(CATALOGUE))
    service = {
        "name": "platform", "catalogue": "platform.yaml",
        "upstream": {"nodes": ["http://127.0.0.1:9"]},
    }  # fmt: skip
    settings = {
        "services": [service], "policy": "policy", "audit": {"file": None},
        "identity": {"clients": settings_of(tmp_path)},
    }  # fmt: skip
    (tmp_path / "gateway.yaml").write_text(json.dumps(settings))
    return tmp_path / "gateway.yaml"


def checked(ask: Ask, config: Path) -> Said:
    return ask("check", "--config", config)


def test_where_names_meet_there_is_nothing_to_say(config: Path, ask: Ask) -> None:
    said = checked(ask, config)
    assert said.code == Exit.YES
    assert "client-unmatched" not in said.err


def test_checking_makes_no_file(config: Path, ask: Ask) -> None:
    checked(ask, config)
    assert not (config.parent / "revoked").exists()


def test_a_client_that_the_policy_alone_knows_is_told(config: Path, ask: Ask) -> None:
    settings_of(config.parent, {"vsn": entry()})
    said = checked(ask, config)
    assert said.code == Exit.YES
    assert "client-unmatched: the clients file has no client `vsm`" in said.err
    assert "client-unmatched: no policy file gives the client `vsn` anything" in said.err
    assert "did you mean `vsn`" in said.err
    assert f"{config.parent}/clients.yaml:1:" in said.err


def test_faults_of_the_clients_and_the_keys_are_told_together(config: Path, ask: Ask) -> None:
    (config.parent / "clients.yaml").write_text("clients: {vsm: {id: x}}")
    (config.parent / "key-0.pem").write_bytes(b"")
    said = checked(ask, config)
    assert said.code == Exit.INVALID
    assert "expected a GUID" in said.err
    assert "no key in PEM" in said.err


def test_token_info_without_its_operations_is_told(config: Path, ask: Ask) -> None:
    settings = json.loads(config.read_text())
    settings["services"][0]["token_info"] = True
    config.write_text(json.dumps(settings))
    assert "can answer nothing to `GET` and `DELETE`" in checked(ask, config).err
    operations = CATALOGUE["operations"] | {
        name: {"request": f"{method} /api/v2/tokens/me", "requires": "authenticated"}
        for name, method in (("get", "GET"), ("delete", "DELETE"))
    }
    (config.parent / "platform.yaml").write_text(
        yaml.safe_dump(CATALOGUE | {"operations": operations})
    )
    assert "can answer nothing" not in checked(ask, config).err


def test_two_issuers_cannot_have_one_name(config: Path, ask: Ask) -> None:
    settings = json.loads(config.read_text())
    other = {"issuer": settings["identity"]["clients"]["issuer"], "audience": "x",
             "algorithms": ["EdDSA"], "jwks": {"url": "https://login.example.com/jwks"}}  # fmt: skip
    settings["identity"]["jwt"] = [other]
    config.write_text(json.dumps(settings))
    said = checked(ask, config)
    assert said.code == Exit.INVALID
    assert "duplicate-name" in said.err


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("issuer", "gateway.example.com"), ("issuer", "https://g.example.com/?x"),
        ("issuer", "https://g.example.com/a//b"), ("issuer", "ftp://g"), ("issuer", "https://u@g"),
        ("token_path", "oauth/token"), ("token_path", "/oauth/jwks"), ("prefix", "/a/"),
        ("signing_keys", []), ("revocations", "-"), ("revocations", "none/such"),
        ("max_failures_per_client", 0), ("parallel", 0),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(
    config: Path, ask: Ask, key: str, value: object
) -> None:
    settings = json.loads(config.read_text())
    settings["identity"]["clients"][key] = value
    config.write_text(json.dumps(settings))
    said = checked(ask, config)
    assert said.code == Exit.INVALID
    assert key in said.err or "path of another endpoint" in said.err
