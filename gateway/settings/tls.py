"""TLS of the public port: its files, looked into while the settings are read.

A gateway that starts and then fails its first handshake, or that silently asks nobody for a
certificate because the list of authorities could not be read (threat J-14), is worse than one that
does not start. What is said here of the files is said again, by the same words, when they are read
anew while the gateway runs.
"""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import Field, model_validator

from gateway.settings.base import Section, finding, refuse, surroundings
from gateway.settings.secret import ExistingFile
from policy import Code, Diagnostic, Location

__all__ = ["FileFault", "TlsSettings", "file_faults"]

# The authorities that browsers trust come to 250 KB.
_MAX_FILE_BYTES = 4_194_304


class TlsSettings(Section):
    """What the gateway shows its clients, and what it asks them to show."""

    certificate_file: ExistingFile = Field(
        description="PEM file with the certificate, and behind it those of the authorities in"
        " between; read again on SIGHUP, as are the other two"
    )
    key_file: ExistingFile = Field(
        description="PEM file with the certificate's private key, not encrypted"
    )
    client_ca_file: ExistingFile | None = Field(
        default=None,
        description="PEM file with the authorities whose certificates clients may show; without it"
        " clients are not asked for any",
    )
    client_certificate: Literal["optional", "required"] | None = Field(
        default=None,
        description="whether a client without a certificate is let in; `required` where"
        " `client_ca_file` is given and this is not",
    )

    @model_validator(mode="after")
    def _files_can_be_used(self) -> Self:
        faults = []
        if self.client_certificate is not None and self.client_ca_file is None:
            message = "nobody's certificate could be verified: name the authorities in `{key}`"
            at = "client_certificate"
            faults.append(finding("client-ca-missing", message, at, key="client_ca_file"))
        if surroundings() is not None:
            faults += (
                finding("tls-file-unusable", "`{path}` {why}", each.key, **each.words())
                for each in file_faults(self)
            )
        refuse(faults)
        return self

    @property
    def requires_client_certificate(self) -> bool:
        return self.client_ca_file is not None and self.client_certificate != "optional"


class FileFault(NamedTuple):
    """Why a file cannot be used, at the key that names it."""

    key: str
    path: Path
    why: str

    def diagnostic(self) -> Diagnostic:
        """The finding where no settings file is being read."""
        message = f"`listen.tls.{self.key}`: this file {self.why}"
        return Diagnostic(Location(str(self.path)), Code.BAD_VALUE, message)

    def words(self) -> dict[str, str]:
        return {"path": str(self.path), "why": self.why}


def file_faults(settings: TlsSettings) -> Iterator[FileFault]:
    """Everything that keeps the files, as they are now, from being used."""
    certificates = key = None
    try:
        certificates = x509.load_pem_x509_certificates(_read(settings.certificate_file))
    except ValueError as error:
        yield FileFault("certificate_file", settings.certificate_file, _no_certificate(error))
    try:
        key = load_pem_private_key(_read(settings.key_file), None)
    except TypeError:  # the library's way of asking for a passphrase
        why = "is encrypted, and there is nobody to ask for its passphrase when a gateway starts"
        yield FileFault("key_file", settings.key_file, why)
    except _Unreadable as error:
        yield FileFault("key_file", settings.key_file, str(error))
    except (ValueError, UnsupportedAlgorithm):
        yield FileFault("key_file", settings.key_file, "holds no private key in PEM")
    if certificates and key is not None:
        form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        if certificates[0].public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
            why = (
                "is not the key of the first certificate in `certificate_file`, which has to be the"
                " gateway's own"
            )
            yield FileFault("key_file", settings.key_file, why)
        elif (objection := _objection(settings)) is not None:
            yield FileFault("certificate_file", settings.certificate_file, objection)
    if settings.client_ca_file is not None:
        yield from _authority_faults(settings.client_ca_file)


def _authority_faults(path: Path) -> Iterator[FileFault]:
    try:
        text = _read(path)
        if b"PRIVATE KEY-----" in text:
            why = "holds a private key, with which anybody's certificate could be made: take it out"
            yield FileFault("client_ca_file", path, why)
        authorities = x509.load_pem_x509_certificates(text)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(
            cadata="".join(each.public_bytes(Encoding.PEM).decode() for each in authorities)
        )
    except (ValueError, ssl.SSLError) as error:
        yield FileFault("client_ca_file", path, _no_certificate(error))


def _objection(settings: TlsSettings) -> str | None:
    """What OpenSSL has against it, such as a key that is too short."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.certificate_file, settings.key_file, password=""
        )
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or "no reason given"
        return f"cannot be served: {reason.replace('_', ' ').lower()}"
    return None


class _Unreadable(ValueError):
    """A file that cannot be read at all."""


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
        raise _Unreadable(f"cannot be read: {why}") from error
    if len(text) > _MAX_FILE_BYTES:
        raise _Unreadable("is larger than any file of certificates")
    return text


def _no_certificate(error: Exception) -> str:
    return str(error) if isinstance(error, _Unreadable) else "holds no certificate in PEM"
