"""What is wrong with a file of assertions is told with its place; nothing holds for want of meaning."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import Code
from tests.support.policies import CATALOGUE, table
from tests.support.proofs import codes, faults, verdict

SHOP = table()


def fault(assertion: str) -> tuple[Code, str, str | None]:
    """The only finding: its code, its column and message, its help."""
    (found,) = faults(SHOP, f"assertions:\n  it: {assertion}\n")
    assert found.where.line == 2
    return found.code, f"{found.where.column} {found.message}", found.help


@pytest.mark.parametrize(
    ("assertion", "said"),
    [
        ("{only: {roles: chief}, can: sweep}", "3 `title` is missing"),
        ("{title: t, can: sweep}", "7 an assertion has one of `only`, `never` and `always`"),
        (
            "{title: t, only: authenticated, never: anyone, can: sweep}",
            "7 an assertion has one of `only`, `never` and `always`",
        ),
        ("{title: t, never: anyone}", "7 an assertion has one of `can`, `hold` and `can_both`"),
        (
            "{title: t, never: anyone, can: sweep, hold: read}",
            "7 an assertion has one of `can`, `hold` and `can_both`",
        ),
        ("{title: t, never: anyone, can_both: [sweep]}", "7 `can_both` names two things"),
        ("{title: t, never: {}, can: sweep}", "25 nobody is named here"),
        ("{title: t, never: anyone, can: {}}", "38 nothing is named here"),
        ("{title: t, never: anyone, can: }", "38 nothing is given here"),
        ("{title: t, never: [a], can: sweep}", None),
        ("{title: t, never: anyone, can: 3}", None),
        ("{title: t, never: anyone, can: {methods: PUSH}}", None),
        ("{title: t, never: anyone, can: {methods: HEAD}}", None),
        ("{title: t, never: anyone, can: {body: {}}}", "38 a body without its request"),
        (
            "{title: t, never: anyone, can: {request: GET /, methods: reads}}",
            "38 one request is named; what else is here cannot narrow it",
        ),
        ("{title: t, only: anyone, can: sweep}", "7 `only: anyone` holds whatever the policy says"),
        (
            "{title: t, always: anyone, can_both: [health, sweep]}",
            "7 `can_both` says nothing with `always`",
        ),
        (
            "{title: t, always: anyone, can: health, claims: alone}",
            "7 `claims` says nothing with `always`: what is added never takes away",
        ),
    ],
)
def test_an_assertion_that_is_none_is_found_where_it_stands(
    assertion: str, said: str | None
) -> None:
    code, message, _ = fault(assertion)
    assert said is None or message == said
    assert code in {
        Code.MISSING_KEY, Code.BAD_VALUE, Code.EMPTY_VALUE, Code.WRONG_TYPE, Code.UNKNOWN_VALUE,
        Code.POINTLESS_RULE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("assertion", "code", "said", "advice"),
    [
        ("only: {roles: [chief, cheif]}, can: sweep", Code.UNKNOWN_ROLE, "cheif", "chief"),
        ("never: {groups: dsk}, can: sweep", Code.UNKNOWN_GROUP, "dsk", "desk"),
        ("never: {users: anm}, can: sweep", Code.UNKNOWN_USER, "anm", "ann"),
        ("never: {claims: shop-admin}, can: sweep", Code.UNKNOWN_CLAIM, "shop-admin", "shop-admins"),
        ("never: anyone, can: swep", Code.UNKNOWN_OPERATION, "swep", "sweep"),
        ("never: anyone, can: [sweep, swep]", Code.UNKNOWN_OPERATION, "swep", "sweep"),
        ("never: anyone, can: {operations: swep}", Code.UNKNOWN_OPERATION, "swep", "sweep"),
        ("never: anyone, can: {services: shpo}", Code.UNKNOWN_SERVICE, "shpo", "shop"),
        ("never: anyone, can: {needs: [reed]}", Code.UNKNOWN_PERMISSION, "reed", "read"),
        ("never: anyone, hold: wriet", Code.UNKNOWN_PERMISSION, "wriet", "write"),
        ("never: anyone, can: {paths: /swepe}", Code.NOTHING_MEANT, "/swepe", "/sweep"),
        (
            "never: anyone, can: {when: {body_has_keys: croe}}",
            Code.UNKNOWN_LIST, "croe", "core",
        ),
        ("never: anyone, can_both: [sweep, swep]", Code.UNKNOWN_OPERATION, "swep", "sweep"),
    ],
)  # fmt: skip
def test_a_name_that_leads_nowhere_is_found_with_the_nearest(
    assertion: str, code: Code, said: str, advice: str
) -> None:
    found, message, help_ = fault(f"{{title: t, {assertion}}}")
    line = f"  it: {{title: t, {assertion}}}"
    assert found is code
    assert message.startswith(f"{line.rindex(said) + 1} ")
    assert message.endswith(f"`{said}`")
    assert help_ == f"did you mean `{advice}`?"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("{methods: DELETE}", "no request is meant: nothing is all of this at once"),
        ("{operations: whoami, needs: read}", "no request is meant: nothing is all of this at once"),
        (
            "{operations: [sweep, whoami], methods: writes}",
            "no request of `whoami` is all of this at once",
        ),
        (
            "{operations: [find-records, read-record], needs: detail}",
            "no request of `read-record` is all of this at once",
        ),
        (
            "{request: POST /nowhere}",
            "no operation answers `POST /nowhere`, so it is denied to everybody",
        ),
    ],
)  # fmt: skip
def test_what_means_no_request_is_no_assertion(what: str, said: str) -> None:
    code, message, _ = fault(f"{{title: t, never: anyone, can: {what}}}")
    assert (code, message.partition(" ")[2]) == (Code.NOTHING_MEANT, said)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("GET", Code.MALFORMED_REQUEST),
        ("get /records", Code.MALFORMED_REQUEST),
        ("TRACE /records", Code.MALFORMED_REQUEST),
        ("GET /records//1", Code.MALFORMED_REQUEST),
        ("PUT /records/1", Code.MISSING_KEY),
    ],
)
def test_one_request_must_be_one_that_can_be_decided(request_: str, code: Code) -> None:
    found, message, _ = fault(f"{{title: t, never: anyone, can: {{request: {request_}}}}}")
    assert found is code
    assert message.startswith("48 ")


def test_a_request_without_a_body_is_one_where_bodies_are_optional() -> None:
    optional = table(
        CATALOGUE.replace("PUT /records/{id}\n", "PUT /records/{id}\n    body: optional\n")
    )
    found = verdict("{only: {roles: [writer, chief]}, can: {request: PUT /records/1}}", optional)
    assert found.holds


def test_a_body_in_which_two_keys_are_one_is_found() -> None:
    what = "{request: PUT /records/1, body: {Name: a, name: b}}"
    code, message, _ = fault(f"{{title: t, never: anyone, can: {what}}}")
    assert (code, message) == (Code.DUPLICATE_KEY, "80 `name` and `Name` are the same key")


OWNED = """
overrides: shop
operations:
  sweep: {guards: [{body_value_equals_caller: agent}]}
