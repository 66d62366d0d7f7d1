"""Which permissions a line of a role stands for."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policy
from policy import Code
from policy.permission_names import GrantedNames
from tests.support.policies import document, findings, only
from tests.support.reference_names import stands_for

CATALOGUE = """\
catalogue: cloud
permissions:
  alerting:alert:view: Alerting > Alert > View
  analytics:conversationDetail:view: Analytics > Conversation Detail > View
  routing:queue:view: See queues
  routing:queue:edit: Edit queues
  routing:wrapupCode:view: Routing > Wrap-up Code > View
  telephony:plugin:all: Telephony > Plugin > All
  telephony:plugin:view: Telephony > Plugin > View
  telephony:station:disassociate: Telephony > Station > Disassociate
  telephony:station:disassociateSelf: Telephony > Station > Disassociate Self
  telephony:otherStationAssociation:view: Telephony > Others' phone associations > View
  admin: Admin
interface_only:
  analytics:tabConfigurations:view: Analytics > Tab Configurations > View
operations:
  queues: {request: GET /queues, requires: "routing:queue:view"}
  any: {request: GET /any, requires: authenticated}
"""
STATION = ("telephony:station:disassociate", "telephony:station:disassociateSelf")


def in_role(line: str) -> str:
    return f"roles: {{x: {{permissions: ['{line.replace(chr(39), chr(39) * 2)}']}}}}"


def granted(line: str) -> tuple[str, ...]:
    table = policy.compile(document(CATALOGUE, in_role(line)))
    return table.names_of(table.roles["x"].mask)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("alerting:alert:view", ["alerting:alert:view"]),
        ("Alerting > Alert > View", ["alerting:alert:view"]),
        ("Alerting >Alert >View", ["alerting:alert:view"]),
        ("analytics > conversation detail > VIEW", ["analytics:conversationDetail:view"]),
        ("Routing > Queue > View", ["routing:queue:view"]),
        ("Routing > Wrap-up Code > View", ["routing:wrapupCode:view"]),
        ("Analytics > Tab Configurations > View", ["analytics:tabConfigurations:view"]),
        ("telephony:plugin:all", ["telephony:plugin:all"]),
        ("Telephony > Plugin > All", ["telephony:plugin:all"]),
        ("Telephony > Others' phone associations > View", ["telephony:otherStationAssociation:view"]),
        ("telephony:station:*", STATION),
        ("Telephony > Station > All Permissions", STATION),
        ("Telephony > Station > *", STATION),
        ("telephony:plugin:*", ["telephony:plugin:all", "telephony:plugin:view"]),
        ("routing:*:view", ["routing:queue:view", "routing:wrapupCode:view"]),
        ("admin", ["admin"]),
    ],
)  # fmt: skip
def test_a_role_names_permissions_in_either_notation(line: str, names: list[str]) -> None:
    assert granted(line) == tuple(names)


def test_a_pattern_of_three_parts_does_not_reach_a_permission_of_one() -> None:
    every = granted("*:*:*")
    assert "admin" not in every
    assert len(every) == 11


@pytest.mark.parametrize(
    ("line", "code", "advice"),
    [
        ("alerting:alrt:view", Code.UNKNOWN_PERMISSION, "did you mean `alerting:alert:view`?"),
        ("Alerting > Alrt > View", Code.UNKNOWN_PERMISSION, "did you mean `alerting:alert:view`?"),
        ("alerting:Alert:view", Code.UNKNOWN_PERMISSION, "did you mean `alerting:alert:view`?"),
        ("telephony:staton:*", Code.UNKNOWN_PERMISSION, "did you mean `telephony:station:*`?"),
        ("Telephony > Staton > All Permissions", Code.UNKNOWN_PERMISSION, "did you mean `telephony:station:*`?"),
        ("Telephony > Plugin > Everything", Code.UNKNOWN_PERMISSION, None),
        ("telephony:sta*:view", Code.WILDCARD_PERMISSION, "name each permission by itself, or all of an entity: `domain:entity:*`"),
        ("Telephony > Sta* > View", Code.WILDCARD_PERMISSION, "name each permission by itself, or all of an entity: `domain:entity:*`"),
        ("*", Code.WILDCARD_PERMISSION, "name each permission by itself, or all of an entity: `domain:entity:*`"),
        ("telephony:*", Code.UNKNOWN_PERMISSION, "did you mean `telephony:*:*`?"),
        ("telephony:All Permissions", Code.UNKNOWN_PERMISSION, None),
        ("a:b:*", Code.UNKNOWN_PERMISSION, None),
        ("Routing > > View", Code.UNKNOWN_PERMISSION, None),
    ],
)  # fmt: skip
def test_what_stands_for_nothing_is_an_error(line: str, code: Code, advice: str | None) -> None:
    found = only(findings(CATALOGUE, in_role(line)))
    assert (found.severity, found.code, found.help) == (policy.Severity.ERROR, code, advice)


def test_what_may_be_two_permissions_is_an_error() -> None:
    catalogue = CATALOGUE.replace("See queues", "Alerting > Alert > View")
    found = only(findings(catalogue, in_role("Alerting > Alert > View")))
    assert found.message == (
        "`Alerting > Alert > View` may be `alerting:alert:view` or `routing:queue:view`"
    )
    assert found.help == "write the one that is meant"


def test_an_operation_asks_for_names_and_not_for_patterns() -> None:
    catalogue = CATALOGUE.replace('requires: "routing:queue:view"', 'requires: "routing:queue:*"')
    found = only(findings(catalogue, in_role("admin")))
    assert found.code is Code.WILDCARD_PERMISSION


def test_a_pattern_tells_which_line_grants_what() -> None:
    table = policy.compile(document(CATALOGUE, in_role("telephony:station:*")))
    places = table.roles["x"].permission_places
    assert {str(places[name]) for name in STATION} == {"policy-1.yaml:1:27"}


PARTS = st.sampled_from(["a", "b", "aB", "all", "x-y"])
NAMES = st.one_of(
    st.tuples(PARTS, PARTS, PARTS).map(":".join), st.tuples(PARTS, PARTS).map(":".join), PARTS
)
LABEL = st.sampled_from(["A", "b", "a b", "All", "All Permissions", "*", "X y", "", "a*"])
LINES = st.one_of(
    NAMES,
    st.lists(st.one_of(PARTS, st.just("*")), min_size=1, max_size=4).map(":".join),
    st.lists(LABEL, min_size=1, max_size=4).map(" > ".join),
    st.text(string.ascii_letters + " :>*", max_size=12),
)


@given(st.dictionaries(NAMES, st.one_of(st.just("Some title"), st.lists(LABEL, min_size=2, max_size=3).map(" > ".join)), min_size=1), LINES)  # fmt: skip
def test_a_line_means_what_a_plain_reading_finds_or_is_an_error(
    titles: dict[str, str], line: str
) -> None:
    """Names that are the same but for case and signs are an error, and never both."""
    known = GrantedNames(titles)
    found = known.names_of(line)
    plain = stands_for(line, titles)
    if found:
        assert set(found) == plain
    else:
        assert not plain or len(plain) > 1 or ">" in line
    if (written := known.written(line)) is not None:
        assert known.names_of(written) == found
