"""Where a permission comes from."""

from policy import ANONYMOUS, Caller
from policy.origins import origins_of
from tests.support.policies import CATALOGUE, table, user

POLICY = """\
roles:
  base: {permissions: [read]}
  middle: {includes: [off, base]}
  other: {includes: [base]}
  top: {includes: [middle, other], permissions: [write]}
  off: {enabled: false, permissions: [read]}
users:
  ann: {roles: [top], groups: [desk]}
groups:
  desk: {roles: [base]}
claims:
  staff: [other]
"""


def origins(caller: Caller, permission: str) -> list[str]:
    return list(map(str, origins_of(table(CATALOGUE, POLICY), caller, permission)))


def test_every_assignment_is_told_with_its_shortest_way() -> None:
    assert origins(user("ann", claims=("staff",)), "read") == [
        "user `ann` → role `top` → role `middle` → role `base` (policy-1.yaml:2:24)",
        "user `ann` → group `desk` → role `base` (policy-1.yaml:2:24)",
        "claim `staff` → role `other` → role `base` (policy-1.yaml:2:24)",
    ]


def test_a_role_of_its_own_is_the_whole_way() -> None:
    assert origins(user("x", roles=("top",)), "write") == ["role `top` (policy-1.yaml:5:50)"]


def test_what_is_not_held_comes_from_nowhere() -> None:
    assert origins(user("x", roles=("off",)), "read") == []
    assert origins(user("nobody"), "read") == []
    assert origins(ANONYMOUS, "read") == []
