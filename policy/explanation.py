"""What an explanation is made of: steps to read, and the needs and remedies behind them."""

from dataclasses import dataclass
from enum import StrEnum

from policy.decision import Decision, NeedsBody
from policy.diagnostics import Location
from policy.inquiry import Inquiry
from policy.origins import Origin
from policy.route import Route

__all__ = ["Explanation", "Need", "Stage", "Step", "Supplier"]


class Stage(StrEnum):
    """Which question a step answers."""

    ROUTE = "route"
    CALLER = "caller"
    CONDITION = "condition"
    PERMISSION = "permission"
    SCOPE = "scope"
    DIVISION = "division"
    GUARD = "guard"
    VERDICT = "verdict"
    REMEDY = "remedy"


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way: what was found, where that is written, and what speaks for it."""

    stage: Stage
    text: str
    where: Location | None = None
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        head = f"{self.stage}: {self.text}{place}"
        return "\n".join((head, *(f"  - {detail}" for detail in self.details)))


@dataclass(frozen=True, slots=True)
class Need:
    """A permission that is needed, or several of which one is; and where each held one is from.

    `elsewhere` are those that are held, but not in the division that the request is about.
    """

    names: tuple[str, ...]
    held: tuple[str, ...]
    origins: tuple[Origin, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        return bool(self.held)


@dataclass(frozen=True, slots=True)
class Supplier:
    """A role that would supply `supplies`, and how many permissions it grants altogether."""

    role: str
    supplies: tuple[str, ...]
    grants: int
    where: Location

    def __str__(self) -> str:
        supplies = ", ".join(f"`{name}`" for name in self.supplies)
        return f"role `{self.role}` grants {supplies} among {self.grants} ({self.where})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`decision` is what `decide` said; `steps` tell how it came to that, in order."""

    decision: Decision | NeedsBody
    inquiry: Inquiry
    route: Route | None
    steps: tuple[Step, ...]
    needs: tuple[Need, ...] = ()
    suppliers: tuple[Supplier, ...] = ()

    def __str__(self) -> str:
        return "\n".join(map(str, self.steps))
