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
    cases_of(question)          everything that can become of one operation
    rows_of(table, …)           every operation against every role
    reach_of(table, …)          who may send a request, and who lacks one permission for it
    probe_like(table, …)        a request like one that was recorded
    Replay(old, new)            what a recorded decision would have been by the other table
    least_of(demands)           the smallest set of permissions that would do
    lint(document, table)       what is allowed to be, and hardly meant
    accepted_of(findings, …)    what of it somebody has looked at and means
    Openings(table)             what a set of permissions opens
    writes(route)               whether an operation changes something

Nothing here reads a file or decides by rules of its own.
"""

from policy.analysis.acceptance import Accepted, accepted_of
from policy.analysis.assertions import Assertion
from policy.analysis.cases import Case, cases_of, cases_of_request
from policy.analysis.combinations import Combination
from policy.analysis.counterexamples import Counterexample
from policy.analysis.coverage import Coverage, Dimension, coverage_of
from policy.analysis.difference import Change, Difference, difference
from policy.analysis.expectation_tables import UNNAMED, expectations_of
from policy.analysis.expected import Allowed, AnsweredBy, Denied, Expectation, Expected
from policy.analysis.inventory import Enforcement, Holding, Inventory, Moved, Names
from policy.analysis.lints import Openings, lint, writes
from policy.analysis.matrix import Cell, Lack, OpenTo, Row, State, rows_of
from policy.analysis.meant import Reader
from policy.analysis.outcomes import Outcome, outcome_of, outcome_of_inquiry
from policy.analysis.parties import Bundle, Party, Shares, gains_of, losses_of
from policy.analysis.population import Population, Who, WhoKind
from policy.analysis.probes import Probe, probes_of
from policy.analysis.proofs import Proof, prove
from policy.analysis.questions import Question, questions_of
from policy.analysis.reach import NearMiss, Reach, one_short, reach_of
from policy.analysis.recall import conditions_true_of, probe_like
from policy.analysis.replay import Doubt, Recorded, Replay, Replayed, Standing
from policy.analysis.selections import Asked
from policy.analysis.strength import Side, Strength, strength_of
from policy.analysis.suffices import least_of, smallest_role
from policy.analysis.verdicts import Answer, Refusal, SentRequest, Verdict, answer_to, verdict_on
from policy.permissions import Demand

__all__ = [
    "Accepted",
    "Allowed",
    "Answer",
    "AnsweredBy",
    "Asked",
    "Assertion",
    "Bundle",
    "Case",
    "Cell",
    "Change",
    "Combination",
    "Counterexample",
    "Coverage",
    "Demand",
    "Denied",
    "Difference",
    "Dimension",
    "Doubt",
    "Enforcement",
    "Expectation",
    "Expected",
    "Holding",
    "Inventory",
    "Lack",
    "Moved",
    "Names",
    "NearMiss",
    "OpenTo",
    "Openings",
    "Outcome",
    "Party",
    "Population",
    "Probe",
    "Proof",
    "Question",
    "Reach",
    "Reader",
    "Recorded",
    "Refusal",
    "Replay",
    "Replayed",
    "Row",
    "SentRequest",
    "Shares",
    "Side",
    "Standing",
    "State",
    "Strength",
    "UNNAMED",
    "Verdict",
    "Who",
    "WhoKind",
    "accepted_of",
    "answer_to",
    "cases_of",
    "cases_of_request",
    "conditions_true_of",
    "coverage_of",
    "difference",
    "expectations_of",
    "gains_of",
    "least_of",
    "lint",
    "losses_of",
    "one_short",
    "outcome_of",
    "outcome_of_inquiry",
    "probe_like",
    "probes_of",
    "prove",
    "questions_of",
    "reach_of",
    "rows_of",
    "smallest_role",
    "strength_of",
    "verdict_on",
    "writes",
]
