"""Every case, through the compiled evaluator and the naive reference: allowed with exactly what it
needs, denied without any part of it, and told which part.

The whole gateway runs the same files in `tests/live`. A case that changes the catalogue (switches,
overrides) is run against a table of its own; all cases are run with UCS at the root and with both
services under one prefix.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import policy
from gateway.errors import MalformedTarget
from gateway.http.target import TargetLimits, canonicalise
from policy import (
    ANONYMOUS,
    BodyFacts,
    Caller,
    Decision,
    DecisionTable,
    Inquiry,
    Kind,
    Means,
    NeedsBody,
    Reason,
    decide,
)
from tests.support.cases import (
    CATALOGUES,
    LAYOUTS,
    Case,
    Setup,
    load_cases,
    permissions_of,
    specs_for,
    write_policy,
)
from tests.support.reference import NEEDS_BODY, Verdict, reference

ALL = load_cases()
EVERYTHING = frozenset(name for service in LAYOUTS["apart"] for name in permissions_of(service))

Ask = Callable[[Inquiry], Verdict]


@dataclass(frozen=True)
class Judge:
    """One way of deciding: its name for failure messages, and what it says to an inquiry."""

    name: str
    table: DecisionTable
    ask: Ask

    def says(self, case: Case, layout: str, holding: Iterable[str]) -> Verdict:
        """The verdict on a caller who holds `holding`; the body is shown only when asked for."""
        caller = Caller(
            subject=case.subject, kind=Kind.USER, means=Means.JWT, claims=frozenset(holding)
        )
        return self.says_to(caller, case, layout)

    def says_to(self, caller: Caller, case: Case, layout: str) -> Verdict:
        def inquiry(body: BodyFacts | None) -> Inquiry:
            return Inquiry(
                caller=caller,
                held=self.table.held_by(caller),
                method=case.method,
                segments=case.segments(layout),
                query=case.query,
                body=body,
            )

        verdict = self.ask(inquiry(None))
        if verdict.reason == NEEDS_BODY:
            verdict = self.ask(inquiry(case.facts))
        assert verdict.reason != NEEDS_BODY, f"{self.name} wants the body twice"
        return verdict


class Judges:
    """The compiled evaluator and the reference for one setup and layout, made once each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[Setup, str], tuple[Judge, Judge]] = {}

    def of(self, case: Case, layout: str) -> tuple[Judge, Judge]:
        key = (case.setup, layout)
        if key not in self._made:
            self._made[key] = self._make(*key)
        return self._made[key]

    def _make(self, setup: Setup, layout: str) -> tuple[Judge, Judge]:
        folder = self._folder / str(len(self._made))
        roles = write_policy(folder / "policy", EVERYTHING)
        document = policy.load(policy.read(specs_for(setup, layout, folder), roles))
        table = policy.compile(document)
        return (
            Judge("the evaluator", table, lambda inquiry: _verdict(decide(table, inquiry))),
            Judge("the reference", table, lambda inquiry: reference(document, inquiry)),
        )


def _verdict(answer: Decision | NeedsBody) -> Verdict:
    """The evaluator's answer in the reference's words."""
    operation = answer.route and (answer.route.service, answer.route.id)
    service, name = operation or ("", "")
    if isinstance(answer, NeedsBody):
        return Verdict(NEEDS_BODY, service, name)
    return Verdict(
        answer.reason.value,
        service,
        name,
        frozenset(answer.missing.all_of),
        frozenset(map(frozenset, answer.missing.any_of)),
    )


@pytest.fixture(scope="session")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Judges:
    return Judges(tmp_path_factory.mktemp("cases"))


def each(cases: Iterable[Case]) -> pytest.MarkDecorator:
    pairs = [(case, layout) for case in cases for layout in case.layouts]
    names = [f"{case}, {layout}" for case, layout in pairs]
    return pytest.mark.parametrize(("case", "layout"), pairs, ids=names)


PERMITTED = [case for case in ALL if case.refused is None]
REFUSED = [case for case in ALL if case.refused is not None]


@each(PERMITTED)
def test_is_allowed_with_exactly_what_it_needs(judges: Judges, case: Case, layout: str) -> None:
    for judge in judges.of(case, layout):
        for holding in case.needs.sufficient:
            verdict = judge.says(case, layout, holding)
            expected = Verdict("permitted", case.setup.service, case.operation or "")
            assert verdict == expected, judge.name


