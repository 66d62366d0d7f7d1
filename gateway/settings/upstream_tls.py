"""TLS to an upstream: whom to believe, how to prove who we are, and which name to insist on.

A node's certificate is always verified, and its name always checked: there is no setting that
turns either off, because a gateway that talks to just anyone hands its credential to just anyone.
Whatever is named here is read while the settings are read, so that a wrong file is a finding at
its key and not an outage of every node.
"""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Self

from pydantic import Field, PrivateAttr, model_validator
from pydantic_core import InitErrorDetails

from gateway.settings.base import Section, finding, refuse, surroundings
from gateway.settings.secret import ExistingFile
from gateway.settings.values import HostName

__all__ = ["UpstreamTls", "complaint_of_authorities", "verifying_context"]


class UpstreamTls(Section):
    """How nodes with `https` are spoken to: TLS 1.2 or 1.3, verified."""

    ca_file: ExistingFile | None = Field(
        default=None,
        description="PEM file of the certificate authorities to trust, and no others; the"
        " system's if left out",
    )
    certificate_file: ExistingFile | None = Field(
        default=None,
        description="PEM file of the gateway's own certificate, with intermediates behind it, for"
        " nodes that ask for one",
    )
    key_file: ExistingFile | None = Field(
        default=None, description="PEM file of that certificate's private key, without a passphrase"
    )
    server_name: HostName | None = Field(
        default=None,
        description="name that every node's certificate has to bear; the node's own host if left"
        " out",
    )

    _context: ssl.SSLContext | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _files_fit(self) -> Self:
        if (self.certificate_file is None) is not (self.key_file is None):
            given, lacking = "certificate_file", "key_file"
            if self.certificate_file is None:
                given, lacking = lacking, given
            message = "`{lacking}` has to be given as well"
            refuse([finding("certificate-incomplete", message, given, lacking=lacking)])
        if surroundings() is not None:
            refuse(self._faults())
        return self

    def _faults(self) -> list[InitErrorDetails]:
        """What is wrong with the files, each at its key."""
        faults = []
        for key, path, complaint in (
            ("ca_file", self.ca_file, _complaint_of_certificates),
            ("certificate_file", self.certificate_file, _complaint_of_certificates),
            ("key_file", self.key_file, _complaint_of_key),
        ):
            why = _asked(complaint, path) if path is not None else None
            if why is not None:
                message = "`{path}` cannot be used: {why}"
                faults.append(finding("tls-file-unusable", message, key, path=str(path), why=why))
        if not faults:
            try:
                self.context()
            except ssl.SSLError:
                message = "the key does not belong to the certificate, or is of no use for TLS"
                faults.append(finding("key-mismatch", message, "key_file"))
        return faults

    def context(self) -> ssl.SSLContext:
        """The context for connections to the nodes, from the files as they were the first time.

        So a worker that is forked later needs no file. Raises OSError where one has changed since
        it was looked into.
        """
        if self._context is None:
            self._context = self._made()
        return self._context

    def _made(self) -> ssl.SSLContext:
        context = verifying_context(self.ca_file)
        if self.certificate_file is not None:
            # Without a password function OpenSSL would ask on the terminal.
            context.load_cert_chain(self.certificate_file, self.key_file, _no_passphrase)
        return context


def verifying_context(ca_file: Path | None) -> ssl.SSLContext:
    """A client's context that believes the authorities in `ca_file`, or the system's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies, and checks the name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # RFC 9525 section 2: the name is that of the extension, never the subject's common name.
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca_file)
    return context


def complaint_of_authorities(ca_file: Path) -> InitErrorDetails | None:
    """What is wrong with a `ca_file`, at that key."""
    why = _asked(_complaint_of_certificates, ca_file)
    if why is None:
        return None
    message = "`{path}` cannot be used: {why}"
    return finding("tls-file-unusable", message, "ca_file", path=str(ca_file), why=why)


def _asked(complaint: Callable[[bytes], str | None], path: Path) -> str | None:
    try:
        return complaint(path.read_bytes())
    except OSError as error:
        return (error.strerror or "it cannot be read").lower()


def _complaint_of_certificates(text: bytes) -> str | None:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        load_pem_x509_certificates(text)
    except ValueError:
        return "not certificates in PEM (`-----BEGIN CERTIFICATE-----`)"
    return None


def _complaint_of_key(text: bytes) -> str | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        load_pem_private_key(text, None)
    except TypeError:
        return "the key has a passphrase; nobody is there to type it in"
    except (ValueError, UnsupportedAlgorithm):
        return "not a private key in PEM (`-----BEGIN PRIVATE KEY-----`)"
    return None


def _no_passphrase() -> NoReturn:
    raise ssl.SSLError("the key has a passphrase")
