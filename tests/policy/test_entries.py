"""What each entry may say by itself."""

import pytest

from policy import Code
from policy.decoding import read
from policy.entries import CatalogueFile, OverridesFile, PolicyFile
from policy.source import scan
from tests.support.policies import CATALOGUE, POLICY, codes

HEAD = "catalogue: c\npermissions: {p: P}\n"


def complaints(model: type[CatalogueFile | OverridesFile | PolicyFile], text: str) -> list[str]:
    source, found = scan(text, "f")
    assert source is not None
    assert not found
    return [
        f"{each.where.line}:{each.where.column} {each.message}"
        for each in read(model, source).findings
    ]


def operation(rest: str) -> list[str]:
    text = f"{HEAD}operations:\n  op:\n    request: GET /\n    {rest}\n"
    return complaints(CatalogueFile, text)


def test_the_samples_are_sound() -> None:
    assert complaints(CatalogueFile, CATALOGUE) == []
    assert complaints(PolicyFile, POLICY) == []


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("p", "p"),
        ("[p, q]", ("p", "q")),
        ("[p, {any: [q]}]", ("p", {"any": ("q",)})),
        ("{any: [p, q]}", {"any": ("p", "q")}),
        ("{all: [p, {any: [q]}]}", {"all": ("p", {"any": ("q",)})}),
        ("authenticated", "authenticated"),
    ],
)
def test_requirements_may_be_written_in_several_ways(written: str, read_as: object) -> None:
    source, _ = scan(f"{HEAD}operations: {{op: {{request: GET /, requires: {written}}}}}", "f")
    assert source is not None
    model = read(CatalogueFile, source).model
    assert model is not None
    assert model.operations["op"].model_dump()["requires"] == read_as


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("[]", "6:15 `requires` must not be empty"),
        ("{any: []}", "6:21 `any` must not be empty"),
        ("{all: []}", "6:21 `all` must not be empty"),
        ("{all: [{any: []}]}", "6:28 `any` must not be empty"),
        ("{all: [{all: [p]}]}", "6:23 unknown key `all`"),
        ("''", "6:15 a name is empty"),
        ("' p'", "6:15 ` p` begins or ends with a space"),
        ("[p, 1]", "6:19 this must be a permission, or `{any: […]}`"),
        ("[p, [q]]", "6:19 this must be a permission, or `{any: […]}`"),
        ("{any: [1]}", "6:22 an entry of `any` must be text, not a number"),
        ("{any: p}", "6:21 `any` must be a list, not text"),
        ("{any: [p], all: [q]}", "6:26 unknown key `all`"),
        ("", "6:14 this must be a permission, a list of them, `{any: […]}`, `{all: […]}`, `authenticated`, `public` or `nobody`"),
    ],
)  # fmt: skip
def test_a_requirement_that_says_nothing_is_refused(written: str, complaint: str) -> None:
    assert complaint in operation(f"requires: {written}")


@pytest.mark.parametrize(
    ("rest", "complaint"),
    [
        ("also: [{requires: p}]", "7:12 this is needed by every request"),
        ("also: [{when: {}, requires: p}]", "7:19 `when` names no condition"),
        ("also: [{when: , requires: p}]", "7:19 nothing is given here"),
        ("also: [{when: {query_has: []}, requires: p}]", "7:31 `query_has` must not be empty"),
        ("also: [{when: {query_has_dotted_name: false}, requires: p}]", "7:43 `query_has_dotted_name` must be True"),
        ("also: [{when: {query_value_in: {}}, requires: p}]", "7:36 `query_value_in` must not be empty"),
        ("also: [{when: {body_has_keys: 1}, requires: p}]", "7:35 this must be the name of a list, or a list of names"),
        ("also: [{switch: s}]", "7:12 `requires` is missing"),
        ("guards: [{}]", "7:14 a guard holds exactly one rule"),
        ("guards: [{switch: s}]", "7:14 a guard holds exactly one rule"),
        ("guards: [{body_value_equals_caller: a, body_value_equals_path: {a: b}}]", "7:14 a guard holds exactly one rule"),
        ("guards: [{body_value_equals_path: {}}]", "7:39 `body_value_equals_path` must not be empty"),
        ("title: ''", "7:12 `title` must not be empty"),
    ],
)  # fmt: skip
def test_a_rule_that_says_nothing_is_refused(rest: str, complaint: str) -> None:
    assert operation(f"requires: p\n    {rest}") == [complaint]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("alphabet: letters", "3:29 `alphabet` must be `digits`, `identifier`, `dotted` or `text`"),
        ("max_length: 0", "3:31 `max_length` must be at least 1"),
        ("max_length: 2000", "3:31 `max_length` must be at most 1024"),
        ("max_length: '5'", "3:31 `max_length` must be a whole number, not text"),
        ("except: []", "3:27 `except` must not be empty"),
    ],
)
def test_parameters_are_described_with_a_closed_set_of_words(text: str, complaint: str) -> None:
    rest = f"parameters: {{id: {{{text}}}}}\noperations: {{op: {{request: GET /, requires: p}}}}"
    assert complaints(CatalogueFile, HEAD + rest) == [complaint]


@pytest.mark.parametrize("name", ["two words", "-x", "é", "x" * 129, "a/b"])
def test_operations_bear_plain_words_as_names(name: str) -> None:
    text = f"{HEAD}operations: {{{name}: {{request: GET /, requires: p}}}}"
    source, _ = scan(text, "f")
    assert source is not None
    assert codes(read(CatalogueFile, source).findings) == [Code.MALFORMED_NAME]


def test_a_catalogue_without_operations_is_refused() -> None:
    assert complaints(CatalogueFile, HEAD + "operations: {}") == [
        "3:13 `operations` must not be empty"
    ]


@pytest.mark.parametrize("change", ["{}", "{operations: }", "{operations: {op: {}}}"])
def test_overrides_that_change_nothing_are_refused(change: str) -> None:
    body = change[1:-1] or "overrides: "
    text = body if body.startswith("overrides") else f"overrides: c\n{body}"
    assert len(complaints(OverridesFile, text)) == 1


def test_a_part_of_an_operation_may_be_replaced_by_nothing() -> None:
    assert complaints(OverridesFile, "overrides: c\noperations: {op: {also: []}}") == []


def test_invisible_characters_in_a_name_are_refused_where_they_stand() -> None:
    assert complaints(PolicyFile, 'roles:\n  "read\\u200ber": {}\n') == [
        r"2:3 `read\u200ber` holds invisible characters"
    ]


def test_sections_that_do_not_exist_are_unknown_keys() -> None:
    source, _ = scan("role: {reader: {permissions: [read]}}", "f")
    assert source is not None
    (found,) = read(PolicyFile, source).findings
    assert (found.code, found.help) == (Code.UNKNOWN_KEY, "did you mean `roles`?")
