"""`python -m benchmarks NAME…`; what takes a few minutes together when none is named."""

import sys

from benchmarks import decision, idle, leak, memory, overload, slowloris, throughput

_PARTS = {
    "decision": decision.run,
    "throughput": throughput.run,
    "memory": memory.run,
    "idle": idle.run,
    "slowloris": slowloris.run,
    "overload": overload.run,
    "leak": leak.run,
}

if unknown := set(sys.argv[1:]) - _PARTS.keys():
    sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(_PARTS)}")
for name, run in _PARTS.items():
    if name in (sys.argv[1:] or _PARTS):
        run()
