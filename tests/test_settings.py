"""The settings file: every finding at once and in its place, secrets out of sight."""

import base64
import json
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from gateway.errors import SettingsInvalid
from gateway.settings import (
    Address,
    JwtIssuer,
    Limits,
    Secret,
    ServiceSettings,
    Settings,
    UpstreamSettings,
    Url,
    load_settings,
    settings_schema,
    specs,
)
from policy import ServiceSpec, UseRole

SERVICE = "{name: ucs, catalogue: ucs.yaml, upstream: {nodes: ['http://127.0.0.1:8081']}}"
ISSUER = "issuer: https://a.example/, audience: gw"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A deployment's folder with everything that settings may name."""
    (tmp_path / "policy").mkdir()
    (tmp_path / "secrets").mkdir()
    for name in ("ucs.yaml", "gms.yaml", "users.yaml", "overrides.yaml", "key.pem", "keys.json"):
        (tmp_path / name).touch()
    (tmp_path / "secrets/ucs").write_bytes(b"hunter2\n")
    (tmp_path / "secrets/long").write_bytes(b"x" * 64)
    (tmp_path / "secrets/empty").write_bytes(b"\n")
    return tmp_path


def load(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    path = folder / "gateway.yaml"
    path.write_text(dedent(text))
    return load_settings(path, environ or {})


def minimal(
    *, service: str = SERVICE, identity: str = "{basic: {users: users.yaml}}", more: str = ""
) -> str:
    return f"services: [{service}]\npolicy: policy\nidentity: {identity}\n{more}\n"


def service(more: str = "", upstream: str = "") -> str:
    return (
        "{name: ucs, catalogue: ucs.yaml, upstream: {nodes: ['http://127.0.0.1:8081']"
        + (f", {upstream}" if upstream else "")
        + "}"
        + (f", {more}" if more else "")
        + "}"
    )


def findings(
    folder: Path, text: str, environ: Mapping[str, str] | None = None
) -> list[tuple[str, str]]:
    """Code and message of each finding; there has to be one."""
    with pytest.raises(SettingsInvalid) as refusal:
        load(folder, text, environ)
    return [(found.code.value, found.message) for found in refusal.value.diagnostics]


def finding(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> tuple[str, str]:
    (only,) = findings(folder, text, environ)
    return only


# What a good file gives


def test_the_example_of_the_documentation_is_read(folder: Path) -> None:
    settings = load(
        folder,
        """
        listen: {address: "127.0.0.1:8080"}
        admin: {address: "127.0.0.1:9090"}
        services:
          - name: ucs
            catalogue: ucs.yaml
            overrides: overrides.yaml
            switches: [strict-by-unique]
            prefix: /
            upstream:
              nodes: ["http://127.0.0.1:8081"]
              base_path: /
              credential: {basic: {username: gateway, password_file: secrets/ucs}}
            use_role: true
            errors: ucs
          - name: gms
            catalogue: gms.yaml
            prefix: /genesys/1/cs
            upstream: {nodes: ["http://127.0.0.1:8082"], base_path: /genesys/1/cs}
            use_role: shadow
            errors: gms
        policy: policy/
        identity:
          jwt:
            - issuer: https://login.example.com/
              audience: ucs-gateway
              algorithms: [RS256]
              jwks: {url: "https://login.example.com/jwks.json"}
              roles_claim: roles
              subject_prefix: ""
          basic: {users: users.yaml, realm: UCS}
        limits: {}
        audit: {file: audit.jsonl}
        """,
    )

    assert settings.listen.address == Address("127.0.0.1", 8080)
    ucs, gms = settings.services
    assert ucs.upstream.nodes == (Url("http", "127.0.0.1", 8081),)
    assert (ucs.use_role, gms.use_role) == (UseRole.ENFORCE, UseRole.SHADOW)
    assert ucs.upstream.credential is not None
    assert base64.b64decode(ucs.upstream.credential.authorization[6:]) == b"gateway:hunter2"
    assert settings.identity.jwt[0].algorithms == ("RS256",)
    assert settings.audit.file == folder / "audit.jsonl"


def test_relative_paths_start_from_the_files_folder(folder: Path) -> None:
    settings = load(folder, minimal())

    assert settings.policy == folder / "policy"
    assert settings.services[0].catalogue == folder / "ucs.yaml"
    assert settings.identity.basic is not None
    assert settings.identity.basic.users == folder / "users.yaml"


def test_the_policy_compiler_is_told_what_it_needs(folder: Path) -> None:
    more = "overrides: overrides.yaml, switches: [a], prefix: /x, use_role: false"

    assert specs(load(folder, minimal(service=service(more)))) == (
        ServiceSpec(
            name="ucs",
            prefix="/x",
            catalogue=folder / "ucs.yaml",
            overrides=folder / "overrides.yaml",
            use_role=UseRole.OFF,
            switches=("a",),
        ),
    )


def test_what_is_left_out_has_its_documented_default(folder: Path) -> None:
    settings = load(folder, minimal())

    assert str(settings.listen.address) == "127.0.0.1:8080"
    assert str(settings.admin.address) == "127.0.0.1:9090"
    assert settings.limits == Limits()
    assert settings.audit.file == Path("-")
    assert settings.audit.digest_key_file is None
    assert settings.log.format == "json"
    service_ = settings.services[0]
    assert (service_.prefix, service_.use_role, service_.errors) == ("/", "true", "problem")
    assert service_.caller_header == "X-Gateway-Caller"
    assert service_.reveal_missing
    assert service_.upstream.credential is None


def test_settings_cannot_be_changed(folder: Path) -> None:
    settings = load(folder, minimal(service=service("set_headers: {X-A: b}")))

    with pytest.raises(ValidationError):
        settings.policy = Path("/")  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.services[0].set_headers["X-B"] = "c"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("0.0.0.0:80", Address("0.0.0.0", 80)),
        ("[::1]:8080", Address("::1", 8080)),
        ("localhost:0", Address("localhost", 0)),
    ],
)
def test_an_address_is_a_host_and_a_port(folder: Path, written: str, address: Address) -> None:
    settings = load(folder, minimal(more=f"listen: {{address: '{written}'}}"))

    assert settings.listen.address == address
    assert str(address) == written


