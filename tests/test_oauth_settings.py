"""The gateway as somebody's OAuth client: what is taken, and what is found where it stands."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.errors import SettingsInvalid
from gateway.settings import OAuthCredential, Settings, load_settings
from tests.support.authority import Authority

OAUTH = {
    "token_url": "https://login.example.com/oauth/token",
    "client_id": "gateway",
    "client_secret_file": "secret",
}


def load(
    folder: Path, *, credential: Any = None, identity: Any = None, environ: Any = None
) -> Settings:
    (folder / "policy").mkdir(exist_ok=True)
    (folder / "secret").write_text("s3cret\n")
    for name in ("ucs.yaml", "users.yaml"):
        (folder / name).touch()
    upstream = {"nodes": ["https://api.example.com"], "credential": credential}
    text = {
        "services": [{"name": "ucs", "catalogue": "ucs.yaml", "upstream": upstream}],
        "policy": "policy",
        "identity": identity or {"basic": {"users": "users.yaml"}},
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(text))
    return load_settings(file, environ or {})


def findings(folder: Path, **given: Any) -> list[tuple[str, str]]:
    with pytest.raises(SettingsInvalid) as refusal:
        load(folder, **given)
    return [(found.code.value, found.message) for found in refusal.value.diagnostics]


def credential(folder: Path, **changes: Any) -> OAuthCredential:
    loaded = load(folder, credential={"oauth": OAUTH | changes}).services[0].upstream.credential
    assert loaded is not None
    assert loaded.oauth is not None
    return loaded.oauth


def test_a_name_a_secret_and_a_url_are_enough(tmp_path: Path) -> None:
    found = credential(tmp_path)
    assert found.client_secret.value == b"s3cret"
    assert (found.authenticate, found.scopes, found.timeout_seconds) == ("basic", (), 5.0)
    assert found.tls() is not None
    assert "s3cret" not in repr(found)


def test_the_secret_may_come_from_the_environment(tmp_path: Path) -> None:
    oauth = {key: value for key, value in OAUTH.items() if key != "client_secret_file"}
    settings = load(
        tmp_path,
        credential={"oauth": oauth | {"client_secret_env": "SECRET"}},
        environ={"SECRET": "from-afar"},
    )
    found = settings.services[0].upstream.credential
    assert found is not None
    assert found.oauth is not None
    assert found.oauth.client_secret.value == b"from-afar"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"token_url": "http://login.example.com/oauth/token"}, "over `https` only"),
        ({"token_url": "https://user:pw@login.example.com/"}, "expected a URL such as"),
        ({"token_url": "login.example.com"}, "expected a URL such as"),
        ({"client_id": ""}, "expected the name of a client"),
        ({"client_id": "a\nb"}, "expected the name of a client"),
        ({"client_secret_file": "nowhere"}, "cannot be read"),
        ({"client_secret_env": "SECRET"}, "the variable `SECRET` is not set"),
        ({"client_secret_file": None}, "exactly one of `client_secret_file`"),
        ({"authenticate": "jwt"}, "`authenticate`"),
        ({"scopes": ["a b"]}, "expected scopes"),
        ({"scopes": ['a"']}, "expected scopes"),
        ({"ca_file": "nowhere.pem"}, "cannot be read"),
        ({"ca_file": "secret"}, "not certificates in PEM"),
        ({"timeout_seconds": 0}, "`timeout_seconds`"),
        ({"renew_before_seconds": 0}, "`renew_before_seconds`"),
    ],
)
def test_what_cannot_work_is_found_at_its_key(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    [(_, told)] = findings(tmp_path, credential={"oauth": OAUTH | changes})
    assert message in told


def test_our_own_authority_is_the_only_one_and_its_file_is_needed_once(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    found = credential(tmp_path, ca_file="authority.pem")
    authority.file.unlink()
    context = found.tls()
    assert context is not None
    [known] = context.get_ca_certs()
    assert known["subject"] == ((("commonName", "authority"),),)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_an_authority_for_plain_http_is_a_mistake(tmp_path: Path) -> None:
    Authority(tmp_path)
    local = {"token_url": "http://127.0.0.1:8080/oauth/token", "ca_file": "authority.pem"}
    [(_, told)] = findings(tmp_path, credential={"oauth": OAUTH | local})
    assert "nothing is asked by `https`" in told


def test_a_credential_is_of_one_kind(tmp_path: Path) -> None:
    bearer = {"token_file": "secret"}
    [(_, told)] = findings(tmp_path, credential={"oauth": OAUTH, "bearer": bearer})
    assert "exactly one of `basic`, `bearer` and `oauth`" in told


# --- introspection -----------------------------------------------------------------------------

ASKED = {
    "url": "https://login.example.com/oauth/introspect",
    "client_id": "gateway",
    "client_secret_file": "secret",
}


def test_a_server_to_be_asked_needs_no_more_than_that(tmp_path: Path) -> None:
    [found] = load(tmp_path, identity={"introspection": [ASKED]}).identity.introspection
    assert (found.issuer, found.audience, found.token_prefix) == (None, None, "")
    assert (found.scopes_claim, found.cache_seconds, found.parallel) == ("scope", 30.0, 16)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "http://login.example.com/"}, "over `https` only"),
        ({"issuer": ""}, "`issuer`"),
        ({"audience": ""}, "`audience`"),
        ({"token_prefix": "ä"}, "that its tokens begin with"),
        ({"roles_claim": "a..b"}, "expected a claim's name"),
        ({"scopes_claim": ""}, "expected a claim's name"),
        ({"cache_seconds": -1}, "`cache_seconds`"),
        ({"parallel": 0}, "`parallel`"),
        ({"client_secret_file": None}, "exactly one of `client_secret_file`"),
    ],
)
def test_what_is_wrong_with_a_server_is_found_at_its_key(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    [(_, told)] = findings(tmp_path, identity={"introspection": [ASKED | changes]})
    assert message in told


def test_names_of_several_servers_are_told_apart_by_the_operator(tmp_path: Path) -> None:
    other = ASKED | {"url": "https://other.example.com/introspect"}
    told = findings(tmp_path, identity={"introspection": [ASKED, other]})
    assert len(told) == 2
    assert all("names come from several sources" in message for _, message in told)
    prefixed = [entry | {"subject_prefix": ""} for entry in (ASKED, other)]
    assert len(load(tmp_path, identity={"introspection": prefixed}).identity.introspection) == 2


def test_a_server_stands_in_the_list_once(tmp_path: Path) -> None:
    twice = [ASKED | {"subject_prefix": prefix} for prefix in ("a:", "b:")]
    [(code, _)] = findings(tmp_path, identity={"introspection": twice})
    assert code == "duplicate-name"
