"""Thousands of remarks of one kind are one."""

from policy import Code, Diagnostic, Location, Severity
from policy.few_words import in_few_words


def found(code: Code, line: int, file: str = "a.yaml") -> Diagnostic:
    return Diagnostic(Location(file, line), code, f"line {line}", "help", Severity.WARNING)


def test_many_of_a_kind_in_a_file_are_told_once_with_their_number() -> None:
    many = [found(Code.OPERATION_UNREACHABLE, line) for line in range(1_021, 0, -1)]
    (told,) = in_few_words(many)
    assert told.message == "line 1; the same holds of 1,020 more in this file"
    assert (told.where, told.help, told.severity) == (
        Location("a.yaml", 1),
        "help",
        Severity.WARNING,
    )


def test_a_few_of_each_file_are_told_one_by_one() -> None:
    some = [
        found(Code.OPERATION_UNREACHABLE, line, file)
        for file in ("a", "b")
        for line in range(1, 21)
    ]
    assert in_few_words(some) == tuple(some)


def test_what_is_wrong_or_opens_too_much_is_always_told_one_by_one() -> None:
    every = [
        found(code, line)
        for code in (Code.UNKNOWN_PERMISSION, Code.BROAD_PERMISSION)
        for line in range(1, 100)
    ]
    assert len(in_few_words(every)) == len(every)
