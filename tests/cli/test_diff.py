"""`diff` tells who gains and loses what, and a script learns it from the exit code."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.output import Exit
from tests.cli.conftest import Ask, Said
from tests.support.cases import CONFIG, ROOT

POLICY = CONFIG / "policy"
DELETE = "UCS.Customer.deleteCustomerProfile"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A copy of the shipped policy folder."""
    return Path(shutil.copytree(POLICY, tmp_path / "new"))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, "the test changes just one place"
    file.write_text(text.replace(old, new), "utf-8")


def grant(new: Path) -> None:
    reader = "  profile-reader:\n    title: Read customer profiles\n    permissions: ["
    edit(new / "roles.yaml", reader, f"{reader}{DELETE}, ")


def take(new: Path) -> None:
    edit(new / "assignments.yaml", "  carl: {roles: [profile-creator]}", "  carl: {}")


def report(said: Said) -> dict[str, Any]:
    value = json.loads(said.out)
    assert isinstance(value, dict)
    return value


# --- exit codes --------------------------------------------------------------------------------


def test_equal_policies_exit_with_0(ask: Ask, new: Path) -> None:
    said = ask("diff", POLICY, new)
    assert (said.code, said.err) == (Exit.YES, "")
    assert said.out == "no difference: whoever asks for whatever gets the same answer\n"


@pytest.mark.parametrize(
    ("change", "different", "failed"),
    [
        (grant, Exit.DENIED_OR_DIFFERENT, Exit.DENIED_OR_DIFFERENT),
        (take, Exit.DENIED_OR_DIFFERENT, Exit.YES),
    ],
)
def test_fail_on_grant_exits_with_2_for_gains_and_not_for_losses(
    ask: Ask, new: Path, change: Any, different: Exit, failed: Exit
) -> None:
    change(new)
    assert ask("diff", POLICY, new).code == different
    assert ask("diff", POLICY, new, "--fail-on-grant").code == failed


def test_a_service_that_ceases_to_obey_roles_fails_though_nobody_gains(
    ask: Ask, tmp_path: Path
) -> None:
    config = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    settings = config / "gateway.yaml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("use_role: true", "use_role: shadow"), "utf-8")
    said = ask("diff", CONFIG / "gateway.yaml", settings, "--fail-on-grant")
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert "! service `gms` lets through everybody who is known: use_role true → shadow" in said.out
    assert "gain: nobody by the policy, but it is not obeyed any more" in said.out


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_broken_new_policy_exits_with_3_and_tells_its_findings(
    ask: Ask, new: Path, format_: str
) -> None:
    edit(new / "roles.yaml", "includes: [profile-editor,", "includes: [profile-editr,")
    said = ask("diff", POLICY, new, "--format", format_)
    assert said.code == Exit.INVALID
    found = [each["code"] for each in json.loads(said.out)["findings"]] if said.out else []
    assert found == (["unknown-role"] if format_ == "json" else [])
    assert "unknown-role: no policy file defines the role `profile-editr`" in said.err
    assert "1 error" in said.err


def test_a_policy_that_is_not_there_exits_with_1(ask: Ask, tmp_path: Path) -> None:
    said = ask("diff", POLICY, tmp_path / "nowhere")
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert "nowhere" in said.err


def test_an_empty_folder_is_no_policy(ask: Ask, tmp_path: Path) -> None:
    said = ask("diff", POLICY, tmp_path)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert "holds no policy file" in said.err


# --- for people --------------------------------------------------------------------------------


def test_gains_come_first_with_who_what_and_why(ask: Ask, new: Path) -> None:
    grant(new)
    take(new)
    lines = ask("diff", POLICY, new).out.splitlines()
    assert lines[0] == "gain: 4 roles, 3 groups, 2 claims and 3 users (1 kind of request)"
    assert lines[1] == "lose: 1 user (3 kinds of requests)"
    gained = lines.index("  + DELETE /profiles/1  (delete-customer-profile of ucs)")
    assert lines[gained - 1].startswith("roles `profile-reader`, `profile-editor`, ")
    assert lines[gained - 1].endswith("users `sam`, `anna` and `vera` gain 1 kind of request:")
    assert lines[gained + 1] == f"      was denied (permission-missing: `{DELETE}`); is allowed"
    lost = lines.index("user `carl` loses 3 kinds of requests:")
    assert lost > gained
    assert "  - POST /profiles  (create-customer-profile of ucs)" in lines[lost:]


