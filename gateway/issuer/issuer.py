"""The clients and keys in force in one process, kept up with their files.

Requests read one frozen value, `held`, and its successor takes its place by one assignment; with a
fault in a file the last good one stays, and the log says so. A task looks at the files a few times
a second: revoked tokens count at once everywhere, and so does a changed client or key where the
settings have changes watched. Every process looks for itself, so none has to be told.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec

from gateway.authn.jwk import Unusable
from gateway.authn.passwords import Matches, argon2_matches
from gateway.clock import Clock
from gateway.errors import SettingsInvalid
from gateway.issuer.clients import Client, Clients, ClientState, read_clients
from gateway.issuer.keys import KeyRing, SigningKey, read_key_ring
from gateway.issuer.revocations import Revocations
from gateway.issuer.secrets import Secrets
from gateway.issuer.tokens import ClientCaller, TokenClaims, claims_of
from gateway.logs import get as get_logger
from gateway.settings import ClientsSettings
from gateway.tasks import Tasks
from policy import Caller, Code, Diagnostic, Location, PolicyInvalid

__all__ = ["Held", "Issuer", "LOOK_SECONDS", "read_held"]

_log = get_logger("gateway.issuer")

LOOK_SECONDS = 0.2
"""A change is taken once two looks agree, so within a second everywhere, the standing of callers
that connections remember included (`gateway.standing`)."""

_MOST_TOLD = 20
_ANYWHERE = Location("")

_Looks = tuple[tuple[int, ...], ...]


class Held(msgspec.Struct, frozen=True):
    """What requests go by: the clients by id, and the keys."""

    clients: Clients
    keys: KeyRing
    jwks: bytes


class Issuer:
    """One process's token endpoint without its requests. Raises SettingsInvalid when built."""

    def __init__(
        self,
        settings: ClientsSettings,
        clock: Clock,
        *,
        watch: bool = True,
        matches: Matches = argon2_matches,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.secrets = Secrets(parallel=settings.parallel, matches=matches)
        self.revocations = Revocations(settings.revocations, wall=clock.wall)
        self.is_stale = False
        self._watch = watch
        self._taken = self._looks()
        self.held = self._read()
        self._seen = self._taken
        self._signed_by = ""
        self._reloading = asyncio.Lock()
        self._tasks = Tasks("issuer")
        self._is_blind = False
        try:
            self.revocations.open()
        except OSError as error:
            raise SettingsInvalid((_unusable(settings.revocations, _why(error)),)) from None

    def __repr__(self) -> str:
        return f"<Issuer {len(self.held.clients)} clients, {self.held.keys!r}>"

    # --- tokens -------------------------------------------------------------------------------

    async def issue(
        self, client: Client, scopes: tuple[str, ...] | None
    ) -> tuple[TokenClaims, str]:
        """A new token for a client that has proved itself, and what it says."""
        now = self.clock.wall()
        token = TokenClaims(
            client_id=client.id,
            token_id=secrets.token_hex(16),
            issued_at=int(now),
            expires_at=int(now) + client.token_seconds,
            scopes=scopes,
        )
        key = self._signer(now)
        claims = claims_of(token, issuer=self.settings.issuer, audience=self.settings.audience)
        if key.is_slow:
            return token, await asyncio.to_thread(key.signed, claims)
        return token, key.signed(claims)

    def _signer(self, now: float) -> SigningKey:
        key = self.held.keys.signer(now, self._signed_by)
        if key.kid != self._signed_by:
            _log.info("tokens are signed with this key from now on", kid=key.kid)
            self._signed_by = key.kid
        return key

    def client_of(self, token: TokenClaims) -> Client | None:
        """Whose token it is, if it is still good: its client may have been disabled, or it revoked."""
        client = self.held.clients.get(token.client_id)
        if client is None or not self._is_good(client, token.token_id, token.issued_at):
            return None
        return client

    def stands(self, caller: Caller) -> bool:
        """Whether who was verified a while ago still is who it was; costs a few look-ups."""
        if not isinstance(caller, ClientCaller):
            return True
        client = self.held.clients.get(caller.client_id)
        return (
            client is not None
            and client.name == caller.subject
            and self._is_good(client, caller.token_id, caller.issued_at)
        )

    def _is_good(self, client: Client, token_id: str, issued_at: float) -> bool:
        return (
            client.state is not ClientState.DISABLED
            and issued_at >= client.tokens_since
            and not self.revocations.holds(client.id, token_id, issued_at)
        )

    async def revoke(self, token: TokenClaims) -> None:
        """On the disk, and known here, when this returns. Raises OSError."""
        await asyncio.to_thread(self.revocations.add, token)

    # --- files --------------------------------------------------------------------------------

    async def start(self, rest: Callable[[], Awaitable[object]] | None = None) -> None:
        """Keep up with the files; `rest` is what is done between two looks."""
        # What this process was forked from may be older than what others go by.
        await self.look(at_once=True)
        rest = rest or partial(asyncio.sleep, LOOK_SECONDS)
        _ = self._tasks.start(self._keep_up(rest), name="files")

    async def close(self) -> None:
        await self._tasks.close()
        self.secrets.close()

    async def reload(self) -> None:
        """Read clients and keys again. SettingsInvalid leaves everything as it was."""
        async with self._reloading:
            looks = await asyncio.to_thread(self._looks)
            self._taken = self._seen = looks
            before = self.held
            try:
                self.held = await asyncio.to_thread(self._read)
            except SettingsInvalid as invalid:
                self.is_stale = True
                _log.error("clients and keys not taken, the last good ones stay", why=str(invalid))
                raise
            self.is_stale = False
            _log.info(
                "clients and keys taken over",
                clients=len(self.held.clients),
                changed=_changed(before.clients, self.held.clients),
                keys=list(self.held.keys.by_kid),
            )

    async def look(self, *, at_once: bool = False) -> None:
        """Take over what has changed and come to rest; a fault is logged once."""
        looks = await asyncio.to_thread(self._catch_up)
        rests, self._seen = looks == self._seen, looks
        if self._watch and looks != self._taken and (rests or at_once):
            with contextlib.suppress(SettingsInvalid):  # which has been told
                await self.reload()

    async def _keep_up(self, rest: Callable[[], Awaitable[object]]) -> None:
        while True:
            await rest()
            await self.look()

    def _catch_up(self) -> _Looks:
        try:
            self.revocations.catch_up()
        except OSError as error:
            if not self._is_blind:
                _log.error("revoked tokens of others cannot be read", why=_why(error))
            self._is_blind = True
        else:
            self._is_blind = False
        return self._looks() if self._watch else self._taken

    def _looks(self) -> _Looks:
        return tuple(map(_look, (self.settings.file, *self.settings.signing_keys)))

    def _read(self) -> Held:
        held = read_held(self.settings, self.clock)
        self.secrets.take(held.clients)
        return held


def read_held(settings: ClientsSettings, clock: Clock) -> Held:
    """What the files hold now. Raises SettingsInvalid with all that is wrong with them."""
    findings: list[Diagnostic] = []
    clients: Clients = {}
    keys: KeyRing | None = None
    try:
        clients = read_clients(settings.file)
    except PolicyInvalid as invalid:
        findings.extend(invalid.diagnostics)
    try:
        keys = read_key_ring(settings.signing_keys, clock.wall())
    except Unusable as fault:
        findings.append(_unusable(settings.signing_keys[0], str(fault)))
    if findings or keys is None:
        raise SettingsInvalid(tuple(findings))
    return Held(clients, keys, keys.jwks())


def _changed(before: Clients, after: Clients) -> list[str]:
    """The names and states of clients that are not what they were; a new secret is a change, too."""
    found = [
        f"{(after.get(id_) or before[id_]).name}: {after[id_].state if id_ in after else 'gone'}"
        for id_ in {**before, **after}
        if id_ not in before or id_ not in after or _apart(before[id_]) != _apart(after[id_])
    ]
    return found if len(found) <= _MOST_TOLD else [*found[:_MOST_TOLD], "…"]


def _apart(client: Client) -> Client:
    """The client wherever it stands in the file."""
    return msgspec.structs.replace(client, where=_ANYWHERE)


def _look(path: Path) -> tuple[int, ...]:
    """What the file looks like; symbolic links are followed, as those of a Kubernetes volume."""
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _why(error: OSError) -> str:
    return (error.strerror or "it cannot be opened").lower()


def _unusable(path: Path, why: str) -> Diagnostic:
    return Diagnostic(Location(str(path)), Code.BAD_VALUE, f"identity.clients: {why}")
