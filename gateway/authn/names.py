"""What may be the name of somebody.

A subject is compared with the policy's `users`, written to the audit and sent upstream in a
header. So it has one spelling (NFC), nothing invisible, and nothing that a terminal, a log or a
header would read as more than a letter. Names are refused, never repaired: repairing would let
two different subjects become one.
"""

import unicodedata

__all__ = ["MAX_NAME_LENGTH", "is_plain"]

# Active Directory's longest user principal name is 1,024 and nobody uses it; 256 is what
# e-mail addresses (RFC 5321, 4.5.3.1.3) and Entra object names stay below.
MAX_NAME_LENGTH = 256


def is_plain(name: str) -> bool:
    """One visible line in NFC, without space at its ends and without any other than U+0020."""
    if not name or len(name) > MAX_NAME_LENGTH or name != name.strip(" "):
        return False
    if name.isascii():
        return name.isprintable()
    # str.isprintable is false for every C and Z category but U+0020: controls, formats (zero
    # width, direction marks), surrogates, private and unassigned code points, odd spaces.
    return name.isprintable() and unicodedata.is_normalized("NFC", name)
