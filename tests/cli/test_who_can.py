"""`who-can` names everybody who may send a request."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.output import Exit
from tests.cli.conftest import Ask, Said
from tests.support.cases import CONFIG

ANNA = "/profiles/0004Va58A92T0017"


def body(folder: Path, content: str) -> Path:
    file = folder / "body.json"
    file.write_text(content, "utf-8")
    return file


def as_json(said: Said) -> Any:
    return json.loads(said.out)


def test_a_request_that_somebody_may_send_exits_with_0_and_names_them(ask: Ask) -> None:
    said = ask("who-can", "delete", ANNA)
    assert (said.code, said.err) == (Exit.YES, "")
    assert "    2 of 13 roles: administrator, profile-admin\n" in said.out
    assert "    1 of 7 users: olga\n" in said.out
    assert "tier-1" not in said.out


@pytest.mark.parametrize(
    ("method", "target", "says"),
    [
        ("PUT", "/nothing", "nobody: no operation answers `PUT /nothing`\n"),
        ("GET", "/a//b", "nobody: refused with 400, malformed-target: "),
        ("TRACE", "/profiles", "nobody: refused with 405, method-refused: "),
    ],
)
def test_a_request_that_nobody_may_send_exits_with_2(
    ask: Ask, method: str, target: str, says: str
) -> None:
    said = ask("who-can", method, target)
    assert (said.code, said.err) == (Exit.DENIED_OR_DIFFERENT, "")
    assert said.out.startswith(says)


def test_what_depends_on_the_body_is_told_with_the_condition_and_without(ask: Ask) -> None:
    said = ask("who-can", "POST", "/profiles")
    assert said.code == Exit.YES
    plain, more = said.out.split("\nwhere body has keys outside `core_attributes`:\n")
    assert "where no condition is met:\n" in plain
    assert "3 of 7 users: carl, nightly-import, olga\n" in plain
    assert "2 of 7 users: nightly-import, olga\n" in more
    short = more.split("  would need only `UCS.Customer.createProfileExtension`:\n")[1]
    assert "    1 of 13 roles: profile-creator\n" in short
    assert "    1 of 7 users: carl\n" in short


def test_a_body_that_is_given_settles_it(ask: Ask, tmp_path: Path) -> None:
    said = ask("who-can", "POST", "/profiles", "--body", body(tmp_path, '{"Phone": 1}'))
    assert "this request, because body has keys outside `core_attributes`:\n" in said.out
    assert "where no condition" not in said.out


def test_a_guard_that_the_body_breaks_leaves_nobody(ask: Ask, tmp_path: Path) -> None:
    said = ask("who-can", "PUT", ANNA, "--body", body(tmp_path, '{"customer_id": "another"}'))
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert "nobody where this is broken: body `customer_id` must be" in said.out


def test_a_body_that_the_gateway_refuses_is_refused_here(ask: Ask, tmp_path: Path) -> None:
    said = ask("who-can", "POST", "/profiles", "--body", body(tmp_path, "{"))
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert said.out.startswith("nobody: refused with 400, body-unreadable: ")


def test_a_body_on_which_nothing_depends_may_be_anything(ask: Ask, tmp_path: Path) -> None:
    said = ask("who-can", "DELETE", ANNA, "--body", body(tmp_path, "{"))
    assert said.code == Exit.YES
    assert said.err == "note: the outcome does not depend on the body, so it is not read\n"


def test_a_broken_policy_exits_with_3(ask: Ask) -> None:
    config = CONFIG.parent / "tests" / "cases" / "broken" / "gateway.yaml"
    said = ask("who-can", "GET", "/orders", "--config", config)
    assert (said.code, said.out) == (Exit.INVALID, "")


def test_a_hundred_users_are_a_count_and_a_few_names(ask: Ask, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.mkdir()
    users = "".join(f"  u{n:03}: {{roles: [r]}}\n" for n in range(100))
    roles = "roles: {r: {permissions: [UCS.Customer.readCustomerProfile]}}\n"
    (policy / "policy.yaml").write_text(f"{roles}users:\n{users}", "utf-8")
    text = (CONFIG / "gateway.yaml").read_text("utf-8")
    text = text.replace("catalogues/", f"{CONFIG}/catalogues/")
    text = text.replace("users.yaml", f"{CONFIG}/users.yaml")
    settings = tmp_path / "gateway.yaml"
    settings.write_text(text, "utf-8")
    said = ask("who-can", "GET", ANNA, "--config", settings)
    assert (
        "100 of 100 users: u000, u001, u002, u003, u004, u005, u006, u007 and 92 more" in said.out
    )
    whole = as_json(ask("who-can", "GET", ANNA, "--config", settings, "--format", "json"))
    assert len(whole["cases"][0]["allowed"]["users"]["names"]) == 100
    few = ask("who-can", "GET", ANNA, "--config", settings, "--format", "json", "--limit", "3")
    assert as_json(few)["cases"][0]["allowed"]["users"] == {
        "count": 100, "names": ["u000", "u001", "u002"],
    }  # fmt: skip
    counts = ask("who-can", "GET", ANNA, "--config", settings, "--limit", "0")
    assert "100 of 100 users\n" in counts.out


@pytest.mark.parametrize("target", [ANNA, "/nothing", "/a//b"])
def test_programs_get_one_shape_of_answer(ask: Ask, target: str) -> None:
    report = as_json(ask("who-can", "GET", target, "--format", "json"))
    assert list(report) == ["request", "route", "service", "enforced", "refused", "cases"]
    for case in report["cases"]:
        assert list(case) == [
            "because", "only_caller", "needs", "barred", "divisions", "body", "allowed", "together", "one_short",
        ]  # fmt: skip
