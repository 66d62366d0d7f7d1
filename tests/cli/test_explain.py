"""`explain` answers as the gateway would, and says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.output import Exit
from tests.cli.conftest import Ask, Said
from tests.support.cases import CONFIG

ANNA = "/profiles/0004Va58A92T0017"
READ, EXTENSION = "UCS.Customer.readCustomerProfile", "UCS.Customer.readProfileExtension"


def verdict(said: Said) -> str:
    """The one line that says how it ends."""
    (line,) = [line for line in said.out.splitlines() if line.startswith("verdict: ")]
    return line.removeprefix("verdict: ")


@pytest.fixture
def body(tmp_path: Path) -> Any:
    def write(content: str | bytes) -> Path:
        file = tmp_path / "body.json"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write


# --- the four exit codes -----------------------------------------------------------------------


def test_what_is_allowed_exits_with_0(ask: Ask) -> None:
    said = ask("explain", "GET", ANNA, "--as", "anna")
    assert (said.code, said.err) == (Exit.YES, "")
    assert verdict(said) == "allow: permitted"


def test_what_is_denied_exits_with_2_and_names_what_is_missing_and_who_has_it(ask: Ask) -> None:
    said = ask("explain", "DELETE", ANNA, "--as", "sam")
    assert (said.code, said.err) == (Exit.DENIED_OR_DIFFERENT, "")
    assert verdict(said) == "deny: permission-missing"
    assert "permission: `UCS.Customer.deleteCustomerProfile`: missing\n" in said.out
    assert "role `profile-admin` grants `UCS.Customer.deleteCustomerProfile`" in said.out


def test_what_depends_on_a_body_that_was_not_given_exits_with_1(ask: Ask) -> None:
    said = ask("explain", "POST", "/profiles", "--as", "carl")
    assert (said.code, said.err) == (Exit.COULD_NOT, "")
    assert verdict(said) == "it depends on the body, which was not given"


def test_a_broken_policy_exits_with_3_and_answers_nothing(ask: Ask) -> None:
    config = CONFIG.parent / "tests" / "cases" / "broken" / "gateway.yaml"
    said = ask("explain", "GET", "/orders", "--config", config)
    assert (said.code, said.out) == (Exit.INVALID, "")
    assert "unknown-permission: no catalogue knows the permission `Shop.raedOrder`" in said.err


# --- who asks ----------------------------------------------------------------------------------


def test_without_a_caller_the_request_has_no_credentials(ask: Ask) -> None:
    said = ask("explain", "GET", ANNA)
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert verdict(said) == "deny: not-authenticated"


def test_roles_add_up(ask: Ask) -> None:
    one = ask("explain", "DELETE", ANNA, "--role", "profile-reader")
    both = ask("explain", "DELETE", ANNA, "--role", "profile-reader", "--role", "profile-admin")
    assert (one.code, both.code) == (Exit.DENIED_OR_DIFFERENT, Exit.YES)


def test_a_claim_counts_as_it_is_mapped(ask: Ask) -> None:
    request = ("explain", "POST", "/genesys/1/cs/services/start")
    supervisor = ask(*request, "--claim", "contact-center-supervisors")
    administrator = ask(*request, "--claim", "contact-center-services")
    assert verdict(supervisor) == "deny: permission-missing"
    assert verdict(administrator) == "allow: permitted"


def test_a_user_a_role_and_a_claim_are_one_caller(ask: Ask) -> None:
    caller = ("--as", "sam", "--role", "schema-reader", "--claim", "contact-center-services")
    said = ask("explain", "GET", ANNA, *caller)
    assert said.code == Exit.YES
    for role in ("profile-reader", "schema-reader", "service-administrator"):
        assert f"  - role `{role}`\n" in said.out


def test_a_role_that_is_switched_off_grants_nothing(ask: Ask) -> None:
    said = ask("explain", "GET", ANNA, "--as", "mona")
    assert verdict(said) == "deny: permission-missing"
    assert "  - role `migration`, off\n" in said.out


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (
            "--role",
            "no policy file defines the role `profile-raeder`\n  help: did you mean `profile-reader`?",
        ),
        ("--claim", "no policy file maps the claim `profile-raeder`"),
    ],
)
def test_a_role_or_claim_that_is_not_there_gets_no_answer(ask: Ask, option: str, says: str) -> None:
    said = ask("explain", "GET", ANNA, option, "profile-raeder")
    assert (said.code, said.out, said.err) == (Exit.COULD_NOT, "", f"error: {says}\n")


def test_a_user_whom_no_policy_names_is_answered_with_a_note(ask: Ask) -> None:
    said = ask("explain", "GET", ANNA, "--as", "anan")
    assert verdict(said) == "deny: permission-missing"
    assert said.err == "note: no policy file names the user `anan`\n"


@pytest.mark.parametrize("name", ["an\x1bna", "an\udcffna"])
def test_a_name_that_cannot_be_shown_is_refused(ask: Ask, name: str) -> None:
    said = ask("explain", "GET", ANNA, "--as", name)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err == "error: the name after --as has characters that cannot be seen\n"


# --- what is asked for -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "extensions=Phone", "EXTENSIONS=Phone", "%65xtensions=Phone", "include%5Fextensions=a",
        "Include_Extensions=", "+extensions+=Phone", "Phone.PhoneType=1", "Phone%2EPhoneType=1",
    ],
)  # fmt: skip
def test_no_spelling_of_a_query_name_hides_an_extension(ask: Ask, query: str) -> None:
    said = ask("explain", "GET", f"/profiles?{query}", "--as", "anna")
    assert verdict(said) == "deny: permission-missing"
    assert f"permission: `{READ}`: held" in said.out
    assert f"permission: `{EXTENSION}`: missing" in said.out


def test_a_name_that_decides_and_comes_twice_cannot_be_decided(ask: Ask) -> None:
    said = ask("explain", "GET", f"{ANNA}?extensions=a&Extensions=b", "--as", "olga")
    assert (said.code, verdict(said)) == (Exit.DENIED_OR_DIFFERENT, "deny: undecidable")


@pytest.mark.parametrize(
    "target",
    ["profiles", "http://ucs/profiles", "/profiles/%2e%2e/x", "/a//b", "/%zz", "/a#b", "/\udcff"],
)
def test_a_target_that_the_gateway_refuses_is_refused_here(ask: Ask, target: str) -> None:
    said = ask("explain", "GET", target, "--as", "olga")
    assert (said.code, said.err) == (Exit.DENIED_OR_DIFFERENT, "")
    assert said.out.startswith("verdict: refused with 400, malformed-target: ")


def test_a_method_that_the_gateway_does_not_serve_is_refused_here(ask: Ask) -> None:
    said = ask("explain", "TRACE", ANNA, "--as", "olga")
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert said.out.startswith("verdict: refused with 405, method-refused: ")


def test_the_limits_of_the_settings_hold_here_too(ask: Ask) -> None:
    said = ask("explain", "GET", f"/{'a' * 9000}", "--as", "olga")
    assert said.out.startswith("verdict: refused with 414, target-too-long: ")


def test_an_operation_that_no_catalogue_knows_is_told_with_its_neighbours(ask: Ask) -> None:
    said = ask("explain", "PATCH", ANNA, "--as", "olga")
    assert verdict(said) == "deny: no-route"
    assert "  - this path has operations for " in said.out


# --- the body ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ('{"FirstName": "Ada"}', Exit.YES, "allow: permitted"),
        ('{"firstname": "Ada"}', Exit.YES, "allow: permitted"),
        ('{"phone": null}', Exit.DENIED_OR_DIFFERENT, "deny: permission-missing"),
        ('{"Ph\\u006fne": []}', Exit.DENIED_OR_DIFFERENT, "deny: permission-missing"),
    ],
)
def test_a_body_decides_by_its_keys(
    ask: Ask, body: Any, content: str, code: Exit, said: str
) -> None:
    answer = ask("explain", "POST", "/profiles", "--as", "carl", "--body", body(content))
    assert (answer.code, verdict(answer)) == (code, said)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1, "A": 2}', b'{"a": "\xff"}'])
def test_a_body_that_has_to_be_read_and_cannot_be_is_refused(
    ask: Ask, body: Any, content: str | bytes
) -> None:
    said = ask("explain", "POST", "/profiles", "--as", "carl", "--body", body(content))
    assert (said.code, said.err) == (Exit.DENIED_OR_DIFFERENT, "")
    assert said.out.startswith("verdict: refused with 400, body-unreadable: ")


def test_a_body_that_is_too_large_to_be_inspected_is_refused(ask: Ask, body: Any) -> None:
    large = body(json.dumps({"FirstName": "A" * 1_048_576}))
    said = ask("explain", "POST", "/profiles", "--as", "carl", "--body", large)
    assert said.out.startswith("verdict: refused with 413, body-too-large: ")


@pytest.mark.parametrize(("name", "code"), [("olga", Exit.YES), ("sam", Exit.DENIED_OR_DIFFERENT)])
def test_a_body_on_which_nothing_depends_may_be_anything(
    ask: Ask, body: Any, name: str, code: Exit
) -> None:
    said = ask("explain", "POST", "/profiles", "--as", name, "--body", body(b"\xff"))
    assert said.code == code
    assert said.err == "note: the outcome does not depend on the body, so it is not read\n"


def test_a_guard_speaks_whatever_the_caller_holds(ask: Ask, body: Any) -> None:
    other = body('{"customer_id": "somebody-else"}')
    said = ask("explain", "PUT", ANNA, "--as", "olga", "--body", other)
    assert (said.code, verdict(said)) == (Exit.DENIED_OR_DIFFERENT, "deny: guard-failed")


def test_a_body_file_that_is_not_there_gets_no_answer(ask: Ask, tmp_path: Path) -> None:
    said = ask("explain", "POST", "/profiles", "--body", tmp_path / "none.json")
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert "does not exist" in said.err


# --- for programs ------------------------------------------------------------------------------


def as_json(said: Said) -> Any:
    return json.loads(said.out)


def test_programs_get_the_reason_the_route_and_what_is_missing(ask: Ask) -> None:
    said = ask("explain", "get", f"{ANNA}?Extensions=Phone", "--as", "sam", "--format", "json")
    report = as_json(said)
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert report["target"] == f"{ANNA}?Extensions=Phone"
    assert (report["effect"], report["reason"]) == ("deny", "permission-missing")
    assert report["route"] == "query-customer-profile"
    assert report["missing"] == {"all_of": [EXTENSION], "any_of": [], "scopes": [], "divisions": []}
    assert [step["stage"] for step in report["steps"]][-2:] == ["verdict", "remedy"]
    assert {"role", "supplies", "where"} <= report["suppliers"][0].keys()
    assert report["suppliers"][0]["where"].startswith(str(CONFIG / "policy" / "roles.yaml"))


def test_either_of_two_permissions_stays_an_either(ask: Ask) -> None:
    said = ask("explain", "GET", "/genesys/1/cs/services/1", "--as", "sam", "--format", "json")
    missing = as_json(said)["missing"]
    assert missing["all_of"] == []
    assert [sorted(group) for group in missing["any_of"]] == [["Administrator", "Supervisor"]]


@pytest.mark.parametrize(
    ("arguments", "effect", "reason", "code"),
    [
        (("GET", ANNA, "--as", "anna"), "allow", "permitted", Exit.YES),
        (("POST", "/profiles", "--as", "carl"), None, "needs-body", Exit.COULD_NOT),
        (("GET", "/a//b"), "deny", "malformed-target", Exit.DENIED_OR_DIFFERENT),
        (("POST", "/server/mode", "--as", "olga"), "deny", "no-route", Exit.DENIED_OR_DIFFERENT),
    ],
)
def test_programs_get_one_shape_of_answer(
    ask: Ask, arguments: tuple[str, ...], effect: str | None, reason: str, code: Exit
) -> None:
    said = ask("explain", *arguments, "--format", "json")
    report = as_json(said)
    assert (report["effect"], report["reason"], said.code) == (effect, reason, code)
    assert list(report) == [
        "target", "effect", "reason", "detail", "route", "missing", "divisions", "steps", "suppliers",
    ]  # fmt: skip
