"""What made a condition true is named, and no value is."""

from policy import BodyFacts
from policy.predicates import Condition, has_dotted_name, has_names, keys_outside
from policy.witnesses import witnesses_of


def told(condition: Condition, query: tuple[tuple[str, str], ...], *keys: str) -> list[str]:
    body = BodyFacts(dict.fromkeys(keys, "secret"))
    return list(witnesses_of(condition, query, body))


NAMED = Condition(text="", query_tests=(has_names(["ext"]),))
OUTSIDE = Condition(text="", body_tests=(keys_outside(["id"]),))


def test_the_parameter_that_made_it_true_is_named_as_it_was_sent() -> None:
    assert told(NAMED, (("other", "1"), ("EXT", "secret"))) == ["the query's `EXT`"]


def test_the_keys_that_made_it_true_are_named() -> None:
    assert told(OUTSIDE, (), "id", "phone", "mail") == ["the body's `phone`, `mail`"]


def test_both_are_named_where_both_count() -> None:
    both = Condition(text="", query_tests=(has_dotted_name(),), body_tests=(keys_outside([]),))
    assert told(both, (("a.b", ""),), "x") == ["the query's `a.b`", "the body's `x`"]


def test_many_are_counted_and_long_or_invisible_ones_made_readable() -> None:
    keys = [f"k{n}" for n in range(9)]
    assert told(OUTSIDE, (), *keys) == ["the body's `k0`, `k1`, `k2`, `k3`, `k4` and 4 more"]
    (said,) = told(OUTSIDE, (), "a\x1b[2J" + "x" * 100)
    assert said.startswith("the body's `a\\x1b[2Jxxx")
    assert len(said) < 90


def test_nothing_is_named_for_a_body_that_nobody_saw() -> None:
    assert list(witnesses_of(OUTSIDE, (), None)) == []
