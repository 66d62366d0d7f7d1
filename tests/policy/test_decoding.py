"""Complaints a person can act on, for any model."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from policy import Code, PolicyInvalid, parse_yaml, read_model
from policy.decoding import Reading, keys_at, read
from policy.source import Path as Steps


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    size: int | None = None


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    inner: Inner = Inner(name="x")
    many: list[Inner] = []
    named: dict[str, Inner] = {}
    flag: bool = True
    ratio: Annotated[float, Field(gt=0, lt=2)] = 1.0
    length: Annotated[str, Field(max_length=3)] = ""
    code: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    short: Annotated[list[str], Field(max_length=1)] = []
    kind: Literal["one", "two"] = "one"
    colour: Annotated[Colour, Field(strict=False)] = Colour.RED
    folder: Annotated[Path, Field(strict=False)] = Path()
    even: int = 0
    step: Annotated[int, Field(multiple_of=5)] = 0

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("this must be even")
        return value


def complaint(text: str) -> tuple[str, Code, str, str | None]:
    with pytest.raises(PolicyInvalid) as caught:
        read_model(Outer, parse_yaml(text, "f"))
    (found,) = caught.value.diagnostics
    return f"{found.where.line}:{found.where.column}", found.code, found.message, found.help


@pytest.mark.parametrize(
    ("text", "place", "code", "message", "advice"),
    [
        ("inner: {name: a, sise: 1}", "1:18", Code.UNKNOWN_KEY, "unknown key `sise`", "did you mean `size`?"),
        ("inner: {name: a, x: 1}", "1:18", Code.UNKNOWN_KEY, "unknown key `x`", "the keys here are `name`, `size`"),
        ("many: [{name: a, sise: 1}]", "1:18", Code.UNKNOWN_KEY, "unknown key `sise`", "did you mean `size`?"),
        ("named: {a: {name: b, sise: 1}}", "1:22", Code.UNKNOWN_KEY, "unknown key `sise`", "did you mean `size`?"),
        ("inner:\n  size: 1", "1:1", Code.MISSING_KEY, "`name` is missing", None),
        ("many: [{}]", "1:8", Code.MISSING_KEY, "`name` is missing", None),
        ("many: [3]", "1:8", Code.WRONG_TYPE, "an entry of `many` must be a mapping, not a number", None),
        ("inner:", "1:7", Code.WRONG_TYPE, "`inner` must be a mapping, not nothing", "give it a value, or leave the key out"),
        ("many: a", "1:7", Code.WRONG_TYPE, "`many` must be a list, not text", "write it as a list: `[a]`"),
        ("many: {a: b}", "1:7", Code.WRONG_TYPE, "`many` must be a list, not a mapping", None),
        ("named: [a]", "1:8", Code.WRONG_TYPE, "`named` must be a mapping, not a list", None),
        ("inner: {name: 12}", "1:15", Code.WRONG_TYPE, "`name` must be text, not a number", "put it in quotes to make it text"),
        ("inner: {name: true}", "1:15", Code.WRONG_TYPE, "`name` must be text, not `true`", "put it in quotes to make it text"),
        ("inner: {name: false}", "1:15", Code.WRONG_TYPE, "`name` must be text, not `false`", "put it in quotes to make it text"),
        ("inner: {name: a, size: 1.5}", "1:24", Code.WRONG_TYPE, "`size` must be a whole number, not a number", None),
        ("flag: yes", "1:7", Code.WRONG_TYPE, "`flag` must be `true` or `false`, not text", "write `true` or `false`, without quotes"),
        ("ratio: 0", "1:8", Code.BAD_VALUE, "`ratio` must be more than 0.0", None),
        ("ratio: 2", "1:8", Code.BAD_VALUE, "`ratio` must be less than 2.0", None),
        ("length: abcd", "1:9", Code.BAD_VALUE, "`length` is longer than 3 characters", None),
        ("code: A1", "1:7", Code.BAD_VALUE, "`code` is not of the form `^[a-z]+$`", None),
        ("short: [a, b]", "1:8", Code.BAD_VALUE, "`short` holds more than 1", None),
        ("kind: tow", "1:7", Code.UNKNOWN_VALUE, "`kind` must be `one` or `two`", "did you mean `two`?"),
        ("kind: 1", "1:7", Code.UNKNOWN_VALUE, "`kind` must be `one` or `two`", None),
        ("colour: bleu", "1:9", Code.UNKNOWN_VALUE, "`colour` must be `red` or `blue`", "did you mean `blue`?"),
        ("folder: 3", "1:9", Code.WRONG_TYPE, "`folder` must be a path, not a number", None),
        ("even: 3", "1:7", Code.BAD_VALUE, "`even`: this must be even", None),
        ("step: 3", "1:7", Code.BAD_VALUE, "`step`: must be a multiple of 5", None),
        ("- a", "1:1", Code.WRONG_TYPE, "the file must be a mapping, not a list", None),
    ],
)  # fmt: skip
def test_a_complaint_says_what_where_and_what_to_do(
    text: str, place: str, code: Code, message: str, advice: str | None
) -> None:
    assert complaint(text) == (place, code, message, advice)


class Grid(BaseModel):
    rows: list[list[str]]


def test_an_entry_of_an_entry_is_an_entry() -> None:
    with pytest.raises(PolicyInvalid, match=r"f:1:9: wrong-type: an entry must be text"):
        read_model(Grid, parse_yaml("rows: [[1]]", "f"))


def test_every_complaint_is_made_at_once() -> None:
    with pytest.raises(PolicyInvalid) as caught:
        read_model(Outer, parse_yaml("flag: 1\nkind: x\ninner: {}\nodd: 1\n", "f"))
    assert [found.where.line for found in caught.value.diagnostics] == [1, 2, 3, 4]


def test_a_sound_file_is_its_model() -> None:
    outer = read_model(Outer, parse_yaml("inner: {name: a}\nflag: false", "f"))
    assert (outer.inner.name, outer.flag) == ("a", False)


def reading(text: str) -> Reading[Outer]:
    return read(Outer, parse_yaml(text, "f"))


def test_what_is_wrong_is_left_out_and_the_rest_is_kept() -> None:
    found = reading("flag: 1\nnamed: {a: {name: b, odd: 1}, c: {}, d: 3}\nmany: [{name: a}, 3]")
    assert found.model is not None
    assert found.model.named == {"a": Inner(name="b")}
    assert found.model.many == [], "a list is kept whole or not at all, so that places stay right"
    assert len(found.findings) == 5


def test_an_entry_that_is_wrong_twice_is_left_out_once() -> None:
    found = reading("named: {a: {size: x}, name: {name: b}}")
    assert found.model is not None
    assert found.model.named == {"name": Inner(name="b")}
    assert len(found.findings) == 2


def test_nothing_is_left_of_a_file_that_is_no_mapping() -> None:
    found = reading("[a]")
    assert found.model is None
    assert len(found.findings) == 1


class Deep(BaseModel):
    needed: Inner


def test_nothing_is_left_if_what_is_wrong_cannot_be_missed() -> None:
    assert read(Deep, parse_yaml("needed: {name: 1}", "f")).model is None


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        (("inner",), ("name", "size")),
        (("many", 3), ("name", "size")),
        (("named", "any"), ("name", "size")),
        (("flag",), ()),
        (("flag", 0), ()),
        (("nothing",), ()),
    ],
)
def test_keys_are_known_wherever_a_mapping_may_stand(path: Steps, keys: tuple[str, ...]) -> None:
    assert keys_at(Outer, path) == keys
