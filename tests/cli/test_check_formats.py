"""What `check` finds, as programs that review code read it: SARIF, GitHub, and an exit code."""

import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from gateway.cli.annotations import annotation_of
from gateway.cli.output import Exit
from gateway.cli.sarif import sarif_of
from policy import Code, Diagnostic, Location, Severity
from tests.cases.test_broken_sample import FOLDER as BROKEN
from tests.cases.test_broken_sample import planted
from tests.cli.conftest import Ask
from tests.support.cases import CONFIG

# What the schema of SARIF 2.1.0 demands of the objects that we write: the keys that must be there,
# all that may be there of those we could have misspelt, and how their values look.
SHAPES: dict[str, dict[str, Any]] = {
    "log": {"$schema": str, "version": "2.1.0", "runs": ["run"]},
    "run": {"tool": "tool", "columnKind": "unicodeCodePoints", "results": ["result"]},
    "tool": {"driver": "driver"},
    "driver": {"name": "ucs-gateway", "version": str, "rules": ["rule"]},
    "rule": {"id": str, "shortDescription": "message", "help": "message"},
    "result": {
        "ruleId": str, "ruleIndex": int, "level": str, "message": "message",
        "locations": ["location"],
    },
    "message": {"text": str},
    "location": {"physicalLocation": "physical"},
    "physical": {"artifactLocation": "artifact", "region": "region"},
    "region": {"startLine": int, "startColumn": int},
}  # fmt: skip


def conforms(value: Any, shape: Any) -> None:
    """`value` has exactly the keys of its shape, and each of them holds what it should."""
    if isinstance(shape, list):
        assert isinstance(value, list)
        for item in value:
            conforms(item, shape[0])
    elif isinstance(shape, type):
        assert isinstance(value, shape)
    elif shape == "artifact":
        assert value.keys() in ({"uri"}, {"uri", "uriBaseId"})
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+|file:///[A-Za-z0-9._~/%-]+", value["uri"])
        assert value["uri"].startswith("file:") != ("uriBaseId" in value)
    elif shape in SHAPES:
        assert value.keys() == SHAPES[shape].keys()
        for key, below in SHAPES[shape].items():
            conforms(value[key], below)
    else:
        assert value == shape


def finding(message: str = "said", **changes: Any) -> Diagnostic:
    given = {"where": Location("a.yaml", 3, 5), "code": Code.UNKNOWN_ROLE, "help": None}
    return Diagnostic(message=message, **{**given, **changes})


def test_sarif_of_a_broken_sample_holds_every_fault_at_its_line(ask: Ask) -> None:
    said = ask("check", "--config", BROKEN / "gateway.yaml", "--format", "sarif")
    log = json.loads(said.out)
    assert (said.code, said.err) == (Exit.INVALID, "")
    conforms(log, "log")
    (run,) = log["runs"]
    found = []
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning"}
        at = result["locations"][0]["physicalLocation"]
        file = unquote(at["artifactLocation"]["uri"])
        found.append((file, at["region"]["startLine"], result["ruleId"]))
    assert sorted(found) == sorted(
        (f"tests/cases/broken/{file}", *rest) for file, *rest in planted()
    )


def test_sarif_without_findings_is_a_run_that_found_nothing(ask: Ask) -> None:
    log = json.loads(ask("check", "--format", "sarif").out)
    conforms(log, "log")
    assert log["runs"][0]["results"] == []


def test_sarif_names_a_file_elsewhere_whole_and_escapes_what_uris_must_not_hold() -> None:
    log = sarif_of([
        finding(where=Location("/else where/ü#.yaml", 1, 1)),
        finding(where=Location("a b/c:d.yaml", 2, 1)),
    ])  # fmt: skip
    conforms(log, "log")
    artifacts = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]
        for result in log["runs"][0]["results"]
    ]
    assert artifacts == [
        {"uri": "file:///else%20where/%C3%BC%23.yaml"},
        {"uri": "a%20b/c%3Ad.yaml", "uriBaseId": "%SRCROOT%"},
    ]


def test_an_annotation_of_github_is_one_line_with_place_and_title() -> None:
    assert annotation_of(finding(help="do this")) == (
        "::error file=a.yaml,line=3,col=5,title=unknown-role::said%0Ahelp: do this"
    )
    assert annotation_of(finding(severity=Severity.WARNING)).startswith("::warning file=")


def test_an_annotation_cannot_be_broken_out_of() -> None:
    said = annotation_of(finding("100%: a, b::c", where=Location("a,line=9:%0A\n::b.yaml", 1, 1)))
    assert said == (
        "::error file=a%2Cline=9%3A%250A%0A%3A%3Ab.yaml,line=1,col=1,title=unknown-role"
        "::100%25: a, b::c"
    )


def test_github_gets_every_fault_in_order_and_nothing_else(ask: Ask) -> None:
    said = ask("check", "--config", BROKEN / "gateway.yaml", "--format", "github")
    assert (said.code, said.err) == (Exit.INVALID, "")
    told = re.findall(
        r"^::(?:error|warning) file=tests/cases/broken/([^,]+),line=(\d+),col=\d+,title=([a-z-]+)::",
        said.out,
        re.MULTILINE,
    )
    assert len(told) == len(said.out.splitlines())
    found = [(file, int(line), code) for file, line, code in told]
    assert sorted(found) == sorted(planted())
    assert [place[:2] for place in found] == sorted(place[:2] for place in found)


@pytest.mark.parametrize("format_", ["text", "json", "sarif", "github"])
def test_strict_makes_a_warning_count_and_nothing_else(
    ask: Ask, tmp_path: Path, format_: str
) -> None:
    copy = shutil.copytree(CONFIG, tmp_path / "config")
    settings = ("check", "--config", copy / "gateway.yaml", "--format", format_)
    assert ask(*settings, "--strict").code == Exit.YES
    (copy / "policy" / "more.yaml").write_text("users:\n  zoe: {}\n")
    assert ask(*settings).code == Exit.YES
    assert ask(*settings, "--strict").code == Exit.DENIED_OR_DIFFERENT
    (copy / "policy" / "more.yaml").write_text("users:\n  zoe: {role: [x]}\n")
    assert ask(*settings, "--strict").code == Exit.INVALID


def test_what_is_accepted_in_the_file_does_not_fail_a_strict_check(
    ask: Ask, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    (folder / "policy" / "more.yaml").write_text(
        "roles:\n  night: {permissions: [Supervisor]}\n"
        "users:\n  Anna: {roles: [night]}  # accepted: look-alike-name: two people\n"
    )
    roles = folder / "policy" / "roles.yaml"
    checked = ("check", "--strict", "--config", folder / "gateway.yaml")
    assert ask(*checked).code == Exit.DENIED_OR_DIFFERENT
    note = "  # accepted: role-duplicate: until May\n  service-supervisor:\n"
    roles.write_text(roles.read_text().replace("  service-supervisor:\n", note))
    said = ask(*checked)
    assert (said.code, said.err) == (Exit.YES, "")
    assert "2 warnings accepted by comments" in said.out
    report = json.loads(ask(*checked, "--format", "json").out)
    assert report["findings"] == []
    accepted = {each["code"]: each["reason"] for each in report["accepted"]}
    assert accepted == {"look-alike-name": "two people", "role-duplicate": "until May"}
    assert ask(*checked, "--format", "github").out == ""
    assert json.loads(ask(*checked, "--format", "sarif").out)["runs"][0]["results"] == []
