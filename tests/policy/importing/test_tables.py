"""Tables of operations."""

import pytest

from policy.entries import AnyOf
from policy.importing import NotDescribed, read_table
from tests.support.operations_table import TABLE, operations

HEAD = "method\tpath\toperation_id\tmode\tpermissions\tscopes\tauth\tdivision_hint\tstatus\n"


def row(**cells: str) -> str:
    usual = {"method": "GET", "path": "/a", "operation_id": "x", "mode": "ANY", "permissions": "p", "scopes": "s", "auth": "oauth", "division_hint": "", "status": ""}  # fmt: skip
    return "\t".join((usual | cells).values()) + "\n"


@pytest.mark.parametrize(
    ("cells", "needed", "scopes"),
    [
        ({}, AnyOf(any=("p",)), ("s",)),
        ({"mode": "ALL"}, "p", ("s",)),
        ({"permissions": "p,q"}, AnyOf(any=("p", "q")), ("s",)),
        ({"permissions": "p,q", "mode": "ALL"}, ("p", "q"), ("s",)),
        ({"permissions": "", "mode": "NONE"}, "authenticated", ("s",)),
        ({"mode": "any"}, "nobody", ("s",)),
        ({"auth": "none"}, "nobody", ()),
        ({"auth": "guest-chat-jwt"}, "nobody", ()),
        (
            {"auth": "unknown", "scopes": "", "status": "preview,noscope"},
            AnyOf(any=("p",)),
            ("unpublished",),
        ),
        ({"scopes": ""}, AnyOf(any=("p",)), ()),
    ],
)
def test_a_line_is_an_operation(
    cells: dict[str, str], needed: object, scopes: tuple[str, ...]
) -> None:
    (found,) = read_table(HEAD + row(**cells), "t.tsv").operations
    assert (found.requires, found.scopes) == (needed, scopes)


def test_what_is_removed_upstream_is_left_out_unless_it_is_wanted() -> None:
    text = HEAD + row() + row(path="/b", operation_id="y", status="removed")
    found = read_table(text, "t.tsv")
    assert [each.name for each in found.operations] == ["x"]
    assert found.notes == ("1 operations are marked as removed; left out",)
    assert len(read_table(text, "t.tsv", with_removed=True).operations) == 2


def test_a_line_of_another_length_is_left_out_and_told() -> None:
    found = read_table(HEAD + row() + "GET\t/b\n\r\n", "t.tsv")
    assert len(found.operations) == 1
    assert found.notes == ("line 3 has 2 cells instead of 9; left out",)


@pytest.mark.parametrize("text", ["", "a\tb\n", "method\tpath\n", HEAD])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(NotDescribed):
        read_table(text, "t.tsv")


def test_the_published_table_is_read_whole() -> None:
    rows = operations()
    found = read_table(TABLE.read_text(encoding="utf-8"), TABLE.name, with_removed=True)
    assert found.notes == ()
    by_request = {(each.method, each.template): each for each in found.operations}
    assert by_request.keys() == {(row.method, row.path) for row in rows}
    closed = {each.name for each in found.operations if each.requires == "nobody"}
    assert closed == {row.operation_id for row in rows if row.auth not in {"oauth", "unknown"}}
    assert len(closed) == 45
    assert sum(each.is_open for each in found.operations) == 33
    assert len(found.permissions) == 1466
