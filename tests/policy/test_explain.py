"""The same question with its working shown."""

from pathlib import Path

import policy
from policy import (
    ANONYMOUS,
    Caller,
    Decision,
    Explanation,
    ServiceSources,
    ServiceSpec,
    Sources,
    Stage,
    Text,
    UseRole,
)
from tests.support.policies import CATALOGUE, POLICY, inquiry, spec, table, user

ANN, BOB, ZOE = user("ann"), user("bob"), user("zoe")


def story(
    caller: Caller,
    request: str,
    *query: tuple[str, str],
    body: dict[str, object] | None = None,
    table: policy.DecisionTable = table(),  # noqa: B008 - frozen
) -> Explanation:
    asked = inquiry(table, caller, request, *query, body=body)
    told = policy.explain(table, asked)
    assert told.decision == policy.decide(table, asked)
    assert told.inquiry is asked
    return told


def lines(told: Explanation, stage: Stage) -> list[str]:
    return [step.text for step in told.steps if step.stage is stage]


def details(told: Explanation, stage: Stage) -> list[str]:
    return [detail for step in told.steps if step.stage is stage for detail in step.details]


def test_a_permission_is_told_from_route_to_line() -> None:
    assert str(story(ANN, "GET /records/1")) == (
        "route: `GET /records/1` is `read-record` of the service `shop` (GET /records/{id})"
        " (shop.yaml:11:3)\n"
        "caller: the caller is the user `ann`\n"
        "  - role `writer`\n"
        "permission: `read`: held\n"
        "  - read: user `ann` → role `writer` → role `reader` (policy-1.yaml:2:26)\n"
        "verdict: allow: permitted"
    )


def test_a_denial_names_what_is_missing_and_the_smallest_roles_that_bring_it() -> None:
    told = story(BOB, "PUT /records/1")
    assert lines(told, Stage.PERMISSION) == ["`write`: missing"]
    assert lines(told, Stage.VERDICT) == ["deny: permission-missing"]
    assert lines(told, Stage.REMEDY) == ["each of these roles would do"]
    assert [(found.role, found.supplies, found.grants) for found in told.suppliers] == [
        ("writer", ("write",), 2),
        ("chief", ("write",), 4),
    ]
    assert (
        details(told, Stage.REMEDY)[0] == "role `writer` grants `write` among 2 (policy-1.yaml:3:3)"
    )


def test_a_remedy_that_no_role_has_whole_is_the_roles_that_have_it_together() -> None:
    roles = "roles: {r: {permissions: [read]}, d: {permissions: [detail]}}"
    told = story(ZOE, "GET /records", ("details", ""), table=table(CATALOGUE, roles))
    assert lines(told, Stage.REMEDY) == ["no role brings everything; these would together"]
    assert [found.role for found in told.suppliers] == ["d", "r"]


def test_a_remedy_that_all_roles_lack_a_part_of_is_told_in_parts() -> None:
    roles = "roles: {r: {permissions: [read]}}"
    told = story(ZOE, "GET /records", ("details", ""), table=table(CATALOGUE, roles))
    assert lines(told, Stage.REMEDY) == ["no role brings everything; these would help"]
    assert [found.role for found in told.suppliers] == ["r"]


def test_a_remedy_that_no_role_has_is_none() -> None:
    told = story(ZOE, "POST /sweep", table=table(CATALOGUE, "roles: {r: {permissions: [read]}}"))
    assert lines(told, Stage.REMEDY) == ["no role would help"]
    assert lines(told, Stage.PERMISSION) == ["`write` or `admin`: missing"]


def test_at_most_five_roles_are_named() -> None:
    roles = "\n".join(["roles:", *(f"  r{n}: {{permissions: [read]}}" for n in range(9))])
    assert len(story(ZOE, "GET /records", table=table(CATALOGUE, roles)).suppliers) == 5


def test_every_condition_says_whether_it_fired() -> None:
    assert lines(story(ANN, "PUT /records/1"), Stage.CONDITION) == [
        "body has keys outside `core`: cannot tell"
    ]
    told = story(ANN, "PUT /records/1", body={"Name": "x"})
    assert lines(told, Stage.CONDITION) == ["body has keys outside `core`: no"]
    told = story(ANN, "PUT /records/1", body={"Phone": "x"})
    assert lines(told, Stage.CONDITION) == ["body has keys outside `core`: yes"]
    assert details(told, Stage.CONDITION) == ["needs `detail`", "met by the body's `phone`"]
    assert lines(told, Stage.PERMISSION) == ["`write`: held", "`detail`: missing"]
    assert details(told, Stage.VERDICT) == ["because body has keys outside `core`"]


def test_conditions_that_need_one_of_several_say_so() -> None:
    catalogue = CATALOGUE.replace(
        "{query_has: [details]}, requires: detail",
        "{query_has: [details]}, requires: {any: [detail, admin]}",
    )
    told = story(ZOE, "GET /records", table=table(catalogue))
    assert details(told, Stage.CONDITION) == ["needs one of `detail`, `admin`"]


def test_what_the_body_adds_is_not_told_where_all_was_lost_without_it() -> None:
    told = story(BOB, "PUT /records/1", body={"Phone": "x"})
    assert [need.names for need in told.needs] == [("write",)]


def test_a_decision_that_waits_for_the_body_says_so() -> None:
    told = story(ANN, "PUT /records/1/owner")
    assert not isinstance(told.decision, Decision)
    assert lines(told, Stage.GUARD) == ["body `id` must be the path's `id`: cannot tell"]
    assert lines(told, Stage.VERDICT) == ["it depends on the body, which was not given"]