@pytest.mark.parametrize(
    "written",
    ["8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:08", "::1:80",
     "[127.0.0.1]:80", "127.1:80", "0177.0.0.1:80", "a b:80", "-a:80", "*:80", "127.0.0.1:+1",
     "http://127.0.0.1:80"],
)  # fmt: skip
def test_anything_else_is_no_address(folder: Path, written: str) -> None:
    code, message = finding(folder, minimal(more=f"listen: {{address: '{written}'}}"))

    assert code == "bad-value"
    assert message.startswith("`address`: expected `host:port` such as")


@pytest.mark.parametrize(
    ("written", "authority"),
    [
        ("http://ucs.example.com", "ucs.example.com"),
        ("http://ucs.example.com:80/", "ucs.example.com"),
        ("http://ucs:8081", "ucs:8081"),
        ("http://[::1]", "[::1]"),
        ("http://[::1]:8081", "[::1]:8081"),
        ("https://ucs.example.com", "ucs.example.com"),
        ("https://ucs.example.com:443/", "ucs.example.com"),
        ("https://ucs:80", "ucs:80"),
        ("https://[::1]", "[::1]"),
    ],
)
def test_a_node_is_the_root_of_an_http_server(folder: Path, written: str, authority: str) -> None:
    text = "{name: ucs, catalogue: ucs.yaml, upstream: {nodes: ['" + written + "']}}"

    (node,) = load(folder, minimal(service=text)).services[0].upstream.nodes

    assert node.authority == authority
    assert str(node) == f"{written.partition(':')[0]}://{authority}"


@pytest.mark.parametrize(
    "written",
    ["ucs:8081", "http://", "http://u:p@ucs:80", "http://ucs/path", "http://ucs?x", "http://ucs#x",
     "http://ucs:0", "ftp://ucs", "http://ucs:80:80", "HTTP://ucs", "http:///ucs", "https://",
     "https://ucs:0", "https://ucs/path"],
)  # fmt: skip
def test_anything_else_is_no_node(folder: Path, written: str) -> None:
    text = "{name: ucs, catalogue: ucs.yaml, upstream: {nodes: ['" + written + "']}}"

    assert finding(folder, minimal(service=text)) == (
        "bad-value",
        (
            "an entry of `nodes`: expected `http://host:port` or `https://host:port` and nothing"
            " behind it (a path goes to `base_path`)"
        ),
    )


