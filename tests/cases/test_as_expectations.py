"""Every case, said as an expectation table: what the cases hold, `ucs-gateway test` holds too.

The cases stay what they are. They say what a request needs, whoever asks, and that is run against
two evaluators and the whole gateway; a table names callers, and is for operators. That one can be
written as the other keeps the two from drifting apart.
"""

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

import policy
from gateway.cli.requests import REFUSALS, sent_request
from gateway.settings import Limits
from policy import DecisionTable, Text
from policy.analysis import expectations_of, verdict_on
from tests.support.cases import (
    LAYOUTS,
    NEVER_READ,
    Case,
    Setup,
    load_cases,
    permissions_of,
    specs_for,
    write_policy,
)

EVERYTHING = tuple(name for service in LAYOUTS["apart"] for name in permissions_of(service))
SETUPS = [
    (setup, tuple(cases)) for setup, cases in groupby(load_cases(), key=lambda case: case.setup)
]


class Table:
    """Callers by the permissions that they hold, and lines that name them."""

    def __init__(self) -> None:
        self.callers: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self.lines: list[dict[str, Any]] = []

    def holding(self, case: Case, names: Iterable[str]) -> str:
        """The name of a caller who holds exactly these permissions."""
        described = {"subject": case.subject, "roles": sorted(names)}
        key = json.dumps(described)
        name = self._names.setdefault(key, f"caller-{len(self._names)}")
        self.callers[name] = described
        return name

    def add(self, case: Case, layout: str) -> None:
        line: dict[str, Any] = {
            "name": str(case), "request": f"{case.method} {case.raw_target(layout)}",
        }  # fmt: skip
        if case.body is not NEVER_READ:
            line["body"] = json.dumps(case.body)
        if case.refused is not None:
            self.lines.append(line | {"deny": {self.holding(case, EVERYTHING): case.refused}})
            return
        if case.operation is not None:
            line["route"] = case.operation
        needs, without_any = case.needs, {"any": list(case.needs.any_of)}
        lacking = {
            self.holding(case, enough - {name}): [name] if name in needs.all_of else without_any
            for enough in needs.sufficient
            for name in enough
        }
        allow = [self.holding(case, enough) for enough in needs.sufficient]
        self.lines.append(line | {"allow": allow, "deny": lacking})


def compiled(setup: Setup, layout: str, folder: Path) -> DecisionTable:
    roles = write_policy(folder / "policy", EVERYTHING)
    return policy.compile(policy.load(policy.read(specs_for(setup, layout, folder), roles)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_case_holds_as_an_expectation(layout: str, tmp_path: Path) -> None:
    held = 0
    for number, (setup, cases) in enumerate(SETUPS):
        folder = tmp_path / str(number)
        folder.mkdir()
        table, written = compiled(setup, layout, folder), Table()
        for case in cases:
            if case.before_policy is None and layout in case.layouts:
                written.add(case, layout)
        text = json.dumps({"callers": written.callers, "expect": written.lines})
        expectations, findings = expectations_of(table, [Text("cases.yaml", text)], REFUSALS)
        assert not findings, findings[0]
        verdicts = [
            verdict_on(table, each, sent_request(table, each, Limits())) for each in expectations
        ]
        wrong = [
            f"{each.expectation.name}: {each.answer}" for each in verdicts if not each.as_expected
        ]
        assert wrong == []
        held += len(verdicts)
    assert held > 500
