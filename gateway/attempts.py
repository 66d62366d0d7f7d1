"""What came of attempts to change the policy, for whoever asks: findings, versions, who decides by what."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from gateway.errors import SettingsInvalid
from policy import Diagnostic, PolicyError, PolicyInvalid, PolicyUnreadable

__all__ = [
    "Attempt", "Finding", "HeldBy", "Left", "Outcome", "PolicyStatus", "Refused", "Source",
    "refused_for",
]  # fmt: skip

Source = Literal["start", "watch", "signal", "api"]
"""Who brought a change."""

Outcome = Literal["taken", "unchanged", "kept", "rolled-back", "promoted"]
"""`unchanged`: the policy in force is what the sources say. `kept`: they were refused."""

Left = Literal["rollback", "promotion"]
"""How a version that the files still say was left."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with the sources, and where."""

    file: str
    line: int = 0
    column: int = 0
    code: str
    message: str
    help: str | None = None
    severity: str = "error"

    @classmethod
    def of(cls, found: Diagnostic) -> "Finding":
        return cls(
            file=found.where.file, line=found.where.line, column=found.where.column,
            code=found.code, message=found.message, help=found.help, severity=found.severity,
        )  # fmt: skip

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.code}: {self.message}"


class Refused(Exception):
    """A change is not taken. The text is for the operator; `findings` where files are at fault."""

    def __init__(self, why: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(why)
        self.findings = tuple(findings)


def refused_for(fault: PolicyError | SettingsInvalid | OSError) -> Refused:
    """What is wrong with files, as findings."""
    found: list[Finding] = []
    if isinstance(fault, PolicyUnreadable):
        found += (
            Finding(file=path, code="unreadable", message=why) for path, why in fault.problems
        )
    elif isinstance(fault, PolicyInvalid | SettingsInvalid):
        found += map(Finding.of, fault.diagnostics)
    return Refused(str(fault), found)


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to change the policy. `version` is what it was about, if that could be told."""

    at: float
    source: Source
    outcome: Outcome
    version: str = ""
    why: str = ""
    findings: tuple[Finding, ...] = ()


class HeldBy(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker decides by, since when, and what it could go back to."""

    worker: int
    version: str
    since: float
    previous: str = ""


class PolicyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything there is to know of the policy in force. Times are seconds since the epoch.

    `left` is the version that the files still say after a rollback or a promotion (`left_by`).
    """

    version: str
    since: float
    previous: str | None
    left: str | None
    left_by: Left | None
    stale: bool
    last_attempt: Attempt
    last_error: Attempt | None
    workers: tuple[HeldBy, ...]
