"""`explain --id` tells what was decided in the past, and what the policy says of it now."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.record import encode
from gateway.cli.output import Exit
from policy import Missing
from tests.cli.conftest import Ask
from tests.support.audit import a_record
from tests.support.cases import CONFIG

EXTENSION, DELETE = "UCS.Customer.updateProfileExtension", "UCS.Customer.deleteCustomerProfile"
OUTSIDE = "body has keys outside `core_attributes`"
OWN_ID = "body `customer_id` must be the path's `customer_id`"

ORDINARY: dict[str, Any] = {"subject": "anna", "means": "basic", "route": "query-customer-profile"}
DENIED: dict[str, Any] = {
    "subject": "anna", "means": "basic", "method": "PUT", "route": "update-customer-profile",
    "effect": "deny", "reason": "permission-missing", "missing": Missing((EXTENSION,)),
    "because": (OUTSIDE,), "conditions": (OUTSIDE,), "status": 403, "ending": "refused",
}  # fmt: skip


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def written(audit: Path, **changes: Any) -> tuple[str, ...]:
    """The options that ask for a line like this."""
    audit.write_bytes(encode([a_record("r-0"), a_record(**changes), a_record("r-2")]))
    return "--id", "r-1", "--audit", str(audit)


def test_a_denial_is_told_with_what_was_missing_and_what_is_missing_now(
    ask: Ask, audit: Path
) -> None:
    said = ask("explain", *written(audit, **DENIED))
    assert (said.code, said.err) == (Exit.DENIED_OR_DIFFERENT, "")
    lines = said.out.splitlines()
    assert lines[0] == (
        "request: r-1 of 2026-11-21T04:05:06.000007Z, PUT from 127.0.0.1 by the user `anna` (basic)"
    )
    assert lines[1:5] == [
        "then: deny: permission-missing at `update-customer-profile` of the service `ucs`",
        f"  - missing `{EXTENSION}`",
        f"  - because {OUTSIDE}",
        "  - answered 403, refused, after 2.25 ms",
    ]
    assert lines[5].startswith("policy: 0123456789abcdef then, ")
    assert f"permission: `{EXTENSION}`: missing" in lines
    assert "user `anna` → role `profile-editor` (config/policy/roles.yaml" in said.out
    assert "  - role `extension-editor` grants " in said.out


def test_a_request_that_was_allowed_exits_with_0_and_tells_where_it_is_from(
    ask: Ask, audit: Path
) -> None:
    said = ask("explain", *written(audit, **ORDINARY))
    assert said.code == Exit.YES
    assert "user `anna` → role `profile-editor` → role `profile-reader`" in said.out


def test_the_same_policy_is_told(ask: Ask, audit: Path) -> None:
    version = json.loads(ask("explain", *written(audit), "--format", "json").out)["policy"]
    said = ask("explain", *written(audit, **ORDINARY, policy=version))
    assert f"policy: {version}, which is the policy now\n" in said.out


def test_a_guard_is_told_by_a_request_that_breaks_it(ask: Ask, audit: Path) -> None:
    line = DENIED | {"reason": "guard-failed", "because": (OWN_ID,), "conditions": (),
                      "missing": None}  # fmt: skip
    said = ask("explain", *written(audit, **line))
    assert f"guard: {OWN_ID}: fails" in said.out
    assert "verdict: deny: guard-failed" in said.out


DOTTED, HAS = "query has a name with a dot", "query has `extensions` or `include_extensions`"
ONE_OF_TWO = ORDINARY | {
    "effect": "deny", "reason": "permission-missing", "status": 403, "ending": "refused",
    "missing": Missing(("UCS.Customer.readProfileExtension",)),
}  # fmt: skip


@pytest.mark.parametrize("true", [(DOTTED,), (HAS,), (HAS, DOTTED)])
def test_the_request_that_is_explained_meets_just_the_conditions_of_the_line(
    ask: Ask, audit: Path, true: tuple[str, ...]
) -> None:
    """Which of them asked for what is missing is not the same as which of them were true."""
    said = ask("explain", *written(audit, **ONE_OF_TWO, because=true[:1], conditions=true))
    answers = {name: f"condition: {name}: yes" in said.out for name in (DOTTED, HAS)}
    assert answers == {name: name in true for name in (DOTTED, HAS)}
    assert "note:" not in said.out


def test_conditions_that_no_request_meets_together_any_more_are_told(ask: Ask, audit: Path) -> None:
    said = ask("explain", *written(audit, **ORDINARY, conditions=("the moon is full",)))
    assert (
        "note: by the policy now, no such request is one for which just this is true: the "
        in said.out
    )
    assert "verdict: allow: permitted" in said.out


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ({"unread": (OUTSIDE,)}, f"looked into its body then, on which this depends: {OUTSIDE}"),
        ({"conditions": ("…",)}, "the line was shortened: which conditions were true is not in it"),
    ],
)
def test_what_the_line_does_not_tell_of_the_request_is_told(
    ask: Ask, audit: Path, line: dict[str, Any], note: str
) -> None:
    said = ask("explain", *written(audit, **ORDINARY | line))
    assert f"{note}\n" in said.out
    report = json.loads(ask("explain", *written(audit, **ORDINARY | line), "--format", "json").out)
    assert report["notes"][0].endswith(note)


def test_the_claims_of_the_line_count_unless_others_are_given(ask: Ask, audit: Path) -> None:
    line = {"subject": "zoe", "method": "DELETE", "route": "delete-customer-profile",
            "effect": "deny", "reason": "permission-missing", "missing": Missing((DELETE,)),
            "claims": ("contact-center-agents",)}  # fmt: skip
    said = ask("explain", *written(audit, **line))
    assert "role `profile-reader`" in said.out
    assert f"permission: `{DELETE}`: missing" in said.out
    assert "remedy: each of these roles would do\n  - role `profile-admin` grants" in said.out
    with_claim = ask("explain", *written(audit, **line), "--claim", "contact-center-admins")
    assert "claim `contact-center-admins` → role `administrator`" in with_claim.out
    assert "verdict: allow: permitted" in with_claim.out
    assert with_claim.code == Exit.DENIED_OR_DIFFERENT, "as it was decided then"


def test_claims_that_were_cut_are_said_to_be(ask: Ask, audit: Path) -> None:
    said = ask("explain", *written(audit, **DENIED, claims=("contact-center-agents", "…")))
    assert "note: the line does not hold all of the token's claims: name others with" in said.out


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ({"reason": "malformed-target", "route": None, "effect": "deny", "policy": ""},
         "the request was refused before any policy was asked"),
        ({"reason": "no-route", "route": None, "effect": "deny"},
         "no operation was found for it, and the line does not hold its target"),
        ({"route": "gone"}, "the policy now has no such operation"),
        (DENIED | {"because": ("the moon is full",)},
         "by the policy now, no request to this operation is decided for that reason"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_said_to_be(
    ask: Ask, audit: Path, line: dict[str, Any], note: str
) -> None:
    said = ask("explain", *written(audit, **line))
    assert said.out.splitlines()[-1] == f"note: {note}"


def test_an_audit_line_cannot_send_commands_to_a_terminal(ask: Ask, audit: Path) -> None:
    said = ask("explain", *written(audit, subject="a\x1b[2Jb", because=("x\u202ey",)))
    assert "a\\x1b[2Jb" in said.out
    assert not {"\x1b", "\u202e"} & set(said.out)


# --- the four ways not to find it --------------------------------------------------------------


def test_an_id_that_is_not_there_exits_with_1(ask: Ask, audit: Path) -> None:
    written(audit)
    said = ask("explain", "--id", "r-9", "--audit", audit)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err == f"error: no line of {audit} has the id `r-9`\n"


def test_a_broken_line_exits_with_1(ask: Ask, audit: Path) -> None:
    audit.write_bytes(encode([a_record()])[:100])
    said = ask("explain", "--id", "r-1", "--audit", audit)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err.startswith(f"error: the line of `r-1` in {audit} cannot be read: ")


def test_a_file_that_is_not_there_exits_with_1(ask: Ask, audit: Path) -> None:
    said = ask("explain", "--id", "r-1", "--audit", audit)
    assert (said.code, said.err) == (
        Exit.COULD_NOT,
        f"error: the audit file {audit} is not there\n  help: `--audit` names another one\n",
    )


def test_without_a_file_that_of_the_settings_is_read(ask: Ask, tmp_path: Path) -> None:
    text = (CONFIG / "gateway.yaml").read_text("utf-8")
    for name in ("catalogues/", "policy/", "users.yaml"):
        text = text.replace(f" {name}", f" {CONFIG}/{name}")
    settings = tmp_path / "gateway.yaml"
    settings.write_text(text, "utf-8")
    (tmp_path / "audit.jsonl").write_bytes(encode([a_record(**ORDINARY)]))
    assert ask("explain", "--id", "r-1", "--config", settings).code == Exit.YES
    settings.write_text(text.replace("file: audit.jsonl", 'file: "-"'), "utf-8")
    said = ask("explain", "--id", "r-1", "--config", settings)
    assert said.code == Exit.COULD_NOT
    assert "write the audit to standard output: name a file with --audit" in said.err


@pytest.mark.parametrize(
    "arguments",
    [(), ("GET",), ("GET", "/profiles", "--id", "r-1"), ("--id", "r-1", "--as", "anna"),
     ("GET", "/profiles", "--audit", "audit.jsonl")],
)  # fmt: skip
def test_two_questions_at_once_or_none_are_refused(ask: Ask, arguments: tuple[str, ...]) -> None:
    said = ask("explain", *arguments)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert "error: " in said.err


# --- for programs ------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [DENIED, ORDINARY, {"route": "gone"}])
def test_programs_get_the_line_and_the_explanation(
    ask: Ask, audit: Path, line: dict[str, Any]
) -> None:
    report = json.loads(ask("explain", *written(audit, **line), "--format", "json").out)
    assert list(report) == ["then", "same_policy", "policy", "like", "notes", "now"]
    assert report["then"]["id"] == "r-1"
    assert report["same_policy"] is False
    if line is DENIED:
        assert report["now"]["missing"] == {
            "all_of": [EXTENSION],
            "any_of": [],
            "scopes": [],
            "divisions": [],
        }
        assert report["now"]["suppliers"][0]["role"] == "extension-editor"
        assert report["like"].startswith("PUT /profiles/1 ")
