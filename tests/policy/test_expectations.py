"""An expectation that could not fail, or that leads nowhere, is found, with its place and help."""

import pytest

from policy import ANONYMOUS, Code
from policy.analysis import Allowed, AnsweredBy, Denied, expectations_of
from policy.decision import Missing
from tests.support.expectations import SHOP, found_in, read
from tests.support.policies import codes, only


def with_line(line: str, callers: str = "{}") -> str:
    return f"callers: {callers}\nexpect:\n  - {line}\n"


# --- what is read ------------------------------------------------------------------------------


def test_a_line_expects_something_of_each_of_its_callers() -> None:
    expectations, findings = read("""\
        callers:
          reader: {roles: [reader]}
          boss: {user: ann, claims: [shop-admins]}
        expect:
          - name: reading
            request: GET /records?details=1
            route: find-records
            allow: [boss]
            deny: {reader: [detail], bob: [detail], anonymous: not-authenticated}
            because: [query has `details`]
    """)
    assert not findings
    assert [(each.who, each.expected) for each in expectations] == [
        ("", AnsweredBy("find-records")),
        ("boss", Allowed(("query has `details`",))),
        ("reader", Denied("permission-missing", Missing(("detail",)))),
        ("bob", Denied("permission-missing", Missing(("detail",)))),
        ("anonymous", Denied("not-authenticated")),
    ]
    boss, anonymous = expectations[1].caller, expectations[-1].caller
    assert (boss.subject, boss.claims) == ("ann", {"shop-admins"})
    assert anonymous == ANONYMOUS
    assert {each.request for each in expectations} == {"GET /records?details=1"}
    assert [str(each.where) for each in expectations[:3]] == [
        "tests.yaml:7:12", "tests.yaml:8:13", "tests.yaml:9:12",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "missing"),
    [
        ("read", Missing(("read",))),
        ("[read, write]", Missing(("read", "write"))),
        ("{any: [write, admin]}", Missing((), (("write", "admin"),))),
        ("[read, {any: [write, admin]}]", Missing(("read",), (("write", "admin"),))),
        ("{all: [read, write]}", Missing(("read", "write"))),
        ("{any: [read]}", Missing(("read",))),
    ],
)
def test_missing_permissions_are_written_as_an_operation_requires_them(
    written: str, missing: Missing
) -> None:
    expectations, findings = read(with_line(f"{{request: GET /x, deny: {{ann: {written}}}}}"))
    assert not findings
    assert expectations[0].expected == Denied("permission-missing", missing)


def test_a_caller_may_have_a_name_that_no_policy_knows() -> None:
    line = "{request: GET /x, deny: {me: no-route}}"
    expectations, findings = read(with_line(line, "{me: {subject: agent-7, roles: [reader]}}"))
    assert not findings
    assert expectations[0].caller.subject == "agent-7"


def test_the_files_are_read_in_their_order() -> None:
    assert expectations_of(SHOP, []) == ((), ())


