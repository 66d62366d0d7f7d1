"""Questions about a whole policy, answered from the compiled table and exhaustively.

    questions_of(old, new)      every class of paths, with the operations that answer
    probes_of(question)         a request for every combination of its conditions
    outcome_of(route, probe)    what the request demands
    Population(old, new)        everybody the policies name, and who meets a demand

Nothing here reads a file or decides by rules of its own.
"""

from policy.analysis.outcomes import Outcome, outcome_of
from policy.analysis.population import Population, Who, WhoKind
from policy.analysis.probes import Probe, probes_of
from policy.analysis.questions import Question, questions_of

__all__ = [
    "Outcome",
    "Population",
    "Probe",
    "Question",
    "Who",
    "WhoKind",
    "outcome_of",
    "probes_of",
    "questions_of",
]
