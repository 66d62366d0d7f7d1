"""What is allowed to be in a policy and hardly meant is told, at its place, with its reason."""

import pytest

import policy
from policy import Code, Diagnostic, Severity
from policy.analysis import Openings, lint
from tests.support.policies import CATALOGUE, POLICY, document, only, spec, table


def lints(
    catalogue: str = CATALOGUE,
    roster: str = POLICY,
    *,
    overrides: str | None = None,
    switches: tuple[str, ...] = (),
) -> list[Diagnostic]:
    """What is found besides what is found in the sound pair."""
    given = document(catalogue, roster, overrides=overrides, service=spec(switches=switches))
    return list(lint(given, policy.compile(given)))


def found(code: Code, *args: str, **kwargs: str) -> Diagnostic:
    """The one finding of this code; it is a warning."""
    finding = only(tuple(each for each in lints(*args, **kwargs) if each.code is code))
    assert finding.severity is Severity.WARNING
    return finding


def test_a_sound_policy_gives_no_finding() -> None:
    assert lints() == []


def test_a_permission_that_no_operation_needs_is_told_with_who_has_it_in_vain() -> None:
    catalogue = CATALOGUE.replace("admin: Administer}", "admin: Administer, idle: Idle}")
    finding = found(Code.PERMISSION_UNUSED, catalogue, POLICY.replace("[read]", "[read, idle]"))
    assert str(finding.where) == "shop.yaml:2:98"
    assert finding.message == "no operation needs the permission `idle`; `reader` has it in vain"


def test_a_permission_that_only_a_switch_asks_for_is_not_idle() -> None:
    catalogue = CATALOGUE.replace("admin: Administer}", "admin: Administer, late: Late}").replace(
        "{switch: careful, requires: admin}", "{switch: careful, requires: [admin, late]}"
    )
    assert Code.PERMISSION_UNUSED not in {each.code for each in lints(catalogue)}


def test_a_permission_that_is_needed_and_never_granted_is_told_with_what_needs_it() -> None:
    roster = POLICY.replace("[read, write, detail, admin]", "[read, write, admin]")
    finding = found(Code.PERMISSION_NOT_GRANTED, CATALOGUE, roster)
    assert str(finding.where) == "shop.yaml:2:57"
    assert "`detail`, which `find-records` and `change-record` may need" in finding.message


def test_a_role_that_nobody_has_is_told_unless_it_is_switched_off() -> None:
    finding = found(
        Code.ROLE_UNASSIGNED, CATALOGUE, POLICY.replace("shop-admins: [chief]", "x: [reader]")
    )
    assert (str(finding.where), "`chief`" in finding.message) == ("policy-1.yaml:4:3", True)
    off = POLICY.replace("shop-admins: [chief]", "x: [reader]").replace(
        "chief: {", "chief: {enabled: false, "
    )
    assert Code.ROLE_UNASSIGNED not in {each.code for each in lints(CATALOGUE, off)}


def test_two_roles_that_grant_the_same_are_told_and_which() -> None:
    roster = POLICY.replace("users:", "  looker: {permissions: [read]}\nusers:").replace(
        "[writer]", "[writer, looker]"
    )
    finding = found(Code.ROLE_DUPLICATE, CATALOGUE, roster)
    assert str(finding.where) == "policy-1.yaml:5:3"
    assert finding.message == "the role `looker` grants exactly what `reader` grants"
    assert "policy-1.yaml:2:3" in str(finding.help)


def test_a_role_that_only_includes_another_is_a_second_name_and_fine() -> None:
    roster = POLICY.replace("users:", "  looker: {includes: [reader]}\nusers:").replace(
        "[writer]", "[writer, looker]"
    )
    assert lints(CATALOGUE, roster) == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("users:\n  zoe: {}\n", "user"),
        ("groups:\n  none: {roles: []}\n", "group"),
        ("claims:\n  nothing: []\n", "claim"),
    ],
)
def test_who_is_given_no_role_is_told(line: str, kind: str) -> None:
    given = document(CATALOGUE, POLICY, line)
    finding = only(lint(given, policy.compile(given)))
    assert (finding.code, str(finding.where)) == (Code.ASSIGNMENT_EMPTY, "policy-2.yaml:2:3")
    assert finding.message.startswith(f"the {kind} ")