# --- what leads nowhere ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "said", "advice"),
    [
        (
            with_line("{request: GET /x, allow: [anne]}"),
            Code.UNKNOWN_CALLER,
            "nobody is called `anne`",
            "did you mean `ann`?",
        ),
        (
            with_line("{request: GET /x, deny: {anonymus: no-route}}"),
            Code.UNKNOWN_CALLER,
            "nobody is called `anonymus`",
            "did you mean `anonymous`?",
        ),
        (
            with_line("{request: GET /x, allow: [writer]}"),
            Code.UNKNOWN_CALLER,
            "nobody is called `writer`",
            "for the role, describe a caller: `writer: {roles: [writer]}`",
        ),
        (
            with_line("{request: GET /x, allow: [r]}", "{r: {roles: [raeder]}}"),
            Code.UNKNOWN_ROLE,
            "no policy file defines the role `raeder`",
            "did you mean `reader`?",
        ),
        (
            with_line("{request: GET /x, allow: [r]}", "{r: {user: anne}}"),
            Code.UNKNOWN_USER,
            "no policy file names the user `anne`",
            "did you mean `ann`?",
        ),
        (
            with_line("{request: GET /x, allow: [r]}", "{r: {claims: [shop-admin]}}"),
            Code.UNKNOWN_CLAIM,
            "no policy file maps the claim `shop-admin`",
            "did you mean `shop-admins`?",
        ),
        (
            with_line("{request: GET /x, route: read-records}"),
            Code.UNKNOWN_OPERATION,
            "no catalogue has an operation `read-records`",
            "did you mean `read-record`?",
        ),
        (
            with_line("{request: GET /x, deny: {ann: [raed]}}"),
            Code.UNKNOWN_PERMISSION,
            "no catalogue knows the permission `raed`",
            "did you mean `read`?",
        ),
        (
            with_line("{request: GET /x, deny: {ann: [read, {any: [Read Details]}]}}"),
            Code.UNKNOWN_PERMISSION,
            "no catalogue knows the permission `Read Details`",
            "this is what people see; the permission's name is `detail`",
        ),
        (
            with_line("{request: GET /x, deny: {ann: no-rout}}"),
            Code.UNKNOWN_PERMISSION,
            "`no-rout` is neither a reason nor a permission",
            "did you mean `no-route`?",
        ),
        (
            with_line("{request: GET /x, deny: {ann: raed}}"),
            Code.UNKNOWN_PERMISSION,
            "`raed` is neither a reason nor a permission",
            "did you mean `read`?",
        ),
        (
            with_line("{request: GET /x, deny: {ann: permitted}}"),
            Code.UNKNOWN_PERMISSION,
            "`permitted` is neither a reason nor a permission",
            None,
        ),
        (
            with_line("{request: GET /x, allow: [ann], because: [query has details]}"),
            Code.UNKNOWN_CONDITION,
            "no operation has a condition or guard `query has details`",
            "did you mean `query has `details``?",
        ),
        (
            with_line("{request: GET /x, allow: [ann]}", "{r: {roles: [reader]}}"),
            Code.CALLER_UNUSED,
            "no line expects anything of the caller `r`",
            "name it in a line, or take it out",
        ),
        (
            with_line("{request: GET /x, allow: [ann], deny: {ann: no-route}}"),
            Code.CONTRADICTION,
            "`ann` is expected to be allowed and to be denied",
            "it is allowed at tests.yaml:3:31",
        ),
        (
            with_line("{request: GET /x, allow: [ann, ann]}"),
            Code.DUPLICATE_NAME,
            "`ann` is allowed twice",
            None,
        ),
        (
            with_line("{request: GET /x, allow: [ann]}", "{ann: {roles: [chief]}}"),
            Code.DUPLICATE_NAME,
            "`ann` is a user of the policy, and here somebody else",
            "choose another name",
        ),
        (
            with_line("{request: GET /x, allow: [anonymous]}", "{anonymous: {roles: [chief]}}"),
            Code.RESERVED_NAME,
            "`anonymous` is whoever has no credentials",
            "choose another name",
        ),
        (
            with_line("{request: GET /x, deny: {ann: [read]}, because: []}"),
            Code.POINTLESS_RULE,
            "`because` says nothing of a request that lacks a permission",
            "name an allowed caller as well, or take `because` out",
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_found(
    text: str, code: Code, said: str, advice: str | None
) -> None:
    finding = only(found_in(text))
    assert finding.code is code
    assert finding.message.startswith(said)
    assert finding.help == advice


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("callers: {}", Code.MISSING_KEY, "1:1"),
        ("expect: []", Code.EMPTY_VALUE, "1:9"),
        ("", Code.YAML_EMPTY, "1:1"),
        ("expect: [{request: GET /x}]", Code.EMPTY_VALUE, "1:10"),
        ("expect: [{allow: [ann]}]", Code.MISSING_KEY, "1:10"),
        ("expect: [{request: GET, allow: [ann]}]", Code.MALFORMED_REQUEST, "1:20"),
        ("expect: [{request: GET  /x, allow: [ann]}]", Code.MALFORMED_REQUEST, "1:20"),
        ("expect: [{request: GET /x y, allow: [ann]}]", Code.MALFORMED_REQUEST, "1:20"),
        ("expect: [{request: GET /x, allow: ann}]", Code.WRONG_TYPE, "1:35"),
        ("expect: [{request: GET /x, deny: [ann]}]", Code.WRONG_TYPE, "1:34"),
        ("expect: [{request: GET /x, deny: {ann: []}}]", Code.EMPTY_VALUE, "1:40"),
        ("expect: [{request: GET /x, deny: {ann: 7}}]", Code.WRONG_TYPE, "1:40"),
        ("expect: [{request: GET /x, deny: {ann: }}]", Code.WRONG_TYPE, "1:40"),
        ("expect: [{request: GET /x, allow: [ann], body: [1]}]", Code.WRONG_TYPE, "1:48"),
        ("expect: [{request: GET /x, allow: [ann], body: }]", Code.WRONG_TYPE, "1:48"),
        ("expect: [{request: GET /x, allow: [ann], because: }]", Code.WRONG_TYPE, "1:51"),
        ("expect: [{request: GET /x, allow: [ann], alow: [b]}]", Code.UNKNOWN_KEY, "1:42"),
        ("{callers: {a: {}}, expect: [{request: GET /x, allow: [a]}]}", Code.EMPTY_VALUE, "1:15"),
        (
            "{callers: {a: {user: ann, subject: b}}, expect: [{request: GET /x, allow: [a]}]}",
            Code.BAD_VALUE,
            "1:15",
        ),
    ],
)
def test_a_wrong_shape_is_found_at_its_place(text: str, code: Code, place: str) -> None:
    finding = only(found_in(text))
    assert (finding.code, str(finding.where)) == (code, f"tests.yaml:{place}")


