"""How long a large policy takes to load and to compile, and how much memory it needs at most.

10,000 operations, 10,000 roles and 100,000 assignments by default. Each round is a process of its
own, so that none finds the memory of another, and beside it runs a yardstick: libyaml's events of
the same files, made and thrown away. Ratios to that can be compared between machines and days.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path
from time import process_time

import yaml

import policy

__all__ = ["large_sources", "run"]

LIMIT_SECONDS = 5.0
ROUNDS = 3


def large_sources(operations: int, roles: int, permissions: int, users: int) -> policy.Sources:
    """Three of four operations have parameters, one of eight has a condition; a role has ten
    permissions. Of 20 assignments 18 are users', one is a group's and one a claim's.
    """
    catalogue = ["catalogue: large", "permissions:"]
    catalogue += [f"  {_permission(n)}: Task {n}" for n in range(permissions)]
    catalogue.append("operations:")
    for n in range(operations):
        below = ("", "/{id}", "/{id}/parts", "/{id}/parts/{part}")[n % 4]
        catalogue.append(f"  op{n}:")
        catalogue.append(f"    request: GET /area{n % 61}/things{n}{below}")
        catalogue.append(f"    requires: {_permission(n % permissions)}")
        if n % 8 == 1:
            extra = _permission((n + 1) % permissions)
            catalogue.append(f"    also: [{{when: {{query_has: [more]}}, requires: {extra}}}]")
    lines = ["roles:"]
    for n in range(roles):
        numbers = {(n * 7 + k * permissions // 10) % permissions for k in range(10)}
        granted = ", ".join(_permission(number) for number in sorted(numbers))
        included = f", includes: [role{n - 1}]" if n % 10 == 9 else ""
        lines.append(f"  role{n}: {{permissions: [{granted}]{included}}}")
    lines.append("users:")
    lines += [f"  user{n}: {{roles: [role{n % roles}]}}" for n in range(users * 9 // 10)]
    lines.append("groups:")
    lines += [f"  group{n}: {{roles: [role{n % roles}]}}" for n in range(users // 20)]
    lines.append("claims:")
    lines += [f"  claim{n}: [role{n % roles}]" for n in range(users // 20)]
    spec = policy.ServiceSpec(name="large", catalogue=Path("large.yaml"), prefix="/api/v2")
    return policy.Sources(
        services=(policy.ServiceSources(spec, policy.Text("large.yaml", "\n".join(catalogue))),),
        policies=(policy.Text("policy.yaml", "\n".join(lines)),),
    )


def _permission(number: int) -> str:
    return f"Large.Area{number % 97}.task{number}"


def _measured() -> dict[str, float]:
    """One round, in this process: seconds of its processor, and MiB."""
    sources = large_sources(10_000, 10_000, 10_000, 100_000)
    before = _peak_mib()
    begun = process_time()
    for text in (sources.services[0].catalogue, *sources.policies):
        loader = yaml.CSafeLoader(str(text.content))
        while loader.get_event() is not None:
            pass
        loader.dispose()
    started = process_time()
    document = policy.load(sources)
    loaded = process_time()
    table = policy.compile(document)
    compiled = process_time()
    assert len(table.users) == 90_000
    return {
        "events": started - begun,
        "load": loaded - started,
        "compile": compiled - loaded,
        "peak": _peak_mib() - before,
    }


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run() -> None:
    """Print the best of some rounds, and whether it is within the limit."""
    rounds = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.compile_scale"],
            capture_output=True, check=True, text=True,
        )  # fmt: skip
        rounds.append(json.loads(done.stdout))
    best = min(rounds, key=lambda found: found["load"] + found["compile"])
    both = best["load"] + best["compile"]
    print("10,000 operations, 10,000 roles, 100,000 assignments; seconds of one core, best of 3")
    print(f"  load {best['load']:.2f}, compile {best['compile']:.2f}, both {both:.2f}")
    print(
        f"  libyaml's events alone {best['events']:.2f}; both are {both / best['events']:.1f} times that"
    )
    print(f"  memory at its peak: {best['peak']:.0f} MiB above what the texts take")
    verdict = "within the limit" if both <= LIMIT_SECONDS else "TOO SLOW"
    print(f"  limit {LIMIT_SECONDS:.0f} s: {verdict}")


if __name__ == "__main__":
    print(json.dumps(_measured()))
