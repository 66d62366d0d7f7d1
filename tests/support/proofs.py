"""Assertions from literal YAML, decided about a table; no disk, no gateway."""

from textwrap import dedent

from policy import Code, DecisionTable, Diagnostic, PolicyInvalid, Text
from policy.analysis import Verdict, prove

__all__ = ["faults", "verdict", "verdicts"]

_Pairs = tuple[tuple[str, str], ...]


def read_target(method: str, target: str) -> tuple[tuple[str, ...], _Pairs]:
    """Targets as tests write them: no escapes, and a path that is not refused."""
    if "//" in target:
        raise ValueError("malformed-target: an empty segment")
    path, _, query = target.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return tuple(path.split("/")[1:]), tuple((name, value) for name, _, value in pairs)


def verdicts(table: DecisionTable, *files: str) -> tuple[Verdict, ...]:
    """Those on all assertions of files called proofs-1.yaml, proofs-2.yaml …"""
    texts = [Text(f"proofs-{number}.yaml", dedent(text)) for number, text in enumerate(files, 1)]
    return prove(table, texts, read_target)


def verdict(assertion: str, table: DecisionTable) -> Verdict:
    """That on one assertion, written in braces and without its title."""
    titled = assertion.replace("{", "{title: because, ", 1)
    (found,) = verdicts(table, f"assertions:\n  it: {titled}\n")
    return found


def faults(table: DecisionTable, *files: str) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with the files."""
    try:
        verdicts(table, *files)
    except PolicyInvalid as invalid:
        return invalid.diagnostics
    return ()


def codes(found: tuple[Diagnostic, ...]) -> list[Code]:
    return [finding.code for finding in found]
