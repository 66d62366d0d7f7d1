"""Findings of one kind by the thousand, told once.

Whoever puts a catalogue of 3,000 operations in front of a program that needs 100 has done nothing
wrong, and should not be told 2,900 times. Only remarks about what is not used are put together;
errors, and what opens too much, are told one by one.
"""

from collections.abc import Iterable, Iterator

from policy.diagnostics import Code, Diagnostic, in_order

__all__ = ["in_few_words"]

_MOST_ALIKE = 20
_ALIKE = frozenset({
    Code.OPERATION_UNASSIGNED,
    Code.OPERATION_UNREACHABLE,
    Code.PERMISSION_NOT_GRANTED,
    Code.PERMISSION_UNUSED,
})  # fmt: skip


def in_few_words(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings in order; of many of one kind in one file the first, with their number."""
    return in_order(_told(in_order(findings)))


def _told(findings: tuple[Diagnostic, ...]) -> Iterator[Diagnostic]:
    alike: dict[tuple[str, Code], list[Diagnostic]] = {}
    for found in findings:
        if found.code in _ALIKE:
            alike.setdefault((found.where.file, found.code), []).append(found)
        else:
            yield found
    for some in alike.values():
        if len(some) <= _MOST_ALIKE:
            yield from some
            continue
        first = some[0]
        said = f"{first.message}; the same holds of {len(some) - 1:,} more in this file"
        yield Diagnostic(first.where, first.code, said, first.help, first.severity)
