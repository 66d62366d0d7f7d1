"""Client certificates (RFC 5280): from one that the TLS handshake has verified to a Caller.

Who signed it, whether it is in force and whether it is meant for clients was asked by OpenSSL, of
the authorities in `listen.tls.client_ca_file`. What is left is the name, and a certificate has room
for many (J-14): several common names, alternative names of four kinds, any of them made up by
whoever wrote the request for it. So the settings say where the name is, there has to be exactly one
of it there, and nothing is guessed, trimmed or folded. A certificate comes with its connection, so
all this is done once for a connection, never for a request.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from gateway.authn.names import is_plain
from gateway.errors import CredentialsRefused
from gateway.exchange import PeerCertificate
from policy import Caller, Kind, Means

__all__ = ["CertificateRules", "NameFrom"]

_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

NameFrom = Literal["common-name", "dns", "uri", "email"]

_ALTERNATIVES: dict[
    NameFrom,
    type[x509.DNSName] | type[x509.UniformResourceIdentifier] | type[x509.RFC822Name],
] = {
    "dns": x509.DNSName,
    "uri": x509.UniformResourceIdentifier,
    "email": x509.RFC822Name,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRules:
    """Where certificates name their holders, and what their holders are."""

    name_from: NameFrom
    subject_prefix: str = ""
    kind: Kind = Kind.SERVICE

    def read(self, der: bytes) -> PeerCertificate:
        """Whom the certificate names. Its refusal is for each of its requests to raise."""
        try:
            return PeerCertificate(self.caller(der))
        except CredentialsRefused as refused:
            return PeerCertificate(None, refused.detail)

    def caller(self, der: bytes) -> Caller:
        """Whom the verified certificate names, or CredentialsRefused."""
        try:
            with warnings.catch_warnings():
                # Of a country with three letters, for example, which is no business of ours.
                warnings.simplefilter("ignore")
                certificate = x509.load_der_x509_certificate(der)
                names = list(self._names(certificate))
        except _UNREADABLE as error:
            # OpenSSL forgives what this library does not: a repeated extension, odd text.
            raise CredentialsRefused("the client's certificate cannot be read") from error
        if len(names) != 1:
            raise CredentialsRefused(
                f"the client's certificate has {len(names)} names of the kind `{self.name_from}`"
            )
        name = self.subject_prefix + names[0]
        # RFC 6125 section 1.5: a wildcard is a pattern for names, and nobody is called that.
        if not is_plain(names[0]) or not is_plain(name) or "*" in names[0]:
            raise CredentialsRefused(
                f"the `{self.name_from}` of the client's certificate is not a plain name"
            )
        return Caller(
            subject=name,
            kind=self.kind,
            means=Means.CERTIFICATE,
            expires_at=certificate.not_valid_after_utc.timestamp(),
        )

    def _names(self, certificate: x509.Certificate) -> Iterator[str]:
        if self.name_from == "common-name":
            for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
                if not isinstance(attribute.value, str):
                    raise ValueError("a common name that is no text")  # noqa: TRY004 - of a file
                yield attribute.value
            return
        try:
            extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return
        yield from extension.value.get_values_for_type(_ALTERNATIVES[self.name_from])
