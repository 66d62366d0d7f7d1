"""Expectation tables for tests, held against the small shop of `tests.support.policies`."""

from collections.abc import Mapping
from textwrap import dedent

from gateway.cli.requests import REFUSALS, sent_request
from gateway.settings import Limits
from policy import DecisionTable, Diagnostic, Text
from policy.analysis import Expectation, Verdict, expectations_of, verdict_on
from tests.support.policies import table as shop

__all__ = ["SHOP", "found_in", "held", "outcomes", "read"]

SHOP = shop()


def read(
    text: str | bytes, table: DecisionTable = SHOP
) -> tuple[tuple[Expectation, ...], tuple[Diagnostic, ...]]:
    """The expectations and findings of one file, which is called tests.yaml."""
    content = dedent(text) if isinstance(text, str) else text
    return expectations_of(table, [Text("tests.yaml", content)], REFUSALS)


def found_in(text: str | bytes, table: DecisionTable = SHOP) -> tuple[Diagnostic, ...]:
    return read(text, table)[1]


def held(text: str, table: DecisionTable = SHOP) -> tuple[Verdict, ...]:
    """The verdicts on the expectations of a sound file."""
    expectations, findings = read(text, table)
    assert not findings, "\n".join(map(str, findings))
    return tuple(
        verdict_on(table, expectation, sent_request(table, expectation, Limits()))
        for expectation in expectations
    )


def outcomes(text: str, table: DecisionTable = SHOP) -> Mapping[str, bool]:
    """Caller to whether all is as expected of it; the route is called `route`."""
    result: dict[str, bool] = {}
    for verdict in held(text, table):
        who = verdict.expectation.who or "route"
        result[who] = result.get(who, True) and verdict.as_expected
    return result
