"""`python -m benchmarks NAME…`: without a name, those that take a few minutes together."""

import argparse
from collections.abc import Callable
from functools import partial

from benchmarks import (
    cloud,
    compile_scale,
    decision,
    failures,
    idle,
    leak,
    learning,
    matrix,
    memory,
    overload,
    policy_scale,
    reloads,
    slowloris,
    soak,
    throughput,
    tokens,
)

parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
parser.add_argument("names", nargs="*", metavar="NAME")
parser.add_argument("--minutes", type=float, default=3.0, help="of the soak")
given = parser.parse_args()

usual: dict[str, Callable[[], None]] = {
    "decision": decision.run,
    "throughput": throughput.run,
    "memory": memory.run,
    "idle": idle.run,
}
by_name: dict[str, Callable[[], None]] = {
    **usual,
    "cloud": cloud.run,
    "compile": compile_scale.run,
    "slowloris": slowloris.run,
    "overload": overload.run,
    "failures": failures.run,
    "leak": leak.run,
    "diff": policy_scale.run,
    "matrix": matrix.run,
    "learning": learning.run,
    "reloads": reloads.run,
    "tokens": tokens.run,
    "soak": partial(soak.run, given.minutes),
}

if unknown := set(given.names) - by_name.keys():
    parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(by_name)}")
for name in given.names or usual:
    by_name[name]()
