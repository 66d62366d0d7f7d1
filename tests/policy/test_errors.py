"""How reading a policy fails."""

import pytest

from policy import Code, Diagnostic, Location, PolicyError, PolicyInvalid, PolicyUnreadable


def test_an_invalid_policy_carries_every_finding_sorted() -> None:
    found = [
        Diagnostic(Location("b.yaml", 2), Code.UNKNOWN_ROLE, "second"),
        Diagnostic(Location("a.yaml", 9), Code.UNKNOWN_ROLE, "first"),
    ]
    error = PolicyInvalid(found)
    assert [each.message for each in error.diagnostics] == ["first", "second"]
    assert str(error).splitlines()[0] == "a.yaml:9:1: unknown-role: first"


def test_an_unreadable_policy_names_every_path_with_its_reason() -> None:
    error = PolicyUnreadable([("a.yaml", "no such file or directory"), ("b", "is a directory")])
    assert str(error) == "a.yaml: no such file or directory\nb: is a directory"


@pytest.mark.parametrize("error", [PolicyInvalid([]), PolicyUnreadable([])])
def test_both_are_policy_errors(error: PolicyError) -> None:
    assert isinstance(error, PolicyError)
