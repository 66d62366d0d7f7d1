"""YAML without surprises, and where everything stood."""

import pytest

from policy import Code, PolicyInvalid, parse_yaml
from policy.source import MAX_BYTES, scan


def fault(text: str | bytes) -> tuple[str, str, str | None]:
    """Place, code and message of the only finding."""
    with pytest.raises(PolicyInvalid) as caught:
        parse_yaml(text, "f")
    (found,) = caught.value.diagnostics
    return str(found.where), found.code, found.message


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-12", -12),
        ("0.5", 0.5),
        ("-3.25", -3.25),
    ],
)
def test_few_plain_words_are_not_text(word: str, value: object) -> None:
    assert parse_yaml(f"a: {word}", "f").value == {"a": value}


@pytest.mark.parametrize(
    "word",
    [
        "on", "off", "yes", "no", "True", "TRUE", "Null", "y", "012", "0o7", "0x1", "1e3", "1_000",
        "+1", ".5", "1.", ".inf", ".nan", "2024-01-01", "1:30", "=", "9" * 40, "1.2.3",
    ],
)  # fmt: skip
def test_every_other_plain_word_is_text(word: str) -> None:
    assert parse_yaml(f"a: {word}", "f").value == {"a": word}


@pytest.mark.parametrize("text", ["'1'", '"1"', "|-\n  1", ">-\n  1"])
def test_what_is_quoted_is_text(text: str) -> None:
    assert parse_yaml(f"a: {text}", "f").value == {"a": "1"}


def test_keys_are_always_text() -> None:
    assert parse_yaml("{1: a, on: b, null: c, true: d}", "f").value == {
        "1": "a",
        "on": "b",
        "null": "c",
        "true": "d",
    }


def test_bytes_may_begin_with_a_byte_order_mark() -> None:
    assert parse_yaml("\ufeffa: b".encode(), "f").value == {"a": "b"}


def test_every_value_and_key_has_its_place() -> None:
    source = parse_yaml("roles:\n  reader:\n    permissions: [one, two]\n", "roles.yaml")
    assert str(source.where()) == "roles.yaml:1:1"
    assert str(source.where(("roles", "reader"), key=True)) == "roles.yaml:2:3"
    assert str(source.where(("roles", "reader"))) == "roles.yaml:3:5"
    assert str(source.where(("roles", "reader", "permissions", 1))) == "roles.yaml:3:24"


@pytest.mark.parametrize("path", [("roles", "nobody"), ("roles", 0), ("roles", "nobody", "title")])
def test_what_is_not_there_is_placed_as_near_as_possible(path: tuple[str | int, ...]) -> None:
    assert str(parse_yaml("roles:\n  reader: {}\n", "f").where(path)) == "f:2:3"


def test_an_index_that_is_not_there_is_placed_at_its_list() -> None:
    assert str(parse_yaml("a:\n  - b", "f").where(("a", 7))) == "f:2:3"


def test_a_place_is_a_value_of_a_source() -> None:
    place = parse_yaml("a: {b: [c]}", "f").place.below("a")
    assert str(place.below("b").where(0)) == "f:1:9"
    assert str(place.where("b", key=True)) == "f:1:5"


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("a: *x", "f:1:4", Code.YAML_ALIAS),
        ("a: &x b", "f:1:4", Code.YAML_ALIAS),
        ("a: &x [b]", "f:1:4", Code.YAML_ALIAS),
        ("a: !!python/object:os.system b", "f:1:4", Code.YAML_TAG),
        ("a: !x {b: c}", "f:1:4", Code.YAML_TAG),
        ("!!str a: b", "f:1:1", Code.YAML_TAG),
        ("a: ! b", "f:1:4", Code.YAML_TAG),
        ("a:\n  <<: {b: c}", "f:2:3", Code.YAML_MERGE_KEY),
        ("%YAML 1.1\n---\na: b", "f:1:1", Code.YAML_DIRECTIVE),
        ("%TAG ! x:\n---\na: b", "f:1:1", Code.YAML_DIRECTIVE),
        ("a: b\n---\nc: d", "f:2:1", Code.YAML_DOCUMENTS),
        ("? [a]\n: b", "f:1:3", Code.YAML_KEY),
        ("'': b", "f:1:1", Code.YAML_KEY),
        ("a: b\nc: d\na: e", "f:3:1", Code.DUPLICATE_KEY),
        ("a: {b: 1, 'b': 2}", "f:1:11", Code.DUPLICATE_KEY),
        ("", "f:1:1", Code.YAML_EMPTY),
        ("# only words\n", "f:1:1", Code.YAML_EMPTY),
        ("---\n...\n", "f:1:1", Code.YAML_EMPTY),
        ("a: [b", "f:2:1", Code.YAML_SYNTAX),
        ("a: b: c", "f:1:5", Code.YAML_SYNTAX),
        ("\ta: b", "f:1:1", Code.YAML_SYNTAX),
        ("a: b\n\x00", "f:2:1", Code.YAML_SYNTAX),
        ("é: \x07", "f:1:4", Code.YAML_SYNTAX),
        (b"a: b\nc: \xff", "f:2:4", Code.YAML_ENCODING),
        ("a: b".encode("utf-16"), "f:1:1", Code.YAML_ENCODING),
        ("a:\n  \ud800", "f:2:3", Code.YAML_ENCODING),
        ("[" * 25, "f:1:25", Code.YAML_TOO_DEEP),
        (b"#" * (MAX_BYTES + 1), "f:1:1", Code.YAML_TOO_LARGE),
    ],
)
def test_what_could_surprise_is_refused(text: str | bytes, place: str, code: Code) -> None:
    assert fault(text)[:2] == (place, code)


def test_a_merge_key_in_quotes_is_a_key() -> None:
    assert parse_yaml("{'<<': a}", "f").value == {"<<": "a"}


def test_deep_enough_is_allowed() -> None:
    assert parse_yaml("[" * 24 + "]" * 24, "f").value


def test_a_bomb_of_aliases_is_only_a_list_of_findings() -> None:
    source, found = scan("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]", "f")
    assert source is not None
    assert source.value == {"a": ["x"], "b": [None, None], "c": [None, None]}
    assert [each.code for each in found] == [Code.YAML_ALIAS] * 6


def test_reading_goes_on_after_a_finding_and_keeps_the_first_of_two_keys() -> None:
    source, found = scan("a: 1\na: {b: *c}\nd: !x e\n? {f: g}\n: h", "f")
    assert source is not None
    assert source.value == {"a": 1, "d": "e"}
    assert [str(each.where) for each in found] == ["f:2:8", "f:2:1", "f:3:4", "f:4:3"]


def test_the_first_of_two_keys_is_named() -> None:
    _, (found,) = scan("a: 1\nb: 2\na: 3", "f")
    assert (found.message, found.help) == ("`a` is given twice", "the first one is on line 1")