@pytest.mark.parametrize("path", ["/", "/genesys/1/cs", "/a.b/~c-d_e"])
def test_a_prefix_is_a_canonical_path(folder: Path, path: str) -> None:
    settings = load(folder, minimal(service=service(f"prefix: '{path}'", f"base_path: '{path}'")))

    assert settings.services[0].prefix == path
    assert settings.services[0].upstream.base_path == path


@pytest.mark.parametrize(
    "path",
    ["", "a", "/a/", "//a", "/a//b", "/./a", "/a/..", "/a%2fb", "/a;b", "/a?b", "/a b", "/ä"],
)
def test_no_prefix_can_be_read_in_two_ways(folder: Path, path: str) -> None:
    found = findings(folder, minimal(service=service(f"prefix: '{path}'", f"base_path: '{path}'")))

    assert [message.partition(":")[0] for _, message in found] == ["`base_path`", "`prefix`"]


# Use of roles


@pytest.mark.parametrize(
    ("written", "meaning"),
    [("true", UseRole.ENFORCE), ("shadow", UseRole.SHADOW), ("false", UseRole.OFF)],
)
def test_use_role_is_true_shadow_or_false(folder: Path, written: str, meaning: UseRole) -> None:
    settings = load(folder, minimal(service=service(f"use_role: {written}")))

    assert settings.services[0].use_role is meaning


@pytest.mark.parametrize("written", ["yes", "on", "'true'", "enforce", "1", "null"])
def test_nothing_else_turns_roles_on_or_off(folder: Path, written: str) -> None:
    assert finding(folder, minimal(service=service(f"use_role: {written}"))) == (
        "unknown-value",
        "`use_role` must be `true`, `shadow` or `false`",
    )


# Secrets


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"hunter2", b"hunter2"),
        (b"hunter2\n", b"hunter2"),
        (b"hunter2\r\n", b"hunter2"),
        (b"hunter2\n\n", b"hunter2\n"),
        (b" hunter2 ", b" hunter2 "),
        (b"hunter2\r", b"hunter2\r"),
    ],
)
def test_a_secret_loses_one_newline_at_its_end_and_nothing_else(
    folder: Path, content: bytes, secret: bytes
) -> None:
    (folder / "secrets/ucs").write_bytes(content)
    credential = "credential: {basic: {username: u, password_file: secrets/ucs}}"

    settings = load(folder, minimal(service=service(upstream=credential)))

    assert settings.services[0].upstream.credential is not None
    assert settings.services[0].upstream.credential.basic is not None
    assert settings.services[0].upstream.credential.basic.password == secret


def test_a_secret_may_come_from_the_environment(folder: Path) -> None:
    credential = "credential: {bearer: {token_env: UCS_TOKEN}}"

    settings = load(
        folder, minimal(service=service(upstream=credential)), {"UCS_TOKEN": "abc.def\n"}
    )

    assert settings.services[0].upstream.credential is not None
    assert settings.services[0].upstream.credential.authorization == b"Bearer abc.def"


@pytest.mark.parametrize(
    ("credential", "environ", "message"),
    [
        ("basic: {username: u, password_file: secrets/none}", {},
         "`password_file`: `FOLDER/secrets/none` cannot be read: no such file or directory"),
        ("basic: {username: u, password_file: secrets}", {},
         "`password_file`: `FOLDER/secrets` cannot be read: is a directory"),
        ("basic: {username: u, password_file: secrets/empty}", {},
         "`password_file`: the secret in file FOLDER/secrets/empty is empty"),
        ("basic: {username: u, password_env: NONE}", {},
         "`password_env`: the variable `NONE` is not set"),
        ("basic: {username: u, password_env: BLANK}", {"BLANK": ""},
         "`password_env`: the secret in variable BLANK is empty"),
        ("basic: {username: u}", {},
         "`basic`: exactly one of `password_file` and `password_env` has to be given"),
        ("basic: {username: u, password_env: P, password_file: secrets/ucs}", {"P": "p"},
         "`basic`: exactly one of `password_file` and `password_env` has to be given"),
        ("basic: {username: 'u:v', password_file: secrets/ucs}", {},
         "`username`: expected a name without `:` and control characters"),
        ("bearer: {token_env: T}", {"T": "a b"},
         "`token_env`: the secret is not a bearer token: letters, digits and `-._~+/=` only"),
        ("bearer: {token_env: T}", {"T": "a\r\nX: y"},
         "`token_env`: the secret is not a bearer token: letters, digits and `-._~+/=` only"),
    ],
)  # fmt: skip
def test_a_secret_that_cannot_be_used_is_a_finding_at_its_key(
    folder: Path, credential: str, environ: dict[str, str], message: str
) -> None:
    text = minimal(service=service(upstream=f"credential: {{{credential}}}"))

    assert finding(folder, text, environ) == ("bad-value", message.replace("FOLDER", str(folder)))


