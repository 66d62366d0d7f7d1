"""What the audit teaches: lines of the past, held against a policy.

`lines` reads audit files as they come, whatever is in them; `flips` counts what another policy
would have decided otherwise; `usage` what was used of all that is granted, and `trimming` takes
what was not out of the policy files, as a diff for somebody to review. Nothing here is on the way
of a request.
"""

from gateway.learning.flips import Flip, FlipKind, Flips
from gateway.learning.lines import AuditLog, Line, Oddity, caller_of
from gateway.learning.trimming import Trimmed, trimmed
from gateway.learning.usage import Lack, RoleUse, Span, Usage

__all__ = [
    "AuditLog", "Line", "Oddity", "caller_of",
    "Flip", "FlipKind", "Flips",
    "Lack", "RoleUse", "Span", "Usage",
    "Trimmed", "trimmed",
]  # fmt: skip
