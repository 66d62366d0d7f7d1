"""What is allowed to be in a policy, and hardly meant: warnings, each with a place and help.

They look at the whole of a policy, from the compiled table where requests or callers are in
question. That takes longer than compiling, so it is done when somebody asks (`ucs-gateway check`),
and not at every reload. Each file here looks from one side.
"""

from policy.analysis.lints.breadth import breadth_findings
from policy.analysis.lints.gating import gate_findings
from policy.analysis.lints.granting import holders_findings, permission_findings, role_findings
from policy.analysis.lints.opening import Openings, title_findings, writes
from policy.analysis.lints.overriding import override_findings
from policy.analysis.lints.reaching import reach_findings
from policy.analysis.lints.ruling import rule_findings
from policy.analysis.questions import questions_of
from policy.diagnostics import Diagnostic
from policy.document import PolicyDocument
from policy.few_words import in_few_words
from policy.table import DecisionTable

__all__ = ["Openings", "lint", "writes"]


def lint(document: PolicyDocument, table: DecisionTable) -> tuple[Diagnostic, ...]:
    """All there is to say of `table`, which was compiled from `document`, in order of places."""
    questions = tuple(questions_of(table))
    return in_few_words([
        *table.findings,
        *permission_findings(document, table),
        *role_findings(table),
        *holders_findings(table),
        *gate_findings(table),
        *title_findings(table),
        *breadth_findings(document, table),
        *reach_findings(table, questions),
        *rule_findings(questions),
        *override_findings(document),
    ])  # fmt: skip
