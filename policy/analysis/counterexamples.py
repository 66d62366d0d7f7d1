"""A caller for whom an assertion does not hold, and all that a reader needs to see why."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from policy.analysis.outcomes import missing_for
from policy.analysis.population import Who, WhoKind
from policy.analysis.selections import Asked
from policy.decision import NOTHING, Missing
from policy.diagnostics import visible
from policy.holding import Held
from policy.inquiry import Caller, Kind, Means
from policy.origins import Origin, in_words, origins_of
from policy.permissions import NO_DEMAND, Demand
from policy.services import UseRole
from policy.table import DecisionTable

__all__ = ["Counterexample", "allowing", "caller_of", "holding", "lacking", "lets", "refusing"]


class Counterexample(msgspec.Struct, frozen=True):
    """A caller, and what it can do and must not, or cannot and must.

    `who` is one caller as the policy files know it, or a user with values of the roles claim, or
    several such values. `asked` is the request, two with `can_both`, none with `hold`;
    `operations` are all of which it can (or cannot) send such a request. `why` says it in words,
    `origins` where the permissions that count come from, `missing` what is not held.
    """

    who: tuple[Who, ...]
    caller: Caller
    asked: tuple[Asked, ...]
    operations: tuple[str, ...]
    why: tuple[str, ...]
    origins: tuple[Origin, ...] = ()
    missing: Missing = NOTHING

    @property
    def requests(self) -> tuple[str, ...]:
        """What it sends, each with its operation; nothing in it acts on a terminal."""
        return tuple(f"`{visible(str(each.probe))}` ({each.route.id})" for each in self.asked)

    def __str__(self) -> str:
        """Who it is, in words."""
        claims = [who.name for who in self.who if who.kind is WhoKind.CLAIM]
        if len(self.who) == 1:
            return str(self.who[0])
        several = f"claim{'s' * (len(claims) > 1)} {' and '.join(f'`{name}`' for name in claims)}"
        if len(claims) == len(self.who):
            return f"a token with the {several}"
        return f"{self.who[0]} with the {several}"


def caller_of(who: Sequence[Who], table: DecisionTable) -> Caller:
    """A caller that is all of `who` at once."""
    if len(who) == 1:
        return who[0].caller(table)
    users = [each.name for each in who if each.kind is WhoKind.USER]
    return Caller(
        subject=users[0] if users else "(unnamed)",
        kind=Kind.USER,
        means=Means.NONE,
        claims=frozenset(each.name for each in who if each.kind is WhoKind.CLAIM),
        scopes=frozenset(table.permissions.scopes),
    )


def lets(asked: Asked, caller: Caller, held: Held) -> bool:
    """Whether `caller`, who holds that, is let through."""
    if caller.kind is Kind.ANONYMOUS:
        return asked.lets.for_strangers
    return asked.lets.allows(held)


def allowing(
    table: DecisionTable, who: tuple[Who, ...], held: Held, groups: Sequence[Iterable[Asked]]
) -> Counterexample:
    """`who` can send a request of each of the `groups`."""
    caller = caller_of(who, table)
    can = [[asked for asked in group if lets(asked, caller, held)] for group in groups]
    shown = tuple(group[0] for group in can)
    bits = 0
    for asked in shown:
        for counting in asked.lets.counting(held):
            bits |= (asked.lets.demand or NO_DEMAND).bits & counting
    return Counterexample(
        who=who,
        caller=caller,
        asked=shown,
        operations=tuple(dict.fromkeys(asked.route.id for group in can for asked in group)),
        why=tuple(dict.fromkeys(word for asked in shown for word in _let(asked))),
        origins=tuple(_origins(table, caller, bits)),
    )


def holding(table: DecisionTable, who: tuple[Who, ...], bits: int) -> Counterexample:
    """`who` holds all of these permissions."""
    caller = caller_of(who, table)
    origins = tuple(_origins(table, caller, bits))
    return Counterexample(who, caller, (), (), (), origins)


def refusing(
    table: DecisionTable, who: tuple[Who, ...], held: Held, group: Iterable[Asked]
) -> Counterexample:
    """`who` cannot send some requests of `group`."""
    caller = caller_of(who, table)
    cannot = [asked for asked in group if not lets(asked, caller, held)]
    first = cannot[0]
    missing = NOTHING
    if caller.kind is Kind.ANONYMOUS:
        why: tuple[str, ...] = ("the operation is not public",)
    elif first.lets.demand is None:
        why = (f"{first.lets.barred}, whoever sends it", *first.lets.because)
    else:
        missing = missing_for(table, first.lets, held)
        why = tuple(_lacking(missing))
    operations = tuple(dict.fromkeys(asked.route.id for asked in cannot))
    return Counterexample(who, caller, (first,), operations, why, (), missing)


def lacking(table: DecisionTable, who: tuple[Who, ...], unmet: Demand) -> Counterexample:
    """`who` does not hold what it must."""
    missing = table.permissions.missing_of(unmet)
    return Counterexample(who, caller_of(who, table), (), (), tuple(_lacking(missing)), (), missing)


def _let(asked: Asked) -> Iterator[str]:
    """Why more than those who hold something are let through, if they are."""
    route = asked.route
    if asked.unasked:
        mode = "only watches" if route.use_role is UseRole.SHADOW else "does not use roles"
        yield (
            f"`{route.service}` {mode} (`use_role: {route.use_role}`)"
            " and lets every known caller through"
        )
    elif asked.lets.for_strangers:
        yield f"`{route.id}` is public ({route.where})"
    elif not asked.lets.demand:
        yield f"`{route.id}` asks for no permission ({route.where})"


def _lacking(missing: Missing) -> Iterator[str]:
    yield from (f"`{name}` is missing" for name in missing.all_of)
    for group in missing.any_of:
        yield f"one of {', '.join(f'`{name}`' for name in group)} is missing"
    if missing.scopes:
        yield f"one of the scopes {', '.join(f'`{name}`' for name in missing.scopes)} is missing"
    if missing.divisions:
        yield f"it is held, but not in {in_words(missing.divisions)}"


def _origins(table: DecisionTable, caller: Caller, bits: int) -> Iterator[Origin]:
    """Where each permission is from."""
    for permission in table.names_of(bits):
        yield from origins_of(table, caller, permission)
