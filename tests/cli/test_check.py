"""`check` finds whatever `serve` would refuse to start with, all of it at once."""

import json
import re
import shutil
from pathlib import Path

import pytest

from gateway.cli.output import Exit
from tests.cases.test_broken_sample import FOLDER as BROKEN
from tests.cases.test_broken_sample import planted
from tests.cli.conftest import Ask
from tests.support.cases import CONFIG
from tests.support.site import ucs, write_settings

UPSTREAM = ucs("http://127.0.0.1:1")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped configuration that a test may change."""
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


def test_the_shipped_sample_is_sound(ask: Ask) -> None:
    said = ask("check")
    assert (said.code, said.err) == (Exit.YES, "")
    assert re.fullmatch(
        r"config/gateway\.yaml: 2 services, \d+ operations, \d+ permissions, \d+ roles;"
        r" policy version [0-9a-f]{32}\n"
        r"no role opens more than `administrator`: \d+ operations, \d+ of them write\n",
        said.out,
    )


def test_the_sample_is_sound_for_programs_too(ask: Ask) -> None:
    said = ask("check", "--format", "json")
    report = json.loads(said.out)
    assert (said.code, said.err) == (Exit.YES, "")
    assert report.pop("policy") in ask("check").out
    roles = report.pop("roles")
    assert roles["profile-reader"] == {"operations": 2, "writes": 0}
    assert roles["migration"] == {"operations": 0, "writes": 0}
    assert report == {"valid": True, "errors": 0, "findings": [], "accepted": []}


def test_every_fault_of_a_broken_sample_is_told_with_its_line(ask: Ask) -> None:
    said = ask("check", "--config", BROKEN / "gateway.yaml")
    assert (said.code, said.out) == (Exit.INVALID, "")
    told = re.findall(
        r"^(?:error|warning): tests/cases/broken/(\S+):(\d+):\d+: ([a-z-]+): ",
        said.err,
        re.MULTILINE,
    )
    assert sorted((file, int(line), code) for file, line, code in told) == sorted(planted())
    assert re.fullmatch(r"\d\d errors, 1 warning", said.err.splitlines()[-1])


def test_programs_get_every_fault_with_its_whole_path(ask: Ask) -> None:
    said = ask("check", "--config", BROKEN / "gateway.yaml", "--format", "json")
    report = json.loads(said.out)
    assert (said.code, said.err) == (Exit.INVALID, "")
    assert (report["valid"], report["policy"]) == (False, None)
    found = [
        (finding["where"]["file"], finding["where"]["line"], finding["code"])
        for finding in report["findings"]
    ]
    assert sorted(found) == sorted((str(BROKEN / file), *rest) for file, *rest in planted())
    assert report["errors"] == len(found) - 1
    assert {finding["severity"] for finding in report["findings"]} == {"error", "warning"}


def test_a_warning_alone_is_told_and_the_policy_can_be_used(ask: Ask, copy: Path) -> None:
    (copy / "policy" / "more.yaml").write_text("roles:\n  idle: {}\nusers:\n  x: {roles: [idle]}\n")
    said = ask("check", "--config", copy / "gateway.yaml")
    assert said.code == Exit.YES
    assert f"warning: {copy}/policy/more.yaml:2:3: role-grants-nothing: " in said.err
    assert said.err.endswith("0 errors, 1 warning\n")
    assert "policy version" in said.out


def test_settings_that_are_not_there_are_a_finding(ask: Ask, tmp_path: Path) -> None:
    said = ask("check", "--config", tmp_path / "gateway.yaml")
    assert (said.code, said.out) == (Exit.INVALID, "")
    assert said.err == (
        f"error: {tmp_path}/gateway.yaml:1:1: bad-value: the settings cannot be read:"
        " no such file or directory\n  help: `--config` names another file\n1 error, 0 warnings\n"
    )


def test_a_file_that_the_settings_name_in_vain_is_told_at_the_place_that_names_it(
    ask: Ask, copy: Path
) -> None:
    (copy / "catalogues" / "gms-context-services.yaml").unlink()
    said = ask("check", "--config", copy / "gateway.yaml")
    lines = (copy / "gateway.yaml").read_text().splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if "gms-context-services" in line)
    assert said.code == Exit.INVALID
    assert f"gateway.yaml:{number}:16: bad-value: " in said.err
    assert "no such file" in said.err


def test_a_policy_folder_without_a_policy_cannot_be_checked(ask: Ask, copy: Path) -> None:
    for file in (copy / "policy").glob("*.yaml"):
        file.unlink()
    said = ask("check", "--config", copy / "gateway.yaml")
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err == f"error: {copy}/policy: holds no policy file (`*.yaml`)\n"


def test_keys_and_users_that_serve_would_refuse_are_found_with_the_policys_faults(
    ask: Ask, tmp_path: Path
) -> None:
    settings = write_settings(tmp_path, [UPSTREAM])
    (tmp_path / "issuer.pem").write_text("no key")
    (tmp_path / "policy" / "policy.yaml").write_text("roles: {reader: {permissions: [Nothing]}}\n")
    said = ask("check", "--config", settings)
    assert said.code == Exit.INVALID
    assert f"{tmp_path}/issuer.pem:1:1: bad-value: " in said.err
    assert f"{tmp_path}/policy/policy.yaml:1:32: unknown-permission: " in said.err
    assert "2 errors, " in said.err


def test_a_users_file_is_read_to_its_last_line(ask: Ask, copy: Path) -> None:
    (copy / "users.yaml").write_text("users:\n  anna: {password_hash: plain}\n  sam: {}\n")
    said = ask("check", "--config", copy / "gateway.yaml")
    assert said.code == Exit.INVALID
    assert f"{copy}/users.yaml:2:25: bad-value: " in said.err
    assert f"{copy}/users.yaml:3:3: missing-key: " in said.err
