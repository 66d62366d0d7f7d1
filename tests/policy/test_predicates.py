"""What conditions and guards ask of a request."""

import pytest

from policy import ANONYMOUS, NOTHING_HELD, BodyFacts, Inquiry, folded
from policy.predicates import (
    Answer,
    Condition,
    empty_list_outside,
    equals_caller,
    equals_segments,
    folded_query_name,
    has_dotted_name,
    has_keys,
    has_names,
    keys_outside,
    names_of,
    records_outside,
    repeated,
    value_in,
)


def body(**values: object) -> BodyFacts:
    return BodyFacts({folded(key): value for key, value in values.items()})


@pytest.mark.parametrize(
    "name",
    [
        "extensions",
        "Extensions",
        "EXTENSIONS",
        " extensions",
        "extensions\t",
        "extensions\x00",
        "\u00a0extensions\u2003",
        "exten\u017fions",  # the long s, upper-cased, is an S
        "extens\u0131ons",  # the dotless i, upper-cased, is an I
        "extens\u0130ons",  # the dotted capital I, lower-cased, is an i
    ],
)
def test_query_names_are_folded_as_widely_as_any_server_might(name: str) -> None:
    assert folded_query_name(name) == "extensions"


@pytest.mark.parametrize("name", ["extension", "x-extensions", "extensions.a", "ext ensions", ""])
def test_other_query_names_stay_other_names(name: str) -> None:
    assert folded_query_name(name) != "extensions"


def test_a_name_counts_whatever_its_value() -> None:
    test = has_names(["extensions", "include_extensions"])
    query = (("Include_Extensions", ""),)
    assert test(names_of(query), query)
    assert not test(names_of((("include_profile", "yes"),)), ())


def test_a_dot_anywhere_in_a_name_counts() -> None:
    test = has_dotted_name()
    assert test(names_of((("a", ""), ("Phone.Number", "1"))), ())
    assert not test(names_of((("a", "b.c"),)), ())


def test_a_value_on_the_list_counts_without_its_case() -> None:
    test = value_in("id_key", ["PhoneKey"])
    for query, answer in (
        ((("ID_Key", " phonekey "),), True),
        ((("id_key", "other"),), False),
        ((("other", "PhoneKey"),), False),
        ((), False),
    ):
        assert test(names_of(query), query) is answer


@pytest.mark.parametrize("value", ["x", None, [], {}, 0, False])
def test_a_key_off_the_list_counts_whatever_its_value(value: object) -> None:
    test = keys_outside(["customer_id", "FirstName"])
    assert test(body(FirstName="a", Phone=value))
    assert not test(body(firstname=value, CUSTOMER_ID=value))
    assert not test(body())


def test_a_look_alike_of_a_listed_key_is_off_the_list() -> None:
    test = keys_outside(["FirstName", "kind"])
    for key in ("Fir\u017ftName", "\u212aind"):
        assert test(BodyFacts({folded(key): "x"}))


def test_a_key_on_the_list_counts_whatever_its_value() -> None:
    test = has_keys(["Phone"])
    assert test(body(PHONE=None))
    assert not test(body(FirstName="x"))


def test_only_an_empty_list_under_another_key_counts() -> None:
    test = empty_list_outside(["EmailAddress"])
    assert test(body(Phone=[]))
    assert not test(body(Phone=[{}], Fax={}, Name=None, EmailAddress=[]))


def inquiry(*segments: str) -> Inquiry:
    return Inquiry(caller=ANONYMOUS, held=NOTHING_HELD, method="PUT", segments=segments)


def test_a_key_equals_a_segment_if_it_is_absent_or_the_very_text() -> None:
    test = equals_segments([("customer_id", 1)])
    asked = inquiry("profiles", "17")
    assert test(body(), asked)
    assert test(body(Customer_ID="17"), asked)
    for value in (17, "18", None, ["17"], " 17", ""):
        assert not test(body(customer_id=value), asked)


def test_a_key_equals_the_caller_if_it_is_absent_or_its_name() -> None:
    test = equals_caller("agent_id")
    assert test(body(), inquiry())
    assert test(body(agent_id=""), inquiry())
    assert not test(body(agent_id="other"), inquiry())


def test_records_are_objects_or_lists_of_objects() -> None:
    test = records_outside(["customer_id"])
    assert test(body(customer_id="x", Phone=[{"a": 1}, {}], Fax={}, None_=[]), inquiry())
    for value in ("x", 1, None, True, ["x"], [{}, "x"]):
        assert not test(body(Phone=value), inquiry())


def test_only_watched_names_may_not_be_repeated() -> None:
    query = (("a", ""), (" A ", ""), ("b", ""), ("b", ""), ("c", ""))
    assert repeated(query, {"a", "c"}) == ("a",)
    assert repeated(query, {"c"}) == ()


BOTH = Condition(
    text="x",
    query_tests=(has_names(["a"]),),
    body_tests=(has_keys(["k"]),),
    watched=frozenset({"a"}),
)


@pytest.mark.parametrize(
    ("query", "facts", "answer"),
    [
        ((("a", ""),), body(k=1), Answer.YES),
        ((("a", ""),), body(), Answer.NO),
        ((("a", ""),), None, Answer.UNKNOWN),
        ((("b", ""),), None, Answer.NO),
        ((("a", ""), ("A", "")), body(k=1), Answer.UNKNOWN),
    ],
)
def test_a_condition_answers_in_three_values(
    query: tuple[tuple[str, str], ...], facts: BodyFacts | None, answer: Answer
) -> None:
    assert BOTH.answer(query, facts) is answer


def test_a_condition_of_the_query_alone_never_waits_for_the_body() -> None:
    condition = Condition(text="x", query_tests=(has_names(["a"]),))
    assert condition.answer((("a", ""),), None) is Answer.YES
    assert condition.fires_for(body())
