"""What somebody may hold under random policies: enough of it to tell any two outcomes apart."""

from collections.abc import Iterator

from policy import DecisionTable, Held

__all__ = ["holdings_of"]


def holdings_of(*tables: DecisionTable) -> Iterator[Held]:
    """Every set of permissions with all scopes, everywhere; some in one division, or split between
    two that the policies name; and every set of scopes with all permissions.

    The tables have the same permissions and scopes.
    """
    names = tables[0].permissions
    permissions, scopes = names.everything, names.every_scope
    named = dict.fromkeys(
        name for table in tables for route in table.operations for name in route.divisions
    )
    for mask in range(permissions + 1):
        yield Held.everywhere_alike(mask | scopes)
    first, *others = named or ("",)
    for lacking in (0, *(1 << bit for bit in range(len(names)))):
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
