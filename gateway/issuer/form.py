"""A form as OAuth 2.0 sends it, read so that no second reader can see another one.

RFC 6749 section 3.2: parameters "MUST NOT be included more than once", and one without a value
counts as left out. Nothing is repaired: a broken escape, bytes that are not UTF-8 and control
characters refuse the whole.
"""

import re
from urllib.parse import unquote_to_bytes

from gateway.http.headers import Headers

__all__ = ["MAX_FORM_BYTES", "FormUnreadable", "decoded", "is_form", "read_form"]

MAX_FORM_BYTES = 16_384
"""A token of 8 KiB, escaped, and credentials beside it."""

_MAX_PARAMETERS = 32

_TYPE = re.compile(
    rb'application/x-www-form-urlencoded(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?', re.IGNORECASE
)
# The URL Standard's serialiser leaves `*-._` and alphanumerics; others leave more, none a control.
_ENCODED = re.compile(rb"(?:[!-$'-~]|&|%[0-9A-Fa-f]{2})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class FormUnreadable(ValueError):
    """Not one form; the text may be told to whoever sent it."""


def is_form(headers: Headers) -> bool:
    """Whether the body is labelled as a form, and not packed."""
    encoding = headers.content_encoding
    return (
        headers.content_type is not None
        and _TYPE.fullmatch(headers.content_type) is not None
        and (encoding is None or encoding.lower() == b"identity")
    )


def read_form(body: bytes) -> dict[str, str]:
    """The parameters that have a value. Raises FormUnreadable."""
    pairs = body.split(b"&") if body else []
    if len(pairs) > _MAX_PARAMETERS:
        raise FormUnreadable("the form has too many parameters")
    seen: set[str] = set()
    found: dict[str, str] = {}
    for pair in pairs:
        raw_name, _, raw_value = pair.partition(b"=")
        name, value = decoded(raw_name), decoded(raw_value)
        if not name and not value:
            continue  # `a=b&` as some clients end it
        if name in seen:
            raise FormUnreadable("a parameter is given twice")
        seen.add(name)
        if value:
            found[name] = value
    return found


def decoded(raw: bytes) -> str:
    """The text behind one name or value. Raises FormUnreadable."""
    if not _ENCODED.fullmatch(raw):
        raise FormUnreadable("a character or an escape is not one of a form")
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise FormUnreadable("the form is not UTF-8") from None
    if _CONTROL.search(text):
        raise FormUnreadable("the form has a control character")
    return text