def test_guards_say_whether_they_hold() -> None:
    good = story(ANN, "PUT /records/1/owner", body={"id": "1"})
    assert lines(good, Stage.GUARD) == ["body `id` must be the path's `id`: holds"]
    bad = story(ANN, "PUT /records/1/owner", body={"id": "2"})
    assert lines(bad, Stage.GUARD) == ["body `id` must be the path's `id`: fails"]
    assert lines(bad, Stage.VERDICT) == ["deny: guard-failed"]
    denied = story(BOB, "PUT /records/1/owner", body={"id": "2"})
    assert lines(denied, Stage.GUARD) == [], "no guard was asked"


def test_what_cannot_be_decided_is_not_argued() -> None:
    told = story(ANN, "GET /records", ("details", ""), ("details", ""))
    assert lines(told, Stage.CONDITION) == ["query has `details`: cannot tell"]
    assert lines(told, Stage.PERMISSION) == []
    assert lines(told, Stage.VERDICT) == ["deny: undecidable"]


def test_where_no_rule_is_read_none_is_told() -> None:
    assert lines(story(ANONYMOUS, "GET /health"), Stage.CALLER) == [
        "the operation is public: anybody may call it"
    ]
    stranger = story(ANONYMOUS, "GET /records")
    assert lines(stranger, Stage.CALLER) == [
        "the caller is anonymous, and the operation is not public"
    ]
    assert lines(stranger, Stage.PERMISSION) == []
    known = story(ZOE, "GET /whoami")
    assert lines(known, Stage.PERMISSION) == ["nothing is needed but to be known"]
    assert details(known, Stage.CALLER) == ["the caller has no role"]


def test_services_that_do_not_use_roles_or_only_watch_are_told() -> None:
    lax = story(ZOE, "GET /records", table=table(service=spec(use_role=UseRole.OFF)))
    assert details(lax, Stage.CALLER) == ["`shop` does not use roles: knowing the caller is enough"]
    assert lines(lax, Stage.VERDICT) == ["allow: not-enforced"]
    watching = story(ZOE, "GET /records", table=table(service=spec(use_role=UseRole.SHADOW)))
    assert details(watching, Stage.VERDICT) == [
        "`shop` only watches: the request goes on all the same"
    ]


def test_roles_that_are_off_are_marked() -> None:
    shop = table(CATALOGUE, POLICY.replace("chief: {", "chief: {enabled: false, "))
    told = story(user("x", roles=("chief",)), "GET /records", table=shop)
    assert details(told, Stage.CALLER) == ["role `chief`, off"]


def test_an_unknown_operation_is_told_with_its_neighbours() -> None:
    told = story(ANN, "PATCH /records/1")
    assert lines(told, Stage.ROUTE) == ["no operation answers `PATCH /records/1`"]
    assert details(told, Stage.ROUTE) == ["this path has operations for GET, PUT, HEAD"]
    assert lines(told, Stage.VERDICT) == ["deny: no-route"]
    assert details(story(ANN, "GET /records/a.b"), Stage.ROUTE) == [
        "`read-record` is `/records/{id}`: a parameter does not accept what stands in its place"
    ]
    assert details(story(ANN, "GET /recrods/1"), Stage.ROUTE) == [
        "`read-record` is `/records/{id}`: `records` stands where `recrods` was asked for"
    ]
    assert details(story(ANN, "GET /other/a.b/x"), Stage.ROUTE) == []
    stranger = story(ANONYMOUS, "PATCH /records/1")
    assert lines(stranger, Stage.VERDICT) == ["deny: not-authenticated"]


def test_the_operations_that_were_passed_over_are_told_with_the_reason() -> None:
    catalogue = CATALOGUE + "  latest: {request: GET /records/latest, requires: read}\n"
    told = story(ANN, "GET /records/latest", table=table(catalogue))
    assert details(told, Stage.ROUTE) == [
        "`read-record` (GET /records/{id}) would answer too; `latest` is closer than `{id}`"
    ]


def test_head_of_its_own_was_asked_for() -> None:
    catalogue = CATALOGUE + '  probe: {request: "HEAD /records/{id}", requires: read}\n'
    shop = table(catalogue)
    told = story(ANN, "HEAD /records/1", table=shop)
    assert told.route is not None
    assert told.route.id == "probe"
    assert details(told, Stage.ROUTE) == []


def test_two_that_cross_and_demand_the_same_are_told_apart_from_the_left() -> None:
    catalogue = CATALOGUE + (
        '  one: {request: "GET /x/{a}", requires: read}\n'
        '  two: {request: "GET /{b}/y", requires: read}\n'
    )
    told = story(ANN, "GET /x/y", table=table(catalogue))
    assert details(told, Stage.ROUTE) == [
        "`two` (GET /{b}/y) would answer too; `x` is closer than `{b}`"
    ]


def test_the_same_template_of_two_services_is_told_apart_by_what_it_accepts() -> None:
    def service(name: str, described: str) -> ServiceSources:
        text = (
            f"catalogue: {name}\npermissions: {{read: R}}\n{described}"
            "operations: {op: {request: 'GET /x/{id}', requires: read}}"
        )
        return ServiceSources(
            ServiceSpec(name=name, catalogue=Path(name)), Text(f"{name}.yaml", text)
        )

    given = Sources(
        (service("wide", ""), service("narrow", "parameters: {id: {alphabet: digits}}\n")),
        (Text("p.yaml", "roles: {all: {permissions: [read]}}"),),
    )
    told = story(ANN, "GET /x/1", table=policy.compile(policy.load(given)))
    assert details(told, Stage.ROUTE) == [
        "`op` (GET /x/{id}) would answer too; the parameters of `narrow` accept less"
    ]
