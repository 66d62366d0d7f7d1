"""`test` holds the policy against the tables beside it, and tells what is not as expected."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gateway.cli.output import Exit
from tests.cli.conftest import Ask, Said
from tests.support.cases import CONFIG, ROOT

SHIPPED = ROOT / "config" / "policy" / "tests"
ANNA = "/profiles/0004Va58A92T0017"
UPDATE, EXTENSION = "UCS.Customer.updateCustomerProfile", "UCS.Customer.updateProfileExtension"

# The second line is not as expected: an editor may not write extensions.
MIXED = f"""\
callers:
  editor: {{roles: [profile-editor]}}
expect:
  - request: GET {ANNA}
    allow: [editor]
  - name: correct a phone number
    request: PUT {ANNA}
    body: {{FirstName: Anna, Phone: [{{PhoneNumber: 555-1918}}]}}
    allow: [editor]
    deny: {{sam: [{UPDATE}]}}
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: str, name: str = "tests.yaml") -> Path:
        file = tmp_path / name
        file.write_text(content)
        return file

    return written


# --- the tables beside the policy --------------------------------------------------------------


def test_the_shipped_tables_hold_and_try_all_of_the_shipped_policy(ask: Ask) -> None:
    said = ask("test", "--coverage")
    assert (said.code, said.err) == (Exit.YES, "")
    assert re.match(r"\d{3} expectations in 3 files: all as expected\n", said.out)
    numbers = re.findall(r"^(\w+) +(\d+) %  (\d+) of (\d+)$", said.out, re.MULTILINE)
    assert [(title, percent) for title, percent, _, _ in numbers] == [
        (title, "100") for title in ("operations", "conditions", "guards", "roles", "permissions")
    ]
    assert all(covered == total for _, _, covered, total in numbers)


def test_every_file_of_a_folder_is_read_and_each_once(ask: Ask) -> None:
    by_name = ask("test", *sorted(SHIPPED.iterdir()))
    by_folder = ask("test", SHIPPED)
    twice = ask("test", SHIPPED, SHIPPED / "profiles.yaml")
    assert by_name.out == by_folder.out == twice.out == ask("test").out


def test_what_is_not_as_expected_is_told_with_all_there_is_to_say(ask: Ask, write: Write) -> None:
    file = write(MIXED)
    said = ask("test", file)
    assert (said.code, said.err) == (Exit.DENIED_OR_DIFFERENT, "")
    body = '{"FirstName": "Anna", "Phone": [{"PhoneNumber": "555-1918"}]}'
    assert said.out.splitlines() == [
        f"{file}:9:13: not as expected: correct a phone number",
        f'  request   PUT {ANNA} with {{"FirstName": "Anna", "Phone": [{{"PhoneNumber": …',
        "  caller    editor (role `profile-editor`)",
        "  expected  allow",
        f"  actual    deny: permission-missing, missing `{EXTENSION}`",
        (
            f"  more      printf %s '{body}' | ucs-gateway explain PUT {ANNA} --role profile-editor"
            " --body /dev/stdin"
        ),
        "",
        "3 expectations in 1 file: 1 not as expected",
    ]


def failing(ask: Ask, write: Write, text: str) -> dict[str, str]:
    """What is said of the one expectation that is not as expected, by its first words."""
    said = ask("test", write(text))
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert said.out.count(": not as expected") == 1
    return dict(re.findall(r"^  (\w+) +(.*)$", said.out, re.MULTILINE))


