"""How reading a policy fails. Deciding never does.

    PolicyError
    ├── PolicyUnreadable    a file or folder could not be read at all
    └── PolicyInvalid       the files were read and are wrong; carries every diagnostic, sorted

Whoever catches one of these keeps the policy that was in use before: a bad policy never replaces
a good one.
"""

from collections.abc import Iterable

from policy.diagnostics import Diagnostic, in_order

__all__ = ["PolicyError", "PolicyInvalid", "PolicyUnreadable"]


class PolicyError(Exception):
    """A policy cannot be used; not raised itself."""


class PolicyUnreadable(PolicyError):
    """Files or folders could not be read; `problems` pairs each path with the reason."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{path}: {why}" for path, why in self.problems))


class PolicyInvalid(PolicyError):
    """The files say something wrong; `diagnostics` holds every finding, warnings included."""

    def __init__(self, findings: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(findings)
        super().__init__("\n".join(str(found) for found in self.diagnostics))
