"""Findings as SARIF 2.1.0, which code hosts show beside the lines they are about.

Paths below the current folder are relative to it, because a code host knows a file by its place in
the repository and the check is run from its root; other paths are whole.
"""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from policy import Diagnostic, Severity

__all__ = ["sarif_of"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def sarif_of(findings: Sequence[Diagnostic]) -> dict[str, Any]:
    """A log of one run, with a rule for each code that occurs."""
    codes = sorted({finding.code for finding in findings})
    rules = [
        {
            "id": code.value,
            "shortDescription": {"text": code.meaning},
            "help": {"text": f"{code.meaning}; README.md, section Findings, lists all codes"},
        }
        for code in codes
    ]
    numbers = {code: number for number, code in enumerate(codes)}
    driver = {"name": "ucs-gateway", "version": version("ucs-gateway"), "rules": rules}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, numbers[finding.code]) for finding in findings],
            }
        ],
    }


def _result(finding: Diagnostic, rule: int) -> dict[str, Any]:
    text = finding.message if finding.help is None else f"{finding.message}\nhelp: {finding.help}"
    where = finding.where
    return {
        "ruleId": finding.code.value,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(Path(where.file)),
                    "region": {"startLine": where.line, "startColumn": where.column},
                }
            }
        ],
    }


def _artifact(file: Path) -> dict[str, str]:
    here = Path.cwd()
    if file.is_absolute() and not file.is_relative_to(here):
        return {"uri": f"file://{quote(file.as_posix())}"}
    near = file.relative_to(here) if file.is_absolute() else file
    # A colon in the first segment would make a scheme of what stands before it.
    return {"uri": quote(PurePosixPath(near).as_posix(), safe="/"), "uriBaseId": "%SRCROOT%"}
