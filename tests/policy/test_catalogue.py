"""A catalogue as it is in force: shipped facts and the deployment's changes."""

import pytest

from policy import Code
from policy.catalogue import Catalogue, assemble
from tests.support.policies import CATALOGUE, POLICY, codes, document, findings, only


def in_force(overrides: str | None = None, catalogue: str = CATALOGUE) -> Catalogue:
    assembled, found = assemble(document(catalogue, POLICY, overrides=overrides).services[0])
    assert not found
    return assembled


def test_what_is_shipped_is_in_force() -> None:
    catalogue = in_force()
    assert catalogue.name == "shop"
    assert [operation.id for operation in catalogue.operations][:2] == [
        "find-records",
        "read-record",
    ]
    assert str(catalogue.operations[1].template) == "/records/{id}"
    assert catalogue.operations[1].method == "GET"


def test_lists_are_added_to_and_taken_from() -> None:
    changes = "overrides: shop\nlists: {core: {add: [Tier, id], remove: [Name]}}"
    assert in_force(changes).lists["core"] == ("id", "Tier")


def test_permissions_are_added() -> None:
    changes = "overrides: shop\npermissions: {audit: Read the Audit}"
    assert list(in_force(changes).permissions) == ["read", "write", "detail", "admin", "audit"]


def test_parts_of_an_operation_are_replaced_and_the_others_kept() -> None:
    changes = "overrides: shop\noperations:\n  find-records:\n    requires: authenticated\n"
    find = in_force(changes).operations[0]
    assert find.requires == "authenticated"
    assert str(find.requires_place.where()) == "local.yaml:4:15"
    assert len(find.also) == 1
    assert find.also_place.where(0).file == "shop.yaml"


def test_operations_are_added() -> None:
    changes = """\
overrides: shop
extra_operations:
  status: {request: GET /status, requires: authenticated}
"""
    assert in_force(changes).operations[-1].id == "status"


def test_a_request_may_come_without_its_body_only_where_that_is_said() -> None:
    catalogue = CATALOGUE.replace(
        "{request: POST /sweep,", "{request: POST /sweep, body: optional,"
    )
    assert [each.id for each in in_force(None, catalogue).operations if each.body_optional] == [
        "sweep"
    ]


def test_parameters_are_described_anew() -> None:
    changes = "overrides: shop\nparameters: {id: {alphabet: digits, max_length: 4}}"
    (_, parameter) = in_force(changes).operations[1].template.segments
    assert not isinstance(parameter, str)
    assert parameter.grammar.fits("1234")
    assert not parameter.grammar.fits("12345")
    assert not parameter.grammar.fits("a")


@pytest.mark.parametrize(
    ("changes", "place", "code", "message", "advice"),
    [
        ("overrides: shed", "1:12", Code.UNKNOWN_CATALOGUE, "this is meant for `shed`, and the service uses `shop`", None),
        ("overrides: shop\nlists: {coer: {add: [x]}}", "2:9", Code.UNKNOWN_LIST, "the catalogue has no list `coer`", "did you mean `core`?"),
        ("overrides: shop\nlists: {core: {remove: [id, nam]}}", "2:29", Code.UNKNOWN_LIST_ENTRY, "the list `core` does not hold `nam`", "did you mean `Name`?"),
        ("overrides: shop\nparameters: {idd: {alphabet: digits}}", "2:14", Code.UNKNOWN_PARAMETER, "no template has a parameter `idd`", "did you mean `id`?"),
        ("overrides: shop\npermissions: {read: Again}", "2:15", Code.DUPLICATE_NAME, "the catalogue has a permission `read` already", None),
        ("overrides: shop\noperations: {find-record: {also: []}}", "2:14", Code.UNKNOWN_OPERATION, "the catalogue has no operation `find-record`", "did you mean `find-records`?"),
        ("overrides: shop\nextra_operations: {sweep: {request: GET /s, requires: read}}", "2:20", Code.DUPLICATE_NAME, "the catalogue has an operation `sweep` already", "change it under `operations`, or choose another name"),
    ],
)  # fmt: skip
def test_a_change_of_what_is_not_there_is_found(
    changes: str, place: str, code: Code, message: str, advice: str | None
) -> None:
    found = only(findings(CATALOGUE, POLICY, overrides=changes))
    assert str(found.where) == f"local.yaml:{place}"
    assert (found.code, found.message, found.help) == (code, message, advice)


@pytest.mark.parametrize(
    ("request_line", "message"),
    [
        ("get /x", "`get /x` is not `METHOD /template`"),
        ("TRACE /x", "`TRACE /x` is not `METHOD /template`"),
        ("/x", "`/x` is not `METHOD /template`"),
        ("GET  /x", "`GET  /x` is not `METHOD /template`"),
        ("GET x", "`x` does not begin with `/`"),
        ("GET /x/", "`/x/` ends with `/`; one slash at the end is always accepted"),
    ],
)
def test_a_request_that_cannot_be_read_is_found(request_line: str, message: str) -> None:
    found = only(findings(CATALOGUE.replace("POST /sweep", f"'{request_line}'")))
    assert (found.code, found.message) == (Code.MALFORMED_REQUEST, message)


def test_a_description_that_no_template_uses_is_found() -> None:
    catalogue = CATALOGUE.replace("lists:", "parameters: {di: {}}\nlists:")
    found = only(findings(catalogue))
    assert (found.code, found.help) == (Code.UNKNOWN_PARAMETER, "did you mean `id`?")


def test_a_description_is_not_unused_because_its_operation_is_wrong() -> None:
    catalogue = CATALOGUE.replace("lists:", "parameters: {x: {}}\nlists:")
    wrong = catalogue.replace("POST /sweep, requires", "'POST /{x}', requiers")
    assert codes(findings(wrong)) == [Code.MISSING_KEY, Code.UNKNOWN_KEY]
    wrong = catalogue.replace("POST /sweep", "'post /{x}'")
    assert codes(findings(wrong)) == [Code.MALFORMED_REQUEST]
    extra = "overrides: shop\nextra_operations: {y: {request: 'GET /{x}', requires: 3}}"
    assert codes(findings(catalogue, POLICY, overrides=extra)) == [Code.WRONG_TYPE]


def test_an_exclusion_that_could_never_be_the_parameter_is_found() -> None:
    catalogue = CATALOGUE.replace("lists:", "parameters: {id: {except: [a.b, c]}}\nlists:")
    found = only(findings(catalogue))
    assert (found.code, found.message) == (
        Code.POINTLESS_RULE,
        "`a.b` is never this parameter anyway",
    )
