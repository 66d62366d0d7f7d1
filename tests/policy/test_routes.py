"""From a method and segments to the one operation they mean."""

import pytest

from policy.routes import Routes
from policy.template import Grammar, Template

GRAMMARS = {"digits": Grammar("digits", 64), "service": Grammar(never=frozenset({"start"}))}


def routes(*requests: str) -> Routes[str]:
    pairs = (request.split(" ") for request in requests)
    return Routes((method, Template.parse(path, GRAMMARS), path) for method, path in pairs)


def found(table: Routes[str], request: str) -> str | None:
    method, path = request.split(" ")
    return table.find(method, tuple(path.split("/")[1:]) if path != "/" else ())


def test_a_path_leads_to_its_template() -> None:
    table = routes("GET /profiles", "GET /profiles/{id}", "GET /profiles/{id}/parts/{part}")
    assert found(table, "GET /profiles") == "/profiles"
    assert found(table, "GET /profiles/7") == "/profiles/{id}"
    assert found(table, "GET /profiles/7/parts/x") == "/profiles/{id}/parts/{part}"


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /",
        "GET /Profiles",
        "GET /profiles/a.b",
        "GET /profiles/7/parts",
        "GET /profiles/7/parts/x/y",
        "POST /profiles",
        "get /profiles",
        "GET /profiles/",
        "TRACE /profiles",
    ],
)
def test_what_no_template_accepts_leads_nowhere(request_line: str) -> None:
    assert found(routes("GET /profiles", "GET /profiles/{id}/parts/{part}"), request_line) is None


def test_the_root_is_a_path_too() -> None:
    assert found(routes("GET /"), "GET /") == "/"


def test_a_literal_comes_before_a_parameter() -> None:
    table = routes("POST /profiles/{id}", "POST /profiles/import")
    assert found(table, "POST /profiles/import") == "/profiles/import"
    assert found(table, "POST /profiles/imports") == "/profiles/{id}"


def test_methods_do_not_shadow_each_other() -> None:
    table = routes("POST /profiles/import", "GET /profiles/{id}")
    assert found(table, "GET /profiles/import") == "/profiles/{id}"


def test_a_narrow_parameter_comes_before_a_wide_one() -> None:
    table = routes("GET /a/{id}", "GET /a/{digits}")
    assert found(table, "GET /a/17") == "/a/{digits}"
    assert found(table, "GET /a/x17") == "/a/{id}"
    assert found(table, "GET /a/x.y") is None


def test_the_walk_comes_back_from_a_dead_end() -> None:
    table = routes("GET /a/b/c", "GET /{x}/b/d", "GET /a/{y}/e", "GET /{x}/{y}/f/g")
    assert found(table, "GET /a/b/d") == "/{x}/b/d"
    assert found(table, "GET /a/b/e") == "/a/{y}/e"
    assert found(table, "GET /a/b/f/g") == "/{x}/{y}/f/g"
    assert found(table, "GET /a/b/f") is None


def test_records_of_an_extension_called_delete_are_told_apart_by_their_segments() -> None:
    update = "/profiles/{id}/extensions/{name}/by/unique"
    delete = "/profiles/{id}/extensions/{name}/delete/by/unique"
    table = routes(f"PUT {update}", f"PUT {delete}")
    assert found(table, "PUT /profiles/X/extensions/delete/by/unique") == update
    assert found(table, "PUT /profiles/X/extensions/delete/delete/by/unique") == delete


def test_an_excluded_literal_is_not_the_parameter() -> None:
    table = routes("GET /services/{service}", "POST /services/start")
    assert found(table, "GET /services/start") is None
    assert found(table, "GET /services/starts") == "/services/{service}"


def test_head_is_what_get_would_answer() -> None:
    assert found(routes("GET /a/{id}"), "HEAD /a/1") == "/a/{id}"


def test_head_of_its_own_is_meant_where_it_says_at_least_as_much() -> None:
    table: Routes[str] = Routes(
        (method, Template.parse(path, {}), f"{method} {path}")
        for method, path in (("GET", "/a/{id}"), ("HEAD", "/a/{x}"), ("GET", "/a/b"))
    )
    assert table.find("HEAD", ("a", "1")) == "HEAD /a/{x}"
    assert table.find("HEAD", ("a", "b")) == "GET /a/b"
    assert table.find("GET", ("a", "1")) == "GET /a/{id}"


def test_all_matches_come_closest_first() -> None:
    table = routes("GET /{x}/{y}", "GET /a/{y}", "GET /a/b", "GET /a/{digits}", "GET /c")
    assert list(table.matches("GET", ("a", "b"))) == ["/a/b", "/a/{y}", "/{x}/{y}"]
    assert list(table.matches("GET", ("a", "1"))) == ["/a/{digits}", "/a/{y}", "/{x}/{y}"]
    assert list(table.matches("PATCH", ("a", "b"))) == []


def test_the_methods_of_a_path_can_be_told() -> None:
    table = routes("GET /a", "POST /a", "PUT /{x}", "DELETE /b")
    assert table.methods_of(("a",)) == ("GET", "POST", "PUT", "HEAD")


def test_routes_say_how_many_they_are() -> None:
    assert repr(routes("GET /a", "GET /b")) == "<Routes: 2>"
    assert len(routes("GET /a")) == 1
