"""A refusal that the Platform API's SDKs can parse, with ALL and ANY never mixed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import errors
from gateway.http.genesys_cloud import CODES
from gateway.http.problem import Problem, render
from gateway.http.reply import refusal
from gateway.refusals import DENIALS
from policy import Missing, Reason

ANYTHING = "our own sentence"


def said(code: str, status: int = 403, missing: Missing | None = None) -> Any:
    problem = Problem(
        status=status, code=code, message=ANYTHING, request_id="ab12-7", missing=missing
    )
    return json.loads(render(problem, "genesys-cloud")[1])


def lack(code: str, text: str, permissions: str) -> dict[str, Any]:
    """The body of one lack, whose list stands in the message and in its parameters."""
    return {
        "message": text + permissions,
        "code": code,
        "status": 403,
        "messageParams": {"permissions": permissions},
        "messageWithParams": text + "{permissions}",
        "contextId": "ab12-7",
        "details": [],
        "errors": [],
    }


MISSING_ALL = (
    "Unable to perform the requested action. You are missing the following permission(s): "
)
MISSING_ANY = (
    "Unable to perform the requested action. You must have at least one of the following"
    " permissions assigned: "
)
LABEL = Reason.PERMISSION_MISSING.label


def test_whoever_lacks_all_of_several_is_told_which() -> None:
    missing = Missing(all_of=("routing:queue:view", "routing:queue:edit"))
    assert said(LABEL, missing=missing) == lack(
        "missing.permissions", MISSING_ALL, "[routing:queue:view, routing:queue:edit]"
    )


def test_whoever_lacks_one_of_several_is_told_of_the_choice() -> None:
    missing = Missing(any_of=(("telephony:plugin:all", "telephony:edge:view"),))
    assert said(LABEL, missing=missing) == lack(
        "missing.any.permissions", MISSING_ANY, "[telephony:plugin:all, telephony:edge:view]"
    )


def test_what_is_needed_in_any_case_comes_before_the_choices_which_are_nested() -> None:
    missing = Missing(all_of=("a:b:c",), any_of=(("d:e:f", "g:h:i"), ("j:k:l",)))
    top = said(LABEL, missing=missing)
    nested = top["errors"]
    assert top | {"errors": []} == lack("missing.permissions", MISSING_ALL, "[a:b:c]")
    assert nested == [
        lack("missing.any.permissions", MISSING_ANY, "[d:e:f, g:h:i]"),
        lack("missing.any.permissions", MISSING_ANY, "[j:k:l]"),
    ]


def codes(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and message of a body and of those nested in it."""
    return [(each["code"], each["message"]) for each in (body, *body["errors"])]


THERE = "Unable to perform the requested action. You are missing the following permission"


def test_what_is_held_but_not_there_is_told_permission_by_permission() -> None:
    missing = Missing(all_of=("routing:queue:view", "routing:queue:edit"), divisions=("d-1",))
    body = said("division-missing", missing=missing)
    assert codes(body) == [
        (
            "missing.division.permission",
            f"{THERE} 'routing:queue:view' in the provided division(s).",
        ),
        (
            "missing.division.permission",
            f"{THERE} 'routing:queue:edit' in the provided division(s).",
        ),
    ]
    assert body["messageParams"] == {"permission": "routing:queue:view", "divisions": "[d-1]"}


def test_a_choice_of_permissions_is_told_for_each_division_since_all_of_them_are_needed() -> None:
    missing = Missing(any_of=(("a:b:c", "d:e:f"),), divisions=("d-1", "d-2"))
    assert codes(said("division-missing", missing=missing)) == [
        (
            "missing.any.division.permissions",
            f"{MISSING_ANY}[a:b:c, d:e:f] in at least one of the following division(s): [{name}]",
        )
        for name in ("d-1", "d-2")
    ]


def test_where_the_division_cannot_be_told_only_a_grant_for_all_would_do() -> None:
    missing = Missing(any_of=(("a:b:c",),), divisions=("",))
    [(_, message)] = codes(said("division-missing", missing=missing))
    assert message.endswith("in at least one of the following division(s): [*]")


SCOPES = "App not authorized to use scope [telephony:readonly, telephony]"


def test_a_missing_scope_is_told_in_the_platforms_words() -> None:
    missing = Missing(scopes=("telephony:readonly", "telephony"))
    body = said("scope-missing", missing=missing)
    assert codes(body) == [("app.not.authorized.for.scope", SCOPES)]
    assert body["messageWithParams"] == "App not authorized to use scope {scopes}"


def test_a_scope_that_is_missing_as_well_comes_after_the_permissions() -> None:
    missing = Missing(
        all_of=("a:b:c",), any_of=(("d:e:f",),), scopes=("telephony:readonly", "telephony")
    )
    assert codes(said(LABEL, missing=missing)) == [
        ("missing.permissions", MISSING_ALL + "[a:b:c]"),
        ("missing.any.permissions", MISSING_ANY + "[d:e:f]"),
        ("app.not.authorized.for.scope", SCOPES),
    ]


NAMES = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4, unique=True).map(tuple)


