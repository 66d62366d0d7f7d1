"""What is shipped in `config/` works as it stands and says what it is for."""

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
import yaml

import policy
from gateway.settings import Settings, load_settings, specs
from policy import (
    NOTHING_HELD,
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
from tests.support.cases import CATALOGUES, CONFIG, LAYOUTS, Case, load_cases

CASES = {(case.file, case.name): case for case in load_cases()}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(CONFIG / "gateway.yaml", {})


@pytest.fixture(scope="module")
def table(settings: Settings) -> DecisionTable:
    return policy.compile(policy.load(policy.read(specs(settings), settings.policy)))


def user(name: str) -> Caller:
    return Caller(subject=name, kind=Kind.USER, means=Means.BASIC)


def with_claim(value: str) -> Caller:
    return Caller(subject="somebody", kind=Kind.USER, means=Means.JWT, claims=frozenset({value}))


def asked(table: DecisionTable, caller: Caller, case: Case) -> Decision:
    def inquiry(**body: object) -> Decision | NeedsBody:
        return decide(
            table,
            Inquiry(
                caller=caller,
                held=table.held_by(caller),
                method=case.method,
                segments=case.segments("apart"),
                query=case.query,
                **body,  # type: ignore[arg-type]
            ),
        )

    answer = inquiry()
    if isinstance(answer, NeedsBody):
        answer = inquiry(body=case.facts)
    assert isinstance(answer, Decision)
    return answer


def test_the_sample_settings_need_no_secret_and_name_both_services(settings: Settings) -> None:
    assert {service.name: service.prefix for service in settings.services} == LAYOUTS["apart"]
    assert all(service.upstream.credential is None for service in settings.services)


def test_the_sample_has_no_finding_not_even_a_warning(table: DecisionTable) -> None:
    assert table.findings == ()


def test_no_user_is_shipped_with_a_password() -> None:
    assert yaml.safe_load((CONFIG / "users.yaml").read_text("utf-8")) == {"users": {}}


@pytest.mark.parametrize(
    ("name", "file", "case", "missing"),
    [
        ("sam", "ucs/query-customer-profile", "by id", []),
        ("sam", "ucs/query-customer-profile", "with extensions", ["readProfileExtension"]),
        (
            "sam",
            "ucs/update-customer-profile",
            "with core attributes only",
            ["updateCustomerProfile"],
        ),
        ("anna", "ucs/update-customer-profile", "with core attributes only", []),
        ("anna", "ucs/update-customer-profile", "with an extension", ["updateProfileExtension"]),
        ("anna", "ucs/delete-customer-profile", "by id", ["deleteCustomerProfile"]),
        ("carl", "ucs/create-customer-profile", "with core attributes only", []),
        (
            "carl",
            "ucs/create-customer-profile",
            "with an extension beside the attributes",
            ["createProfileExtension"],
        ),
        ("vera", "ucs/update-customer-profile", "with an extension", []),
        ("nightly-import", "ucs/bulk-profile-import", "of a file", []),
        (
            "mona",
            "ucs/merge-customer-profile",
            "with the trailing slash of the table",
            ["mergeCustomerProfile"],
        ),
    ],
)
def test_the_people_of_the_sample_may_do_what_the_readme_says(
    table: DecisionTable, name: str, file: str, case: str, missing: Sequence[str]
) -> None:
    decision = asked(table, user(name), CASES[file, case])
    assert decision.reason is (Reason.PERMISSION_MISSING if missing else Reason.PERMITTED)
    assert decision.missing.all_of == tuple(f"UCS.Customer.{task}" for task in missing)


@pytest.mark.parametrize("caller", [user("olga"), with_claim("contact-center-admins")], ids=str)
def test_an_administrator_may_do_everything_that_is_not_refused(
    table: DecisionTable, caller: Caller
) -> None:
    for case in CASES.values():
        if not case.setup.switches and case.refused is None:
            assert asked(table, caller, case).reason is Reason.PERMITTED, case


def test_a_disabled_role_grants_nothing(table: DecisionTable) -> None:
    assert table.held_by(user("mona")) == NOTHING_HELD


def test_a_supervisor_reads_services_and_does_not_end_them(table: DecisionTable) -> None:
    caller = with_claim("contact-center-supervisors")
    assert asked(table, caller, CASES["gms/get", "a service"]).reason is Reason.PERMITTED
    decision = asked(table, caller, CASES["gms/post", "ending a service"])
    assert decision.reason is Reason.PERMISSION_MISSING
    assert decision.missing.all_of == ("Administrator",)


def test_somebody_who_appears_nowhere_may_do_nothing(table: DecisionTable) -> None:
    assert table.held_by(with_claim("domain-admins")) == NOTHING_HELD
    assert table.held_by(user("nobody")) == NOTHING_HELD


_KEY = re.compile(r"^(?P<indent> *)(?:- )?[a-z_]+:")


def test_every_key_of_the_sample_settings_has_a_sentence_above_it() -> None:
    lines = (CONFIG / "gateway.yaml").read_text("utf-8").splitlines()
    bare = [line for before, line in pairwise(lines)
            if _KEY.match(line) and not before.lstrip().startswith("#")]  # fmt: skip
    assert bare == []


@pytest.mark.parametrize("service", sorted(CATALOGUES))
def test_every_operation_of_a_catalogue_has_its_source_above_it(service: str) -> None:
    operations = CATALOGUES[service].read_text("utf-8").partition("\noperations:\n")[2]
    lines = operations.splitlines()
    bare = [line for before, line in pairwise(lines)
            if re.match(r"^  [a-z-]+:$", line) and not before.startswith("  #")]  # fmt: skip
    assert bare == []


@pytest.mark.parametrize("service", sorted(CATALOGUES))
def test_every_route_has_a_grammar_for_each_of_its_parameters(service: str) -> None:
    document = yaml.safe_load(CATALOGUES[service].read_text("utf-8"))
    used = {
        name
        for entry in document["operations"].values()
        for name in re.findall(r"\{([^}]*)\}", entry["request"])
    }
    assert used == set(document["parameters"])


def test_each_body_that_names_a_customer_is_compared_with_the_path() -> None:
    """Of the operations whose body is JSON; import is multipart, GMS documents no such body."""
    operations = yaml.safe_load(CATALOGUES["ucs"].read_text("utf-8"))["operations"]
    guarded = {
        name
        for name, entry in operations.items()
        if {"body_value_equals_path": {"customer_id": "customer_id"}} in entry.get("guards", ())
    }
    writing = {
        name
        for name, entry in operations.items()
        if entry["request"].startswith(("PUT", "POST")) and "{customer_id}" in entry["request"]
    }
    assert guarded == writing
    assert len(guarded) == 5