def test_a_credential_is_of_exactly_one_kind(folder: Path) -> None:
    both = "credential: {basic: {username: u, password_file: secrets/ucs}, bearer: {token_env: T}}"

    for credential in ("credential: {}", both):
        text = minimal(service=service(upstream=credential))
        message = "`credential`: exactly one of `basic`, `bearer` and `oauth` has to be given"
        assert finding(folder, text, {"T": "t"}) == ("bad-value", message)


def test_a_secret_cannot_stand_in_the_file_itself_and_is_not_repeated(folder: Path) -> None:
    credential = "credential: {basic: {username: u, password: hunter2}}"

    found = findings(folder, minimal(service=service(upstream=credential)))

    assert ("unknown-key", "unknown key `password`") in found
    assert "hunter2" not in str(found)


def test_no_secret_shows_in_any_rendering(folder: Path) -> None:
    identity = (
        "{jwt: [{" + ISSUER + ", algorithms: [HS256], secret_file: secrets/long,"
        " subject_prefix: ''}], basic: {users: users.yaml}}"
    )
    credential = "credential: {basic: {username: gateway, password_file: secrets/ucs}}"
    settings = load(
        folder,
        minimal(
            service=service(upstream=credential),
            identity=identity,
            more="audit: {digest_key_file: secrets/long}",
        ),
    )

    for rendering in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in rendering
        assert "x" * 16 not in rendering
        assert "secrets/ucs" in rendering


def test_a_secrets_repr_tells_where_it_came_from() -> None:
    assert repr(Secret(b"hunter2", "file secrets/ucs")) == "Secret(from file secrets/ucs)"
    assert f"{Secret(b'hunter2', 'file secrets/ucs')}" == "Secret(from file secrets/ucs)"


