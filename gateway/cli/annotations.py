"""Findings as GitHub's workflow commands, which show up beside the lines of a pull request.

A command is one line; what would end it, or one of its properties, is written as GitHub's own
toolkit writes it: `%0A` for a line's end, and in properties `%3A` and `%2C` besides.
"""

from gateway.cli.output import near
from policy import Diagnostic, Severity

__all__ = ["annotation_of"]

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def annotation_of(finding: Diagnostic) -> str:
    """`::warning file=a.yaml,line=3,col=5,title=role-duplicate::the role …`"""
    command = "error" if finding.severity is Severity.ERROR else "warning"
    properties = {
        "file": near(finding.where.file),
        "line": str(finding.where.line),
        "col": str(finding.where.column),
        "title": finding.code.value,
    }
    said = finding.message if finding.help is None else f"{finding.message}\nhelp: {finding.help}"
    given = ",".join(f"{name}={text.translate(_PROPERTY)}" for name, text in properties.items())
    return f"::{command} {given}::{near(said).translate(_DATA)}"
