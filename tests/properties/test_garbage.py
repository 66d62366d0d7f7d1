"""Whatever the files hold, the end is a table or findings, never another exception."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import example, given, settings
from hypothesis import strategies as st

import policy
from gateway.cli.annotations import annotation_of
from gateway.cli.requests import REFUSALS, sent_request
from gateway.cli.sarif import sarif_of
from gateway.cli.verdict_formats import as_json, as_junit
from gateway.cli.verdicts import Report, as_text
from gateway.settings import Limits
from policy import (
    ANONYMOUS,
    Decision,
    DecisionTable,
    Diagnostic,
    Effect,
    Inquiry,
    NeedsBody,
    PolicyInvalid,
    Text,
)
from policy.analysis import coverage_of, expectations_of, lint, verdict_on
from policy.source import scan
from tests.support.policies import CATALOGUE, POLICY, sources, table, user

usual = settings(max_examples=400, deadline=None)

OVERRIDES = """\
overrides: shop
lists: {core: {add: [Phone], remove: [Name]}}
parameters: {id: {alphabet: digits, max_length: 9}}
permissions: {more: More}
operations: {sweep: {requires: [write, more]}, own-record: {guards: [], also: []}}
extra_operations: {open: {request: GET /open, requires: public}}
"""

WORDS = [
    "catalogue",
    "permissions",
    "lists",
    "parameters",
    "switches",
    "operations",
    "request",
    "requires",
    "also",
    "when",
    "switch",
    "guards",
    "query_has",
    "query_has_dotted_name",
    "query_value_in",
    "body_has_keys_outside",
    "any",
    "all",
    "authenticated",
    "public",
    "roles",
    "users",
    "groups",
    "claims",
    "includes",
    "enabled",
    "title",
    "overrides",
    "extra_operations",
    "add",
    "remove",
    "alphabet",
    "max_length",
    "except",
    "body_value_equals_path",
    "body_value_equals_caller",
    "shop",
    "read",
    "core",
    "callers",
    "expect",
    "name",
    "allow",
    "deny",
    "route",
    "because",
    "body",
    "anonymous",
    "ann",
    "no-route",
]
TOKENS = [
    *WORDS, *[":", "-", "?", "[", "]", "{", "}", ",", "&", "*", "!", "|", ">", "'", '"', "#", "%", "@", "`", "~"], "\n", "\n  ", "\n    ", " ", ": ",
    "- ", "---\n", "...\n", "<<", "&a ", "*a", "!!str ", "%YAML 1.1\n", "\t", "\x00", "\ufeff",
    "\u2028", "0x1", "1e999", "on", "null", "GET /a/{b}", "{}", "[]", '"\\ud800"', '"\\x1b[31m"',
]  # fmt: skip

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(WORDS),
)
values = st.recursive(
    scalars,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), below, max_size=4),
    ),
    max_leaves=12,
)
texts = st.one_of(
    st.text(),
    st.binary(),
    st.lists(st.sampled_from(TOKENS), max_size=30).map("".join),
    values.map(json.dumps),
)


@usual
@given(texts)
@example('a: "\\ud800"')
@example("[" * 100_000)
@example("{a: " * 100_000)
@example("a: &a [*a, *a]\nb: &b [*a, *a]")
def test_any_text_is_read_or_found_fault_with(text: str | bytes) -> None:
    source, found = scan(text, "any.yaml")
    assert source is not None or found
    for finding in found:
        assert finding.where.line >= 1
        assert finding.where.column >= 1
        assert str(finding).isprintable() or "\n  help: " in str(finding)


def all_said_of(given_sources: policy.Sources) -> tuple[Diagnostic, ...]:
    """All findings, those of `check` too, in each of its formats: what is written can be read."""
    try:
        document = policy.load(given_sources)
        found = lint(document, policy.compile(document))
    except PolicyInvalid as invalid:
        found = invalid.diagnostics
        assert found
    assert list(found) == sorted(found, key=lambda each: each.where)
    log = json.loads(json.dumps(sarif_of(found)))
    assert len(log["runs"][0]["results"]) == len(found)
    for finding in found:
        assert len(annotation_of(finding).splitlines()) == 1
    return found


@usual
@given(texts, texts, texts)
def test_any_files_end_in_a_table_or_in_findings(
    catalogue: str | bytes, overrides: str | bytes, policies: str | bytes
) -> None:
    all_said_of(sources(catalogue, policies))
    all_said_of(sources(CATALOGUE, policies, overrides=overrides))


@usual
@given(st.data())
def test_a_sound_file_with_one_value_replaced_ends_in_a_table_or_in_findings(
    data: st.DataObject,
) -> None:
    for text in (CATALOGUE, POLICY):
        source = policy.parse_yaml(text, "sound.yaml")
        whole = json.loads(json.dumps(source.value))
        _replace_somewhere(data, whole)
        changed = json.dumps(whole)
        given_files = (changed, POLICY) if text is CATALOGUE else (CATALOGUE, changed)
        all_said_of(sources(*given_files))


@usual
@given(st.data())
def test_sound_overrides_with_one_value_replaced_end_in_a_table_or_in_findings(
    data: st.DataObject,
) -> None:
    whole = json.loads(json.dumps(policy.parse_yaml(OVERRIDES, "sound.yaml").value))
    _replace_somewhere(data, whole)
    all_said_of(sources(CATALOGUE, POLICY, overrides=json.dumps(whole)))


EXPECTATIONS = """\
callers: {reader: {roles: [reader]}, boss: {user: ann, claims: [shop-admins]}}
expect:
  - name: the usual
    request: GET /records?details=1
    route: find-records
    allow: [boss]
    deny: {reader: [detail], bob: {any: [detail, admin]}, anonymous: not-authenticated}
    because: [query has `details`]
  - {request: PUT /records/1, body: {Phone: [1], Name: null}, deny: {reader: write}}
  - {request: PUT /records/1, body: '{"id": 1}', deny: {bob: [write, {any: [read]}]}}
