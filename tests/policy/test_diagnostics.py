"""What a finding looks like."""

import re

from policy import Code, Diagnostic, Location, Severity
from policy.diagnostics import in_order


def finding(
    line: int, column: int = 1, message: str = "unknown key `x`", file: str = "roles.yaml"
) -> Diagnostic:
    return Diagnostic(Location(file, line, column), Code.UNKNOWN_KEY, message)


def test_a_finding_is_one_line_that_editors_can_jump_to() -> None:
    assert str(finding(3, 5)) == "roles.yaml:3:5: unknown-key: unknown key `x`"


def test_help_is_a_line_of_its_own() -> None:
    found = Diagnostic(Location("a.yaml"), Code.UNKNOWN_ROLE, "no such role", "did you mean `b`?")
    assert str(found) == "a.yaml:1:1: unknown-role: no such role\n  help: did you mean `b`?"


def test_a_finding_is_an_error_unless_it_says_otherwise() -> None:
    assert finding(1).severity is Severity.ERROR


def test_findings_are_sorted_by_file_line_and_column() -> None:
    found = [finding(10), finding(9, 7), finding(9, 2), finding(11, file="a.yaml")]
    places = [str(each.where) for each in in_order(found)]
    assert places == ["a.yaml:11:1", "roles.yaml:9:2", "roles.yaml:9:7", "roles.yaml:10:1"]


def test_the_same_finding_is_said_once() -> None:
    assert in_order([finding(1), finding(1)]) == (finding(1),)


def test_what_authors_wrote_cannot_act_on_a_terminal() -> None:
    found = Diagnostic(Location("a.yaml"), Code.UNKNOWN_KEY, "key `\x1b[31m`", "not `\n`")
    assert found.message == r"key `\x1b[31m`"
    assert found.help == r"not `\n`"


def test_every_code_is_kebab_case_and_has_a_meaning() -> None:
    for code in Code:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code.value)
        assert code.meaning
        assert not code.meaning.endswith(".")


def test_a_code_is_its_text() -> None:
    assert Code.UNKNOWN_KEY.value == "unknown-key"
    assert f"{Code.UNKNOWN_KEY}" == "unknown-key"
