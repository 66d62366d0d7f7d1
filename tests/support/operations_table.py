"""The table of published operations of Genesys Cloud, which lies beside the checkout.

It is 3,321 lines of somebody else's facts, so it is not part of the project: whoever has it runs
the tests that need it, and for everybody else they are skipped, with the reason.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

__all__ = ["TABLE", "Row", "operations"]

TABLE = Path(__file__).parents[3] / "shared" / "domain" / "genesys-cloud-operations.tsv"


@dataclass(frozen=True)
class Row:
    method: str
    path: str
    operation_id: str
    mode: str
    permissions: frozenset[str]
    scopes: frozenset[str]
    auth: str
    status: str

    @property
    def segments(self) -> list[str]:
        return self.path.split("/")[1:]


@cache
def operations() -> tuple[Row, ...]:
    """Every line of the table; the test is skipped where there is none."""
    if not TABLE.is_file():
        pytest.skip("the table of published operations is not beside this checkout")
    with TABLE.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple(
        Row(
            row["method"],
            row["path"],
            row["operation_id"],
            row["mode"],
            frozenset(filter(None, row["permissions"].split(","))),
            frozenset(filter(None, row["scopes"].split(","))),
            row["auth"],
            row["status"],
        )
        for row in rows
    )
