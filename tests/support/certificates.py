"""Certificate authorities for tests, and whatever certificates somebody could show.

Dates are far apart, so that nothing here depends on the day: good means until 2100, expired since
2001. Keys are P-256, one for each name and run.
"""

import ssl
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "gateway.test"

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PAST = datetime(2001, 1, 1, tzinfo=UTC)
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)

CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER = ExtendedKeyUsageOID.SERVER_AUTH


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """`weak` is one that OpenSSL finds too short."""
    if name == "weak":
        return rsa.generate_private_key(65537, 1024)
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(name: str, passphrase: bytes | None = None) -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return key(name).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def common_names(*names: str) -> x509.Name:
    """A subject with just these, however odd."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is too long
        attributes = [
            x509.NameAttribute(NameOID.COMMON_NAME, each, _validate=False) for each in names
        ]
    return x509.Name(attributes)


@dataclass(frozen=True)
class Shown:
    """A certificate and its key, as somebody has them."""

    certificate: x509.Certificate
    key_name: str
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        encoding = serialization.Encoding.PEM
        return b"".join(each.public_bytes(encoding) for each in (self.certificate, *self.chain))

    @property
    def key_pem(self) -> bytes:
        return key_pem(self.key_name)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """`name.pem` and `name.key`."""
        certificate, private = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.pem)
        private.write_bytes(self.key_pem)
        return certificate, private


class Authority:
    """Issues whatever it is asked for."""

    def __init__(self, name: str, *, issuer: "Authority | None" = None) -> None:
        self.name = name
        self._issuer = issuer
        self.certificate = self._sign(
            common_names(name), name, LONG_AGO, FUTURE,
            [(x509.BasicConstraints(ca=True, path_length=None), True)],
        )  # fmt: skip

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, folder: Path) -> Path:
        path = folder / f"{self.name}.pem"
        path.write_bytes(self.pem)
        return path

    def issue(
        self,
        *names: str,
        alternatives: Sequence[x509.GeneralName] = (),
        purpose: x509.ObjectIdentifier = CLIENT,
        until: datetime = FUTURE,
        key_name: str = "holder",
        more: Iterable[tuple[Any, bool]] = (),
    ) -> Shown:
        """A certificate whose subject has these common names."""
        extensions: list[tuple[Any, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.ExtendedKeyUsage([purpose]), False),
            *more,
        ]
        if alternatives:
            extensions.append((x509.SubjectAlternativeName(alternatives), False))
        by_us = self._child(common_names(*names), key_name, until, extensions)
        return Shown(by_us, key_name, () if self._issuer is None else (self.certificate,))

    def _child(
        self, subject: x509.Name, key_name: str, until: datetime, extensions: Any
    ) -> x509.Certificate:
        return _signed(
            subject, key_name, self.certificate.subject, self.name, LONG_AGO, until, extensions
        )

    def _sign(
        self, subject: x509.Name, key_name: str, since: datetime, until: datetime, extensions: Any
    ) -> x509.Certificate:
        above = self._issuer
        issuer = subject if above is None else above.certificate.subject
        signer = self.name if above is None else above.name
        return _signed(subject, key_name, issuer, signer, since, until, extensions)


def _signed(
    subject: x509.Name, key_name: str, issuer: x509.Name, signer: str, since: datetime,
    until: datetime, extensions: Iterable[tuple[Any, bool]],
) -> x509.Certificate:  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key(key_name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key(signer), hashes.SHA256())


def self_signed(name: str) -> Shown:
    """Nobody's word but its own."""
    subject = common_names(name)
    extensions = [(x509.ExtendedKeyUsage([CLIENT]), False)]
    certificate = _signed(subject, "alone", subject, "alone", LONG_AGO, FUTURE, extensions)
    return Shown(certificate, "alone")


AUTHORITY = Authority("authority")
STRANGER = Authority("stranger")


def server(*, key_name: str = "server", until: datetime = FUTURE, host: str = HOST) -> Shown:
    """What the gateway shows."""
    return AUTHORITY.issue(
        host, alternatives=[x509.DNSName(host)], purpose=SERVER, key_name=key_name, until=until
    )


def client_context(folder: Path, shown: Shown | None = None) -> ssl.SSLContext:
    """A client that trusts our authority, and shows a certificate if it has one."""
    context = ssl.create_default_context(cadata=AUTHORITY.pem.decode())
    if shown is not None:
        certificate, private = shown.write(folder, f"client-{shown.certificate.serial_number}")
        context.load_cert_chain(certificate, private)
    return context
