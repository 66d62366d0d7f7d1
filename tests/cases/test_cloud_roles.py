"""The two roles against every published operation, computed twice; and the guide's literal lines."""

from functools import cache
from pathlib import Path

import pytest

import policy
from policy import (
    Caller,
    Code,
    DecisionTable,
    Inquiry,
    Kind,
    Means,
    NeedsBody,
    PolicyInvalid,
    Reason,
    ServiceSources,
    ServiceSpec,
    Severity,
    Sources,
    Text,
    decide,
)
from policy.analysis import lint
from policy.importing import catalogue_text, read_table
from tests.support.cases import CONFIG
from tests.support.operations_table import TABLE, Row, operations

SAMPLE = CONFIG / "genesys-cloud" / "policy"

# The lines of the guide as they stand there, with what each is called by the API; written down here
# once more, so that nothing of the program has a say in what they mean.
LINES = {
    "Alerting > Alert > View": {"alerting:alert:view"},
    "Alerting >Rule >View": {"alerting:rule:view"},
    "Analytics > Conversation Detail > View": {"analytics:conversationDetail:view"},
    "Analytics > Data Export > View": {"analytics:dataExport:view"},
    "Analytics > Queue Observation > View": {"analytics:queueObservation:view"},
    "Analytics > Speech and Text Analytics Aggregates > View": {
        "analytics:speechAndTextAnalyticsAggregates:view"
    },
    "Analytics > Tab Configurations > View": {"analytics:tabConfigurations:view"},
    "Analytics > User Detail > View": {"analytics:userDetail:view"},
    "Analytics > User Observation > View": {"analytics:userObservation:view"},
    "Analytics > View Configurations > View": {"analytics:viewConfigurations:view"},
    "Billing > Subscription > View": {"billing:subscription:view"},
    "Presence > Source > View": {"presence:source:view"},
    "Presence > userPrimarySource > View": {"presence:userPrimarySource:view"},
    "Routing > Queue > View": {"routing:queue:view"},
    "Routing > Utilization > View": {"routing:utilization:view"},
    "Routing > Wrap-up Code > View": {"routing:wrapupCode:view"},
    "Telephony > PCAP > View": {"telephony:pcap:view"},
    "Telephony > Plugin > All": {"telephony:plugin:all"},
    "Telephony > Station > All Permissions": {
        "telephony:station:disassociate",
        "telephony:station:disassociateSelf",
    },
}
SCOPES = [
    "devices:readonly",
    "dialog:readonly",
    "employee-performance:readonly",
    "geolocation:readonly",
    "license:readonly",
    "locations:readonly",
    "process-authorization:readonly",
    "quaity:readonly",
    "routing:readonly",
    "telephony:readonly",
    "users:readonly",
    "alerting:readonly",
    "analytics:readonly",
    "architect:readonly",
    "assitstants:readonly",
    "conversation:readonly",
    "messaging-platform:readonly",
    "presence:readonly",
    "user-basic-info",
    "stations:readonly",
]
MISSPELT = {
    "process-authorization:readonly": "process-automation:readonly",
    "quaity:readonly": "quality:readonly",
    "assitstants:readonly": "assistants:readonly",
    "conversation:readonly": "conversations:readonly",
}
CORRECT = frozenset(MISSPELT.get(name, name) for name in SCOPES)
VSM = frozenset[str]().union(*LINES.values())
MINDFUL = frozenset({
    "routing:queue:view", "routing:wrapupCode:view", "directory:user:view", "outbound:contact:add",
})  # fmt: skip
INTERFACE_ONLY = """\
overrides: genesys-cloud
interface_only:
  analytics:tabConfigurations:view: Analytics > Tab Configurations > View
  analytics:viewConfigurations:view: Analytics > View Configurations > View
"""


def roles() -> str:
    return (SAMPLE / "roles.yaml").read_text(encoding="utf-8")


def sources(assignments: str, *, use_scopes: bool = True) -> Sources:
    """The whole published table, imported, with the sample's roles."""
    operations()
    spec = ServiceSpec(name="cloud", catalogue=Path("whole.yaml"), use_scopes=use_scopes)
    catalogue, changes = Text("whole.yaml", imported()), Text("local.yaml", INTERFACE_ONLY)
    files = (Text("assignments.yaml", assignments), Text("roles.yaml", roles()))
    return Sources((ServiceSources(spec, catalogue, changes),), files)


@cache
def imported() -> str:
    description = read_table(TABLE.read_text(encoding="utf-8"), TABLE.name, with_removed=True)
    return catalogue_text(description).text


@cache
def whole(*, use_scopes: bool) -> DecisionTable:
    listed = ", ".join(f"'{name}'" for name in sorted(CORRECT))
    clients = f"""\
clients:
  vsm: {{roles: [VSM Role], scopes: [{listed}]}}
  mindful: {{roles: [Mindful Feedback App], scopes: [outbound, routing, 'users:readonly']}}
"""
    return policy.compile(policy.load(sources(clients, use_scopes=use_scopes)))


