"""A condition or guard as written, and what it becomes."""

import pytest

from policy import ANONYMOUS, NOTHING_HELD, BodyFacts, Inquiry
from policy.conditions import condition_of, guard_of, lists_of
from policy.entries import GuardEntry, WhenEntry
from policy.predicates import Answer

LISTS = {"core": ("id", "Name"), "keys": ("PhoneKey",)}


def when(**entries: object) -> WhenEntry:
    return WhenEntry.model_validate(entries)


def guard(**entries: object) -> GuardEntry:
    return GuardEntry.model_validate(entries)


@pytest.mark.parametrize(
    ("entry", "text", "reads_query", "reads_body", "watched"),
    [
        (when(query_has=["A", "b"]), "query has `A` or `b`", True, False, {"a", "b"}),
        (when(query_has_dotted_name=True), "query has a name with a dot", True, False, set()),
        (when(query_value_in={"Id_Key": "keys"}), "query value of `Id_Key` is among `keys`", True, False, {"id_key"}),
        (when(query_value_in={"k": ["a", "b"]}), "query value of `k` is among `a`, `b`", True, False, {"k"}),
        (when(body_has_keys_outside="core"), "body has keys outside `core`", False, True, set()),
        (when(body_has_keys="core"), "body has keys of `core`", False, True, set()),
        (when(body_has_keys=["a", "b"]), "body has keys of `a`, `b`", False, True, set()),
        (when(body_has_empty_list_outside="core"), "body has an empty list outside `core`", False, True, set()),
        (when(query_has=["a"], body_has_keys="core"), "query has `a` and body has keys of `core`", True, True, {"a"}),
    ],
)  # fmt: skip
def test_a_condition_says_what_is_true_and_what_it_reads(
    entry: WhenEntry, text: str, reads_query: bool, reads_body: bool, watched: set[str]
) -> None:
    condition = condition_of(entry, LISTS)
    assert condition.text == text
    assert condition.reads_query is reads_query
    assert (condition.body_test is not None) is reads_body
    assert condition.watched == watched


QUERY = (("a", ""),)


@pytest.mark.parametrize(
    ("query", "values", "answer"),
    [
        (QUERY, {"id": 1, "other": []}, Answer.YES),
        (QUERY, {"id": 1, "other": 2}, Answer.NO),
        (QUERY, {"other": []}, Answer.NO),
        ((), {"id": 1, "other": []}, Answer.NO),
        ((("a", ""), ("b.c", "")), {"id": 1, "other": []}, Answer.YES),
    ],
)
def test_all_conditions_of_a_when_must_be_true(
    query: tuple[tuple[str, str], ...], values: dict[str, object], answer: Answer
) -> None:
    entry = when(query_has=["a"], body_has_keys="core", body_has_empty_list_outside="core")
    assert condition_of(entry, LISTS).answer(query, BodyFacts(values)) is answer


def test_all_query_conditions_of_a_when_must_be_true() -> None:
    condition = condition_of(when(query_has=["a"], query_has_dotted_name=True), LISTS)
    assert condition.answer((("a", ""), ("b.c", "")), None) is Answer.YES
    assert condition.answer((("a", ""),), None) is Answer.NO


@pytest.mark.parametrize(
    ("entry", "text", "good", "bad"),
    [
        (
            guard(body_value_equals_path={"id": "id", "owner": "who"}),
            "body `id` must be the path's `id` and body `owner` must be the path's `who`",
            {"id": "17", "owner": "me"},
            {"id": "17", "owner": "you"},
        ),
        (guard(body_value_equals_caller="agent"), "body `agent` must be the caller", {}, {"agent": "x"}),
        (
            guard(body_values_are_records_outside="core"),
            "body values must be records outside `core`",
            {"id": 1, "x": {}},
            {"x": 1},
        ),
        (
            guard(body_values_are_records_outside=["y"]),
            "body values must be records outside `y`",
            {"y": 1},
            {"id": 1},
        ),
    ],
)  # fmt: skip
def test_a_guard_says_what_must_hold(
    entry: GuardEntry, text: str, good: dict[str, object], bad: dict[str, object]
) -> None:
    said, test, _ = guard_of(entry, LISTS, {"id": 1, "who": 2})
    asked = Inquiry(
        caller=ANONYMOUS, held=NOTHING_HELD, method="PUT", segments=("records", "17", "me")
    )
    assert said == text
    assert test(BodyFacts(good), asked)
    assert not test(BodyFacts(bad), asked)


def test_lists_are_referred_to_by_name_only() -> None:
    entry = when(query_value_in={"k": "keys"}, body_has_keys="core", body_has_keys_outside=["x"])
    assert list(lists_of(entry)) == [
        (("body_has_keys",), "core"),
        (("query_value_in", "k"), "keys"),
    ]
    assert list(lists_of(guard(body_values_are_records_outside="core"))) == [
        (("body_values_are_records_outside",), "core")
    ]
    assert list(lists_of(guard(body_value_equals_caller="x"))) == []