@pytest.mark.parametrize(
    ("line", "expected", "actual"),
    [
        (
            "{request: GET /profiles, deny: {anna: [UCS.Customer.createProfile]}}",
            "deny: permission-missing, missing `UCS.Customer.createProfile`",
            "allow: permitted",
        ),
        (
            "{request: GET /genesys/1/cs/services/1, deny: {anna: [Supervisor]}}",
            "deny: permission-missing, missing `Supervisor`",
            "deny: permission-missing, missing one of `Administrator`, `Supervisor`",
        ),
        (
            "{request: 'GET /profiles?extensions=', allow: [olga], because: []}",
            "allow, and no condition came true",
            "allow: permitted, because query has `extensions` or `include_extensions`",
        ),
        (
            "{request: GET /profiles, allow: [olga], because: [query has a name with a dot]}",
            "allow, because query has a name with a dot",
            "allow: permitted",
        ),
        (
            "{request: POST /profiles, allow: [carl]}",
            "allow",
            "it depends on the body, and there is none",
        ),
        (
            "{request: POST /profiles, body: '', allow: [carl]}",
            "allow",
            "refused with 400: body-unreadable, EOF while parsing a value at line 1 column 0",
        ),
        (
            "{request: GET /a//b, allow: [olga]}",
            "allow",
            "refused with 400: malformed-target, the path has an empty segment",
        ),
        (
            "{request: GET /nothing, deny: {olga: undecidable}}",
            "deny: undecidable",
            "deny: no-route",
        ),
        (
            "{request: GET /profiles/1, route: identify-customer}",
            "answered by `identify-customer`",
            "answered by query-customer-profile (GET /profiles/{customer_id})",
        ),
        (
            "{request: GET /nothing, route: identify-customer}",
            "answered by `identify-customer`",
            "answered by no operation",
        ),
        (
            "{request: GET /a//b, route: identify-customer}",
            "answered by `identify-customer`",
            "refused with 400: malformed-target, the path has an empty segment",
        ),
    ],
)
def test_what_was_expected_and_what_is_are_told_in_the_same_words(
    ask: Ask, write: Write, line: str, expected: str, actual: str
) -> None:
    told = failing(ask, write, f"expect:\n  - {line}\n")
    assert (told["expected"], told["actual"]) == (expected, actual)


def test_whoever_forgets_the_body_is_told_to_give_it(ask: Ask, write: Write) -> None:
    told = failing(ask, write, "expect: [{request: POST /profiles, allow: [carl]}]")
    assert told["help"] == "give the line a `body`"


CALLERS = """\
callers:
  by-roles: {roles: [profile-editor, importer]}
  by-claim: {claims: [contact-center-agents]}
  by-user: {user: anna, roles: [schema-reader]}
  by-subject: {subject: agent 7}
  nobody: {roles: []}
"""


@pytest.mark.parametrize(
    ("who", "told", "options"),
    [
        (
            "by-roles",
            "by-roles (role `importer`, role `profile-editor`)",
            "--role importer --role profile-editor",
        ),
        ("by-claim", "by-claim (claim `contact-center-agents`)", "--claim contact-center-agents"),
        (
            "by-user",
            "by-user (user `anna`, role `schema-reader`)",
            "--as anna --role schema-reader",
        ),
        ("by-subject", "by-subject (user `agent 7`)", "--as 'agent 7'"),
        ("nobody", "nobody (no role)", "--as '(unnamed)'"),
        ("anna", "anna (known by that name)", "--as anna"),
        ("anonymous", "anonymous (no credentials)", ""),
    ],
)
def test_every_sort_of_caller_is_told_and_can_be_explained(
    ask: Ask, write: Write, who: str, told: str, options: str
) -> None:
    other = [line for line in CALLERS.splitlines()[1:] if line.strip().startswith(who)]
    callers = "\n".join(["callers:", *other]) if other else "callers: {}"
    said = failing(
        ask, write, f"{callers}\nexpect:\n  - {{request: GET /nothing, allow: [{who}]}}\n"
    )
    assert said["caller"] == told
    assert said["more"] == f"ucs-gateway explain GET /nothing {options}".rstrip()