@given(
    st.builds(
        Missing,
        all_of=NAMES | st.just(()),
        any_of=st.lists(NAMES, max_size=3).map(tuple),
        scopes=NAMES | st.just(()),
        divisions=NAMES | st.just(()),
    )
)
def test_nothing_that_is_missing_is_left_out_and_all_and_any_are_never_mixed(
    missing: Missing,
) -> None:
    body = said(LABEL, missing=missing)
    if not (missing.all_of or missing.any_of or missing.scopes):
        assert (body["code"], body["errors"]) == ("not.authorized", [])
        return
    told: dict[str, list[str]] = {}
    for each in (body, *body["errors"]):
        params = each["messageParams"]
        for text in params.values():
            assert text in each["message"] or each["code"] == "missing.division.permission"
        told.setdefault(each["code"], []).append(
            params.get("scopes") or params.get("permissions") or params["permission"]
        )
    groups = [f"[{', '.join(group)}]" for group in missing.any_of]
    if missing.divisions:
        assert told.pop("missing.division.permission", []) == list(missing.all_of)
        there = [group for group in groups for _ in missing.divisions]
        assert told.pop("missing.any.division.permissions", []) == there
    else:
        everything = [f"[{', '.join(missing.all_of)}]"] if missing.all_of else []
        assert told.pop("missing.permissions", []) == everything
        assert told.pop("missing.any.permissions", []) == groups
    scopes = [f"[{', '.join(missing.scopes)}]"] if missing.scopes else []
    assert told.pop("app.not.authorized.for.scope", []) == scopes
    assert told == {}


@pytest.mark.parametrize("reason", [Reason.SCOPE_MISSING, Reason.DIVISION_MISSING, Reason.CLOSED])
def test_what_is_not_told_and_what_nobody_may_are_one_code(reason: Reason) -> None:
    assert said(reason.label)["code"] == "not.authorized"


@pytest.mark.parametrize("missing", [None, Missing()], ids=["not told", "nothing"])
def test_what_is_missing_is_not_named_where_it_is_kept_back(missing: Missing | None) -> None:
    assert said(LABEL, missing=missing) == {
        "message": "You are not authorized to perform the requested action.",
        "code": "not.authorized",
        "status": 403,
        "messageParams": {},
        "messageWithParams": "You are not authorized to perform the requested action.",
        "contextId": "ab12-7",
        "details": [],
        "errors": [],
    }


@pytest.mark.parametrize(
    ("ours", "status", "code", "message"),
    [
        (
            "not-authenticated",
            401,
            "authentication.required",
            "No authentication bearer token specified in authorization header.",
        ),
        ("credentials-refused", 401, "bad.credentials", "Invalid login credentials."),
        (
            "no-route",
            403,
            "not.authorized",
            "You are not authorized to perform the requested action.",
        ),
        ("upstream-failed", 502, "bad.gateway", ANYTHING),
        ("overloaded", 503, "service.unavailable", ANYTHING),
    ],
)
def test_other_refusals_have_the_platforms_codes(
    ours: str, status: int, code: str, message: str
) -> None:
    body = said(ours, status)
    assert (body["code"], body["status"], body["message"]) == (code, status, message)


def every_refusal() -> list[tuple[str, int]]:
    denials = [(reason.label, status) for reason, (status, _) in DENIALS.items()]
    kinds = [getattr(errors, name) for name in errors.__all__]
    return denials + [
        (kind.code, kind.status)
        for kind in kinds
        if issubclass(kind, errors.GatewayError) and hasattr(kind, "code")
    ]


def test_every_reason_and_every_error_has_a_code_of_its_own_choosing() -> None:
    assert {code for code, _ in every_refusal()} == set(CODES)


def test_no_refusal_for_who_is_asking_promises_that_waiting_helps() -> None:
    """An SDK waits for as long as `Retry-After` says and asks again, without telling anybody."""
    kinds = [getattr(errors, name) for name in errors.__all__]
    promising = {kind for kind in kinds if getattr(kind, "retry_after_seconds", 0)}
    assert {kind.status for kind in promising} == {503}


def test_a_reply_names_the_request_in_the_platforms_own_header() -> None:
    problem = Problem(status=403, code="no-route", message=ANYTHING, request_id="ab12-7")
    head, _, body = refusal(problem, "genesys-cloud", keep=True, is_head=False).partition(
        b"\r\n\r\n"
    )
    lines = head.split(b"\r\n")
    assert b"content-type: application/json" in lines
    assert b"inin-correlation-id: ab12-7" in lines
    assert b"x-request-id: ab12-7" in lines
    assert b"x-gateway-refusal: no-route" in lines
    assert json.loads(body)["contextId"] == "ab12-7"


def test_other_dialects_do_not_have_that_header() -> None:
    problem = Problem(status=403, code="no-route", message=ANYTHING, request_id="ab12-7")
    assert b"inin-" not in refusal(problem, "problem", keep=True, is_head=False)


def test_what_is_held_elsewhere_is_missing_in_all_divisions_where_none_was_said() -> None:
    found = said(Reason.DIVISION_MISSING.label, missing=Missing(all_of=("routing:queue:view",)))
    assert found["code"] == "missing.division.permission"
    assert found["messageParams"] == {"permission": "routing:queue:view", "divisions": "[*]"}


def test_a_choice_among_one_is_told_as_a_choice() -> None:
    problem = Problem(
        status=403,
        code=LABEL,
        message=ANYTHING,
        request_id="ab12-7",
        missing=Missing(all_of=("a:b:c", "d:e:f")),
        choices=("d:e:f", "g:h:i"),
    )
    top = json.loads(render(problem, "genesys-cloud")[1])
    assert top | {"errors": []} == lack("missing.permissions", MISSING_ALL, "[a:b:c]")
    assert top["errors"] == [lack("missing.any.permissions", MISSING_ANY, "[d:e:f]")]
    others = json.loads(render(problem, "problem")[1])
    assert others["missing"] == {"all_of": ["a:b:c", "d:e:f"]}
