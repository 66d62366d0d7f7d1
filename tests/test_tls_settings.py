"""`listen.tls` and `identity.certificates`: every file is looked into, every fault in its place."""

import json
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from gateway.errors import SettingsInvalid
from gateway.server.tls import certificate_expiry, server_context
from gateway.settings import Settings, load_settings
from gateway.settings.tls import TlsSettings
from tests.support.certificates import AUTHORITY, FUTURE, Authority, key_pem, server

TLS = {"certificate_file": "server.pem", "key_file": "server.key"}
WITH_CLIENTS = {**TLS, "client_ca_file": "authority.pem"}
BASIC = "{basic: {users: users.yaml}}"

# The lines of what `load` writes.
IDENTITY, CERTIFICATE, KEY, CLIENT_CA, CLIENT_CERTIFICATE = 3, 6, 7, 8, 9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    for name in ("ucs.yaml", "users.yaml", "key.pem"):
        (tmp_path / name).touch()
    server().write(tmp_path, "server")
    AUTHORITY.write(tmp_path)
    return tmp_path


def load(folder: Path, tls: Mapping[str, str] | None = None, identity: str = BASIC) -> Settings:
    lines = [
        "policy: policy",
        "services: [{name: ucs, catalogue: ucs.yaml, upstream: {nodes: ['http://127.0.0.1:81']}}]",
        f"identity: {identity}",
        "listen:",
        "  tls:",
        *(f"    {key}: {value}" for key, value in (tls or {}).items()),
    ]
    path = folder / "gateway.yaml"
    path.write_text("\n".join(lines))
    return load_settings(path, {})


def findings(
    folder: Path, tls: Mapping[str, str] | None = None, identity: str = BASIC
) -> list[tuple[int, str]]:
    """Line and message of each; the folder's name is left out."""
    with pytest.raises(SettingsInvalid) as refusal:
        load(folder, tls, identity)
    return [
        (found.where.line, found.message.replace(f"{folder}/", ""))
        for found in refusal.value.diagnostics
    ]


def test_without_the_section_plain_http_is_spoken(folder: Path) -> None:
    assert load(folder).listen.tls is None


def test_paths_are_relative_to_the_settings_file(folder: Path) -> None:
    tls = load(folder, TLS).listen.tls
    assert tls is not None
    assert (tls.certificate_file, tls.key_file) == (folder / "server.pem", folder / "server.key")
    assert not tls.requires_client_certificate


@pytest.mark.parametrize(
    ("more", "required"),
    [
        ({}, True),
        ({"client_certificate": "required"}, True),
        ({"client_certificate": "optional"}, False),
    ],
)
def test_who_names_authorities_requires_certificates_unless_told_otherwise(
    folder: Path, more: dict[str, str], required: bool
) -> None:
    tls = load(folder, WITH_CLIENTS | more).listen.tls
    assert tls is not None
    assert tls.requires_client_certificate is required


def test_files_that_are_not_there_are_each_told_at_their_key(folder: Path) -> None:
    tls = {"certificate_file": "a", "key_file": "b", "client_ca_file": "c"}
    assert findings(folder, tls) == [
        (line, f"`{key}`: `{file}` cannot be read: no such file or directory")
        for line, (key, file) in enumerate(tls.items(), start=CERTIFICATE)
    ]


