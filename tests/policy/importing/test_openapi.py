"""What is read of a Swagger or OpenAPI description, and what closes an operation."""

from typing import Any

import pytest

from policy.entries import AnyOf
from policy.importing import Described, NotDescribed, read_openapi
from tests.support.descriptions import OAUTH, described, operation, swagger

# As refusals word it: a choice, if only among one.
ONE = AnyOf(any=("a:b:c",))


def only(said: object, *, path: str = "/a", method: str = "get", **more: Any) -> Described:
    (found,) = described({path: {method: said}}, **more).operations
    return found


def requires(said: object) -> object:
    return only(said).requires


@pytest.mark.parametrize(
    ("said", "needed"),
    [
        (operation("x"), "authenticated"),
        (operation("x", "a:b:c"), AnyOf(any=("a:b:c",))),
        (operation("x", "a:b:c", mode="ALL"), "a:b:c"),
        (operation("x", "a:b:c", "d:e:f"), AnyOf(any=("a:b:c", "d:e:f"))),
        (operation("x", "a:b:c", "d:e:f", mode="ALL"), ("a:b:c", "d:e:f")),
        (operation("x", "a:b:c", "a:b:c", mode="ALL"), "a:b:c"),
        (operation("x", "admin"), AnyOf(any=("admin",))),
        (operation("x", **{"x-inin-requires-permissions": {"type": "ANY", "permissions": []}}), "authenticated"),
    ],
)  # fmt: skip
def test_any_and_all_are_kept_apart(said: object, needed: object) -> None:
    assert requires(said) == needed


@pytest.mark.parametrize(
    "said",
    [
        operation("x", "enforced by the backend"),
        operation("x", "a:b:*"),
        operation("x", "public"),
        operation("x", "a:b:c", mode="SOME"),
        operation("x", "a:b:c", mode="NONE"),
        operation("x", **{"x-inin-requires-permissions": []}),
        operation("x", **{"x-inin-requires-permissions": {"permissions": ["a:b:c"]}}),
        operation("x", **{"x-inin-requires-permissions": {"type": "ANY", "permissions": "a:b:c"}}),
        operation("x", **{"x-inin-requires-permissions": {"type": "ANY", "permissions": [1]}}),
    ],
)
def test_what_is_not_understood_closes_the_operation(said: object) -> None:
    found = described({"/a": {"get": said}})
    assert [each.requires for each in found.operations] == ["nobody"]
    assert "the operation is closed" in found.notes[0]


@pytest.mark.parametrize(
    ("security", "needed", "scopes", "is_open"),
    [
        ([{OAUTH: ["a", "a:readonly"]}], ONE, ("a", "a:readonly"), False),
        ([{OAUTH: []}], ONE, (), False),
        ([{OAUTH: ["a"]}, {OAUTH: ["b"]}], ONE, ("a", "b"), False),
        ([{OAUTH: ["a"]}, {}], ONE, ("a",), False),
        ([{OAUTH: ["a"], "Guest Chat JWT": []}], ONE, ("a",), False),
        ([{"Guest Chat JWT": []}], "nobody", (), False),
        ([{"nobody described this": []}], "nobody", (), False),
        ([], "nobody", (), True),
        (None, "nobody", (), True),
        ([{}], "nobody", (), True),
        ("none", "nobody", (), False),
        ([["a"]], "nobody", (), False),
        ([{OAUTH: "a"}], "nobody", (), False),
        ([{OAUTH: ['a"b']}], "nobody", (), False),
    ],
)
def test_only_oauth_tokens_open_anything(
    security: object, needed: object, scopes: tuple[str, ...], is_open: bool
) -> None:
    found = only(operation("x", "a:b:c", security=security))
    assert (found.requires, found.scopes, found.is_open) == (needed, scopes, is_open)


def test_security_of_the_whole_document_counts_where_an_operation_says_nothing() -> None:
    said = operation("x", "a:b:c")
    del said["security"]
    found = only(said, security=[{OAUTH: ["a"]}])
    assert (found.requires, found.scopes) == (ONE, ("a",))
    assert only(said).requires == "nobody"


