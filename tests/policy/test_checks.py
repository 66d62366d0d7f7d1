"""The rules that span entries of a catalogue and its policy."""

from dataclasses import replace
from pathlib import Path

import pytest

import policy
from policy import Code, PolicyInvalid, ServiceSources, ServiceSpec, Severity, Sources, Text
from tests.support.policies import CATALOGUE, POLICY, codes, findings, only, spec

GRANTS = "roles: {all: {permissions: [read, write, detail, admin]}}"


def changed(old: str, new: str) -> tuple[str, Code, str, str | None]:
    """The only finding after `old` became `new` in the sample catalogue."""
    assert old in CATALOGUE
    found = only(findings(CATALOGUE.replace(old, new), GRANTS))
    return f"{found.where.line}:{found.where.column}", found.code, found.message, found.help


def test_the_samples_have_no_findings() -> None:
    assert findings() == ()


@pytest.mark.parametrize(
    ("old", "new", "place", "code", "message", "advice"),
    [
        ("requires: read}", "requires: raed}", "11:57", Code.UNKNOWN_PERMISSION, "no catalogue knows the permission `raed`", "did you mean `read`?"),
        ("requires: read}", "requires: Read Records}", "11:57", Code.UNKNOWN_PERMISSION, "no catalogue knows the permission `Read Records`", "this is what people see; the permission's name is `read`"),
        ("requires: read}", "requires: [read, r*]}", "11:64", Code.WILDCARD_PERMISSION, "`r*` is a pattern, and patterns are not read", "name each permission by itself"),
        ("[write, admin]", "[write, authenticated]", "23:57", Code.UNKNOWN_PERMISSION, "no catalogue knows the permission `authenticated`", None),
        ("requires: admin", "requires: admni", "17:37", Code.UNKNOWN_PERMISSION, "no catalogue knows the permission `admni`", "did you mean `admin`?"),
        ("requires: detail}\n  read", "requires: public}\n  read", "10:50", Code.POINTLESS_RULE, "`public` demands nothing more", "name a permission"),
        ("keys_outside: core", "keys_outside: coer", "16:40", Code.UNKNOWN_LIST, "the catalogue has no list `coer`", "did you mean `core`?"),
        ("{id: id}", "{id: di}", "22:39", Code.UNKNOWN_PARAMETER, "`/records/{id}/owner` has no parameter `di`", "did you mean `id`?"),
        ("requires: read\n    also", "requires: public\n    also", "10:7", Code.POINTLESS_RULE, "a public operation is open to everybody before any rule is read", "make it `authenticated`, or take the rules away"),
        ("requires: write\n    guards", "requires: public\n    guards", "22:7", Code.POINTLESS_RULE, "a public operation is open to everybody before any rule is read", "make it `authenticated`, or take the rules away"),
        ("admin: Administer", "admin: Administer, public: P", "2:98", Code.RESERVED_NAME, "`public` is no permission: `requires` has a meaning for it", None),
        ("admin: Administer", "admin: Administer, a*: P", "2:98", Code.RESERVED_NAME, "`a*` is a pattern, and no permission is called by one", None),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_what_its_author_meant_is_found(
    old: str, new: str, place: str, code: Code, message: str, advice: str | None
) -> None:
    assert changed(old, new) == (place, code, message, advice)


def test_a_switch_that_nobody_declares_is_found_and_so_is_one_that_nobody_asks_for() -> None:
    found = findings(CATALOGUE.replace("switch: careful", "switch: carefull"), GRANTS)
    unused, unknown = found
    assert (unused.code, unused.severity) == (Code.SWITCH_UNUSED, Severity.WARNING)
    assert unused.message == "no rule asks for the switch `careful`"
    assert (unknown.code, unknown.help) == (Code.UNKNOWN_SWITCH, "did you mean `careful`?")


def test_a_switch_is_declared_where_none_comes_near() -> None:
    found = findings(CATALOGUE.replace("switch: careful", "switch: other"), GRANTS)
    assert found[1].help == "declare it under `switches`"


def test_a_service_that_turns_on_what_nobody_declares_is_found() -> None:
    found = only(findings(CATALOGUE, GRANTS, service=spec(switches=("carefull",))))
    assert (found.code, found.help) == (Code.UNKNOWN_SWITCH, "did you mean `careful`?")
    assert found.message == (
        "the service `shop` turns on `carefull`, and the catalogue `shop` declares no such switch"
    )
    assert str(found.where) == "shop.yaml:4:1"


def test_reserved_names_are_found_in_overrides_too() -> None:
    found = only(findings(CATALOGUE, GRANTS, overrides="overrides: shop\npermissions: {public: P}"))
    assert (found.where.file, found.code) == ("local.yaml", Code.RESERVED_NAME)


def test_a_rule_of_the_overrides_is_found_in_the_overrides() -> None:
    overrides = "overrides: shop\noperations: {sweep: {requires: swep}}"
    found = only(findings(CATALOGUE, GRANTS, overrides=overrides))
    assert str(found.where) == "local.yaml:2:32"


@pytest.mark.parametrize(
    ("name", "code", "advice"),
    [
        ("raed", Code.UNKNOWN_PERMISSION, "did you mean `read`?"),
        ("Write Records", Code.UNKNOWN_PERMISSION, "this is what people see; the permission's name is `write`"),
        ("'*'", Code.WILDCARD_PERMISSION, "name each permission by itself"),
        ("Read", Code.UNKNOWN_PERMISSION, "did you mean `read`?"),
        ("public", Code.UNKNOWN_PERMISSION, None),
    ],
)  # fmt: skip
def test_a_role_names_permissions_exactly(name: str, code: Code, advice: str | None) -> None:
    found = only(
        findings(CATALOGUE, f"{GRANTS}\n", f"roles: {{x: {{permissions: [read, {name}]}}}}")
    )
    assert (str(found.where), found.code, found.help) == ("policy-2.yaml:1:33", code, advice)


def two(first: ServiceSpec, second: ServiceSpec) -> tuple[Code, ...]:
    other = CATALOGUE.replace("catalogue: shop", "catalogue: shed")
    given = Sources(
        (
            ServiceSources(first, Text("one.yaml", CATALOGUE)),
            ServiceSources(second, Text("two.yaml", other)),
        ),
        (Text("p.yaml", POLICY),),
    )
    try:
        return tuple(codes(policy.compile(policy.load(given)).findings))
    except PolicyInvalid as invalid:
        return tuple(codes(invalid.diagnostics))


def test_two_services_of_one_name_are_found() -> None:
    assert two(spec(), replace(spec(), prefix="/shed")) == (Code.DUPLICATE_NAME,)


def test_a_permission_of_two_catalogues_is_one_permission() -> None:
    other = ServiceSpec(name="shed", catalogue=Path("shed.yaml"), prefix="/shed")
    assert two(spec(), other) == ()
