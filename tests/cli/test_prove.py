"""`prove` holds a policy to the assertions that lie beside it, and shows where it breaks one."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import policy
from gateway.cli.output import Exit
from gateway.settings import load_settings, specs
from tests.cli.conftest import Ask, Said
from tests.support.cases import CONFIG

SAMPLE = Path("policy/proofs/sample.yaml")
TIER_1 = "tier-1: {roles: [profile-reader]}"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shipped configuration, to be changed."""
    shutil.copytree(CONFIG, tmp_path / "config")
    return tmp_path / "config"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def prove(ask: Ask, copy: Path, *options: str | Path) -> Said:
    return ask("prove", "--config", copy / "gateway.yaml", *options)


def test_the_shipped_policy_is_what_its_sample_says_of_it(ask: Ask) -> None:
    said = ask("prove")
    assert (said.code, said.err) == (Exit.YES, "")
    *lines, last = said.out.splitlines()
    assert {line.partition(": ")[0] for line in lines} == {"proved"}
    assert last == f"{len(lines)} assertions: {len(lines)} proved, 0 violated"


def test_no_assertion_of_the_sample_holds_by_chance(ask: Ask, copy: Path) -> None:
    """Each of them is broken by a change that somebody might make."""
    assignments = copy / "policy" / "assignments.yaml"
    roles = copy / "policy" / "roles.yaml"
    change(assignments, TIER_1, "tier-1: {roles: [profile-admin]}")
    change(assignments, "nightly-import: {roles: [importer]}", "nightly-import: {}")
    change(
        roles, "permissions: [UCS.SchemaMgt.readInteraction]", "includes: [schema-admin, importer]"
    )
    change(
        roles,
        "title: Read customer profiles\n",
        "title: Read customer profiles\n    includes: [extension-editor-too]\n",
    )
    roles.write_text(
        roles.read_text()
        + "  extension-editor-too:\n    permissions: [UCS.Customer.readProfileExtension,"
        " UCS.Customer.deleteCustomerProfile]\n"
    )
    settings = copy / "catalogues" / "gms-context-services.yaml"
    text = settings.read_text()
    settings.write_text(
        text.replace("requires: {any: [Administrator, Supervisor]}", "requires: public", 1)
    )
    said = prove(ask, copy)
    assert said.code == Exit.DENIED_OR_DIFFERENT
    told = {line.partition(": ")[0] for line in said.out.splitlines() if line[0] != " "}
    assert "proved" not in told, said.out


def test_a_broken_assertion_is_told_with_its_place_the_request_and_the_callers_way(
    ask: Ask, copy: Path
) -> None:
    change(copy / "policy" / "assignments.yaml", TIER_1, "tier-1: {roles: [profile-creator]}")
    said = prove(ask, copy)
    assert (said.code, said.err) == (Exit.DENIED_OR_DIFFERENT, "")
    place = f"{copy}/policy/roles.yaml:32:19"
    title = "Agents of the first line look customers up; they change nothing, anywhere."
    violated = said.out[said.out.index("violated") :].splitlines()
    assert violated[:5] == [
        f"violated: first-line-changes-nothing: {title} ({copy}/{SAMPLE}:27:3)",
        "  group `tier-1` can send `POST /profiles` (create-customer-profile)",
        f"    - UCS.Customer.createProfile: group `tier-1` → role `profile-creator` ({place})",
        "  user `sam` can send `POST /profiles` (create-customer-profile)",
        (
            "    - UCS.Customer.createProfile: user `sam` → group `tier-1` → role `profile-creator`"
            f" ({place})"
        ),
    ]
    assert violated[-1] == "7 assertions: 6 proved, 1 violated"


