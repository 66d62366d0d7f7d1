"""What the whole of Genesys Cloud costs: 3,321 operations against the few dozen of UCS.

    python -m benchmarks cloud

The catalogue is made of the published table, which lies beside the checkout and is no part of it.
Loading and compiling is measured in a process of its own, its memory too. A decision is the mean
over a request to every operation of a catalogue, by a caller who may do what the VSM role may, and
by one who may do nothing: an average, because a path of three segments costs less than one of
thirteen whatever stands beside it. UCS is asked in the same way, by its administrator, below the
prefix that it usually has, so that its paths are about as long.
"""

import gc
import json
import subprocess
import sys
import tracemalloc
from functools import partial
from pathlib import Path
from time import process_time

import policy
from benchmarks.decision import best_microseconds
from policy import Caller, Decision, DecisionTable, Inquiry, Kind, Means, Reason
from policy.importing import catalogue_text, read_table

__all__ = ["run"]

LIMIT_RATIO = 1.5
ROUNDS = 3
ROOT = Path(__file__).parents[1]
TABLE = ROOT.parent / "shared" / "domain" / "genesys-cloud-operations.tsv"
ROLES = ROOT / "config" / "genesys-cloud" / "policy"
EXTRAS = """\
overrides: genesys-cloud
interface_only: {"analytics:tabConfigurations:view": Tabs, "analytics:viewConfigurations:view": Views}
"""


def cloud_sources() -> policy.Sources:
    """The whole table, imported, with the sample's roles and clients."""
    text = catalogue_text(
        read_table(TABLE.read_text(encoding="utf-8"), TABLE.name, with_removed=True)
    )
    spec = policy.ServiceSpec(name="cloud", catalogue=Path("cloud.yaml"))
    service = policy.ServiceSources(
        spec, policy.Text("cloud.yaml", text.text), policy.Text("local.yaml", EXTRAS)
    )
    names = ("roles.yaml", "assignments.yaml")
    files = [policy.Text(name, (ROLES / name).read_text(encoding="utf-8")) for name in names]
    return policy.Sources((service,), tuple(files))


def _ucs() -> DecisionTable:
    config = ROOT / "config"
    spec = policy.ServiceSpec(
        name="ucs",
        catalogue=config / "catalogues" / "ucs-customer-profiles.yaml",
        prefix="/genesys/1/cs",
    )
    roles = (
        "roles: {all: {permissions: [%s]}, reader: {permissions: [UCS.Customer.createProfile]}}\n"
        "users: {admin: {roles: [all]}, reader: {roles: [reader]}}"
    )
    bare = policy.compile(
        policy.load(
            policy.Sources(
                (policy.ServiceSources(spec, policy.Text("ucs.yaml", spec.catalogue.read_text())),),
                (),
            )
        )
    )
    text = policy.Text("roles.yaml", roles % ", ".join(bare.permissions))
    service = policy.ServiceSources(spec, policy.Text("ucs.yaml", spec.catalogue.read_text()))
    return policy.compile(policy.load(policy.Sources((service,), (text,))))


def _inquiries(table: DecisionTable, caller: Caller) -> list[Inquiry]:
    held = table.held_by(caller)
    return [
        Inquiry(
            caller=caller,
            held=held,
            method=route.method,
            segments=tuple(
                "0004Va58A92T0017" if part.startswith("{") else part
                for part in route.template.split("/")[1:]
            ),
        )
        for route in table.operations
    ]


def _mean_microseconds(
    table: DecisionTable, caller: Caller, *reasons: Reason
) -> tuple[float, float]:
    """The mean over all operations of which the caller hears one of `reasons`.

    First with each asked again and again, as traffic does; then with all of them in turn, so that
    the processor's caches hold nothing of the one that comes next.
    """
    decide = policy.decide
    asked = [
        inquiry
        for inquiry in _inquiries(table, caller)
        if isinstance(found := decide(table, inquiry), Decision) and found.reason in reasons
    ]

    def all_of_them() -> None:
        for inquiry in asked:
            decide(table, inquiry)

    again = [
        best_microseconds(partial(decide, table, inquiry), rounds=3, number=100)
        for inquiry in asked
    ]
    number = max(1, 20_000 // len(asked))
    in_turn = best_microseconds(all_of_them, rounds=25, number=number)
    return sum(again) / len(asked), in_turn / len(asked)


def _measured() -> dict[str, float]:
    """One round, in this process: seconds of its processor, and MiB."""
    sources = cloud_sources()
    started = process_time()
    document = policy.load(sources)
    loaded = process_time()
    table = policy.compile(document)
    compiled = process_time()
    assert len(table.operations) == 3_321
    del document, table
    gc.collect()
    # Once more, with every piece of memory counted, which takes its time.
    tracemalloc.start()
    again = policy.compile(policy.load(sources))
    gc.collect()
    kept, peak = (found / 1024 / 1024 for found in tracemalloc.get_traced_memory())
    assert again.operations
    return {
        "load": loaded - started,
        "compile": compiled - loaded,
        "peak": peak,
        "table": kept,
    }


def run() -> None:
    """Print the best of some rounds, the decisions, and whether they are within the limit."""
    if not TABLE.is_file():
        print("cloud: the table of published operations is not beside this checkout; skipped")
        return
    rounds = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.cloud"], capture_output=True, check=True, text=True
        )
        rounds.append(json.loads(done.stdout))
    best = min(rounds, key=lambda found: found["load"] + found["compile"])
    print("3,321 operations of Genesys Cloud; seconds of one core, best of 3")
    print(f"  load {best['load']:.2f}, compile {best['compile']:.2f}")
    print(
        f"  memory at its peak: {best['peak']:.0f} MiB besides the texts;"
        f" the table itself: {best['table']:.0f} MiB"
    )
    cloud, ucs = policy.compile(policy.load(cloud_sources())), _ucs()
    gc.freeze()
    vsm = Caller(subject="vsm", kind=Kind.SERVICE, means=Means.CLIENT_CREDENTIALS)
    admin = Caller(subject="admin", kind=Kind.USER, means=Means.JWT)
    reader = Caller(subject="reader", kind=Kind.USER, means=Means.JWT)
    nobody = Caller(subject="nobody", kind=Kind.USER, means=Means.JWT)
    allowed, denied = (Reason.PERMITTED,), (Reason.PERMISSION_MISSING, Reason.SCOPE_MISSING)
    times = {
        "allowed": (
            _mean_microseconds(ucs, admin, *allowed),
            _mean_microseconds(cloud, vsm, *allowed),
        ),
        "denied, holds nothing": (
            _mean_microseconds(ucs, nobody, *denied),
            _mean_microseconds(cloud, nobody, *denied),
        ),
        "denied, holds something": (
            _mean_microseconds(ucs, reader, *denied),
            _mean_microseconds(cloud, vsm, *denied),
        ),
    }
    for place, how in enumerate(("each again and again", "all of them in turn")):
        print(f"\n{f'mean µs, {how}':<32}{'UCS':>8}{'cloud':>8}{'ratio':>8}")
        for kind, (small, large) in times.items():
            one, other = small[place], large[place]
            print(f"  {kind:<30}{one:>8.2f}{other:>8.2f}{other / one:>8.2f}")
    sums = [sum(pair[side][0] for pair in times.values()) for side in (0, 1)]
    ratio = sums[1] / sums[0]
    verdict = "within the limit" if ratio <= LIMIT_RATIO else "TOO SLOW"
    print(f"  again and again: ratio {ratio:.2f} (limit {LIMIT_RATIO}): {verdict}")


if __name__ == "__main__":
    print(json.dumps(_measured()))