def in_a_shell(command: str, folder: Path) -> str:
    """What the command says when it is typed in `folder`."""
    run = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return run.stdout


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (
            f"{{request: \"PUT {ANNA}\", body: {{FirstName: O'Neill, Phone: \"\\\\n ü\"}}, allow: [anna]}}",
            "deny: permission-missing",
        ),
        ("{request: 'GET /profiles?a=b&extensions=%27', allow: [anonymous]}",
         "deny: not-authenticated"),
        (f"{{request: PUT {ANNA}, body: '{{\"FirstName\":\n\n 1}}', deny: {{anna: no-route}}}}",
         "allow: permitted"),
    ],
)  # fmt: skip
def test_the_command_that_tells_more_tells_of_the_same_request(
    ask: Ask, write: Write, line: str, verdict: str
) -> None:
    said = ask("test", write(f"expect:\n  - {line}\n"), "--format", "json")
    (entry,) = as_json(said)["verdicts"]
    assert f"\nverdict: {verdict}\n" in in_a_shell(entry["explain"], ROOT)


def test_the_command_that_tells_more_names_the_settings_if_they_are_others(
    ask: Ask, write: Write
) -> None:
    config = CONFIG / "gateway.yaml"
    said = ask("test", write(MIXED), "--config", config)
    assert said.out.count(f" --config {config}") == 0  # near: as one would type it here
    assert " --config config/gateway.yaml --body " in said.out


# --- what is invalid, and what cannot be -------------------------------------------------------


def test_a_file_that_leads_nowhere_exits_with_3_and_holds_nothing(ask: Ask, write: Write) -> None:
    broken = write(
        "callers: {a: {roles: [profile-raeder]}}\nexpect: [{request: GET /, allow: [a]}]"
    )
    said = ask("test", SHIPPED, broken)
    assert (said.code, said.out) == (Exit.INVALID, "")
    assert said.err == (
        f"error: {broken}:1:23: unknown-role: no policy file defines the role `profile-raeder`\n"
        "  help: did you mean `profile-reader`?\n"
        "1 error, 0 warnings\n"
    )


def test_a_file_without_expectations_is_invalid(ask: Ask, write: Write) -> None:
    assert ask("test", write("expect: []")).code == Exit.INVALID
    assert ask("test", write("# nothing yet\n")).code == Exit.INVALID


def test_without_any_file_there_is_nothing_to_say_yes_to(ask: Ask, tmp_path: Path) -> None:
    said = ask("test", tmp_path)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err == f"error: {tmp_path} holds no expectations (`*.yaml`)\n"
    config = CONFIG.parent / "tests" / "cases" / "broken" / "gateway.yaml"
    assert ask("test", "--config", config).code == Exit.INVALID
    assert ask("test", tmp_path / "none.yaml").code == Exit.COULD_NOT


def test_a_policy_without_a_folder_of_tests_is_told_where_to_put_them(
    ask: Ask, tmp_path: Path
) -> None:
    for part in ("gateway.yaml", "users.yaml", "policy/roles.yaml"):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).write_text((CONFIG / part).read_text())
    (tmp_path / "catalogues").symlink_to(CONFIG / "catalogues")
    said = ask("test", "--config", tmp_path / "gateway.yaml")
    assert said.code == Exit.COULD_NOT
    assert said.err == (
        f"error: there is no {tmp_path}/policy/tests\n"
        "  help: write expectations into a file there, or name a file\n"
    )


# --- for programs ------------------------------------------------------------------------------


def as_json(said: Said) -> Any:
    return json.loads(said.out)


def test_programs_get_every_verdict_with_what_was_expected_and_what_is(
    ask: Ask, write: Write
) -> None:
    file = write(MIXED)
    report = as_json(ask("test", file, "--format", "json"))
    assert (report["expectations"], report["not_as_expected"], report["findings"]) == (3, 1, [])
    assert report["files"] == [str(file)]
    assert report["coverage"] is None
    assert [each["as_expected"] for each in report["verdicts"]] == [True, False, True]
    wrong = report["verdicts"][1]
    assert wrong["where"] == {"file": str(file), "line": 9, "column": 13}
    assert (wrong["name"], wrong["request"], wrong["caller"]) == (
        "correct a phone number", f"PUT {ANNA}", "editor",
    )  # fmt: skip
    assert wrong["expected"] == {"effect": "allow", "because": None}
    assert wrong["actual"] == {
        "effect": "deny",
        "reason": "permission-missing",
        "missing": {"all_of": [EXTENSION], "any_of": [], "scopes": [], "divisions": []},
        "because": ["body has keys outside `core_attributes`"],
        "route": "update-customer-profile",
    }


