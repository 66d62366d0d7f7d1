"""Any bytes as a body: refused, or one object whose keys every reader of JSON sees alike.

`python -m tests.fuzz.body` runs it under atheris.
"""

import json

from gateway.errors import BodyTooLarge, BodyUnreadable
from gateway.http.body import read_facts
from policy import folded
from tests.support.fuzzing import fuzz

_MAX_DEPTH = 32
_MAX_KEYS = 1000


def check(data: bytes) -> None:
    try:
        facts = read_facts(data, max_depth=_MAX_DEPTH, max_keys=_MAX_KEYS)
    except (BodyUnreadable, BodyTooLarge):
        return
    pairs: list[tuple[str, object]] = json.loads(data.decode("utf-8"), object_pairs_hook=list)
    keys = [folded(key) for key, _ in pairs]
    assert len(set(keys)) == len(keys)
    assert facts.values.keys() == set(keys)


if __name__ == "__main__":
    fuzz(check)