@each(PERMITTED)
def test_is_denied_without_any_one_of_it_and_that_one_is_named(
    judges: Judges, case: Case, layout: str
) -> None:
    for judge in judges.of(case, layout):
        for lacking in case.needs.all_of:
            # Whoever holds only the rest, and whoever holds the whole rest of the catalogues.
            for holding in (frozenset(case.needs.all_of), EVERYTHING):
                verdict = judge.says(case, layout, holding - {lacking})
                assert verdict.reason == Reason.PERMISSION_MISSING, judge.name
                assert verdict.all_of == {lacking}, judge.name
                assert not verdict.any_of, judge.name


@each([case for case in PERMITTED if case.needs.any_of])
def test_is_denied_without_all_of_an_alternative_and_every_choice_is_named(
    judges: Judges, case: Case, layout: str
) -> None:
    choices = frozenset(case.needs.any_of)
    for judge in judges.of(case, layout):
        for holding in (frozenset[str](), EVERYTHING - choices):
            verdict = judge.says(case, layout, holding)
            assert verdict.reason == Reason.PERMISSION_MISSING, judge.name
            assert verdict.any_of == {choices}, judge.name
            assert not verdict.all_of, judge.name


@each(PERMITTED)
def test_is_denied_with_nothing_and_only_what_it_needs_is_named(
    judges: Judges, case: Case, layout: str
) -> None:
    for judge in judges.of(case, layout):
        verdict = judge.says(case, layout, ())
        assert verdict.reason == Reason.PERMISSION_MISSING, judge.name
        named = verdict.all_of.union(*verdict.any_of)
        assert named, judge.name
        assert named <= {*case.needs.all_of, *case.needs.any_of}, judge.name


@each(ALL)
def test_tells_a_stranger_nothing_not_even_whether_it_exists(
    judges: Judges, case: Case, layout: str
) -> None:
    for judge in judges.of(case, layout):
        verdict = judge.says_to(ANONYMOUS, case, layout)
        assert verdict.reason == Reason.NOT_AUTHENTICATED, judge.name


@each(REFUSED)
def test_is_refused_whoever_asks(judges: Judges, case: Case, layout: str) -> None:
    for judge in judges.of(case, layout):
        for holding in (EVERYTHING, *case.needs.sufficient):
            verdict = judge.says(case, layout, holding)
            assert verdict.reason == case.refused, judge.name
            assert not verdict.all_of | verdict.any_of, judge.name


@each([case for case in REFUSED if case.refused is Reason.GUARD_FAILED])
def test_a_guard_speaks_only_to_whoever_may_do_it_otherwise(
    judges: Judges, case: Case, layout: str
) -> None:
    for judge in judges.of(case, layout):
        for lacking in case.needs.all_of:
            verdict = judge.says(case, layout, EVERYTHING - {lacking})
            assert verdict.reason == Reason.PERMISSION_MISSING, judge.name
            assert verdict.all_of == {lacking}, judge.name


def test_a_contact_s_services_win_over_a_service_named_anonymous(judges: Judges) -> None:
    """Where both services share a prefix, `anonymous` is GMS's word and never UCS's id."""
    (case,) = [case for case in ALL if case.name == "refuses `anonymous` as a service"]
    for judge in judges.of(case, "together"):
        verdict = judge.says(case, "together", {"Supervisor"})
        assert verdict == Verdict("permitted", "gms", "query-anonymous-services"), judge.name


@each(ALL)
def test_is_read_as_the_gateway_reads_it(case: Case, layout: str) -> None:
    raw = case.raw_target(layout).encode()
    if case.before_policy is not None:
        with pytest.raises(MalformedTarget):
            canonicalise(raw, TargetLimits())
        return
    target = canonicalise(raw, TargetLimits())
    assert (target.segments, target.query) == (case.segments(layout), case.query)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_catalogues_compile_without_a_finding_in_every_setup(
    judges: Judges, layout: str
) -> None:
    """Not even a warning: under one prefix, too, neither service takes the other's requests."""
    for case in {case.setup: case for case in ALL}.values():
        assert judges.of(case, layout)[0].table.findings == (), case.setup


def test_every_operation_of_the_catalogues_has_a_case_that_is_allowed() -> None:
    covered = {(case.setup.service, case.operation) for case in PERMITTED}
    shipped = {
        (service, operation)
        for service, file in CATALOGUES.items()
        for operation in yaml.safe_load(file.read_text("utf-8"))["operations"]
    }
    assert shipped - covered == set()


def test_every_switch_of_the_catalogue_has_cases() -> None:
    tried = {switch for case in ALL for switch in case.setup.switches}
    assert tried == set(yaml.safe_load(CATALOGUES["ucs"].read_text("utf-8"))["switches"])