def test_somebody_with_a_role_that_is_off_is_not_told() -> None:
    roster = POLICY.replace("users:", "  old: {enabled: false}\nusers:\n  zoe: {roles: [old]}")
    assert lints(CATALOGUE, roster) == []


def test_an_operation_behind_closer_ones_is_told_with_them() -> None:
    more = "  any: {request: 'GET /k/{kind}', requires: read}\n"
    more += "".join(
        f"  k{n}: {{request: 'GET /k/{{d{n}}}', requires: read}}\n" for n in range(1, 2)
    )
    more += "parameters: {kind: {alphabet: digits, max_length: 1}, d1: {alphabet: digits, max_length: 1, except: ['0']}}\n"
    zero = "  zero: {request: GET /k/0, requires: read}\n"
    finding = found(Code.OPERATION_SHADOWED, CATALOGUE + zero + more)
    assert finding.message == "no request reaches `any` (GET /k/{kind})"
    assert finding.help == "what it would answer is taken by `zero` and `k1`, which are closer"


def test_an_operation_whose_parameter_fits_nothing_is_told() -> None:
    digits = ", ".join(f"'{digit}'" for digit in range(10))
    more = "  lost: {request: 'GET /k/{kind}', requires: read}\n"
    more += f"parameters: {{kind: {{alphabet: digits, max_length: 1, except: [{digits}]}}}}\n"
    finding = found(Code.OPERATION_SHADOWED, CATALOGUE + more)
    assert finding.help == "no path fits its parameters; look at their `alphabet` and `except`"


def test_an_operation_that_only_an_unassigned_role_opens_is_told_with_that_role() -> None:
    catalogue = CATALOGUE.replace("any: [write, admin]", "all: [write, admin]")
    roster = POLICY.replace("shop-admins: [chief]", "shop-admins: [writer]")
    finding = found(Code.OPERATION_UNASSIGNED, catalogue, roster)
    assert finding.message == "nobody who is assigned anything may call `sweep` of `shop`"
    assert finding.help == "`admin` is granted by `chief`, which nobody has"


def test_a_condition_on_an_empty_list_never_fires() -> None:
    catalogue = CATALOGUE.replace("query_has: [details]", "query_value_in: {key: none}").replace(
        "{core: [id, Name]}", "{core: [id, Name], none: []}"
    )
    finding = found(Code.CONDITION_NEVER_FIRES, catalogue)
    assert str(finding.where) == "shop.yaml:10:9"
    assert finding.message == (
        "no request to `find-records` can meet the condition: query value of `key` is among `none`"
    )


def test_a_rule_that_asks_for_what_is_needed_anyway_is_told() -> None:
    catalogue = CATALOGUE.replace("[details]}, requires: detail", "[details]}, requires: read")
    finding = found(Code.RULE_REDUNDANT, catalogue)
    assert str(finding.where) == "shop.yaml:10:9"
    assert finding.message == "this asks for nothing that `find-records` does not need anyway"


@pytest.mark.parametrize(
    ("guards", "column"),
    [
        ("{body_value_equals_caller: Who}, {body_value_equals_caller: WHO}", 89),
        ("{body_values_are_records_outside: [a]}, {body_values_are_records_outside: [a, b]}", 96),
    ],
)
def test_a_guard_that_refuses_only_what_another_refuses_is_told(guards: str, column: int) -> None:
    finding = found(
        Code.GUARD_REDUNDANT,
        f"{CATALOGUE}  guarded: {{request: PUT /k, requires: write, guards: [{guards}]}}\n",
    )
    assert (finding.where.line, finding.where.column) == (26, column)
    assert finding.message.startswith("whatever this guard of `guarded` refuses is refused anyway")


def test_guards_that_each_refuse_something_of_their_own_are_fine() -> None:
    guards = "{body_value_equals_caller: Who}, {body_values_are_records_outside: [a]}"
    text = f"{CATALOGUE}  guarded: {{request: PUT /k, requires: write, guards: [{guards}]}}\n"
    assert lints(text) == []