# Files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (minimal(service="{name: u, catalogue: none.yaml, upstream: {nodes: ['http://a']}}"),
         "`catalogue`: `FOLDER/none.yaml` cannot be read: no such file or directory"),
        (minimal(service=service("overrides: policy")),
         "`overrides`: `FOLDER/policy` cannot be read: is a directory"),
        (minimal(identity="{basic: {users: none.yaml}}"),
         "`users`: `FOLDER/none.yaml` cannot be read: no such file or directory"),
        (minimal().replace("policy: policy", "policy: none"),
         "`policy`: `FOLDER/none` cannot be read: no such folder, or not ours to read"),
        (minimal(more="audit: {file: none/audit.jsonl}"),
         "`file`: `FOLDER/none/audit.jsonl` cannot be written: its folder does not exist"),
        (minimal(more="audit: {file: policy}"),
         "`file`: `FOLDER/policy` cannot be written: it is a folder"),
        (minimal(more="audit: {file: ''}"), "`file`: expected a path as text"),
        (minimal(more='audit: {file: "a\\0b"}'), "`file`: expected a path as text"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_there_is_a_finding_at_its_key(
    folder: Path, text: str, message: str
) -> None:
    assert finding(folder, text)[1] == message.replace("FOLDER", str(folder))


def test_there_may_be_no_audit_but_only_in_so_many_words(folder: Path) -> None:
    assert load(folder, minimal(more="audit: {file: null}")).audit.file is None
    assert load(folder, minimal(more="audit: {file: '-'}")).audit.file == Path("-")


def test_a_settings_file_that_is_not_there_is_a_finding(folder: Path) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        load_settings(folder / "none.yaml", {})

    (found,) = refusal.value.diagnostics
    assert found.where.file == str(folder / "none.yaml")
    assert found.message == "the settings cannot be read: no such file or directory"


@pytest.mark.parametrize(
    "text", ["", "a: [", "a: 1\na: 2\n", "- a\n", "!!python/name:os.system ''\n"]
)
def test_a_file_that_is_not_a_mapping_of_plain_yaml_is_refused(folder: Path, text: str) -> None:
    assert findings(folder, text)


# Headers


@pytest.mark.parametrize(
    "name",
    ["Content-Length", "transfer-encoding", "Connection", "Upgrade", "Authorization", "COOKIE",
     "X-Forwarded-For", "Forwarded", "X-Request-Id", "Host", "TE", "Content-Type", "X-Real-IP",
     "X-HTTP-Method-Override", "X-Original-URL", "Proxy-Authorization", "X_Role", "X.Role", "X Role",
     "X-Röle", "X:Y", "-X"],
)  # fmt: skip
def test_a_setting_cannot_name_a_header_that_is_not_its_own(folder: Path, name: str) -> None:
    text = minimal(
        service=service(
            f"caller_header: '{name}', forward_headers: ['{name}'], set_headers: {{'{name}': a}}"
        )
    )

    found = findings(folder, text)

    assert len(found) == 3
    for code, message in found:
        assert code == "bad-value"
        assert f"no setting may name the header `{name}`: " in message


def test_a_header_has_one_owner_whatever_its_case(folder: Path) -> None:
    more = "caller_header: X-A, forward_headers: [x-a, X-B, x-b, X-C], set_headers: {X-b: v}"

    assert [message for _, message in findings(folder, minimal(service=service(more)))] == [
        "an entry of `forward_headers`: the header `x-a` is already named by `caller_header`",
        "an entry of `forward_headers`: the header `X-B` is already named by `set_headers.X-b`",
        "an entry of `forward_headers`: the header `x-b` is already named by `set_headers.X-b`",
    ]


@pytest.mark.parametrize("value", ["", " a", "a ", '"a\\r\\nX: y"', '"a\\0"', "ä", '"a\\tb"'])
def test_a_headers_value_is_visible_ascii(folder: Path, value: str) -> None:
    quoted = value if value.startswith('"') else f"'{value}'"

    assert finding(folder, minimal(service=service(f"set_headers: {{X-A: {quoted}}}"))) == (
        "bad-value",
        "`X-A`: expected visible ASCII characters",
    )


def test_ordinary_headers_may_be_set_and_forwarded(folder: Path) -> None:
    more = "forward_headers: [X-Correlation-Id], set_headers: {X-Genesys-TenantId: '1 or 2'}"

    made = load(folder, minimal(service=service(more))).services[0]

    assert made.forward_headers == ("X-Correlation-Id",)
    assert made.set_headers == {"X-Genesys-TenantId": "1 or 2"}


# Identity


KEYS = {
    "jwks": "jwks: {url: 'https://a.example/jwks'}",
    "jwk_file": "jwk_file: keys.json",
    "pem_file": "pem_file: key.pem",
    "secret_file": "secret_file: secrets/long",
}


@pytest.mark.parametrize("source", ["jwks", "jwk_file", "pem_file"])
@pytest.mark.parametrize("algorithm", ["RS256", "PS512", "ES384", "EdDSA"])
def test_public_keys_go_with_asymmetric_algorithms(
    folder: Path, source: str, algorithm: str
) -> None:
    issuer = f"{{{ISSUER}, algorithms: [{algorithm}], {KEYS[source]}}}"

    (made,) = load(folder, minimal(identity=f"{{jwt: [{issuer}]}}")).identity.jwt

    assert made.algorithms == (algorithm,)
    assert getattr(made, source) is not None


def test_names_from_several_sources_have_to_be_told_apart(folder: Path) -> None:
    """J-13: `anna` of one source is `anna` of another only if the operator says so."""
    issuer = f"{ISSUER}, algorithms: [RS256], {KEYS['pem_file']}"
    both = "identity: {{jwt: [{{{}}}], basic: {{users: users.yaml}}}}"

    assert finding(folder, minimal(identity=both.format(issuer).removeprefix("identity: "))) == (
        "bad-value",
        (
            "an entry of `jwt`: names come from several sources: say what stands before the names"
            ' of this one, or `""` if equal names mean the same person'
        ),
    )
    said = both.format(issuer + ", subject_prefix: 'corp:'").removeprefix("identity: ")
    assert load(folder, minimal(identity=said)).identity.jwt[0].subject_prefix == "corp:"


@pytest.mark.parametrize("source", ["jwks", "jwk_file", "pem_file"])
def test_a_public_key_is_never_a_shared_secret(folder: Path, source: str) -> None:
    issuer = f"{{{ISSUER}, algorithms: [RS256, HS256], {KEYS[source]}}}"

    assert finding(folder, minimal(identity=f"{{jwt: [{issuer}]}}")) == (
        "bad-value",
        f"an entry of `algorithms`: `HS256` cannot be checked with `{source}`",
    )


def test_a_shared_secret_goes_with_hs_algorithms_alone(folder: Path) -> None:
    good = f"{{{ISSUER}, algorithms: [HS512], {KEYS['secret_file']}}}"
    mixed = f"{{{ISSUER}, algorithms: [HS256, RS256], {KEYS['secret_file']}}}"

    (made,) = load(folder, minimal(identity=f"{{jwt: [{good}]}}")).identity.jwt
    assert made.secret_file is not None
    assert made.secret_file.value == b"x" * 64
    assert "`RS256` cannot be checked" in finding(
        folder, minimal(identity=f"{{jwt: [{mixed}]}}")
    )[1]  # fmt: skip


def test_a_shared_secret_is_as_long_as_its_hash(folder: Path) -> None:
    issuer = f"{{{ISSUER}, algorithms: [HS256], secret_file: secrets/ucs}}"

    assert finding(folder, minimal(identity=f"{{jwt: [{issuer}]}}")) == (
        "bad-value",
        "`secret_file`: the secret is too short for `HS256`: expected 32 bytes or more",
    )


@pytest.mark.parametrize("algorithm", ["none", "None", "RS128", "rs256", "''"])
def test_no_other_algorithm_is_known(folder: Path, algorithm: str) -> None:
    issuer = f"{{{ISSUER}, algorithms: [{algorithm}], {KEYS['pem_file']}}}"

    assert finding(folder, minimal(identity=f"{{jwt: [{issuer}]}}"))[0] == "unknown-value"


@pytest.mark.parametrize(
    ("keys", "found"), [("", "none"), ("jwk_file: keys.json, pem_file: key.pem", "`jwk_file` and `pem_file`")]
)  # fmt: skip
def test_an_issuers_keys_come_from_one_source(folder: Path, keys: str, found: str) -> None:
    issuer = f"{{{ISSUER}, algorithms: [RS256]{', ' if keys else ''}{keys}}}"

    code, message = finding(folder, minimal(identity=f"{{jwt: [{issuer}]}}"))

    assert code == "bad-value"
    assert message.endswith(f"expected exactly one of `jwks`, `jwk_file`, `pem_file` and `secret_file`, found {found}")  # fmt: skip


def test_an_issuer_is_named_once(folder: Path) -> None:
    issuer = f"{{{ISSUER}, algorithms: [RS256], {KEYS['pem_file']}}}"

    assert finding(folder, minimal(identity=f"{{jwt: [{issuer}, {issuer}]}}")) == (
        "duplicate-name",
        "the issuer `https://a.example/` is used twice",
    )


@pytest.mark.parametrize("field", ["issuer", "audience"])
def test_issuer_and_audience_are_never_empty(folder: Path, field: str) -> None:
    issuer = {"issuer": "a", "audience": "b"} | {field: "''"}
    text = ", ".join(f"{key}: {value}" for key, value in issuer.items())

    assert finding(
        folder, minimal(identity=f"{{jwt: [{{{text}, algorithms: [RS256], pem_file: key.pem}}]}}")
    ) == ("empty-value", f"`{field}` must not be empty")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://login.example.com/jwks", "over `https` only"),
        ("http://10.0.0.1/jwks", "over `https` only"),
        ("ftp://login.example.com/jwks", "expected a URL"),
        ("login.example.com", "expected a URL"),
        ("https://u:p@login.example.com/", "expected a URL"),
        ("https://login.example.com/#x", "expected a URL"),
        ("https://login.example.com/a b", "expected a URL"),
        ("https://[::1", "expected a URL"),
        ("https://a:99999/", "expected a URL"),
        ("https:///jwks", "expected a URL"),
    ],
)
def test_keys_are_fetched_from_where_nobody_can_change_them(
    folder: Path, url: str, why: str
) -> None:
    issuer = f"{{{ISSUER}, algorithms: [RS256], jwks: {{url: '{url}'}}}}"

    assert why in finding(folder, minimal(identity=f"{{jwt: [{issuer}]}}"))[1]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:1"])
