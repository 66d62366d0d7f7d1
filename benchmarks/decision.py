"""How long one decision takes, and whether it depends on the size of the policy.

    python -m benchmarks.decision

Three tables of one build: the 24 operations of a small API with 10 roles; 10,000 routes; 10,000
routes with 10,000 roles and as many permissions. The same kinds of request are put to each, from
an `Inquiry` that lies ready to the `Decision`. Each number is the best of several rounds, which is
what the code costs when the machine is not busy with something else.
"""

import gc
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from time import process_time

import policy
from policy import Caller, DecisionTable, Inquiry, Kind, Means

LIMIT_MICROSECONDS = 3.0
LIMIT_RATIO = 1.5


def texts_of(routes: int, roles: int, permissions: int, users: int = 1) -> tuple[str, str]:
    """A catalogue and a policy file: three of four operations have parameters, one of eight has conditions."""
    catalogue = ["catalogue: bench", "permissions:"]
    catalogue += [f"  Bench.Area{n % 97}.task{n}: Task {n}" for n in range(permissions)]
    catalogue += ["lists: {core: [customer_id, FirstName]}", "operations:"]
    for n in range(routes):
        path = (
            f"/area{n % 61}/things{n}" + ("", "/{id}", "/{id}/parts", "/{id}/parts/{part}")[n % 4]
        )
        needs = f"Bench.Area{n % permissions % 97}.task{n % permissions}"
        catalogue.append(f"  op{n}: {{request: 'GET {path}', requires: {needs}")
        if n % 8 == 1:
            extra = (n + 1) % permissions
            rule = f"{{when: {{query_has: [extensions]}}, requires: Bench.Area{extra % 97}.task{extra}}}"
            catalogue.append(f"    , also: [{rule}]")
        catalogue.append("    }")
    lines = ["roles:"]
    for n in range(roles):
        # Ten permissions each, spread over all of them; one of ten roles includes the one before.
        names = {(n * 7 + k * permissions // 10) % permissions for k in range(10)}
        granted = ", ".join(f"Bench.Area{name % 97}.task{name}" for name in sorted(names))
        included = f", includes: [role{n - 1}]" if n % 10 == 9 else ""
        lines.append(f"  role{n}: {{permissions: [{granted}]{included}}}")
    every = ", ".join(f"Bench.Area{n % 97}.task{n}" for n in range(permissions))
    lines += [f"  everything: {{permissions: [{every}]}}", "users:"]
    lines += [f"  user{n}: {{roles: [role{n % roles}]}}" for n in range(users)]
    lines += ["  boss: {roles: [everything]}"]
    return "\n".join(catalogue), "\n".join(lines)


def table_of(routes: int, roles: int, permissions: int, users: int = 1) -> DecisionTable:
    """The compiled policy of those files."""
    catalogue, lines = texts_of(routes, roles, permissions, users)
    spec = policy.ServiceSpec(name="bench", catalogue=Path("bench.yaml"), prefix="/api/v2")
    sources = policy.Sources(
        services=(policy.ServiceSources(spec, policy.Text("bench.yaml", catalogue)),),
        policies=(policy.Text("roles.yaml", lines),),
    )
    started = process_time()
    document = policy.load(sources)
    loaded = process_time()
    table = policy.compile(document)
    compiled = process_time()
    print(
        f"{routes:>7,} routes, {roles:>6,} roles, {users:>7,} users:"
        f" loaded in {loaded - started:.2f} s, compiled in {compiled - loaded:.2f} s",
        file=sys.stderr,
    )
    return table


def inquiries(table: DecisionTable) -> dict[str, Inquiry]:
    """One inquiry of each kind, to operations from the middle of the table."""
    middle = len(table.operations) // 16 * 8

    def ask(
        subject: str, number: int, *segments: str, query: tuple[tuple[str, str], ...] = ()
    ) -> Inquiry:
        caller = Caller(subject=subject, kind=Kind.USER, means=Means.JWT)
        first = ("api", "v2", f"area{number % 61}", f"things{number}")
        held = table.held_by(caller)
        return Inquiry(
            caller=caller, held=held, method="GET", segments=(*first, *segments), query=query
        )

    id_ = "0004Va58A92T0017"
    return {
        "allowed, no parameter": ask("boss", middle),
        "allowed, two parameters": ask("boss", middle + 3, id_, "parts", "17"),
        "denied": ask("nobody", middle + 2, id_, "parts"),
        "denied, holds other": ask("user0", middle + 2, id_, "parts"),
        "allowed, condition not met": ask(
            "boss", middle + 1, id_, query=(("include_profile", "yes"),)
        ),
        "allowed, condition met": ask("boss", middle + 1, id_, query=(("extensions", "Phone"),)),
        "no such operation": ask("boss", middle, "nothing"),
    }


def best_microseconds(call: Callable[[], object], rounds: int = 200, number: int = 1_000) -> float:
    """The best time of one call, without what the timing itself costs."""
    idle = min(timeit.repeat(lambda: None, number=number, repeat=rounds, timer=process_time))
    busy = min(timeit.repeat(call, number=number, repeat=rounds, timer=process_time))
    return (busy - idle) / number * 1e6


def run() -> None:
    """Print the times, and whether they are within the limits."""
    tables = {
        "24 routes": table_of(24, 10, 24),
        "10,000 routes": table_of(10_000, 10, 400),
        "10,000 routes and roles": table_of(10_000, 10_000, 10_000, users=100_000),
    }
    gc.freeze()
    decide = policy.decide
    measured = {
        name: {
            kind: best_microseconds(lambda t=table, q=inquiry: decide(t, q))  # type: ignore[misc]
            for kind, inquiry in inquiries(table).items()
        }
        for name, table in tables.items()
    }
    small, *_, large = measured.values()
    print(f"\n{'µs a decision':<28}" + "".join(f"{name:>26}" for name in tables) + f"{'ratio':>8}")
    for kind in small:
        times = "".join(f"{times[kind]:>26.2f}" for times in measured.values())
        print(f"{kind:<28}{times}{large[kind] / small[kind]:>8.2f}")
    slowest = max(max(times.values()) for times in measured.values())
    ratio = sum(large.values()) / sum(small.values())
    verdict = slowest <= LIMIT_MICROSECONDS and ratio <= LIMIT_RATIO
    print(
        f"\nslowest {slowest:.2f} µs (limit {LIMIT_MICROSECONDS}), ratio {ratio:.2f} "
        f"(limit {LIMIT_RATIO}): {'within the limits' if verdict else 'TOO SLOW'}"
    )


if __name__ == "__main__":
    run()
