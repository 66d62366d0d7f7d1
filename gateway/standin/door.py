"""Who may come in: nobody in particular, or one account by HTTP Basic.

When the `authentication` section of a real UCS is off, it ignores whatever credentials are sent;
so does this one.
"""

import base64
import binascii
import hmac

from gateway.standin.config import Credentials

__all__ = ["CHALLENGE", "admits"]

CHALLENGE = 'Basic realm="UCS"'


def admits(wanted: Credentials | None, authorization: str | None) -> bool:
    if wanted is None:
        return True
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    expected = f"{wanted.username}:{wanted.password}".encode()
    return hmac.compare_digest(given, expected)