"""


def test_a_body_that_names_its_sender_says_so() -> None:
    owned = table(overrides=OWNED)
    own = "{request: POST /sweep, body: {agent: (the caller)}}"
    assert verdict(f"{{always: {{users: ann}}, can: {own}}}", owned).holds
    named = "assertions: {it: {title: t, never: anyone, can: {request: POST /sweep, body: {agent: ann}}}}"
    (found,) = faults(owned, named)
    assert found.code is Code.BAD_VALUE
    assert found.message == "what becomes of it depends on whether the caller is called `ann`"
    assert found.help == "write `(the caller)` for the name of whoever sends it"


def test_a_name_stands_for_one_assertion_in_all_files() -> None:
    one = "assertions: {it: {title: t, never: anonymous, can: sweep}}"
    (found,) = faults(SHOP, one, one)
    assert (found.code, str(found.where)) == (Code.DUPLICATE_NAME, "proofs-2.yaml:1:14")
    assert found.help == "the first one is at proofs-1.yaml:1:14"


def test_every_finding_of_every_file_is_told_at_once() -> None:
    found = faults(
        SHOP,
        "assertions: {a: {title: t, never: {roles: x, users: y}, can: z}}",
        "assertions: {b: {title: t, never: anyone}}",
        "assertions: [",
    )
    assert codes(found) == [
        Code.UNKNOWN_ROLE, Code.UNKNOWN_USER, Code.UNKNOWN_OPERATION, Code.BAD_VALUE,
        Code.YAML_SYNTAX,
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "assertions: {}", "assertions: []", "[]", "roles: {}"])
def test_a_file_without_an_assertion_is_a_fault(text: str) -> None:
    assert faults(SHOP, text) != ()


# --- whatever the file holds -------------------------------------------------------------------

WORDS = [
    "assertions", "title", "only", "never", "always", "can", "hold", "can_both", "claims", "roles",
    "groups", "users", "operations", "methods", "services", "paths", "needs", "when", "request",
    "body", "anyone", "anonymous", "authenticated", "writes", "reads", "GET", "together", "alone",
    "chief", "ann", "desk", "shop-admins", "sweep", "change-record", "shop", "read", "write",
    "/records/**", "PUT /records/1", "GET /records?details=1", "POST /sweep", "query_has",
    "body_has_keys_outside", "core", "(the caller)",
]  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.sampled_from(WORDS)
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.sampled_from(WORDS), below, max_size=4),
    ),
    max_leaves=10,
)
SOUND = {
    "only": st.just({"roles": ["chief"]}),
    "never": st.sampled_from(["anyone", {"users": "ann"}, {"groups": "desk", "roles": "chief"}]),
    "can": st.sampled_from(["sweep", {"methods": "writes"}, {"request": "PUT /records/1"}]),
    "hold": st.sampled_from(["read", ["read", "write"]]),
    "claims": st.sampled_from(["together", "alone"]),
}
entries = st.one_of(
    values,
    st.fixed_dictionaries(
        {"title": st.just("t")},
        optional={key: st.one_of(sound, sound, values) for key, sound in SOUND.items()},
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(
    values,
    st.fixed_dictionaries({"assertions": st.one_of(values, st.dictionaries(st.text(), entries))}),
))  # fmt: skip
def test_whatever_the_file_holds_the_end_is_a_verdict_or_a_finding(content: object) -> None:
    for found in faults(SHOP, json.dumps(content)):
        assert found.where.line == 1
        assert str(found).isprintable() or "\n  help: " in str(found)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                [*WORDS, ": ", "\n", "\n  ", "- ", "{", "}", "[", "]", ", ", "#", "'", "&a ", "*a"]
            )
        ).map("".join),
    )
)
def test_whatever_the_text_is_the_end_is_a_verdict_or_a_finding(text: str) -> None:
    assert faults(SHOP, text) != ()
