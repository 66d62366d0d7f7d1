"""What depends on a request's query and body: more permissions, or what must hold whoever asks."""

from dataclasses import dataclass

from policy.diagnostics import Location
from policy.permissions import Demand
from policy.predicates import Condition, GuardTest, Recipe, Samples, recipe_of

__all__ = ["Extra", "Guard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A condition and what it demands on top."""

    condition: Condition
    demand: Demand
    where: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What must hold of a body whatever the caller may do; it never grants anything."""

    text: str
    test: GuardTest
    samples: Samples
    where: Location

    def __reduce__(self) -> tuple[object, ...]:
        return _guard, (self.text, recipe_of(self.test), self.samples, self.where)


def _guard(text: str, recipe: Recipe, samples: Samples, where: Location) -> Guard:
    make, args = recipe
    return Guard(text=text, test=make(*args), samples=samples, where=where)
