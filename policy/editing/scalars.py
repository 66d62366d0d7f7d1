"""A name or a title as a YAML scalar: bare where every reader takes it for this text, else quoted.

Our own reader takes `yes` and `1e3` for text; others, and people, may not. So what any version of
YAML reads as something else is put in quotes.
"""

import re

__all__ = ["rendered"]

# What YAML 1.1 or 1.2 takes for a truth value, nothing, a merge key or a value.
_WORDS = frozenset(
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "<<", "=", ".inf", ".nan"]
)
# Numbers in any base, dates, times and sexagesimals; a few harmless words are quoted as well.
_NUMBER_LIKE = re.compile(r"[-+]?\.?[0-9][0-9a-fA-FoxXeE_.:+\-]*|[-+]?\.(?:inf|nan)", re.IGNORECASE)
_BEGINS_BADLY = frozenset("-?:,[]{}#&*!|>'\"%@`=")
_DOCUMENT = re.compile(r"(?:---|\.\.\.)(?:\s|\Z)")


def rendered(text: str, *, in_flow: bool, style: str = "") -> str:
    """`text`, which is printable, as it is written in a flow collection or on a line of its own.

    `style` is the quote of what it replaces, and is kept.
    """
    if style == "'":
        return _single(text)
    if style == '"':
        return _double(text)
    if _is_plain(text, in_flow=in_flow):
        return text
    return _single(text) if '"' in text or "\\" in text else _double(text)


def _is_plain(text: str, *, in_flow: bool) -> bool:
    if not text or text != text.strip() or not text.isprintable():
        return False
    if text.casefold() in _WORDS or _NUMBER_LIKE.fullmatch(text) or _DOCUMENT.match(text):
        return False
    if text[0] in _BEGINS_BADLY or text.endswith(":") or ": " in text or " #" in text:
        return False
    # In a flow collection these end a scalar, and a colon may do so before any of them.
    return not in_flow or not any(char in text for char in ",[]{}?:")


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _double(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
