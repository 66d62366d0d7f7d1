"""Who has what, over all policy files together."""

import pytest

from policy import Code, Severity
from tests.support.policies import CATALOGUE, codes, findings, only, table, user


def test_files_add_up() -> None:
    shop = table(
        CATALOGUE,
        "roles: {reader: {permissions: [read]}}",
        "users: {ann: {roles: [reader], groups: [desk]}}\ngroups: {desk: {roles: [writer]}}",
        "roles: {writer: {permissions: [write]}}",
    )
    assert shop.names_of(shop.held_by(user("ann")).anywhere) == ("read", "write")


@pytest.mark.parametrize(
    ("section", "kind"), [("roles", "role"), ("users", "user"), ("groups", "group")]
)
def test_a_name_is_defined_once_whichever_file_it_stands_in(section: str, kind: str) -> None:
    entry = f"{section}: {{x: {{}}}}"
    found = [each for each in findings(CATALOGUE, entry, entry) if each.code is Code.DUPLICATE_NAME]
    assert len(found) == 1
    assert found[0].message == f"the {kind} `x` is defined twice"
    assert found[0].help == f"the first one is at policy-1.yaml:1:{len(section) + 4}"
    assert found[0].where.file == "policy-2.yaml"


def test_a_claim_is_mapped_once() -> None:
    found = findings(CATALOGUE, "claims: {x: []}", "claims: {x: []}")
    assert codes(found)[:1] == [Code.DUPLICATE_NAME]


@pytest.mark.parametrize(
    ("text", "place", "message", "advice"),
    [
        ("roles: {reader: {includes: [raeder]}}", "1:29", "no policy file defines the role `raeder`", "did you mean `reader`?"),
        ("roles: {reader: {}}\nusers: {u: {roles: [reader, x]}}", "2:29", "no policy file defines the role `x`", None),
        ("users: {u: {groups: [dusk]}}\ngroups: {desk: {}}", "1:22", "no policy file defines the group `dusk`", "did you mean `desk`?"),
        ("groups: {desk: {roles: [x]}}", "1:25", "no policy file defines the role `x`", None),
        ("claims: {v: [x]}", "1:14", "no policy file defines the role `x`", None),
    ],
)  # fmt: skip
def test_a_name_that_leads_nowhere_is_found(
    text: str, place: str, message: str, advice: str | None
) -> None:
    found = only(tuple(f for f in findings(CATALOGUE, text) if f.severity is Severity.ERROR))
    assert (str(found.where), found.message) == (f"policy-1.yaml:{place}", message)
    assert found.help == advice


def test_roles_may_be_included_in_any_order_and_by_several() -> None:
    shop = table(
        CATALOGUE,
        """\
roles:
  top: {includes: [left, right]}
  left: {includes: [bottom]}
  right: {includes: [bottom]}
  bottom: {permissions: [read]}
""",
    )
    assert shop.names_of(shop.roles["top"].mask) == ("read",)


@pytest.mark.parametrize(
    ("roles", "messages"),
    [
        ("a: {includes: [a]}", ["the role `a` includes itself"]),
        ("a: {includes: [b]}\n  b: {includes: [a]}", ["roles include each other: `a` → `b` → `a`"]),
        (
            "x: {includes: [a]}\n  a: {includes: [b]}\n  b: {includes: [c]}\n  c: {includes: [b, a]}",
            [
                "roles include each other: `b` → `c` → `b`",
                "roles include each other: `a` → `b` → `c` → `a`",
            ],
        ),
        (
            "a: {includes: [b, b]}\n  b: {includes: [a]}\n  c: {includes: [d]}\n  d: {includes: [c]}",
            [
                "roles include each other: `a` → `b` → `a`",
                "roles include each other: `c` → `d` → `c`",
            ],
        ),
    ],
)
def test_every_circle_is_found_once(roles: str, messages: list[str]) -> None:
    found = findings(CATALOGUE, f"roles:\n  {roles}")
    assert [each.message for each in found if each.code is Code.ROLE_CYCLE] == messages


def test_a_long_chain_of_inclusions_is_no_trouble() -> None:
    chain = [f"  r{number}: {{includes: [r{number + 1}]}}" for number in range(5000)]
    shop = table(CATALOGUE, "\n".join(["roles:", *chain, "  r5000: {permissions: [read]}"]))
    assert shop.roles["r0"].mask


def test_names_that_look_alike_are_a_warning() -> None:
    text = "roles: {admin: {permissions: [read]}, \u0430dmin: {permissions: [write]}}"
    alike, mixed = (
        each for each in findings(CATALOGUE, text) if each.where.file == "policy-1.yaml"
    )
    assert (alike.code, alike.severity) == (Code.LOOK_ALIKE_NAME, Severity.WARNING)
    assert alike.help == "the other is at policy-1.yaml:1:9"
    assert (mixed.code, mixed.severity) == (Code.MIXED_SCRIPT_NAME, Severity.WARNING)
    assert mixed.message == "the role `\u0430dmin` mixes cyrillic and latin letters"