def test_programs_get_the_numbers_of_the_coverage_and_every_gap(ask: Ask, write: Write) -> None:
    report = as_json(ask("test", write(MIXED), "--coverage", "--format", "json"))
    coverage = report["coverage"]
    assert list(coverage) == ["operations", "conditions", "guards", "roles", "permissions"]
    assert (coverage["roles"]["covered"], coverage["roles"]["total"]) == (2, 13)
    assert coverage["roles"]["percent"] == 15
    assert "administrator" in coverage["roles"]["gaps"]
    assert all(each["covered"] + len(each["gaps"]) == each["total"] for each in coverage.values())


def test_people_get_the_gaps_below_the_numbers(ask: Ask, write: Write) -> None:
    said = ask("test", write(MIXED), "--coverage")
    assert "\nroles         15 %  2 of 13\n" in said.out
    assert "\nroles that no caller has:\n  profile-creator\n" in said.out


def test_programs_get_the_findings_of_an_invalid_file(ask: Ask, write: Write) -> None:
    said = ask("test", write("expect: []"), "--format", "json", "--coverage")
    report = as_json(said)
    assert said.code == Exit.INVALID
    assert [finding["code"] for finding in report["findings"]] == ["empty-value"]
    assert (report["verdicts"], report["coverage"]) == ([], None)


def test_build_servers_get_a_case_for_every_expectation(ask: Ask, write: Write) -> None:
    file, other = write(MIXED), write(MIXED, "other.yaml")
    said = ask("test", file, other, "--format", "junit")
    assert said.code == Exit.DENIED_OR_DIFFERENT
    suites = ET.fromstring(said.out).findall("testsuite")
    assert [suite.attrib for suite in suites] == [
        {"name": str(path), "tests": "3", "failures": "1", "errors": "0"} for path in (file, other)
    ]
    cases = suites[0].findall("testcase")
    assert [case.attrib["name"] for case in cases] == [
        f"line 5: GET {ANNA} as editor",
        f"line 9: correct a phone number: PUT {ANNA} as editor",
        f"line 10: correct a phone number: PUT {ANNA} as sam",
    ]
    (failure,) = suites[0].iter("failure")
    assert failure.attrib["message"] == (
        f"expected allow; deny: permission-missing, missing `{EXTENSION}`"
    )
    assert failure.text is not None
    assert failure.text.startswith(f"{file}:9:13: not as expected")


def test_build_servers_get_an_error_for_every_finding(ask: Ask, write: Write) -> None:
    said = ask("test", write("expect: []"), "--format", "junit")
    assert said.code == Exit.INVALID
    (error,) = ET.fromstring(said.out).iter("error")
    assert error.attrib == {"type": "empty-value", "message": "`expect` must not be empty"}


def test_nothing_in_a_file_acts_on_a_terminal_or_breaks_the_xml(ask: Ask, write: Write) -> None:
    line = '{name: "a\\x1b[31mb\\0", request: "GET /\\x1b[31m", allow: [anna]}'
    for format_ in ("text", "json", "junit"):
        said = ask("test", write(f"expect: [{line}]"), "--format", format_)
        assert said.code == Exit.DENIED_OR_DIFFERENT
        assert "\x1b" not in said.out
    ET.fromstring(said.out)


# --- the README --------------------------------------------------------------------------------


def test_the_table_of_the_readme_holds(ask: Ask, write: Write) -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    part = page.split("### Test the policy\n")[1].split("\n### ")[0]
    (block,) = re.findall(r"```yaml\n(.*?)```", part, re.DOTALL)
    said = ask("test", write(block))
    assert (said.code, said.out) == (Exit.YES, "3 expectations in 1 file: all as expected\n")
