"""A policy as large as one likes, in memory: a catalogue, and who may do what.

It is plain data to be changed before it is compiled, so that a benchmark can plant what it looks
for. Three of four operations have parameters, one of eight a condition on the query and one of
eight a condition on the body; roles have ten permissions spread over all of them, one of ten
includes the one before; users have two roles each, so that there are many different sets.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import policy
from policy import DecisionTable, UseRole


@dataclass(slots=True)
class LargePolicy:
    """What the YAML files would say."""

    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    permissions: list[str] = field(default_factory=list)
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: dict[str, list[str]] = field(default_factory=dict)
    use_role: UseRole = UseRole.ENFORCE

    @classmethod
    def of(
        cls, operations: int, roles: int, users: int, permissions: int = 0, claims: int = 100
    ) -> Self:
        """`permissions` are as many as operations unless said otherwise."""
        made = cls()
        count = permissions or operations
        made.permissions = [f"Bench.Area{n % 97}.task{n}" for n in range(count)]
        made.operations = {f"op{n}": made._operation(n) for n in range(operations)}
        for n in range(roles):
            granted = sorted({(n * 7 + k * count // 10) % count for k in range(10)})
            made.roles[f"role{n}"] = {
                "includes": [f"role{n - 1}"] if n % 10 == 9 else [],
                "permissions": [made.permissions[place] for place in granted],
            }
        for n in range(users):
            made.users[f"user{n}"] = {"roles": [f"role{n % roles}", f"role{n * 31 % roles}"]}
        for n in range(claims):
            made.claims[f"claim{n}"] = [f"role{n * 13 % roles}"]
        return made

    def _operation(self, n: int) -> dict[str, Any]:
        below = ("", "/{id}", "/{id}/parts", "/{id}/parts/{part}")[n % 4]
        further = self.permissions[(n + 1) % len(self.permissions)]
        entry: dict[str, Any] = {
            "request": f"GET /area{n % 61}/things{n}{below}",
            "requires": self.permissions[n % len(self.permissions)],
        }
        if n % 8 == 1:
            entry["also"] = [{"when": {"query_has": ["extensions"]}, "requires": further}]
        if n % 8 == 5:
            entry["request"] = f"PUT {entry['request'].removeprefix('GET ')}"
            entry["also"] = [{"when": {"body_has_keys_outside": "core"}, "requires": further}]
        return entry

    def copy(self) -> Self:
        """One that may be changed."""
        return deepcopy(self)

    def sources(self) -> policy.Sources:
        """As files of JSON, which YAML is, too."""
        catalogue = [
            "catalogue: bench",
            "lists: {core: [customer_id, FirstName]}",
            "permissions:",
            *(f"  {name}: {name}" for name in self.permissions),
            "operations:",
            *(f"  {name}: {_flow(entry)}" for name, entry in self.operations.items()),
        ]
        lines = [
            f"{section}:\n" + "\n".join(f"  {name}: {_flow(entry)}" for name, entry in entries.items())
            for section, entries in (
                ("roles", self.roles), ("users", self.users), ("claims", self.claims),
            )
            if entries
        ]  # fmt: skip
        spec = policy.ServiceSpec(
            name="bench", catalogue=Path("bench.yaml"), prefix="/api/v2", use_role=self.use_role
        )
        return policy.Sources(
            services=(
                policy.ServiceSources(spec, policy.Text("bench.yaml", "\n".join(catalogue))),
            ),
            policies=(policy.Text("roles.yaml", "\n".join(lines)),),
        )

    def table(self) -> DecisionTable:
        """The policy, compiled."""
        return policy.compile(policy.load(self.sources()))


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return f"'{value}'" if "{" in value else str(value)