def test_a_list_under_deny_is_told_what_it_lacks() -> None:
    finding = only(found_in(with_line("{request: GET /x, deny: [ann]}")))
    assert finding.message == "`deny` says of every caller why"
    assert finding.help == "write `{caller: [permission, …]}`, or `{caller: reason}`"


def test_what_was_left_out_as_wrong_makes_no_further_findings() -> None:
    text = """\
        callers: {a: {roles: reader}, b: {roles: [reader]}}
        expect:
          - {request: GET /records, allow: [a, b]}
    """
    assert codes(found_in(text)) == [Code.WRONG_TYPE]
    text = """\
        callers: {a: {roles: [reader]}}
        expect:
          - {request: GET /records, allow: [ann]}
          - {request: GET /records, allow: [a], nonsense: 1}
    """
    assert codes(found_in(text)) == [Code.UNKNOWN_KEY]
    text = """\
        callers: {a: {roles: [reader]}}
        expect:
          - {request: GET /records, allow: [ann], allow: [a]}
    """
    assert codes(found_in(text)) == [Code.DUPLICATE_KEY]


def test_everything_that_is_wrong_is_found_at_once() -> None:
    text = """\
        callers: {a: {roles: [raeder]}, b: {claims: [nobody]}}
        expect:
          - {request: GET /x, allow: [anne]}
          - {request: GET /x, route: nothing, deny: {ann: [raed]}}
    """
    assert codes(found_in(text)) == [
        Code.CALLER_UNUSED, Code.UNKNOWN_ROLE, Code.CALLER_UNUSED, Code.UNKNOWN_CLAIM,
        Code.UNKNOWN_CALLER, Code.UNKNOWN_OPERATION, Code.UNKNOWN_PERMISSION,
    ]  # fmt: skip