"""


def _held(text: str | bytes) -> None:
    """Read, and where that leaves nothing to find fault with, held against the policy."""
    expectations, found = expectations_of(SHOP, [Text("any.yaml", text)], REFUSALS)
    assert expectations or found
    assert all(finding.where.file == "any.yaml" for finding in found)
    held = [verdict_on(SHOP, each, sent_request(SHOP, each, Limits())) for each in expectations]
    report = Report(
        config=Path("config/gateway.yaml"),
        policy=SHOP.version,
        files=("any.yaml",),
        findings=found,
        verdicts=tuple(held),
        coverage=coverage_of(SHOP, held),
    )
    assert as_text(report)
    assert json.dumps(as_json(report), default=str)
    ET.fromstring(as_junit(report).encode())


@usual
@given(texts)
@example(EXPECTATIONS)
@example('expect: [{request: "GET /\\x1b[31m", name: "a\\nb\\0", allow: [ann]}]')
@example('expect: [{request: "GET /\\ufffe", body: "\\x01\\u2028", allow: [ann]}]')
def test_any_expectations_end_in_verdicts_or_in_findings(text: str | bytes) -> None:
    _held(text)


@usual
@given(st.data())
def test_sound_expectations_with_one_value_replaced_end_in_verdicts_or_in_findings(
    data: st.DataObject,
) -> None:
    whole = json.loads(json.dumps(policy.parse_yaml(EXPECTATIONS, "sound.yaml").value))
    _replace_somewhere(data, whole)
    _held(json.dumps(whole))


def _replace_somewhere(data: st.DataObject, value: Any) -> None:
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = data.draw(st.sampled_from(keys))
        below = value[key]
        if not isinstance(below, dict | list) or not below or data.draw(st.booleans()):
            value[key] = data.draw(values)
            return
        value = below


SHOP: DecisionTable = table()
segments = st.one_of(st.sampled_from(["records", "sweep", "health", "owner", "1", ".."]), st.text())


@usual
@given(
    method=st.one_of(st.sampled_from(["GET", "HEAD", "PUT", "POST"]), st.text()),
    path=st.lists(segments, max_size=4),
    query=st.lists(st.tuples(st.text(), st.text()), max_size=4),
    body=st.one_of(st.none(), st.dictionaries(st.text(), values, max_size=4)),
    subject=st.one_of(st.just(""), st.sampled_from(["ann", "bob"]), st.text()),
)
def test_any_inquiry_is_answered(
    method: str,
    path: list[str],
    query: list[tuple[str, str]],
    body: dict[str, object] | None,
    subject: str,
) -> None:
    caller = user(subject) if subject else ANONYMOUS
    inquiry = Inquiry(
        caller=caller,
        held=SHOP.held_by(caller),
        method=method,
        segments=tuple(path),
        query=tuple(query),
        body=None if body is None else policy.BodyFacts(body),
    )
    answer = policy.decide(SHOP, inquiry)
    if isinstance(answer, Decision) and answer.effect is Effect.ALLOW:
        assert answer.route is not None
    if isinstance(answer, NeedsBody):
        assert body is None
    assert str(policy.explain(SHOP, inquiry))