SCOPES_OF = {"vsm": CORRECT, "mindful": frozenset({"outbound", "routing", "users:readonly"})}
PERMISSIONS_OF = {"vsm": VSM, "mindful": MINDFUL}


def expected(row: Row, client: str, *, use_scopes: bool) -> bool:
    """What the published lines say, and nothing else: permissions, scopes, kind of token.

    Where no scopes are published nobody has them.
    """
    if row.auth not in {"oauth", "unknown"}:
        return False
    if use_scopes:
        unknown = "noscope" in row.status
        if unknown or (row.scopes and not row.scopes & SCOPES_OF[client]):
            return False
    held = PERMISSIONS_OF[client]
    match row.mode:
        case "ANY":
            return bool(row.permissions & held)
        case "ALL":
            return row.permissions <= held
        case _:
            return True


def meant(row: Row, every: dict[tuple[str, int], list[Row]]) -> tuple[Row, list[str]]:
    """The operation that answers a request of this line, and the request: literal first, from the
    left. Ids look like ids.
    """
    path = [
        f"9f0e{place}" if part.startswith("{") else part for place, part in enumerate(row.segments)
    ]
    fitting = [
        other
        for other in every[row.method, len(path)]
        if all(want in (have, "{}") for want, have in zip(shape(other), path, strict=True))
    ]
    return min(fitting, key=lambda other: [part == "{}" for part in shape(other)]), path


@cache
def shape(row: Row) -> tuple[str, ...]:
    return tuple("{}" if part.startswith("{") else part for part in row.segments)


@pytest.mark.parametrize("use_scopes", [True, False])
@pytest.mark.parametrize("client", ["vsm", "mindful"])
def test_a_role_may_do_what_the_table_says_and_nothing_else(client: str, use_scopes: bool) -> None:
    rows = operations()
    table = whole(use_scopes=use_scopes)
    caller = Caller(subject=client, kind=Kind.SERVICE, means=Means.CLIENT_CREDENTIALS)
    held = table.held_by(caller)
    every: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        every.setdefault((row.method, len(row.segments)), []).append(row)
    wrong = []
    allowed = 0
    for row in rows:
        answering, path = meant(row, every)
        decision = decide(
            table,
            Inquiry(caller=caller, held=held, method=row.method, segments=tuple(path)),
        )
        assert not isinstance(decision, NeedsBody)
        assert decision.route is not None
        assert decision.route.id == answering.operation_id, row
        want = expected(answering, client, use_scopes=use_scopes)
        allowed += want
        if (decision.reason is Reason.PERMITTED) != want:
            wrong.append((row.operation_id, decision.reason, want))
    assert len(rows) == 3321
    assert wrong == []
    # What the description of the table counts, so that the computation above is no other one.
    if client == "vsm" and use_scopes:
        # And six lines that take a token and publish an empty list of scopes.
        assert allowed == 116 + 107 + 6
    elif client == "vsm":
        assert allowed == 180 + 381 - 33 - 12


def test_all_19_lines_are_resolved_and_mean_what_the_guide_means() -> None:
    table = whole(use_scopes=True)
    assert set(table.names_of(table.roles["VSM Role"].mask)) == VSM
    assert len(LINES) == 19
    written = policy.parse_yaml(roles(), "roles.yaml").value
    assert isinstance(written, dict)
    assert list(written["roles"]["VSM Role"]["permissions"]) == list(LINES)  # type: ignore[index, call-overload, arg-type]
    assert set(table.names_of(table.roles["Mindful Feedback App"].mask)) == MINDFUL


def test_the_guide_s_literal_scopes_are_told_with_the_right_ones() -> None:
    listed = ", ".join(f"'{name}'" for name in SCOPES)
    literal = f"clients: {{vsm: {{roles: [VSM Role], scopes: [{listed}]}}}}"
    with pytest.raises(PolicyInvalid) as raised:
        policy.compile(policy.load(sources(literal)))
    found = raised.value.diagnostics
    assert {each.code for each in found if each.severity is Severity.ERROR} == {Code.UNKNOWN_SCOPE}
    assert {each.message: each.help for each in found if each.code is Code.UNKNOWN_SCOPE} == {
        f"no catalogue has the scope `{wrong}`": f"did you mean `{right}`?"
        for wrong, right in MISSPELT.items()
    }
    assert len(SCOPES) == 20


def test_the_whole_catalogue_is_told_about_in_few_words() -> None:
    """3,321 operations, of which two roles open a part, make no wall of text."""
    document = policy.load(
        sources("users: {a: {roles: [VSM Role]}, b: {roles: [Mindful Feedback App]}}")
    )
    found = lint(document, policy.compile(document))
    broad = [each for each in found if each.code is Code.BROAD_PERMISSION]
    assert [each.message for each in broad] == [
        "`Telephony > Plugin > All` opens 112 operations, 51 of them writes (2 of these only read)"
    ]
    assert len(found) < 40
