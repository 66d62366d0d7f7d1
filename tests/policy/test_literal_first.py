"""Templates that cross, of an upstream whose API is so: literal first, from the left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policy
from policy import Code, Diagnostic, Severity
from policy.catalogue import assemble
from policy.overlaps import pairs_of
from policy.routes import Routes
from tests.support.operations_table import operations
from tests.support.policies import document, findings

RECORDINGS = "GET /conversations/{conversationId}/recordings"
CALL = "GET /conversations/calls/{conversationId}"


def catalogue(*requests: str, overlaps: str = "literal-first") -> str:
    lines = [
        f"  op{number}: {{request: '{request}', requires: p{number % 40}}}"
        for number, request in enumerate(requests)
    ]
    named = ", ".join(f"p{number}: P{number}" for number in range(min(len(requests), 40)))
    head = f"catalogue: cloud\noverlaps: {overlaps}\npermissions: {{{named}}}\noperations:\n"
    return head + "\n".join(lines)


def crossing(*requests: str) -> list[Diagnostic]:
    names = ", ".join(f"p{number}" for number in range(min(len(requests), 40)))
    found = findings(catalogue(*requests), f"roles: {{all: {{permissions: [{names}]}}}}")
    return [each for each in found if each.code.startswith("route")]


def found_by(requests: tuple[str, ...], path: str) -> str | None:
    names = ", ".join(f"p{number}" for number in range(len(requests)))
    grants = f"roles: {{all: {{permissions: [{names}]}}}}"
    table = policy.compile(document(catalogue(*requests), grants))
    route = table.routes.find("GET", tuple(path.split("/")[1:]))
    return None if route is None else route.id


@pytest.mark.parametrize("requests", [(RECORDINGS, CALL), (CALL, RECORDINGS)])
def test_the_template_with_a_literal_first_from_the_left_is_meant(
    requests: tuple[str, ...],
) -> None:
    found = found_by(requests, "/conversations/calls/recordings")
    assert found == f"op{requests.index(CALL)}"
    assert found_by(requests, "/conversations/c-1/recordings") == f"op{requests.index(RECORDINGS)}"


@pytest.mark.parametrize("requests", [(RECORDINGS, CALL), (CALL, RECORDINGS)])
def test_it_is_told_which_one_is_meant(requests: tuple[str, ...]) -> None:
    (found,) = crossing(*requests)
    assert (found.code, found.severity) == (Code.ROUTE_AMBIGUOUS, Severity.WARNING)
    assert found.message == (
        "`GET /conversations/calls/recordings` means"
        f" `op{requests.index(CALL)}` (GET /conversations/calls/{{conversationId}}) and not"
        f" `op{requests.index(RECORDINGS)}` (GET /conversations/{{conversationId}}/recordings)"
    )


def test_a_catalogue_that_does_not_say_so_is_refused_as_before() -> None:
    text = catalogue(RECORDINGS, CALL, overlaps="refuse")
    (found,) = (
        each
        for each in findings(text, "roles: {all: {permissions: [p0, p1]}}")
        if each.code.startswith("route")
    )
    assert (found.code, found.severity) == (Code.ROUTE_AMBIGUOUS, Severity.ERROR)


def test_two_operations_of_one_template_are_an_error_all_the_same() -> None:
    (found,) = crossing("GET /a/{x}", "GET /a/{y}")
    assert (found.code, found.severity) == (Code.ROUTE_DUPLICATE, Severity.ERROR)


def test_many_are_told_in_one_remark() -> None:
    requests = [f"GET /{{x}}/l{number}" for number in range(4)]
    requests += [f"GET /k{number}/{{y}}" for number in range(4)]
    (found,) = crossing(*requests)
    assert found.message == (
        "16 pairs of operations of `cloud` cross and ask for different things;"
        " the one with a literal first is meant"
    )
    assert "`GET /k0/l0` means `op4` and not `op0`" in (found.help or "")
    assert str(found.where) == "shop.yaml:2:11"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("requires: q", "requires: {any: [q]}"),
        ("requires: [q, r]", "requires: {all: [r, q]}"),
        ("requires: q, scopes: [s, t]", "requires: q, scopes: [t, s]"),
    ],
)
def test_which_one_is_meant_does_not_matter_where_both_ask_the_same(one: str, other: str) -> None:
    text = f"""\
catalogue: cloud
overlaps: literal-first
permissions: {{q: Q, r: R}}
scopes: [s, t]
operations:
  a: {{request: "GET /a/{{x}}", {one}}}
  b: {{request: "GET /{{x}}/b", {other}}}
"""
    found = findings(text, "roles: {all: {permissions: [q, r]}}")
    assert [each for each in found if each.code.startswith("route")] == []


def test_scopes_are_asked_for_too() -> None:
    text = """\
catalogue: cloud
overlaps: literal-first
permissions: {q: Q}
scopes: [s, t]
operations:
  a: {request: "GET /a/{x}", requires: q, scopes: [s]}
  b: {request: "GET /{x}/b", requires: q, scopes: [t]}
"""
    found = findings(text, "roles: {all: {permissions: [q]}}")
    assert [each.code for each in found] == [Code.ROUTE_AMBIGUOUS]


SEGMENT = st.sampled_from(["a", "b", "{x}"])
PATHS = st.lists(SEGMENT, min_size=1, max_size=4).map(
    lambda segments: "/" + "/".join(
        f"{{x{place}}}" if segment == "{x}" else segment for place, segment in enumerate(segments)
    )
)  # fmt: skip


@given(st.lists(PATHS, min_size=2, max_size=8, unique=True))
def test_the_first_of_a_pair_is_the_one_that_the_routes_find(paths: list[str]) -> None:
    text = catalogue(*(f"GET {path}" for path in paths))
    names = ", ".join(f"p{number}" for number in range(len(paths)))
    loaded = document(text, f"roles: {{all: {{permissions: [{names}]}}}}")
    assembled, _ = assemble(loaded.services[0])
    for pair in pairs_of([assembled]):
        mine, theirs = pair.one.template, pair.other.template
        both = tuple(
            one if isinstance(one, str) else other if isinstance(other, str) else "z"
            for one, other in zip(mine.segments, theirs.segments, strict=True)
        )
        routes = Routes(("GET", each.template, each) for each in (pair.other, pair.one))
        assert routes.find("GET", both) is pair.one


def test_the_published_table_has_as_many_overlaps_as_its_description_says() -> None:
    """717 pairs of templates, of which 498 publish different requirements and 479 cross."""
    listed = operations()
    lines = [
        f"  o{number}: {{request: '{row.method} {row.path}', requires: authenticated}}"
        for number, row in enumerate(listed)
    ]
    text = "catalogue: cloud\noverlaps: literal-first\npermissions: {}\noperations:\n"
    assembled, _ = assemble(document(text + "\n".join(lines), "roles: {}").services[0])
    by_id = {f"o{number}": row for number, row in enumerate(listed)}
    pairs = [
        (by_id[p.one.operation.id], by_id[p.other.operation.id], p) for p in pairs_of([assembled])
    ]
    among_one_method = [each for each in pairs if each[0].method == each[1].method]
    assert len(among_one_method) == 717
    differing = [
        each
        for each in among_one_method
        if (each[0].mode, each[0].permissions) != (each[1].mode, each[1].permissions)
    ]
    assert len(differing) == 498
    assert sum(pair.is_settled for *_, pair in among_one_method) == 479
