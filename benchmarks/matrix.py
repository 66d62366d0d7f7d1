"""How long it takes to say everything that a policy says, and whom a request is open to.

    python -m benchmarks matrix

3,000 operations and 1,000 roles: the rows of the matrix, then CSV and JSON of its three million
cells. 100,000 users besides: everybody who may send one request.
"""

from time import process_time

import msgspec

from benchmarks.decision import inquiries, table_of
from gateway.cli.sheets import Sheet, as_records, as_rows
from policy import NOTHING_HELD, Caller, Kind, Means
from policy.analysis import Population, cases_of_request, reach_of, rows_of

__all__ = ["run"]


def run() -> None:
    """Print the processor time of each step."""
    table = table_of(3_000, 1_000, 3_000, users=100_000)
    began = process_time()

    def step(name: str) -> None:
        nonlocal began
        print(f"{name:<40} {process_time() - began:8.2f} s")
        began = process_time()

    roles = tuple(table.roles.values())
    sheet = Sheet(table, roles, tuple(rows_of(table, roles, table.operations)))
    step(f"rows of {sheet.size:,} cells")
    size = sum(map(len, as_rows(sheet)))
    step(f"CSV, {size / 1e6:.0f} MB")
    size = len(msgspec.json.format(msgspec.json.encode(as_records(sheet)), indent=2))
    step(f"JSON, {size / 1e6:.0f} MB")
    population = Population(table)
    step(f"{population!r}")
    asked = inquiries(table)["allowed, condition met"]
    stranger = Caller(subject="", kind=Kind.ANONYMOUS, means=Means.NONE)
    inquiry = msgspec.structs.replace(asked, caller=stranger, held=NOTHING_HELD)
    route = table.routes.find(inquiry.method, inquiry.segments)
    for case in cases_of_request(route, inquiry):
        reach_of(table, population, case, except_=frozenset())
    step("who can send a request")
