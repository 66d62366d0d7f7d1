"""Who may do what: a pure function over a table that was compiled beforehand.

    sources = policy.read(services, folder)     the only step that touches a disk
    document = policy.load(sources)             or PolicyInvalid, with every finding
    table = policy.compile(document)            or PolicyInvalid, with every finding
    held = table.held_by(caller)                once per caller and table
    policy.decide(table, inquiry)               per request; raises nothing, waits for nothing

This package knows no sockets, no clock, no log and no gateway. The gateway knows this package
only through the names below.
"""

from policy.compiler import compile
from policy.decision import NOTHING, Decision, Effect, Missing, NeedsBody, Reason
from policy.decoding import validate as read_model
from policy.diagnostics import Code, Diagnostic, Location, Severity, in_order, visible
from policy.document import PolicyDocument
from policy.errors import PolicyError, PolicyInvalid, PolicyUnreadable
from policy.evaluator import decide
from policy.explain import explain
from policy.explanation import Explanation, Need, Stage, Step, Supplier
from policy.holding import NOTHING_HELD, Held
from policy.inquiry import ANONYMOUS, BodyFacts, Caller, Inquiry, Kind, Means, folded
from policy.loader import ServiceSources, Sources, Text, load, read
from policy.origins import Origin
from policy.remedies import Remedy
from policy.route import Access, Route
from policy.schema import json_schema_of, json_schemas
from policy.services import ServiceSpec, UseRole
from policy.source import Source
from policy.source import parse as parse_yaml
from policy.table import DecisionTable, Role, Service
from policy.takedown import take_down
from policy.transfer import packed, unpacked

__all__ = [
    # The verbs, in the order in which they are used.
    "read",
    "load",
    "compile",
    "decide",
    "explain",
    # What is asked.
    "ANONYMOUS",
    "BodyFacts",
    "Caller",
    "Held",
    "Inquiry",
    "Kind",
    "Means",
    "NOTHING_HELD",
    "folded",
    # What is answered.
    "Decision",
    "Effect",
    "Missing",
    "NOTHING",
    "NeedsBody",
    "Reason",
    # Why.
    "Explanation",
    "Need",
    "Origin",
    "Remedy",
    "Stage",
    "Step",
    "Supplier",
    # What decides.
    "Access",
    "DecisionTable",
    "Role",
    "Route",
    "Service",
    # From one process to another, and at the end of its time.
    "packed",
    "take_down",
    "unpacked",
    # What it is made from.
    "PolicyDocument",
    "ServiceSources",
    "ServiceSpec",
    "Sources",
    "Text",
    "UseRole",
    # What is wrong with it.
    "Code",
    "Diagnostic",
    "Location",
    "PolicyError",
    "PolicyInvalid",
    "PolicyUnreadable",
    "Severity",
    "visible",
    "in_order",
    # For other files that are written and read in the same way.
    "Source",
    "json_schema_of",
    "json_schemas",
    "parse_yaml",
    "read_model",
]
