"""HTTP Basic (RFC 7617): a user's name and password, which is what UCS clients speak.

Whoever guesses learns nothing: an unknown name takes the same road through the same work as a
wrong password, against a decoy hash that costs what the real ones cost and that no password
matches. Only the form of the credentials is judged before that, and the form depends on no user.
"""

import secrets
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable

from gateway.authn.base import Readiness
from gateway.authn.cache import configuration_digest
from gateway.authn.challenge import basic_challenge
from gateway.authn.names import is_plain
from gateway.authn.passwords import (
    MAX_PASSWORD_BYTES,
    RECOMMENDED,
    Costs,
    PasswordBench,
    hash_password,
    prepared,
)
from gateway.authn.users import Users
from gateway.errors import CredentialsRefused
from policy import Caller, Kind, Means

__all__ = ["BasicVerifier", "decoy", "read_basic"]


class BasicVerifier:
    """The users of one users file."""

    scheme = "basic"

    def __init__(
        self, users: Users, *, bench: PasswordBench, realm: str, cache_seconds: float
    ) -> None:
        self._users = users
        self._bench = bench
        self._decoy = decoy(users)
        self.cache_seconds = cache_seconds
        self.challenge = basic_challenge(realm)
        lines = ((name, users[name].kind, users[name].password_hash) for name in sorted(users))
        self.configuration = configuration_digest(
            self.scheme, *(word for line in lines for word in line)
        )

    def __repr__(self) -> str:
        return f"BasicVerifier({len(self._users)} users, {self._bench!r})"

    async def verify(self, credentials: bytes) -> Caller | None:
        name, password = read_basic(credentials)
        user = self._users.get(name)
        known_hash = self._decoy if user is None else user.password_hash
        right = await self._bench.matches(known_hash, password)
        if user is None or not right:
            raise CredentialsRefused("the user name is unknown or the password is wrong")
        return Caller(subject=name, kind=Kind(user.kind), means=Means.BASIC)

    async def start(self, forget: Callable[[], None]) -> None:
        """The users file was read when this was made."""

    async def close(self) -> None:
        self._bench.close()

    def ready(self) -> Readiness:
        return True, f"{len(self._users)} users"


def read_basic(word: bytes) -> tuple[str, bytes]:
    """The name and the password as it is hashed.

    RFC 7617, 2: the name is everything up to the first colon, the password may have more of them,
    and neither may contain control characters. We announce UTF-8, so nothing else is tried.
    """
    try:
        decoded = b64decode(word, validate=True)
        text = decoded.decode("utf-8")
    except ValueError as error:
        raise CredentialsRefused("the credentials are not base64 of UTF-8") from error
    if b64encode(decoded) != word:
        raise CredentialsRefused("the credentials are not canonical base64")
    name, colon, secret = text.partition(":")
    if not colon or not secret or not is_plain(name):
        raise CredentialsRefused("the credentials are not a plain name, a colon and a password")
    if any(character < " " or character == "\x7f" for character in secret):
        raise CredentialsRefused("the password contains control characters")
    password = prepared(secret)
    if len(password) > MAX_PASSWORD_BYTES:
        raise CredentialsRefused(f"the password is longer than {MAX_PASSWORD_BYTES} bytes")
    return name, password


def decoy(users: Users) -> str:
    """A hash of nobody's password that takes as long to check as most users' do.

    Users whose hashes have other costs can still be told from unknown ones by timing. Hashes made
    by one version of `ucs-gateway hash-secret` all cost the same.
    """
    nobody = secrets.token_urlsafe(32)
    counted = Counter(Costs.of(user.password_hash) for user in users.values()).most_common(1)
    return hash_password(nobody, counted[0][0] if counted else RECOMMENDED)
