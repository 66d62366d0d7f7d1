"""JSON as a Java server may read it.

A repeated key is no error and the last one wins, the content type does not matter, a byte order
mark and UTF-16 are understood. A gateway that relies on its upstream to be strict is found out
here.
"""

import json
import math
from typing import Any

__all__ = ["read_json"]


def read_json(body: bytes) -> Any:
    """Raises ValueError (or RecursionError) for what is not JSON."""
    return json.loads(body, parse_constant=refuse_constant, parse_float=finite)


def finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("too large to be kept")
    return number


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
