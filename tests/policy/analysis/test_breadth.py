"""Lines of roles that open more than they look like."""

import pytest

import policy
from policy import Code, Severity
from policy.analysis import lint
from tests.support.policies import document


def catalogue(*operations: str) -> str:
    """Each operation is `METHOD permission [scopes [title]]`."""
    names: dict[str, None] = {}
    lines = []
    for number, operation in enumerate(operations):
        method, permission, *more = operation.split(" ", 3)
        names[permission] = None
        scopes = f", scopes: [{more[0]}]" if more and more[0] != "-" else ""
        title = f", title: {more[1]}" if len(more) > 1 else ""
        lines.append(
            f"  op{number}: {{request: '{method} /o{number}/{{x}}', requires: '{permission}'"
            f"{scopes}{title}}}"
        )
    known = ", ".join(f"'{name}': {name.replace(':', ' ')}" for name in names)
    head = f"catalogue: cloud\npermissions: {{{known}}}\nscopes: [t, 't:readonly']\noperations:\n"
    return head + "\n".join(lines)


def told(text: str, *lines: str, enabled: str = "true") -> list[tuple[Code, str, str | None]]:
    listed = ", ".join(f"'{line}'" for line in lines)
    role = f"roles: {{watch: {{enabled: {enabled}, permissions: [{listed}]}}}}\nusers: {{a: {{roles: [watch]}}}}"
    loaded = document(text, role)
    found = lint(loaded, policy.compile(loaded))
    kinds = {Code.WILDCARD_PERMISSION, Code.BROAD_PERMISSION}
    assert all(each.severity is Severity.WARNING for each in found if each.code in kinds)
    return [(each.code, each.message, each.help) for each in found if each.code in kinds]


WRITES = ["POST edge:plugin:all t"] * 26


def test_a_permission_that_opens_many_writes_is_told_with_their_number() -> None:
    text = catalogue(*WRITES, "GET edge:plugin:all t", "POST edge:plugin:all t:readonly")
    assert told(text, "edge:plugin:all") == [
        (
            Code.BROAD_PERMISSION,
            "`edge:plugin:all` opens 28 operations, 27 of them writes (1 of these only read)",
            "clients without the scope `t` are kept from them by `use_scopes`",
        )
    ]


def test_as_many_as_a_program_may_need_are_not_told() -> None:
    assert told(catalogue(*WRITES[1:]), "edge:plugin:all") == []


@pytest.mark.parametrize(
    "reading", ["POST edge:plugin:all t:readonly", "POST edge:plugin:all - Query"]
)
def test_reads_by_post_are_no_writes(reading: str) -> None:
    assert told(catalogue(*[reading] * 40), "edge:plugin:all") == []


def test_where_some_write_takes_no_scope_scopes_keep_nobody_out() -> None:
    ((_, _, advice),) = told(catalogue(*WRITES, "PUT edge:plugin:all"), "edge:plugin:all")
    assert advice == "grant something narrower, if there is anything"


def test_a_pattern_is_told_with_what_it_stands_for_and_opens() -> None:
    text = catalogue("DELETE edge:station:a", "GET edge:station:b", "POST edge:other:c")
    assert told(text, "edge:station:*") == [
        (
            Code.WILDCARD_PERMISSION,
            (
                "`edge:station:*` stands for 2 permissions today and for those that come;"
                " it opens 2 operations, 1 of them writes"
            ),
            "name each permission by itself, if no more is meant",
        )
    ]
    assert told(text, "Edge > Station > All Permissions")[0][1].startswith(
        "`Edge > Station > All Permissions` stands for 2 permissions"
    )


def test_what_a_permission_opens_only_together_with_another_does_not_count() -> None:
    text = catalogue("PUT a:b:c", "PUT a:b:d").replace(
        "requires: 'a:b:d'", "requires: ['a:b:d', 'a:b:c']"
    )
    assert "opens 1 operation, 1 of them" in told(text, "a:*:c")[0][1]
    assert "opens 2 operations, 2 of them" in told(text, "a:b:*")[0][1]


def test_a_role_that_is_off_opens_nothing() -> None:
    assert told(catalogue("PUT a:b:c"), "a:b:*", enabled="false") == []
