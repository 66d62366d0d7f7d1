"""The clients file: what may stand in it, and what is said of the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.issuer.clients import ClientState, read_clients
from policy import PolicyInvalid
from tests.support.clients import MINDFUL, VSM, entry


def written(folder: Path, clients: Any) -> Path:
    path = folder / "clients.yaml"
    path.write_text(clients if isinstance(clients, str) else json.dumps({"clients": clients}))
    return path


def test_a_client_has_what_the_file_says_and_genesys_defaults(tmp_path: Path) -> None:
    (client,) = read_clients(written(tmp_path, {"vsm": entry()})).values()
    assert (client.name, client.id, client.state) == ("vsm", VSM, ClientState.ACTIVE)
    assert (client.token_seconds, client.tokens_since, client.may_introspect) == (86_400, 0, False)
    assert "argon2" not in repr(client)


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    said = entry(
        VSM, "a", "b", title="Virsae", state="inactive", token_seconds=300, may_introspect=True,
        tokens_since="2026-11-21T04:05:06Z",
    )  # fmt: skip
    (client,) = read_clients(written(tmp_path, {"Virsae VSM": said})).values()
    assert (client.name, client.title, client.state) == ("Virsae VSM", "Virsae", "inactive")
    assert len(client.secret_hashes) == 2
    assert (client.token_seconds, client.may_introspect) == (300, True)
    assert client.tokens_since == 1_795_233_906


def test_no_clients_are_clients_too(tmp_path: Path) -> None:
    assert read_clients(written(tmp_path, {})) == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "vsm"}, "expected a GUID"),
        ({"id": VSM.upper()}, "expected a GUID"),
        ({"id": f"{VSM}\n"}, "expected a GUID"),
        ({"secret_hashes": []}, "secret_hashes"),
        ({"secret_hashes": ["x"]}, "Argon2id"),
        ({"secret_hashes": ["$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"]}, "Argon2id"),
        ({"secret_hashes": ["$argon2id$v=19$m=9999999,t=1,p=1$c29tZXNhbHQ$aGFzaA"]}, "more time"),
        ({"secret_hashes": entry(VSM, "a", "b", "c")["secret_hashes"]}, "more than 2"),
        ({"state": "off"}, "state"),
        ({"token_seconds": 299}, "at least 300"),
        ({"token_seconds": 172_801}, "at most 172800"),
        ({"token_seconds": "600"}, "whole number"),
        ({"tokens_since": "yesterday"}, "expected a time of UTC"),
        ({"tokens_since": "2026-11-21"}, "expected a time of UTC"),
        ({"tokens_since": "2026-1-2T03:04:05Z"}, "expected a time of UTC"),
        ({"title": "x" * 257}, "title"),
        ({"roles": ["a"]}, "`roles`"),
        ({"secret": "x"}, "`secret`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        read_clients(written(tmp_path, {"vsm": entry() | changes}))
    (finding,) = refused.value.diagnostics
    assert said in f"{finding.message} {finding.help}"
    assert finding.where.file.endswith("clients.yaml")
    assert finding.where.column > 1


@pytest.mark.parametrize("name", ["", " vsm", "v\u200bsm", "e\u0301", "x" * 300])
def test_a_name_is_one_visible_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyInvalid):
        read_clients(written(tmp_path, {name: entry()}))


def test_two_clients_cannot_have_one_id(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        read_clients(written(tmp_path, {"vsm": entry(), "other": entry(), "x": entry(MINDFUL)}))
    (finding,) = refused.value.diagnostics
    assert finding.code == "duplicate-name"
    assert "`vsm`" in finding.message


@pytest.mark.parametrize(
    "text",
    ["", "clients:", "clients: [a]", "clients: {a: {}, a: {}}", "x: 1", "\xff", "{", "users: {}"],
)
def test_what_is_no_clients_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PolicyInvalid):
        read_clients(written(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="no such file"):
        read_clients(tmp_path / "none.yaml")
