"""What somebody may hold under random policies: enough of it to tell any two outcomes apart."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from policy import DecisionTable, Held

__all__ = ["holdings_of"]


def holdings_of(*tables: DecisionTable, also: Iterable[str] = ()) -> tuple[Held, ...]:
    """Every set of permissions with all scopes, everywhere; some in one division, or split between
    two that the policies name, or that are named `also`; and every set of scopes with all
    permissions.

    The tables have the same permissions and scopes.
    """
    names = tables[0].permissions
    named = dict.fromkeys(
        name for table in tables for route in table.operations for name in route.divisions
    )
    named.update(dict.fromkeys(name for name in also if name))
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


def _held(everywhere: int, within: dict[str, int]) -> Held:
    return Held.joined(
        (Held.everywhere_alike(everywhere), *map(_only, *zip(*within.items(), strict=True)))
    )


def _only(division: str, bits: int) -> Held:
    return Held(bits, 0, {division: bits})
