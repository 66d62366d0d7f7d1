"""What a body says is read once and strictly; two readers could not disagree about it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BodyTooLarge, BodyTypeRefused, BodyUnreadable
from gateway.http.body import check_body_type, read_facts
from gateway.http.headers import FORWARDED, Headers, read_headers
from policy import BodyFacts
from tests.support.strategies import json_objects


def facts(body: bytes, *, max_depth: int = 32, max_keys: int = 100) -> BodyFacts:
    return read_facts(body, max_depth=max_depth, max_keys=max_keys)


def labelled(content_type: str | None, encoding: str | None = None) -> Headers:
    fields = {b"content-type": content_type, b"content-encoding": encoding}
    return read_headers(
        [(name, value.encode()) for name, value in fields.items() if value is not None], FORWARDED
    )


# --- the label (B-4, B-10, B-11) --------------------------------------------------------------

TYPE = "`Content-Type` is not application/json"
ENCODING = "the body has a content encoding"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/Json",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        'application/json ; Charset="utf-8"',
        "application/json\t;\tcharset=utf-8",
    ],
)
@pytest.mark.parametrize("encoding", [None, "identity", "Identity"])
def test_plain_json_is_accepted(content_type: str, encoding: str | None) -> None:
    check_body_type(labelled(content_type, encoding))


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/jsonx",
        "application/json-patch+json",
        "application/vnd.api+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset=utf-7",
        'application/json; charset="utf-8',
        "application/json;;",
        "application/json;",
        "application/json, text/plain",
        "application/json; q=1",
        "xapplication/json",
        "*/*",
        "json",
    ],
)
def test_any_other_type_is_refused(content_type: str | None) -> None:
    with pytest.raises(BodyTypeRefused) as refusal:
        check_body_type(labelled(content_type))
    assert refusal.value.detail == TYPE


@pytest.mark.parametrize(
    "encoding",
    [
        "gzip",
        "GZIP",
        "gzip, gzip",
        "x-gzip",
        "br",
        "deflate",
        "identity, gzip",
        "zstd",
        "utf-8",
        "",
    ],
)
def test_an_encoded_body_is_refused(encoding: str) -> None:
    with pytest.raises(BodyTypeRefused) as refusal:
        check_body_type(labelled("application/json", encoding))
    assert refusal.value.detail == ENCODING


# --- the content (B-5 to B-9, D0-16 to D0-18) -------------------------------------------------

UNREADABLE = {
    "B-5 duplicate key": b'{"ext":1,"ext":2}',
    "B-5 duplicate key, escaped": b'{"ext":1,"\\u0065xt":2}',
    "B-5 duplicate key, nested": b'{"a":{"ext":1,"ext":1}}',
    "B-5 duplicate key, in an array": b'{"a":[{"ext":1,"ext":1}]}',
    "B-5 keys that differ in case": b'{"Ext":1,"ext":2}',
    "B-5 keys that differ in case, escaped": b'{"\\u0045xt":1,"ext":2}',
    "B-5 keys that some fold alike: long s": '{"\u017f":1,"s":2}'.encode(),
    "B-5 keys that some fold alike: Kelvin": '{"\u212a":1,"k":2}'.encode(),
    "B-5 keys that some fold alike: sharp s": '{"straße":1,"STRASSE":2}'.encode(),
    "B-5 keys that Java folds alike: i without a dot": '{"customer_id":1,"customer_\u0131d":2}'.encode(),
    "B-5 keys that Java folds alike: I with a dot": '{"customer_id":1,"customer_\u0130d":2}'.encode(),
    "B-6 byte order mark": b'\xef\xbb\xbf{"a":1}',
    "B-6 UTF-16 with a mark": '{"a":1}'.encode("utf-16"),
    "B-6 UTF-16 little": '{"a":1}'.encode("utf-16-le"),
    "B-6 UTF-16 big": '{"a":1}'.encode("utf-16-be"),
    "B-6 UTF-32": '{"a":1}'.encode("utf-32"),
    "B-6 UTF-7": b"+AHsAIgBh-",
    "B-6 latin-1": '{"a":"é"}'.encode("latin-1"),
    "B-6 overlong": b'{"a":"\xc0\xae"}',
    "B-6 surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "B-6 lone surrogate": b'{"a":"\\ud800"}',
    "B-6 lone low surrogate": b'{"a":"\\udc00"}',
    "B-6 lone surrogate in a key": b'{"\\ud800":1}',
    "B-6 surrogates in the wrong order": b'{"a":"\\ude00\\ud83d"}',
    "B-6 raw control in a text": b'{"a":"b\x00"}',
    "B-6 raw line feed in a text": b'{"a":"b\n"}',
    "B-6 NUL in a key": b'{"customer_id\\u0000":1}',
    "B-7 NaN": b'{"a":NaN}',
    "B-7 Infinity": b'{"a":-Infinity}',
    "B-7 a number beyond any double": b'{"a":1e400}',
    "B-7 a number beyond any double, nested": b'{"a":[{"b":-1e400}]}',
    "B-7 leading zero": b'{"a":01}',
    "B-7 hexadecimal": b'{"a":0x1}',
    "B-7 plus": b'{"a":+1}',
    "B-7 no digit after the point": b'{"a":1.}',
    "B-7 no digit before the point": b'{"a":.5}',
    "B-7 minus alone": b'{"a":-}',
    "B-7 an integer beyond any double": b'{"a":1' + b"0" * 309 + b"}",
    "B-7 a negative integer beyond any double": b'{"a":[-1' + b"0" * 400 + b"]}",
    "B-7 digits without bound": b'{"a":' + b"7" * 100_000 + b"}",
    "B-7 comment": b'{"a":1/**/}',
    "B-7 line comment": b'{"a":1}//',
    "B-7 trailing comma": b'{"a":1,}',
    "B-7 single quotes": b"{'a':1}",
    "B-7 bare key": b"{a:1}",
    "B-7 unknown escape": b'{"a":"\\x41"}',
    "B-7 upper-case literal": b'{"a":TRUE}',
    "B-8 two documents": b'{"a":1}{"a":2}',
    "B-8 two lines": b'{"a":1}\n{"a":2}',
    "B-8 trailing garbage": b'{"a":1}x',
    "B-8 trailing NUL": b'{"a":1}\x00',
    "B-8 leading garbage": b'x{"a":1}',
    "B-8 leading form feed": b'\x0c{"a":1}',
    "B-8 XSSI prefix": b')]}\'\n{"a":1}',
    "B-8 nothing": b"",
    "B-8 white space": b" \r\n\t",
    "B-8 cut off": b'{"a":1',
    "B-9 100 000 arrays": b'{"a":' + b"[" * 100_000,
    "B-9 100 000 objects": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_body_that_two_readers_could_read_in_two_ways_is_refused(case: str) -> None:
    with pytest.raises(BodyUnreadable) as refusal:
        facts(UNREADABLE[case])
    assert refusal.value.detail


@pytest.mark.parametrize("body", [b"null", b"1", b'"a"', b"true", b"[]", b'[{"a":1}]'])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    """B-8."""
    with pytest.raises(BodyUnreadable) as refusal:
        facts(body)
    assert refusal.value.detail == "the body is not a JSON object"


def test_keys_that_differ_only_in_case_are_named_as_such() -> None:
    with pytest.raises(BodyUnreadable) as refusal:
        facts(b'{"Contacts":[],"contacts":[]}')
    assert refusal.value.detail == "two keys differ only in case"


def test_case_counts_below_the_top_level() -> None:
    """Only extension names and core attributes are compared without case."""
    assert facts(b'{"a":{"B":1,"b":2}}').values == {"a": {"B": 1, "b": 2}}


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"{}", {}),
        (b' \r\n\t{ "a" : 1 } \n', {"a": 1}),
        (b'{"\\u0061":"\\u00e9"}', {"a": "é"}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a":null,"b":[],"c":{},"d":false,"e":""}', {"a": None, "b": [], "c": {}, "d": False, "e": ""}),
        (b'{"FirstName":1,"customer_ID":2}', {"firstname": 1, "customer_id": 2}),
        ('{"É":1}'.encode(), {"É": 1}),
        (b'{"a":-0,"b":1.0,"c":1e5}', {"a": 0, "b": 1.0, "c": 100000.0}),
        (b'{"a":123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        (b'{"__proto__":{},"@type":"x","":0}', {"__proto__": {}, "@type": "x", "": 0}),
    ],
)  # fmt: skip
def test_an_object_gives_its_top_level_with_folded_keys(
    body: bytes, values: dict[str, object]
) -> None:
    assert facts(body).values == values


def test_presence_and_value_are_different_questions() -> None:
    """B-13: an empty or null extension is there."""
    assert set(facts(b'{"a":null,"b":[]}').values) == {"a", "b"}


def test_depth_is_bounded_by_the_setting() -> None:
    """`max_depth` counts the outermost object, objects and arrays alike."""
    assert facts(b'{"a":1}', max_depth=1)
    assert facts(b'{"a":[{"b":1}],"c":2}', max_depth=3)
    for body in (b'{"a":[{"b":1}],"c":2}', b'{"c":2,"a":{"b":[]}}'):
        with pytest.raises(BodyUnreadable) as refusal:
            facts(body, max_depth=2)
        assert refusal.value.detail == "the body is nested deeper than max_body_depth"


def test_keys_are_bounded_by_the_setting() -> None:
    body = json.dumps({f"k{number}": {} for number in range(6)}).encode()
    assert len(facts(body, max_keys=6).values) == 6
    with pytest.raises(BodyTooLarge) as refusal:
        facts(body, max_keys=5)
    assert refusal.value.detail == "the object has more keys than max_body_keys"


def test_what_the_body_said_is_not_repeated_in_the_log() -> None:
    """A-6: a key may be anybody's data, and as long as the body."""
    name = b"k" * 1000
    with pytest.raises(BodyUnreadable) as refusal:
        facts(b'{"%b":1,"%b":2}' % (name, name))
    assert name.decode() not in refusal.value.detail
    assert len(refusal.value.detail) < 200


@given(body=st.binary(max_size=60) | json_objects.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_end_in_facts_or_in_a_refusal(body: bytes) -> None:
    try:
        assert type(facts(body)) is BodyFacts
    except BodyUnreadable as refusal:
        detail = refusal.detail
        assert detail


@given(value=json_objects, ascii_only=st.booleans())
def test_a_lax_reader_of_the_same_bytes_sees_the_same(
    value: dict[str, object], ascii_only: bool
) -> None:
    """Written by the standard library, read here: whatever is accepted means the same."""
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    folds = {key.casefold() for key in value}
    if len(folds) < len(value):
        with pytest.raises(BodyUnreadable):
            facts(body)
        return
    expected = {key.lower() if key.isascii() else key: item for key, item in value.items()}
    assert facts(body).values == expected


def test_facts_say_how_the_keys_were_spelt() -> None:
    assert facts(b'{"FirstName":1,"customer_ID":2}').spelt == {"FirstName", "customer_ID"}
