"""Questions about a whole policy, answered from the compiled table and exhaustively.

    questions_of(old, new)      every class of paths, with the operations that answer
    probes_of(question)         a request for every combination of its conditions
    outcome_of(route, probe)    what the request demands
    Population(old, new)        everybody the policies name, and who meets a demand
    expectations_of(table, …)   the expectations of files, or what is wrong with them
    verdict_on(table, …)        what becomes of one of them
    coverage_of(table, …)       what they all together say nothing of
    prove(table, texts, read)   whether assertions hold, with counterexamples
    difference(old, new)        what everybody gains and loses, and what else differs

Nothing here reads a file or decides by rules of its own.
"""

from policy.analysis.assertions import Assertion
from policy.analysis.combinations import Combination
from policy.analysis.counterexamples import Counterexample
from policy.analysis.coverage import Coverage, Dimension, coverage_of
from policy.analysis.difference import Change, Difference, difference
from policy.analysis.expectation_tables import UNNAMED, expectations_of
from policy.analysis.expected import Allowed, AnsweredBy, Denied, Expectation, Expected
from policy.analysis.inventory import Enforcement, Holding, Inventory, Moved, Names
from policy.analysis.meant import Reader
from policy.analysis.outcomes import Outcome, outcome_of
from policy.analysis.parties import Bundle, Party, Shares, gains_of, losses_of
from policy.analysis.population import Population, Who, WhoKind
from policy.analysis.probes import Probe, probes_of
from policy.analysis.proofs import Proof, prove
from policy.analysis.questions import Question, questions_of
from policy.analysis.selections import Asked
from policy.analysis.strength import Side, Strength, strength_of
from policy.analysis.verdicts import Answer, Refusal, SentRequest, Verdict, answer_to, verdict_on

__all__ = [
    "Allowed",
    "Answer",
    "AnsweredBy",
    "Asked",
    "Assertion",
    "Bundle",
    "Change",
    "Combination",
    "Counterexample",
    "Coverage",
    "Denied",
    "Difference",
    "Dimension",
    "Enforcement",
    "Expectation",
    "Expected",
    "Holding",
    "Inventory",
    "Moved",
    "Names",
    "Outcome",
    "Party",
    "Population",
    "Probe",
    "Proof",
    "Question",
    "Reader",
    "Refusal",
    "SentRequest",
    "Shares",
    "Side",
    "Strength",
    "UNNAMED",
    "Verdict",
    "Who",
    "WhoKind",
    "answer_to",
    "coverage_of",
    "difference",
    "expectations_of",
    "gains_of",
    "losses_of",
    "outcome_of",
    "probes_of",
    "prove",
    "questions_of",
    "strength_of",
    "verdict_on",
]
