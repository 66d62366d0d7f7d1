"""What a client asks of an endpoint: who it says it is, and the parameters, not yet believed.

RFC 6749 section 2.3.1: a client shows its id and secret in `Authorization: Basic`, both escaped as
in a form, or as `client_id` and `client_secret` in the body; never both, never in the address.
"""

from base64 import b64decode, b64encode

import msgspec

from gateway.authn.credentials import Credentials
from gateway.authn.passwords import MAX_PASSWORD_BYTES
from gateway.errors import CredentialsRefused
from gateway.issuer.answers import OAuthError, Result
from gateway.issuer.form import FormUnreadable, decoded

__all__ = ["NOT_PROVED", "Claimed", "claimed", "scopes_in"]

NOT_PROVED = "client authentication failed"
"""One wording for whatever is wrong with a client or its secret."""

_MAX_ID_LENGTH = 256


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """Who the client says it is, and its proof."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Claimed({self.id!r})"


def claimed(authorization: bytes | None, form: dict[str, str]) -> Claimed:
    """The credentials of a request. Raises OAuthError."""
    in_form = form.get("client_id", ""), form.get("client_secret", "")
    if authorization is None:
        id_, secret = in_form
    else:
        id_, secret = _basic(authorization)
        # RFC 6749 section 2.3: "MUST NOT use more than one authentication method in each request".
        if in_form[1] or in_form[0] not in {"", id_}:
            raise OAuthError(
                Result.INVALID_REQUEST, "the client shows more than one set of credentials"
            )
    if not _is_visible(id_, _MAX_ID_LENGTH) or not _is_visible(secret, MAX_PASSWORD_BYTES):
        raise _not_proved("no client credentials, or not of their form")
    return Claimed(id=id_, secret=secret)


def _basic(authorization: bytes) -> tuple[str, str]:
    try:
        credentials = Credentials.parse(authorization)
        word = credentials.word
        plain = b64decode(word, validate=True) if credentials.scheme == "basic" else b""
    except (CredentialsRefused, ValueError):
        raise _not_proved("`Authorization` is malformed") from None
    id_, colon, secret = plain.partition(b":")
    if not colon or b64encode(plain) != word:
        raise _not_proved("`Authorization` is not Basic with an id and a secret")
    try:
        return decoded(id_), decoded(secret)
    except FormUnreadable:
        raise _not_proved("the id or the secret is not escaped as in a form") from None


def _is_visible(text: str, most: int) -> bool:
    """RFC 6749 appendix A.1 and A.2: VSCHAR, which is what ASCII can show."""
    return 0 < len(text) <= most and text.isascii() and text.isprintable()


def _not_proved(why: str) -> OAuthError:
    return OAuthError(Result.INVALID_CLIENT, NOT_PROVED, detail=(why,))


def scopes_in(text: str) -> tuple[str, ...]:
    r"""RFC 6749 section 3.3: tokens of visible ASCII without `"` and `\`, one space between two.

    Raises OAuthError. A scope that is named twice is one.
    """
    names = text.split(" ")
    if not all(name and name.isascii() and name.isprintable() for name in names):
        raise OAuthError(Result.INVALID_SCOPE, "the scope is malformed")
    if '"' in text or "\\" in text:
        raise OAuthError(Result.INVALID_SCOPE, "the scope is malformed")
    return tuple(dict.fromkeys(names))
