"""Nodes, checks and TLS as they are written: what is taken, and what is found where it stands."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.errors import SettingsInvalid
from gateway.settings import UpstreamSettings, Url, load_settings
from tests.support.authority import Authority, Pair


def load(folder: Path, **upstream: Any) -> UpstreamSettings:
    """The settings of an upstream beside everything else that a file has to have."""
    (folder / "policy").mkdir(exist_ok=True)
    for name in ("ucs.yaml", "users.yaml"):
        (folder / name).touch()
    service = {"name": "ucs", "catalogue": "ucs.yaml", "upstream": upstream}
    text = {
        "services": [service],
        "policy": "policy",
        "identity": {"basic": {"users": "users.yaml"}},
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(text))
    return load_settings(file, {}).services[0].upstream


def findings(folder: Path, **upstream: Any) -> list[tuple[str, str]]:
    """The last key and the message of each finding; there has to be one."""
    with pytest.raises(SettingsInvalid) as refusal:
        load(folder, **upstream)
    return [(found.code.value, found.message) for found in refusal.value.diagnostics]


def finding(folder: Path, **upstream: Any) -> str:
    [(_, message)] = findings(folder, **upstream)
    return message


A, B = "http://10.0.0.1:8080", "http://10.0.0.2:8080"


def test_nodes_keep_their_order(tmp_path: Path) -> None:
    assert load(tmp_path, nodes=[B, A]).nodes == (
        Url("http", "10.0.0.2", 8080),
        Url("http", "10.0.0.1", 8080),
    )


def test_without_a_word_the_first_node_is_the_primary_and_nobody_is_checked(
    tmp_path: Path,
) -> None:
    settings = load(tmp_path, nodes=[A, B])
    assert (settings.choose, settings.health, settings.tls) == ("failover", None, None)


def test_there_has_to_be_a_node(tmp_path: Path) -> None:
    assert "nodes" in finding(tmp_path, nodes=[])


@pytest.mark.parametrize("second", ["http://10.0.0.1:8080/", "http://10.0.0.1:8080"])
def test_a_node_stands_in_the_list_once(tmp_path: Path, second: str) -> None:
    [(code, message)] = findings(tmp_path, nodes=[A, B, second])
    assert code == "duplicate-name"
    assert message == "the node `http://10.0.0.1:8080` is used twice"


def test_plain_text_is_no_substitute_for_a_tls_node(tmp_path: Path) -> None:
    """Whoever can keep one node from answering must not choose how the other is spoken to."""
    assert "`http` and `https` side by side" in finding(tmp_path, nodes=["https://a", "http://b"])


@pytest.mark.parametrize("key", ["eject_seconds", "max_eject_seconds"])
def test_a_time_out_is_not_longer_at_first_than_at_most(tmp_path: Path, key: str) -> None:
    seconds = {"eject_seconds": 60, "max_eject_seconds": 0.5}[key]
    message = finding(tmp_path, nodes=[A], **{key: seconds})
    assert message == f"`{key}`: `eject_seconds` is longer than `max_eject_seconds`"


@pytest.mark.parametrize("path", ["/", "/health", "/genesys/1/cs/?deep=1&x=%20", "/a/b;c"])
def test_a_check_asks_for_a_path(tmp_path: Path, path: str) -> None:
    health = load(tmp_path, nodes=[A], health={"path": path}).health
    assert health is not None
    assert (health.path, health.interval_seconds, health.timeout_seconds) == (path, 5.0, 2.0)
    assert (health.fail_after, health.pass_after) == (2, 2)


@pytest.mark.parametrize(
    "path", ["", "health", "/a b", "/a\r\nX: y", "/a#b", "http://a/", "/ä", "/a?b#c"]
)
def test_anything_else_is_no_path_for_a_check(tmp_path: Path, path: str) -> None:
    assert "expected a path such as" in finding(tmp_path, nodes=[A], health={"path": path})


# --- TLS ---------------------------------------------------------------------------------------

SECURE = ["https://ucs.example.com"]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.issue(file="gateway")


def test_a_context_verifies_whatever_is_given(
    tmp_path: Path, authority: Authority, pair: Pair
) -> None:
    everything = {
        "ca_file": "authority.pem",
        "certificate_file": "gateway.crt",
        "key_file": "gateway.key",
        "server_name": "ucs",
    }
    for given in ({}, everything):
        tls = load(tmp_path, nodes=SECURE, tls=given).tls
        assert tls is not None
        context = tls.context()
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert not context.hostname_checks_common_name
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_our_own_authority_is_the_only_one(tmp_path: Path, authority: Authority) -> None:
    tls = load(tmp_path, nodes=SECURE, tls={"ca_file": "authority.pem"}).tls
    assert tls is not None
    [known] = tls.context().get_ca_certs()
    assert known["subject"] == ((("commonName", "authority"),),)


def test_a_worker_that_is_replaced_needs_none_of_the_files(
    tmp_path: Path, authority: Authority, pair: Pair
) -> None:
    files = {
        "ca_file": "authority.pem",
        "certificate_file": "gateway.crt",
        "key_file": "gateway.key",
    }
    tls = load(tmp_path, nodes=SECURE, tls=files).tls
    assert tls is not None
    for name in files.values():
        (tmp_path / name).write_text("half written")
    assert tls.context().get_ca_certs()


def test_there_is_no_setting_that_turns_verification_off() -> None:
    schema = UpstreamSettings.model_json_schema()
    assert set(schema["$defs"]["UpstreamTls"]["properties"]) == {
        "ca_file",
        "certificate_file",
        "key_file",
        "server_name",
    }


def test_tls_for_nodes_without_it_is_a_mistake(tmp_path: Path) -> None:
    assert "no node is asked by `https`" in finding(tmp_path, nodes=[A], tls={})


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ({"ca_file": "none.pem"}, "cannot be read: no such file"),
        ({"ca_file": "gateway.key"}, "cannot be used: not certificates in PEM"),
        ({"certificate_file": "gateway.crt"}, "`key_file` has to be given as well"),
        ({"key_file": "gateway.key"}, "`certificate_file` has to be given as well"),
        (
            {"certificate_file": "gateway.key", "key_file": "gateway.key"},
            "`certificate_file`: `",
        ),
        ({"certificate_file": "gateway.crt", "key_file": "gateway.crt"}, "`key_file`: `"),
        (
            {"certificate_file": "gateway.crt", "key_file": "locked.key"},
            "the key has a passphrase; nobody is there to type it in",
        ),
        (
            {"certificate_file": "gateway.crt", "key_file": "other.key"},
            "`key_file`: the key does not belong to the certificate",
        ),
        ({"server_name": "a b"}, "`server_name`: expected the name of a host"),
        ({"verify": False}, "`verify`"),
    ],
)
def test_what_is_wrong_with_tls_is_found_at_its_key(
    tmp_path: Path, authority: Authority, pair: Pair, tls: dict[str, Any], message: str
) -> None:
    authority.issue(file="other")
    authority.issue(file="locked", passphrase=b"secret")
    assert message in finding(tmp_path, nodes=SECURE, tls=tls)