def test_keys_from_this_machine_may_come_unencrypted(folder: Path, host: str) -> None:
    issuer = f"{{{ISSUER}, algorithms: [RS256], jwks: {{url: 'http://{host}/jwks'}}}}"

    assert load(folder, minimal(identity=f"{{jwt: [{issuer}]}}")).identity.jwt


def test_somebody_must_be_able_to_prove_who_they_are(folder: Path) -> None:
    assert finding(folder, minimal(identity="{}")) == (
        "bad-value",
        (
            "`identity`: none of `jwt`, `introspection`, `basic`, `certificates` and `clients` is"
            " given: nobody could be let in"
        ),
    )


@pytest.mark.parametrize("realm", ["", 'a"b', "a\\b", "ä"])
def test_a_realm_fits_into_its_quotes(folder: Path, realm: str) -> None:
    text = minimal(identity=f"{{basic: {{users: users.yaml, realm: '{realm}'}}}}")

    assert finding(folder, text)[1].startswith("`realm`: expected visible ASCII")


@pytest.mark.parametrize("claim", ["''", ".roles", "realm_access.", "a..b"])
def test_a_claims_path_names_every_step(folder: Path, claim: str) -> None:
    issuer = f"{{{ISSUER}, algorithms: [RS256], pem_file: key.pem, roles_claim: {claim}}}"

    assert finding(folder, minimal(identity=f"{{jwt: [{issuer}]}}"))[1].startswith("`roles_claim`:")


