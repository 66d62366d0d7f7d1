"""TLS of the public port: what is shown to clients, and how it is renewed while they are served.

Every connection takes the context of its moment. So renewing is one assignment: clients that are
here go on with what they were shown, the next one sees the new certificate. Files that cannot be
used change nothing and are told loudly, each with what is wrong with it.
"""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography import x509

from gateway.clock import Clock
from gateway.errors import SettingsInvalid
from gateway.exchange import PeerCertificate
from gateway.logs import get as get_logger
from gateway.settings import TlsSettings
from gateway.settings.tls import FileFault, file_faults
from gateway.wire.tls import TlsChannel
from gateway.wire.watch import Watch

__all__ = ["PublicTls", "certificate_expiry", "server_context"]

_log = get_logger("gateway.server.tls")

# Mozilla's "intermediate" list without finite-field DHE, which no client needs that can do TLS 1.2:
# forward secrecy and authenticated encryption only. TLS 1.3 has nothing else to begin with.
_CIPHERS = ":".join(
    f"ECDHE-{kind}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for kind in ("ECDSA", "RSA")
)

# Let's Encrypt advises to renew 30 days before the end; whoever is closer has been forgotten.
_SOON_SECONDS = 14 * 86_400


def server_context(settings: TlsSettings) -> ssl.SSLContext:
    """A context from the files as they are now, whole, or SettingsInvalid with all findings."""
    if faults := list(file_faults(settings)):
        raise SettingsInvalid(tuple(each.diagnostic() for each in faults))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    # Compression gives secrets away by their length (CRIME); renegotiation lets a client make us
    # work, and change its certificate, in the middle of a connection.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # HTTP/2 is not spoken: a client that could is told so before it tries.
    context.set_alpn_protocols(["http/1.1"])
    try:
        # The password is never asked for: without this OpenSSL would ask on the terminal.
        context.load_cert_chain(settings.certificate_file, settings.key_file, password="")
        if settings.client_ca_file is not None:
            _ask_for_certificates(context, settings)
    except (OSError, ValueError) as error:  # a file was replaced since it was looked into
        raise _changed_meanwhile(settings, error) from error
    return context


def _changed_meanwhile(settings: TlsSettings, error: Exception) -> SettingsInvalid:
    why = f"does not fit the others, and may just have been replaced: {error}"
    fault = FileFault("certificate_file", settings.certificate_file, why)
    return SettingsInvalid((fault.diagnostic(),))


def _ask_for_certificates(context: ssl.SSLContext, settings: TlsSettings) -> None:
    context.load_verify_locations(settings.client_ca_file)
    required = settings.requires_client_certificate
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    # Who names only the authority that issues the clients' certificates trusts that one, and not
    # every other one of the same root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # A resumed session brings its certificate along unverified: it may have expired, or its
    # authority been taken out. So no tickets, which outlive this context. What OpenSSL itself keeps
    # of sessions in TLS 1.2 does not: they were verified by these very authorities.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0


def certificate_expiry(settings: TlsSettings) -> float:
    """When the gateway's own certificate ends, in seconds since the epoch; or SettingsInvalid."""
    try:
        text = settings.certificate_file.read_bytes()
        return x509.load_pem_x509_certificates(text)[0].not_valid_after_utc.timestamp()
    except (OSError, ValueError) as error:
        raise _changed_meanwhile(settings, error) from error


class PublicTls:
    """The TLS of one listener. Raises SettingsInvalid if its files cannot be used.

    `certified` says who a verified client certificate names; without it certificates only decide
    who may connect.
    """

    def __init__(
        self,
        settings: TlsSettings,
        *,
        clock: Clock,
        handshake_seconds: float,
        certified: Callable[[bytes], PeerCertificate] | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._handshake_seconds = handshake_seconds
        self._certified = certified
        self._shaking: set[TlsChannel] = set()
        self._context = server_context(settings)
        self.expires_at = certificate_expiry(settings)
        self._tell()

    def __repr__(self) -> str:
        return f"<PublicTls {self._settings.certificate_file} {len(self._shaking)} shaking hands>"

    @property
    def handshakes(self) -> int:
        """How many connections are not through their handshake yet."""
        return len(self._shaking)

    def renew(self) -> None:
        """Read the files again; SettingsInvalid leaves everything as it was, and is logged."""
        try:
            context = server_context(self._settings)
            expires_at = certificate_expiry(self._settings)
        except SettingsInvalid as invalid:
            findings = [str(each) for each in invalid.diagnostics]
            _log.error("TLS files NOT renewed, the former ones stay in use", findings=findings)
            raise
        self._context, self.expires_at = context, expires_at
        self._tell()

    def accept(
        self,
        loop: asyncio.AbstractEventLoop,
        watch: Watch,
        client: Callable[[PeerCertificate | None], asyncio.Protocol],
    ) -> TlsChannel:
        """A protocol for an accepted connection, which becomes `client` after its handshake."""

        def above(channel: TlsChannel) -> asyncio.Protocol:
            shown, certified = channel.peer_certificate, self._certified
            return client(certified(shown) if shown is not None and certified else None)

        channel = TlsChannel(
            loop,
            watch,
            self._context,
            handshake_seconds=self._handshake_seconds,
            above=above,
            shaken=self._shaking.discard,
        )
        self._shaking.add(channel)
        return channel

    def close(self) -> None:
        """Drop whoever is not through its handshake."""
        for channel in list(self._shaking):
            channel.abort()

    def _tell(self) -> None:
        until = datetime.fromtimestamp(self.expires_at, UTC).isoformat()
        left = self.expires_at - self._clock.wall()
        file = str(self._settings.certificate_file)
        if left <= 0:
            _log.error("the certificate has EXPIRED", file=file, until=until)
        elif left < _SOON_SECONDS:
            _log.warning("the certificate expires soon", file=file, until=until)
        else:
            _log.info("certificate in use", file=file, until=until)