def test_another_policy_is_held_to_the_same(ask: Ask, copy: Path, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate"
    shutil.copytree(copy / "policy", candidate)
    shutil.rmtree(candidate / "proofs")
    change(candidate / "assignments.yaml", TIER_1, "tier-1: {roles: [profile-creator]}")
    assert prove(ask, copy).code == Exit.YES
    for against in (candidate, copy / "gateway.yaml"):
        said = prove(ask, copy, "--against", against)
        differs = against == candidate
        assert said.code == (Exit.DENIED_OR_DIFFERENT if differs else Exit.YES)
        assert ("violated: first-line-changes-nothing" in said.out) is differs


def test_a_policy_that_is_not_asked_about_need_not_be_sound(
    ask: Ask, copy: Path, tmp_path: Path
) -> None:
    shutil.copytree(copy / "policy", tmp_path / "candidate")
    change(copy / "policy" / "assignments.yaml", TIER_1, "tier-1: {roles: [nobody-knows]}")
    assert prove(ask, copy).code == Exit.INVALID
    assert prove(ask, copy, "--against", tmp_path / "candidate").code == Exit.YES


def test_what_is_not_there_exits_with_3_and_proves_nothing(ask: Ask, copy: Path) -> None:
    change(copy / SAMPLE, "roles: [profile-admin,", "roles: [profile-admins,")
    said = prove(ask, copy)
    assert (said.code, said.out) == (Exit.INVALID, "")
    assert said.err.splitlines() == [
        (
            f"error: {copy}/{SAMPLE}:23:20: unknown-role: no policy file defines the role"
            " `profile-admins`"
        ),
        "  help: did you mean `profile-admin`?",
        "1 error, 0 warnings",
    ]


def test_a_request_that_the_gateway_would_refuse_is_no_assertion(ask: Ask, copy: Path) -> None:
    (copy / SAMPLE).write_text(
        "assertions:\n  it:\n    title: t\n    never: anyone\n    can: {request: GET /a/%2e%2e/b}\n"
    )
    said = prove(ask, copy)
    assert said.code == Exit.INVALID
    assert (
        ":5:20: malformed-request: the gateway refuses such a request: malformed-target: "
        in said.err
    )


def test_one_request_is_read_as_the_gateway_would(ask: Ask, copy: Path) -> None:
    (copy / SAMPLE).write_text(
        "assertions:\n  it:\n    title: t\n    never: {roles: profile-reader}\n"
        "    can: {request: GET /profiles/%31/?%65xtensions=Phone}\n"
    )
    assert prove(ask, copy).code == Exit.YES


def test_a_policy_without_assertions_is_not_proved(ask: Ask, copy: Path) -> None:
    shutil.rmtree(copy / "policy" / "proofs")
    said = prove(ask, copy)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err == (
        f"error: there is no {copy}/policy/proofs\n"
        "  help: write assertions into a file there, `*.yaml`\n"
    )


def test_assertions_are_no_part_of_the_policy(copy: Path) -> None:
    services = specs(load_settings(copy / "gateway.yaml", {}))
    before = policy.read(services, copy / "policy").digest
    (copy / SAMPLE).write_text("nonsense: [")
    assert policy.read(services, copy / "policy").digest == before


# --- for programs ------------------------------------------------------------------------------


def as_json(said: Said) -> Any:
    return json.loads(said.out)


def test_programs_get_every_verdict_and_each_counterexample_in_parts(ask: Ask, copy: Path) -> None:
    change(copy / "policy" / "assignments.yaml", TIER_1, "tier-1: {roles: [profile-creator]}")
    report = as_json(prove(ask, copy, "--format", "json"))
    assert (report["proved"], report["violated"]) == (6, 1)
    [wrong] = [each for each in report["assertions"] if not each["holds"]]
    assert (wrong["name"], wrong["claims"]) == ("first-line-changes-nothing", "alone")
    assert wrong["where"] == f"{copy}/{SAMPLE}:27:3"
    assert wrong["requests"] > 30
    group, user = wrong["counterexamples"]
    assert group["caller"] == [{"kind": "group", "name": "tier-1"}]
    assert user["caller"] == [{"kind": "user", "name": "sam"}]
    assert user["requests"] == [
        {
            "service": "ucs", "operation": "create-customer-profile", "method": "POST",
            "target": "/profiles", "body": {},
        }
    ]  # fmt: skip
    assert user["operations"] == ["create-customer-profile"]
    assert user["permissions"] == [
        {
            "permission": "UCS.Customer.createProfile",
            "path": ["user `sam`", "group `tier-1`", "role `profile-creator`"],
            "where": f"{copy}/policy/roles.yaml:32:19",
        }
    ]


def test_people_are_told_of_three_callers_and_how_many_more_there_are(ask: Ask, copy: Path) -> None:
    (copy / SAMPLE).write_text(
        "assertions: {it: {title: t, never: anyone, can: query-customer-profile}}"
    )
    lines = prove(ask, copy).out.splitlines()
    assert len([line for line in lines if " can send " in line]) == 3
    (more,) = [line for line in lines if line.startswith("  and ")]
    assert more.startswith("  and 14 others: role `profile-creator`, ")
    assert more.endswith(", …")


@pytest.mark.parametrize(
    ("assertion", "told"),
    [
        (
            "only: {roles: administrator}, hold: Supervisor",
            "role `service-supervisor` holds all of this",
        ),
        ("always: {users: mona}, hold: Supervisor", "user `mona` does not hold what it must"),
        (
            "always: {users: mona}, can: {paths: /profiles/*, methods: reads}",
            "user `mona` cannot send `GET /profiles/1` (query-customer-profile)",
        ),
        (
            "never: {roles: importer}, can_both: [create-customer-profile, bulk-profile-import]",
            (
                "role `importer` can send `POST /profiles` (create-customer-profile) and"
                " `POST /profiles/import` (bulk-profile-import)"
            ),
        ),
        (
            "never: {users: carl}, can: {services: ucs}",
            (
                "user `carl` can send `POST /profiles` (create-customer-profile), and the like of"
                " 2 other operations"
            ),
        ),
    ],
)
def test_people_are_told_what_a_caller_can_and_must_not_or_cannot_and_must(
    ask: Ask, copy: Path, assertion: str, told: str
) -> None:
    (copy / SAMPLE).write_text(f"assertions: {{it: {{title: t, {assertion}}}}}")
    said = prove(ask, copy)
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert said.out.splitlines()[1] == f"  {told}"


def test_nothing_that_an_assertion_says_acts_on_a_terminal(ask: Ask, copy: Path) -> None:
    (copy / SAMPLE).write_text(
        'assertions: {it: {title: "red \\x1b[31m", never: {users: olga}, '
        'can: {request: POST /profiles, body: {"a\\u202eb": "\\x1b"}}}}'
    )
    said = prove(ask, copy)
    assert said.code == Exit.DENIED_OR_DIFFERENT
    assert said.out.replace("\n", "").isprintable()
    assert r"violated: it: red \x1b[31m (" in said.out
    assert r'`POST /profiles {"a\u202eb": "\u001b"}`' in said.out
    assert as_json(prove(ask, copy, "--format", "json"))["violated"] == 1