# Numbers, names and the whole


@pytest.mark.parametrize(
    "setting",
    ["max_head_bytes: 0", "max_headers: -1", "header_timeout_seconds: 0", "max_body_bytes: 1.5",
     "header_timeout_seconds: true", "max_headers: '100'", "keep_alive_timeout_seconds: 1e3",
     "max_body_depth: 100000"],
)  # fmt: skip
def test_a_limit_is_a_number_in_its_range(folder: Path, setting: str) -> None:
    code, message = finding(folder, minimal(more=f"limits: {{{setting}}}"))

    assert code in {"bad-value", "wrong-type"}
    assert f"`{setting.partition(':')[0]}`" in message


def test_a_whole_number_of_seconds_will_do(folder: Path) -> None:
    settings = load(folder, minimal(more="limits: {header_timeout_seconds: 5}"))

    assert settings.limits.header_timeout_seconds == 5.0


@pytest.mark.parametrize("name", ["''", "UCS", "1a", "a_b", "a b", f"{'a' * 64}"])
def test_a_services_name_can_be_a_label(folder: Path, name: str) -> None:
    text = minimal(service=SERVICE.replace("name: ucs", f"name: {name}"))

    assert finding(folder, text)[1].startswith("`name`: expected a name of lower-case letters")


def test_a_services_name_is_used_once(folder: Path) -> None:
    assert finding(folder, minimal(service=f"{SERVICE}, {SERVICE}")) == (
        "duplicate-name",
        "the name `ucs` is used twice",
    )


def test_there_is_at_least_one_service(folder: Path) -> None:
    assert finding(folder, minimal(service="")) == ("empty-value", "`services` must not be empty")


def test_the_admin_port_is_not_the_public_port(folder: Path) -> None:
    more = "listen: {address: '127.0.0.1:80'}\nadmin: {address: '127.0.0.1:80'}"

    assert finding(folder, minimal(more=more)) == (
        "bad-value",
        "`admin`: the admin port is the public port: give it an address of its own",
    )


def test_both_ports_may_be_chosen_by_the_system(folder: Path) -> None:
    more = "listen: {address: '127.0.0.1:0'}\nadmin: {address: '127.0.0.1:0'}"

    assert load(folder, minimal(more=more)).admin.address.port == 0


@pytest.mark.parametrize("key", ["secrets/ucs", "secrets/huge"])
def test_a_digest_key_has_a_length_that_blake2b_takes(folder: Path, key: str) -> None:
    (folder / "secrets/huge").write_bytes(b"x" * 65)

    message = finding(folder, minimal(more=f"audit: {{digest_key_file: {key}}}"))[1]

    assert message.startswith("`digest_key_file`: the key has")


def test_a_file_too_large_for_a_secret_is_none(folder: Path) -> None:
    (folder / "secrets/huge").write_bytes(b"x" * 70_000)
    text = minimal(more="audit: {digest_key_file: secrets/huge}")

    assert "it is larger than any secret" in finding(folder, text)[1]


# Findings