@pytest.mark.parametrize(
    ("file", "content", "line", "said"),
    [
        (
            "server.pem",
            lambda: b"",
            CERTIFICATE,
            "certificate_file`: `server.pem` holds no certificate",
        ),
        (
            "server.pem",
            lambda: key_pem("server"),
            CERTIFICATE,
            "`server.pem` holds no certificate in PEM",
        ),
        (
            "server.pem",
            lambda: b"x" * 4_194_305,
            CERTIFICATE,
            "is larger than any file of certificates",
        ),
        ("server.key", lambda: b"", KEY, "key_file`: `server.key` holds no private key in PEM"),
        ("server.key", lambda: key_pem("server", b"secret"), KEY, "`server.key` is encrypted"),
        ("server.key", lambda: key_pem("other"), KEY, "is not the key of the first certificate"),
        ("server.key", lambda: key_pem("weak"), KEY, "is not the key of the first certificate"),
        (
            "authority.pem",
            lambda: b"",
            CLIENT_CA,
            "client_ca_file`: `authority.pem` holds no certificate",
        ),
        ("authority.pem", lambda: AUTHORITY.pem[:-40], CLIENT_CA, "holds no certificate in PEM"),
        (
            "authority.pem",
            lambda: AUTHORITY.pem + key_pem("authority"),
            CLIENT_CA,
            "holds a private key",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told_at_its_key(
    folder: Path, file: str, content: Callable[[], bytes], line: int, said: str
) -> None:
    (folder / file).write_bytes(content())
    ((where, told),) = findings(folder, WITH_CLIENTS)
    assert where == line
    assert said in told


def test_every_file_at_fault_is_told_at_once(folder: Path) -> None:
    for name in ("server.pem", "server.key", "authority.pem"):
        (folder / name).write_bytes(b"\n")
    lines = [line for line, _ in findings(folder, WITH_CLIENTS)]
    assert lines == [CERTIFICATE, KEY, CLIENT_CA]


def test_the_gateways_own_certificate_has_to_come_first(folder: Path) -> None:
    issuing = Authority("issuing", issuer=AUTHORITY)
    shown = issuing.issue("gateway.test", key_name="server")
    (folder / "server.pem").write_bytes(issuing.pem + shown.certificate.public_bytes(
        serialization.Encoding.PEM
    ))  # fmt: skip
    ((_, told),) = findings(folder, TLS)
    assert "is not the key of the first certificate in `certificate_file`" in told
    (folder / "server.pem").write_bytes(shown.pem)
    assert load(folder, TLS).listen.tls is not None


def test_a_key_that_openssl_finds_too_weak_is_told_before_the_start(folder: Path) -> None:
    server(key_name="weak").write(folder, "server")
    assert findings(folder, TLS) == [
        (CERTIFICATE, "`certificate_file`: `server.pem` cannot be served: ee key too small")
    ]


def test_asking_for_certificates_that_nobody_could_verify_is_an_error(folder: Path) -> None:
    tls = {**TLS, "client_ca_file": "null", "client_certificate": "required"}
    message = "nobody's certificate could be verified: name the authorities in `client_ca_file`"
    assert findings(folder, tls) == [(CLIENT_CERTIFICATE, f"`client_certificate`: {message}")]


@pytest.mark.parametrize("tls", [None, TLS])
def test_names_from_certificates_need_authorities(
    folder: Path, tls: Mapping[str, str] | None
) -> None:
    ((line, told),) = findings(folder, tls, "{certificates: {name_from: dns}}")
    assert line == IDENTITY
    assert told == (
        "`certificates`: nobody's certificate could be verified:"
        " name the authorities in `listen.tls.client_ca_file`"
    )


def test_certificates_alone_are_an_identity(folder: Path) -> None:
    identity = load(folder, WITH_CLIENTS, "{certificates: {name_from: uri, kind: user}}").identity
    assert identity.certificates is not None
    assert (identity.certificates.name_from, identity.certificates.kind) == ("uri", "user")


@pytest.mark.parametrize(
    ("others", "keys"),
    [
        ("basic: {users: users.yaml}", ["`certificates`"]),
        (
            "jwt: [{issuer: i, audience: a, algorithms: [ES256], pem_file: key.pem}]",
            ["an entry of `jwt`", "`certificates`"],
        ),
    ],
    ids=["basic", "jwt"],
)
def test_names_of_certificates_are_told_apart_from_those_of_other_sources(
    folder: Path, others: str, keys: list[str]
) -> None:
    identity = f"{{{others}, certificates: {{name_from: dns}}}}"
    told = [message for _, message in findings(folder, WITH_CLIENTS, identity)]
    assert [each.partition(": ")[0] for each in told] == keys
    assert all("names come from several sources" in each for each in told)


def test_a_prefix_tells_them_apart(folder: Path) -> None:
    identity = '{basic: {users: users.yaml}, certificates: {name_from: dns, subject_prefix: ""}}'
    assert load(folder, WITH_CLIENTS, identity).identity.certificates is not None


@pytest.mark.parametrize("kind", ["cn", "subject", "", "upn"])
def test_a_kind_of_name_that_nobody_knows_is_an_error(folder: Path, kind: str) -> None:
    told = findings(folder, WITH_CLIENTS, f"{{certificates: {{name_from: '{kind}'}}}}")
    assert told == [(IDENTITY, "`name_from` must be `common-name`, `dns`, `uri` or `email`")]


# --- the context made of it ---------------------------------------------------------------------


def settings(folder: Path) -> TlsSettings:
    tls = load(folder, WITH_CLIENTS).listen.tls
    assert tls is not None
    return tls


def test_the_end_of_the_certificate_is_known(folder: Path) -> None:
    assert certificate_expiry(settings(folder)) == FUTURE.timestamp()


def test_without_readable_authorities_there_is_no_context_at_all(folder: Path) -> None:
    """J-14: a list that cannot be read must not become "ask nobody"."""
    tls = settings(folder)
    (folder / "authority.pem").unlink()
    with pytest.raises(SettingsInvalid, match="client_ca_file`: this file cannot be read"):
        server_context(tls)


def test_findings_after_the_start_stand_at_the_file(folder: Path) -> None:
    tls = settings(folder)
    for name in ("server.pem", "server.key", "authority.pem"):
        (folder / name).write_bytes(json.dumps(name).encode())
    with pytest.raises(SettingsInvalid) as invalid:
        server_context(tls)
    files = [Path(each.where.file).name for each in invalid.value.diagnostics]
    assert files == ["server.pem", "server.key", "authority.pem"]


def test_old_versions_compression_and_renegotiation_are_off(folder: Path) -> None:
    context = server_context(settings(folder))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_RENEGOTIATION
    names = {cipher["name"] for cipher in context.get_ciphers()}
    assert all(name.startswith(("ECDHE-", "TLS_")) for name in names)


def test_where_certificates_are_asked_for_none_is_taken_from_an_earlier_session(
    folder: Path,
) -> None:
    context = server_context(settings(folder))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.num_tickets == 0
    assert context.options & ssl.OP_NO_TICKET