@pytest.mark.parametrize("title", ["Read records", "Records viewer", "Quarterly report"])
def test_a_role_that_says_it_reads_and_writes_is_told_with_how_much(title: str) -> None:
    roster = POLICY.replace("writer: {", f"writer: {{title: {title}, ")
    finding = found(Code.ROLE_BROADER_THAN_TITLE, CATALOGUE, roster)
    assert str(finding.where) == "policy-1.yaml:3:3"
    assert finding.message == (
        f"the role `writer` is called `{title}`, and 3 of the 5 operations it opens write:"
        " `change-record`, `own-record` and `sweep`"
    )


@pytest.mark.parametrize("title", ["Read and edit records", "Administer reports", "Desk"])
def test_a_title_that_speaks_of_writing_or_not_of_reading_is_fine(title: str) -> None:
    assert lints(CATALOGUE, POLICY.replace("writer: {", f"writer: {{title: {title}, ")) == []


@pytest.mark.parametrize("name", ["query-all", "listThings", "search_records"])
def test_a_post_that_says_it_reads_is_no_write(name: str) -> None:
    assert lints(f"{CATALOGUE}  {name}: {{request: POST /query, requires: read}}\n") == []


def test_a_post_is_a_write_whatever_else_its_title_says() -> None:
    finding = found(
        Code.ROLE_BROADER_THAN_TITLE,
        f"{CATALOGUE}  x: {{title: Delete query, request: POST /query, requires: read}}\n",
    )
    assert "`reader`" in finding.message


def test_what_a_role_opens_is_counted() -> None:
    compiled = table()
    openings = Openings(compiled)
    assert openings.counts(compiled.roles["reader"]) == (2, 0)
    assert openings.counts(compiled.roles["writer"]) == (5, 3)


OVERRIDES = "overrides: shop\n"


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ("operations: {change-record: {requires: read}}", "2:14", "no longer needs `write`"),
        ("operations: {change-record: {requires: authenticated}}", "2:14", "no longer needs `write`"),
        ("operations: {change-record: {requires: public, also: []}}", "2:14", "is now open to everybody"),
        ("operations: {change-record: {also: []}}", "2:14", "no longer needs `detail`"),
        ("operations: {change-record: {requires: {any: [write, read]}}}", "2:14", "no longer needs `write`"),
        ("operations: {own-record: {guards: []}}", "2:14", "was refused to everybody: body `id` must be"),
        ("lists: {core: {add: [Phone]}}", "2:9", "no longer needs `detail`"),
        ("extra_operations: {open: {request: GET /open, requires: public}}", "2:20", "is now open to everybody"),
        ("extra_operations: {one: {request: GET /records/1, requires: authenticated}}", "2:20", "no longer needs `read`"),
    ],
)  # fmt: skip
def test_an_override_that_opens_more_than_was_shipped_is_told_with_a_request(
    change: str, place: str, reason: str
) -> None:
    finding = found(Code.OVERRIDE_WEAKENS, overrides=f"{OVERRIDES}{change}\n")
    assert str(finding.where) == f"local.yaml:{place}"
    assert finding.help is not None
    assert reason in finding.help


@pytest.mark.parametrize(
    "change",
    [
        "operations: {change-record: {requires: [write, read]}}",
        "operations: {sweep: {requires: write}}",
        "lists: {core: {remove: [Name]}}",
        "extra_operations: {more: {request: GET /more, requires: read}}",
        "permissions: {extra: Extra}\noperations: {sweep: {requires: [write, extra]}}",
    ],
)
def test_an_override_that_asks_for_more_or_adds_is_fine(change: str) -> None:
    codes = {each.code for each in lints(overrides=f"{OVERRIDES}{change}\n")}
    assert Code.OVERRIDE_WEAKENS not in codes


def test_the_help_of_an_override_is_a_request_that_can_be_sent() -> None:
    finding = found(
        Code.OVERRIDE_WEAKENS, overrides=f"{OVERRIDES}lists: {{core: {{add: [Phone]}}}}"
    )
    assert finding.help == '`PUT /records/1 {"Phone": "(somebody)"}` no longer needs `detail`'


def test_names_that_differ_only_by_case_are_told_so() -> None:
    roster = POLICY.replace("\ngroups:", "\n  Ann: {roles: [reader]}\ngroups:")
    finding = found(Code.LOOK_ALIKE_NAME, CATALOGUE, roster)
    assert finding.message == "the user `Ann` differs from the user `ann` only by case"