def test_every_finding_is_told_at_once_with_its_place(folder: Path) -> None:
    text = """\
        services:
          - name: ucs
            catalogue: none.yaml
            upstream: {nodes: ["http://127.0.0.1:8081"], credential: {basic: {username: u, password_file: none}}}
            use_role: sometimes
          - name: ucs
            catalogue: gms.yaml
            upstream: {nodes: [nowhere]}
            forward_header: [X-A]
        policy: none/
        identity:
          jwt: [{issuer: a, audience: b, algorithms: [RS256]}]
        limits: {max_headers: many}
        """
    with pytest.raises(SettingsInvalid) as refusal:
        load(folder, text)

    assert [
        (found.where.line, found.where.column, found.code.value)
        for found in refusal.value.diagnostics
    ] == [
        (3, 16, "bad-value"),
        (4, 99, "bad-value"),
        (5, 15, "unknown-value"),
        (6, 11, "duplicate-name"),
        (8, 24, "bad-value"),
        (9, 5, "unknown-key"),
        (10, 9, "bad-value"),
        (12, 9, "bad-value"),
        (13, 23, "wrong-type"),
    ]
    assert {found.where.file for found in refusal.value.diagnostics} == {
        str(folder / "gateway.yaml")
    }
    assert "did you mean `forward_headers`?" in str(refusal.value)


def test_a_brace_in_a_name_does_not_break_the_message(folder: Path) -> None:
    braces = SERVICE.replace("name: ucs", "name: ucs").replace("ucs.yaml", "'{path}{0}.yaml'")

    assert "/{path}{0}.yaml` cannot be read" in finding(folder, minimal(service=braces))[1]


def test_a_missing_section_is_named(folder: Path) -> None:
    assert findings(folder, "listen: {}\n") == [
        ("missing-key", "`identity` is missing"),
        ("missing-key", "`policy` is missing"),
        ("missing-key", "`services` is missing"),
    ]


# Built in code


def test_sections_can_be_built_in_code_without_a_disk() -> None:
    built = ServiceSettings(
        name="ucs",
        catalogue=Path("nowhere.yaml"),
        upstream=UpstreamSettings(nodes=(Url("http", "127.0.0.1", 80),)),
        use_role=UseRole.SHADOW,
    )

    assert built.catalogue == Path("nowhere.yaml")
    assert built.spec().use_role is UseRole.SHADOW


def test_an_issuer_can_be_built_in_code_with_its_secret() -> None:
    issuer = JwtIssuer(
        issuer="a", audience="b", algorithms=("HS256",), secret_file=Secret(b"x" * 32, "a test")
    )

    assert issuer.secret_file == Secret(b"x" * 32, "a test")


def test_what_is_built_in_code_is_checked_as_well() -> None:
    with pytest.raises(ValidationError, match="cannot be checked with"):
        JwtIssuer(issuer="a", audience="b", algorithms=("HS256",), pem_file=Path("key.pem"))


# The reference documentation


def sections() -> Iterator[type[BaseModel]]:
    """Every model that the settings are made of."""
    waiting: list[type[BaseModel]] = [Settings]
    seen: set[type[BaseModel]] = set()
    while waiting:
        model = waiting.pop()
        if model in seen:
            continue
        seen.add(model)
        yield model
        for field in model.model_fields.values():
            waiting += _models_in(field.annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models_in(part)]


FIELDS = [(model, name) for model in sections() for name in model.model_fields]


def test_every_section_is_found() -> None:
    assert {model.__name__ for model in sections()} >= {"Limits", "BearerCredential", "Jwks"}


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=[f"{m.__name__}.{n}" for m, n in FIELDS])
def test_every_field_is_described_and_says_its_unit(model: type[BaseModel], name: str) -> None:
    field = model.model_fields[name]

    assert field.description
    assert not field.description.endswith(".")
    if field.annotation is float:
        assert name.endswith("_seconds")


@pytest.mark.parametrize("model", list(sections()), ids=lambda model: model.__name__)
def test_every_section_is_frozen_strict_and_closed(model: type[BaseModel]) -> None:
    assert model.model_config["frozen"]
    assert model.model_config["strict"]
    assert model.model_config["extra"] == "forbid"


def test_the_schema_is_json_and_knows_every_section() -> None:
    schema = json.loads(json.dumps(settings_schema()))

    assert schema["$schema"].endswith("/draft/2020-12/schema")
    assert set(schema["properties"]) == set(Settings.model_fields)
    assert schema["required"] == ["services", "policy", "identity"]
    assert schema["$defs"]["Listen"]["properties"]["address"]["default"] == "127.0.0.1:8080"
    use_role = schema["$defs"]["ServiceSettings"]["properties"]["use_role"]
    assert use_role["enum"] == [True, "shadow", False]
