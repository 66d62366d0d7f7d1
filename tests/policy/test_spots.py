"""Where the names of a list stand."""

import pytest

from policy.spots import Places


def test_each_name_has_the_place_where_it_was_given_last() -> None:
    line = 1 << 32
    places = Places("f", ("a", "b", "a"), (2, line + 4, 2 * line))
    assert {name: str(where) for name, where in places.items()} == {"a": "f:3:1", "b": "f:2:5"}
    assert (list(places), len(places)) == (["a", "b"], 2)
    with pytest.raises(KeyError):
        places["c"]
