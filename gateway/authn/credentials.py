"""The `Authorization` header: one scheme, one space, one word of credentials.

    RFC 9110, 11.4: credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]

The grammar allows more than any client of ours sends, and every freedom is one more way for two
readers to disagree. So exactly one space, nothing around it, and only the `token68` form; both
Bearer (RFC 6750, 2.1) and Basic (RFC 7617, 2) use that one. The scheme's case does not matter.
"""

import re
from typing import NamedTuple

from gateway.errors import CredentialsRefused

__all__ = ["MAX_CREDENTIALS_BYTES", "Credentials"]

# nginx gives one header line 8 KiB (large_client_header_buffers), Apache 8190 bytes
# (LimitRequestFieldSize). Tokens of large directories come to 6 KiB.
MAX_CREDENTIALS_BYTES = 8192

_FORM = re.compile(rb"([A-Za-z][A-Za-z0-9-]{0,31}) ([A-Za-z0-9._~+/-]+=*)")


class Credentials(NamedTuple):
    """What the header says, not yet believed."""

    scheme: str
    word: bytes

    @classmethod
    def parse(cls, authorization: bytes) -> "Credentials":
        if len(authorization) > MAX_CREDENTIALS_BYTES:
            raise CredentialsRefused(
                f"the credentials are longer than {MAX_CREDENTIALS_BYTES} bytes"
            )
        form = _FORM.fullmatch(authorization)
        if form is None:
            raise CredentialsRefused("the credentials are not `scheme token68` with one space")
        return cls(form[1].decode("ascii").lower(), form[2])

    def __repr__(self) -> str:
        return f"Credentials({self.scheme!r}, {len(self.word)} bytes)"
