"""What may stand in an audit line instead of what a stranger sent.

Targets hold customer identifiers and query values: the line gets a keyed digest, by which two
requests for the same target can be told, and a known target looked for, only by who holds the
key. Names come from credentials: they are kept readable, short and free of control characters.
"""

import hashlib
from functools import lru_cache

__all__ = ["CUT", "safe_text", "target_digest"]

CUT = "…"
"""Ends a text of which there was more, and stands for what was left out."""

_DIGEST_BYTES = 8
_MAX_TEXT = 256


def target_digest(key: bytes, target: bytes) -> str:
    """16 hexadecimal digits of keyed BLAKE2b; `key` has up to 64 bytes."""
    digest = _keyed(key).copy()
    digest.update(target)
    return digest.hexdigest()


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> "hashlib.blake2b":
    """With the key in it already: that is half the work, and the same for every target."""
    return hashlib.blake2b(digest_size=_DIGEST_BYTES, key=key)


def safe_text(text: str) -> str:
    r"""`text` as it may be shown in any terminal: nothing unprintable, 256 characters at most.

    JSON would escape the C0 control characters, but not C1 ones (`\x9b` begins a terminal
    sequence), line separators or marks that turn the direction of writing.
    """
    if len(text) > _MAX_TEXT:
        text = text[: _MAX_TEXT - 1] + CUT
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else character.encode("ascii", "backslashreplace").decode()
        if ord(character) > 0x7F
        else f"\\x{ord(character):02x}"
        for character in text
    )
