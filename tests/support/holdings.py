"""What somebody may hold under random policies: enough of it to tell any two outcomes apart."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from policy import DecisionTable, Held
from policy.analysis import Outcome
from policy.entries import EVERYWHERE

__all__ = ["everything_held", "holdings_of"]


def holdings_of(*tables: DecisionTable) -> tuple[Held, ...]:
    """Every set of permissions with all scopes, everywhere; some in one division, or split between
    two that the policies name; and every set of scopes with all permissions.

    The tables have the same permissions and scopes.
    """
    names = tables[0].permissions
    named = dict.fromkeys(
        name for table in tables for route in table.operations for name in route.divisions
    )
    return _made(len(names), names.everything, names.every_scope, tuple(named))


@lru_cache(maxsize=1_000)
def _made(count: int, permissions: int, scopes: int, named: tuple[str, ...]) -> tuple[Held, ...]:
    return tuple(_each(count, permissions, scopes, named))


def _each(count: int, permissions: int, scopes: int, named: tuple[str, ...]) -> Iterator[Held]:
    for mask in range(permissions + 1):
        yield Held.everywhere_alike(mask | scopes)
    first, *others = named or ("",)
    for lacking in (0, *(1 << bit for bit in range(count))):
        mask = permissions & ~lacking
        for division in named:
            yield _held(scopes, {division: mask})
            yield _held(scopes | mask, {division: lacking})
        for second in others:
            yield _held(lacking | scopes, {first: mask & 0b01101, second: mask & 0b11011})
    for chosen in range(0, scopes + 1, permissions + 1):
        yield Held.everywhere_alike(permissions | chosen)


def everything_held(table: DecisionTable, *outcomes: Outcome) -> Iterator[Held]:
    """Whatever somebody may hold of what any of the outcomes asks for: each permission nowhere,
    everywhere, in one of their divisions, or in another one, or two where more than one leaves it
    open which is meant; with all scopes, none, or one.
    """
    asked = realm = 0
    for outcome in outcomes:
        realm |= outcome.realm
        asked |= 0 if outcome.demand is None else outcome.demand.bits
    names = table.permissions
    permissions = _bits((asked | realm) & names.everything)
    scopes = _bits(asked & names.every_scope)
    named = dict.fromkeys(name for outcome in outcomes for name in outcome.divisions if name)
    others = ["another", "third"][: 1 + any(outcome.own for outcome in outcomes)]
    places = [None, EVERYWHERE, *named, *others]
    for some in {0, sum(scopes), *scopes}:
        for chosen in product(places, repeat=len(permissions)):
            everywhere, within = some, dict[str, int]()
            for bit, place in zip(permissions, chosen, strict=True):
                if place == EVERYWHERE:
                    everywhere |= bit
                elif place is not None:
                    within[place] = within.get(place, 0) | bit
            yield Held(everywhere | sum(within.values()), everywhere, within)


def _bits(mask: int) -> list[int]:
    return [1 << place for place in range(mask.bit_length()) if mask >> place & 1]


def _held(everywhere: int, within: dict[str, int]) -> Held:
    return Held.joined(
        (Held.everywhere_alike(everywhere), *map(_only, *zip(*within.items(), strict=True)))
    )


def _only(division: str, bits: int) -> Held:
    return Held(bits, 0, {division: bits})
