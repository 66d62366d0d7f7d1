"""`replay` and `mine`, on the audit of a real run: the demo's."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run
from gateway.cli.output import Exit
from tests.cli.conftest import Ask
from tests.support.cases import CONFIG

EXTENSION = "UCS.Customer.createProfileExtension"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lines of fourteen requests."""
    file = tmp_path_factory.mktemp("demo") / "audit.jsonl"
    assert run(["demo", "--once", "--config-folder", str(CONFIG), "--audit", str(file)]) == 0
    return file


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Carl is given extensions, and nobody reads profiles by way of another role any more."""
    folder = tmp_path / "new"
    shutil.copytree(CONFIG / "policy", folder)
    roles = folder / "roles.yaml"
    text = roles.read_text()
    creator = "permissions: [UCS.Customer.createProfile]"
    assert creator in text
    text = text.replace(creator, f"permissions: [UCS.Customer.createProfile, {EXTENSION}]")
    roles.write_text(text.replace("includes: [profile-reader]", "includes: []"))
    return folder


# --- replay ------------------------------------------------------------------------------------


def test_the_policy_of_the_run_flips_nothing(ask: Ask, log: Path) -> None:
    said = ask("replay", log, "--against", CONFIG / "policy")
    assert (said.code, said.err) == (Exit.YES, "")
    assert said.out.endswith(": nothing flips\n")
    assert "left out: 2 requests that ended in an error before any decision\n" in said.out


def test_another_policy_flips_what_it_should_new_allows_first(
    ask: Ask, log: Path, changed: Path
) -> None:
    said = ask("replay", log, "--against", changed)
    assert said.code == Exit.DENIED_OR_DIFFERENT
    lines = said.out.splitlines()
    assert lines[0] == "newly allowed: 1 request"
    assert lines[1] == "  carl: POST create-customer-profile, 1 request"
    assert lines[3] == f"    permission-missing → permitted, held now: {EXTENSION}"
    assert lines[5] == "newly denied: 1 request"
    assert lines[6] == "  anna: GET query-customer-profile, 1 request"
    assert lines[-1].endswith(": 10 as before, 2 flip")


def test_a_settings_file_may_be_replayed_against_as_well(ask: Ask, log: Path) -> None:
    said = ask("replay", log, "--against", CONFIG / "gateway.yaml")
    assert said.code == Exit.YES


def test_programs_get_the_same(ask: Ask, log: Path, changed: Path) -> None:
    found = json.loads(ask("replay", log, "--against", changed, "--format", "json").out)
    assert (found["replayed"], found["same"], found["flipped"]) == (12, 10, 2)
    assert [flip["caller"] for flip in found["flips"]] == ["carl", "anna"]
    assert found["flips"][0]["missing"] == {
        "all_of": [EXTENSION],
        "any_of": [],
        "scopes": [],
        "divisions": [],
    }
    assert (found["cannot_tell"], found["passed_over"], found["undecided"]) == ([], [], 2)


def test_a_broken_policy_is_invalid_and_not_replayed(ask: Ask, log: Path, changed: Path) -> None:
    roles = changed / "roles.yaml"
    roles.write_text(roles.read_text().replace(EXTENSION, "UCS.Customer.createExtention"))
    said = ask("replay", log, "--against", changed)
    assert (said.code, said.out) == (Exit.INVALID, "")
    assert "unknown-permission" in said.err


def test_what_is_no_audit_is_told_with_its_place_and_cannot_be_replayed(
    ask: Ask, tmp_path: Path
) -> None:
    file = tmp_path / "other.log"
    file.write_text('{"event": "started"}\nhello\x1b[2J\n')
    said = ask("replay", file, "--against", CONFIG / "policy")
    assert said.code == Exit.COULD_NOT
    assert f"passed over: 1 line: no line of an audit ({file}:1)" in said.out
    assert f"passed over: 1 line: no whole JSON object ({file}:2)" in said.out
    assert said.out.endswith("0 requests replayed: nothing can be said\n")


def test_a_file_that_is_not_there_is_told(ask: Ask, tmp_path: Path) -> None:
    said = ask("replay", tmp_path / "none", "--against", CONFIG / "policy")
    assert said.code == Exit.COULD_NOT
    assert "none cannot be read: no such file or directory" in said.err


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01", "9999-12-31T23:59:59-23:59"])
def test_what_is_no_time_is_told(ask: Ask, log: Path, time: str) -> None:
    said = ask("replay", log, "--against", CONFIG / "policy", "--since", time)
    assert said.code == Exit.COULD_NOT
    assert "is no time; write `2026-11-21`" in said.err


def test_only_lines_of_the_time_asked_for_count(ask: Ask, log: Path) -> None:
    said = ask("replay", log, "--against", CONFIG / "policy", "--until", "2001-01-01")
    assert said.code == Exit.COULD_NOT
    assert "outside of --since and --until: 14 lines" in said.out


def test_what_a_hostile_line_holds_does_nothing_to_a_terminal(
    ask: Ask, log: Path, changed: Path, tmp_path: Path
) -> None:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        line |= {
            "subject": line["subject"] + "\x1b[2J",
            "id": "\x9b1m",
            "time": f"2026\x1b[2J{line['time'][8:]}",
        }
    file = tmp_path / "hostile"
    file.write_text("\n".join(map(json.dumps, lines)))
    for said in (ask("replay", file, "--against", changed), ask("mine", file)):
        assert said.code != Exit.INVALID
        assert all(letter.isprintable() or letter == "\n" for letter in said.out)


# --- mine --------------------------------------------------------------------------------------


def mined(ask: Ask, log: Path) -> dict[str, Any]:
    said = ask("mine", log, "--format", "json")
    assert said.code == Exit.YES
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_the_smallest_role_that_would_have_done_is_found(ask: Ask, log: Path) -> None:
    callers = {one["caller"]: one for one in mined(ask, log)["callers"]}
    assert callers["olga"]["least"] == ["UCS.Customer.createProfile", EXTENSION]
    assert callers["olga"]["smallest_role"] == "importer"
    assert len(callers["olga"]["never_used"]) == 18
    assert callers["stella"]["least"] == ["Supervisor"]
    assert callers["stella"]["smallest_role"] == "service-supervisor"
    assert callers["anna"]["never_used"] == []


def test_who_lacked_one_permission_is_told_with_the_role_that_has_it(ask: Ask, log: Path) -> None:
    lacked = {(one["caller"], one["operation"]): one for one in mined(ask, log)["lacked_one"]}
    carl = lacked["carl", "create-customer-profile"]
    assert (carl["any_of"], carl["count"], carl["smallest_role"]) == ([EXTENSION], 1, "importer")


def test_what_nobody_used_and_who_never_came_is_told(ask: Ask, log: Path) -> None:
    found = mined(ask, log)
    assert "schema-admin" in found["roles_never_used"]
    assert "migration" not in found["roles_never_used"]  # it is off
    assert found["users_never_seen"] == ["vera", "nightly-import", "mona"]
    assert "contact-center-supervisors" not in found["claims_never_seen"]


def test_that_it_rests_on_little_is_said_aloud(ask: Ask, log: Path) -> None:
    said = ask("mine", log)
    assert said.out.startswith("5 requests allowed to 4 callers from ")
    assert "\nCAUTION: this rests on less than a day" in said.out


def test_the_patch_takes_out_what_nobody_used_and_everybody_seen_can_go_on(
    ask: Ask, log: Path, tmp_path: Path
) -> None:
    patch = tmp_path / "trim.diff"
    said = ask("mine", log, "--patch", patch)
    assert said.code == Exit.YES
    text = patch.read_text()
    assert "--- a/config/policy/roles.yaml\n+++ b/config/policy/roles.yaml\n" in text
    assert "-      - UCS.Customer.executeBulkImport\n" in text
    assert "-    permissions: [UCS.SchemaMgt.readInteraction]\n+    permissions: []\n" in text
    assert (
        "# CAUTION: the role `importer` is also held by users never seen: `nightly-import`." in text
    )
    assert f"-      - {EXTENSION}\n" not in text  # perhaps used
    changes = [line for line in text.splitlines() if line.startswith(("+", "-"))]
    assert not any("#" in line for line in changes)


def test_a_patch_that_cannot_be_written_is_told(ask: Ask, log: Path, tmp_path: Path) -> None:
    said = ask("mine", log, "--patch", tmp_path / "none" / "x.diff")
    assert said.code == Exit.COULD_NOT
    assert "cannot be written" in said.err


def test_nothing_to_learn_from_is_no_answer(ask: Ask, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    assert ask("mine", empty).code == Exit.COULD_NOT
