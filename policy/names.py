"""What may be a name, and which names can hardly be told apart.

A policy decides by names, and people approve it by reading them. So a name that cannot be seen for
what it is (invisible characters, spaces at its ends) is refused, and a name that may be taken for
another (`admin` with a Cyrillic a, `tier-l` for `tier-1`) is worth a warning. The standard library
has no table of confusables; these are the letters that look the same in most fonts, after
Unicode's `confusables.txt`.
"""

import unicodedata
from collections.abc import Collection, Iterator

from policy.diagnostics import visible

__all__ = ["MAX_LENGTH", "flaw_of", "look_alikes", "scripts_of", "skeleton"]

# An LDAP distinguished name in a token's groups claim may be long.
MAX_LENGTH = 512

_CYRILLIC = (
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u04bb\u0456\u0458\u0455\u0501\u051b\u051d"
    "\u0432\u043a\u043c\u043d\u0442"
)
_GREEK = "\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c5\u03c7\u03c4\u03b5\u03b7\u03b3\u03c9\u03b2"
_LOOKS = str.maketrans(
    _CYRILLIC + _GREEK + "01|",
    "aceopxyhijsdqwbkmht" + "aopvikuxtenywb" + "oll",
)

# Scripts that are written together every day.
_TOGETHER = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})


def flaw_of(name: str) -> str | None:
    """Why `name` may not be a name, or None."""
    if not name:
        return "a name is empty"
    if len(name) > MAX_LENGTH:
        return f"a name is longer than {MAX_LENGTH} characters"
    if name != name.strip():
        return f"`{visible(name)}` begins or ends with a space"
    if not name.isprintable():
        return f"`{visible(name)}` holds invisible characters"
    return None


def skeleton(name: str) -> str:
    """What is left of a name for the eye: names with one skeleton look alike."""
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name)
    return name.casefold().translate(_LOOKS)


def look_alikes(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each name that looks like an earlier one, with that one."""
    seen: dict[str, str] = {}
    # All at once, because a policy may name a hundred thousand users; no name holds a line's end.
    looks = skeleton("\n".join(names)).split("\n") if names else []
    for name, look in zip(names, looks, strict=True):
        first = seen.setdefault(look, name)
        if first != name:
            yield name, first


def scripts_of(name: str) -> tuple[str, ...]:
    """The scripts a name mixes, if they are not commonly written together."""
    if name.isascii():
        return ()
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in name if letter.isalpha()}
    if len(scripts) <= 1 or scripts <= _TOGETHER:
        return ()
    return tuple(sorted(script.lower() for script in scripts))
