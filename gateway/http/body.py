"""Facts from a request body, read so strictly that no second reader can see other ones.

One JSON object in UTF-8, no byte order mark, no duplicate keys (escaped ones are unescaped
first), no NaN, no trailing data: jiter refuses all of these. On top of that, two keys that differ
only in case are refused, because UCS compares extension names without case (threats B-4 to B-11).
"""

import re
import sys
from math import isfinite

import jiter

from gateway.errors import BodyTooLarge, BodyTypeRefused, BodyUnreadable
from gateway.http.headers import Headers
from policy import BodyFacts, folded

__all__ = ["check_body_type", "read_facts"]

_JSON = re.compile(rb'application/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?', re.IGNORECASE)

# What may be a number beyond a double: a large exponent, or a long run of digits.
_BIG_NUMBER = re.compile(rb"[eE]\+?[0-9]{3}|[0-9]{300}")

_LARGEST_DOUBLE = int(sys.float_info.max)

# A reader that ends strings at NUL, or trims them, would see another key.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_body_type(headers: Headers) -> None:
    """Refuse a body that is not labelled as plain JSON. Raises BodyTypeRefused."""
    if headers.content_type is None or not _JSON.fullmatch(headers.content_type):
        raise BodyTypeRefused("`Content-Type` is not application/json")
    if headers.content_encoding is not None and headers.content_encoding.lower() != b"identity":
        raise BodyTypeRefused("the body has a content encoding")


def read_facts(body: bytes, *, max_depth: int, max_keys: int) -> BodyFacts:
    """The top level of the object in `body`. Raises BodyUnreadable or BodyTooLarge.

    `max_depth` counts nested objects and arrays, the outermost included; `max_keys` the keys of
    the outermost object.
    """
    try:
        value = jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise BodyUnreadable(_without_content(str(error))) from None
    if not isinstance(value, dict):
        raise BodyUnreadable("the body is not a JSON object")
    if len(value) > max_keys:
        raise BodyTooLarge("the object has more keys than max_body_keys")
    if body.count(b"[") + body.count(b"{") > max_depth or _BIG_NUMBER.search(body):
        _check_values(value, max_depth)
    if any(_CONTROL.search(key) for key in value):
        raise BodyUnreadable("a key has a control character")
    if len({_without_case(key) for key in value}) < len(value):
        raise BodyUnreadable("two keys differ only in case")
    return BodyFacts({folded(key): item for key, item in value.items()}, frozenset(value))


def _without_content(message: str) -> str:
    """A duplicate key is quoted by jiter; what the body says is not for the log."""
    return re.sub(r'(?s)key ".*"', "key", message)


def _without_case(key: str) -> str:
    """As widely as any reader might fold: Java also takes an i without or with a dot for an `i`."""
    return key.upper().casefold().replace("\u0307", "")


def _is_beyond_a_double(value: object) -> bool:
    """Readers that know only doubles, as most do, would see infinity, or refuse."""
    if isinstance(value, float):
        return not isfinite(value)
    return isinstance(value, int) and not -_LARGEST_DOUBLE <= value <= _LARGEST_DOUBLE


def _check_values(value: object, max_depth: int) -> None:
    """Breadth first, so that neither depth nor width costs a stack."""
    level: list[object] = [value]
    for _ in range(max_depth):
        children = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)  # type: ignore[attr-defined]
        ]
        if any(_is_beyond_a_double(child) for child in children):
            raise BodyUnreadable("a number is beyond what readers agree on")
        level = [child for child in children if isinstance(child, dict | list)]
        if not level:
            return
    raise BodyUnreadable("the body is nested deeper than max_body_depth")