def test_the_request_that_is_shown_is_answered_as_said(ask: Ask, new: Path, tmp_path: Path) -> None:
    grant(new)
    config = Path(shutil.copytree(CONFIG, tmp_path / "config")) / "gateway.yaml"
    shutil.copytree(new, config.parent / "policy", dirs_exist_ok=True)
    asked = ("explain", "DELETE", "/profiles/1", "--as", "sam")
    assert ask(*asked).code == Exit.DENIED_OR_DIFFERENT
    assert ask(*asked, "--config", config).code == Exit.YES


def test_a_long_text_ends_with_how_much_is_not_shown(ask: Ask, new: Path) -> None:
    edit(
        new / "assignments.yaml", "  mona: {roles: [migration]}", "  mona: {roles: [administrator]}"
    )
    short = ask("diff", POLICY, new, "--limit", "2").out
    whole = ask("diff", POLICY, new, "--limit", "1000").out
    all_, shown = whole.count("  + "), short.count("  + ")
    assert (all_ > 40, shown) == (True, 4)
    kinds = whole.splitlines()[0].partition("(")[2].split()[0]
    assert f"  … and {int(kinds) - 2} more kinds of requests\n" in short
    assert "more kinds of requests" not in whole


def test_an_operation_that_asks_for_less_is_told_with_what_it_asked(
    ask: Ask, tmp_path: Path
) -> None:
    config = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    edit(
        config / "gateway.yaml", "    # overrides: overrides/ucs.yaml", "    overrides: local.yaml"
    )
    (config / "local.yaml").write_text(
        "overrides: ucs-customer-profiles\n"
        f"operations: {{delete-customer-profile: {{requires: {{any: [{DELETE}, Supervisor]}}}}}}\n"
        "permissions: {Supervisor: Supervisor}\n"
    )
    said = ask("diff", CONFIG / "gateway.yaml", config / "gateway.yaml")
    if said.code == Exit.INVALID:
        pytest.fail(said.err)
    assert (
        "operation delete-customer-profile of ucs asks for less:\n"
        "  ~ DELETE /profiles/1\n"
        f"      before: needs `{DELETE}`\n"
        f"      now:    needs `{DELETE}` or `Supervisor`\n"
    ) in said.out


# --- for programs ------------------------------------------------------------------------------


def test_json_names_each_caller_and_each_request_once(ask: Ask, new: Path) -> None:
    grant(new)
    said = ask("diff", POLICY, new, "--format", "json")
    found = report(said)
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert (found["equal"], found["grants"]) == (False, True)
    (callers,) = found["gains"]["callers"]
    assert callers["user"] == ["sam", "anna", "carl", "vera"]
    (bundle,) = found["gains"]["requests"]
    assert bundle["callers_but"] == []
    (change,) = bundle["changes"]
    assert change["request"] == {"method": "DELETE", "target": "/profiles/1", "body": None}
    assert change["new"]["operation"] == "delete-customer-profile"
    assert change["new"]["needs"]["all_of"] == [DELETE]
    assert change["example"]["caller"] == "role `profile-reader`"
    assert change["example"]["old"]["missing"]["all_of"] == [DELETE]
    assert change["example"]["new"]["reason"] == "permitted"
    assert found["losses"] == {"callers": [], "requests": [], "together": []}
    assert found["holdings"][0]["gained"] == [DELETE]


def test_json_of_equal_policies_says_so(ask: Ask, new: Path) -> None:
    said = ask("diff", POLICY, new, "--format", "json")
    found = report(said)
    assert (said.code, found["equal"], found["grants"]) == (Exit.YES, True, False)


def test_json_tells_a_token_by_its_claims(ask: Ask, new: Path) -> None:
    edit(
        new / "assignments.yaml",
        "claims:\n",
        "claims:\n  may-create: [profile-creator]\n  may-extend: [extension-editor]\n",
    )
    found = report(ask("diff", POLICY, new, "--format", "json"))
    (token,) = [
        token
        for token in found["gains"]["together"]
        if token["claims"] == ["may-create", "may-extend"]
    ]
    assert token["user"] is None
    assert token["changes"][0]["request"]["target"] == "/profiles"
    assert token["changes"][0]["example"]["new"]["effect"] == "allow"


# --- what is compared --------------------------------------------------------------------------


def test_a_folder_is_read_with_the_services_of_config(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "all.yaml").write_text("roles: {buyer: {permissions: [UCS.Customer.createProfile]}}")
    broken = ROOT / "tests" / "cases" / "broken" / "gateway.yaml"
    assert ask("diff", folder, folder).code == Exit.YES
    said = ask("diff", folder, folder, "--config", broken)
    assert said.code == Exit.INVALID


def test_two_settings_files_need_no_config(ask: Ask, tmp_path: Path) -> None:
    settings = CONFIG / "gateway.yaml"
    said = ask("diff", settings, settings, "--config", tmp_path / "nowhere.yaml")
    assert said.code == Exit.YES
