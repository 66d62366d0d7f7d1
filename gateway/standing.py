"""Who sent a header section, and what that caller may do: worked out once, remembered briefly.

Asking costs little, but it is asked for every request. A connection that repeats its header
section need not ask again for a second; a caller's permissions under one table are the same for
all its connections. Nothing is remembered beyond a credential's own end.
"""

from gateway.authn import Authenticator
from gateway.clock import Clock
from gateway.errors import CredentialsRefused
from gateway.exchange import PeerCertificate, Section
from policy import ANONYMOUS, Caller, DecisionTable, Held, Means

__all__ = ["Standing"]

# How long a connection may go without asking who that is: what the authenticator forgets is
# forgotten everywhere after so many seconds.
_LOOK_UP_SECONDS = 1.0

# A client of our own may be disabled, and its token revoked: everywhere within a second, most of
# which is spent noticing it.
_OWN_LOOK_UP_SECONDS = 0.2

# How many callers' permissions are remembered beside the connections' own.
_KNOWN_CALLERS = 10_000


class Standing:
    """The memory of one event loop."""

    def __init__(self, authenticator: Authenticator, clock: Clock) -> None:
        self._authenticator = authenticator
        self._clock = clock
        # Each caller is decided by one table at a time, also while a candidate governs some.
        self._held: dict[bytes, tuple[Caller, object, Held]] = {}

    def __repr__(self) -> str:
        return f"<Standing {len(self._held)} callers>"

    def caller_of(self, section: Section) -> Caller | None:
        """Who sent this header section, if that is known without waiting.

        `Authorization` decides alone where it is sent, for better or worse: it is said of this
        request, a certificate of the connection. A person's token may well come over a system's
        connection. Raises CredentialsRefused for a certificate that names nobody.
        """
        authorization = section.headers.authorization
        certificate = section.certificate
        if authorization is None and certificate is None:
            return ANONYMOUS
        now = self._clock.monotonic()
        if now < section.caller_until:
            return section.caller
        if authorization is None:
            named = self._named_by(certificate)
            section.caller_until = now + self._certain_seconds(named)
            return named
        if section.credential is None:
            section.credential = self._authenticator.digest(authorization)
        caller = self._authenticator.cached(section.credential)
        if caller is not None:
            section.caller_until = now + self._certain_seconds(caller)
        return caller

    def held_by(self, caller: Caller, section: Section, table: DecisionTable) -> Held:
        """What is held by `caller`, who sent `section`, under `table`."""
        if section.caller is not caller or section.mark is not table.mark:
            if section.caller is not caller:
                section.preludes = {}
            section.held = self._worked_out(section.credential, caller, table)
            section.caller = caller
            section.mark = table.mark
        return section.held

    def _worked_out(self, credential: bytes | None, caller: Caller, table: DecisionTable) -> Held:
        if credential is None:
            return table.held_by(caller)
        known = self._held.get(credential)
        if known is None or known[0] is not caller or known[1] is not table.mark:
            if len(self._held) >= _KNOWN_CALLERS:
                self._held = {}
            known = self._held[credential] = (caller, table.mark, table.held_by(caller))
        return known[2]

    def _named_by(self, certificate: PeerCertificate | None) -> Caller:
        """A certificate names its holder as long as it is good, and no longer (threat J-14)."""
        caller = None if certificate is None else certificate.caller
        if caller is None:
            raise CredentialsRefused("" if certificate is None else certificate.refused)
        if caller.expires_at is not None and self._clock.wall() >= caller.expires_at:
            raise CredentialsRefused("the client's certificate has expired")
        return caller

    def _certain_seconds(self, caller: Caller) -> float:
        own = caller.means is Means.CLIENT_CREDENTIALS
        seconds = _OWN_LOOK_UP_SECONDS if own else _LOOK_UP_SECONDS
        if caller.expires_at is None:
            return seconds
        return min(seconds, caller.expires_at - self._clock.wall())
