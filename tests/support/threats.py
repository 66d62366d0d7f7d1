"""The table of THREATS.md: what `tests/threats.yaml` says, and the cases of the corpus beside it.

`python -m tests.support.threats` (`make reference`) writes it anew between its markers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.corpus import load_corpus, read_plainly
from tests.support.reference_pages import renewed

__all__ = ["PAGE", "Threat", "load_threats", "table"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "THREATS.md"

_FAMILIES = {
    "D0": "Careless proxies",
    "P": "Path",
    "Q": "Query",
    "M": "Method",
    "H": "Headers, identity, forwarding",
    "F": "Framing",
    "B": "Body",
    "R": "Exhaustion",
    "J": "Tokens and passwords",
}


@dataclass(frozen=True)
class Threat:
    id: str
    shape: str
    does: str = ""
    not_applicable: str = ""
    tests: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        return self.id.partition("-")[0]


def load_threats() -> tuple[Threat, ...]:
    written = read_plainly((ROOT / "tests" / "threats.yaml").read_text("utf-8"))
    return tuple(
        Threat(id=name, **(fields | {"tests": tuple(fields.get("tests", ()))}))
        for name, fields in written.items()
    )


def table() -> str:
    """One table for each family of threats."""
    threats = load_threats()
    return "\n\n".join(
        "\n".join((
            f"### {title}\n",
            "| id | shape | what the gateway does | shown by |",
            "| --- | --- | --- | --- |",
            *(_row(threat) for threat in threats if threat.family == family),
        ))
        for family, title in _FAMILIES.items()
    )  # fmt: skip


def _row(threat: Threat) -> str:
    does = threat.does or f"*Not applicable:* {threat.not_applicable.strip()}"
    cells = (threat.id, threat.shape, does, "; ".join(_proofs(threat)))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _proofs(threat: Threat) -> Iterator[str]:
    cases = [case for case in load_corpus() if threat.id in case.threats]
    for theme in dict.fromkeys(case.theme for case in cases):
        names = ", ".join(f"*{case.name}*" for case in cases if case.theme == theme)
        yield f"corpus {theme.removesuffix('.yaml')}: {names}"
    for test in threat.tests:
        path, _, name = test.partition("::")
        yield f"`{name or path}`"


def main() -> None:
    PAGE.write_text(renewed(PAGE.read_text("utf-8"), {"threats": table()}), "utf-8")


if __name__ == "__main__":
    main()