def test_openapi_3_is_read_as_well() -> None:
    document = {
        "openapi": "3.1.0",
        "components": {
            "securitySchemes": {
                "o": {"type": "oauth2", "flows": {"clientCredentials": {"scopes": {"s": "", "t": ""}}}},
                "b": {"type": "http", "scheme": "bearer"},
                "k": {"type": "apiKey"},
            }
        },
        "paths": {
            "/a": {"get": operation("a", "p", security=[{"o": ["s"]}])},
            "/b": {"get": operation("b", "p", security=[{"b": []}])},
            "/c": {"get": operation("c", "p", security=[{"k": []}])},
        },
    }  # fmt: skip
    found = read_openapi(document, "openapi.yaml")
    assert [each.requires for each in found.operations] == [
        AnyOf(any=("p",)),
        AnyOf(any=("p",)),
        "nobody",
    ]
    assert found.scopes == ("s", "t")


def test_scopes_are_those_that_are_asked_for_and_those_that_are_declared() -> None:
    found = described({"/a": {"get": operation("a", scopes=("z", "b"))}})
    assert found.scopes == ("b", "declared", "z")


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/a/{b-c}", "/a/{b-c}"),
        ("/a/", "/a"),
        ("/", "/"),
        ("/a/{b.c}/{b_c}", "/a/{b_c}/{b_c_2}"),
        ("/a/{1}", "/a/{_1}"),
        ("/a/{}", "/a/{_}"),
        ("/a/{b}/{b}", "/a/{b}/{b_2}"),
    ],
)
def test_parameters_get_names_that_can_be_written(path: str, template: str) -> None:
    assert only(operation("x"), path=path).template == template


@pytest.mark.parametrize("path", ["a", "/a//b", "/a/{b}.json", "/a/$count", "/a?b", "/a/..", "/{a"])
def test_a_path_that_is_no_template_is_left_out_and_told(path: str) -> None:
    found = described({path: {"get": operation("x")}, "/ok": {"get": operation("y")}})
    assert [each.name for each in found.operations] == ["y"]
    assert "left out" in found.notes[0]


def test_other_methods_and_what_stands_beside_them_are_left_out() -> None:
    item = {"trace": operation("t"), "get": operation("g"), "parameters": [], "summary": "s"}
    found = described({"/a": item, "x-internal": 1, "/b": {"$ref": "b.json"}, "/c": None})
    assert [each.name for each in found.operations] == ["g"]
    assert len(found.notes) == 3


def test_names_are_the_published_ones_or_made_of_the_request() -> None:
    found = described({
        "/a/{b}": {"get": operation("twice"), "put": operation("twice"), "post": operation("no way")},
    })  # fmt: skip
    assert [each.name for each in found.operations] == ["twice", "post-a-b", "put-a-b"]


def test_titles_fit_on_a_line() -> None:
    said = operation("x", summary="  Reads\n\x1b[31mit \u202e " + "x" * 500)
    title = only(said).title
    assert title.startswith("Reads [31mit xxx")
    assert (len(title), title.isprintable()) == (160, True)


def test_two_operations_of_the_same_requests_are_one_and_closed_where_they_differ() -> None:
    same = described({
        "/a/{x}": {"get": operation("x", "p")}, "/a/{y}": {"get": operation("y", "p")},
    })  # fmt: skip
    assert [each.requires for each in same.operations] == [AnyOf(any=("p",))]
    differ = described({
        "/a/{x}": {"get": operation("x", "p")}, "/a/{y}": {"get": operation("y")},
    })  # fmt: skip
    assert [each.requires for each in differ.operations] == ["nobody"]
    assert "the operation is closed" in differ.notes[0]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "no Swagger or OpenAPI description"),
        ([], "no Swagger or OpenAPI description"),
        ({"paths": {}}, "no Swagger or OpenAPI description"),
        ({"swagger": "2.0"}, "has no `paths`"),
        ({"swagger": "2.0", "paths": []}, "has no `paths`"),
        (swagger({}), "describes no operation"),
        (swagger({"/a": {"get": 1}}), "describes no operation"),
    ],
)
def test_what_describes_nothing_is_refused(document: object, said: str) -> None:
    with pytest.raises(NotDescribed, match=said):
        read_openapi(document, "x")


def test_more_operations_than_any_api_has_are_refused() -> None:
    paths = {f"/a{number}": {"get": operation()} for number in range(20_001)}
    with pytest.raises(NotDescribed, match="more than 20,000 operations"):
        described(paths)
