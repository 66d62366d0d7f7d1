"""A difference of two policies for people: gains first, the loudest first, and never too long.

Whoever reads this is about to let a change in. What matters most is who may do more than before;
so that stands at the top, and whatever is left out is counted.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from gateway.cli.difference_edits import demand_lines, edit_lines, enforcement_lines
from gateway.cli.sentences import KINDS, counted, kinds_of_requests, listed, named, shown
from policy import Decision, Effect, Reason
from policy.analysis import (
    Change,
    Combination,
    Difference,
    Party,
    Shares,
    Side,
    Who,
    WhoKind,
    gains_of,
    losses_of,
)

__all__ = ["lines_of"]


def lines_of(found: Difference, limit: int) -> Iterator[str]:
    """Everything worth knowing, with at most `limit` of a kind."""
    if not found:
        yield "no difference: whoever asks for whatever gets the same answer"
        return
    yield from _headline(found)
    for section in (
        enforcement_lines(found, looser=True),
        _effects(found, gains_of(found, folded=True), "gain", limit),
        demand_lines(found, limit, looser=True),
        _effects(found, losses_of(found, folded=True), "lose", limit),
        demand_lines(found, limit, looser=False),
        enforcement_lines(found, looser=False),
        edit_lines(found, limit),
    ):
        if lines := list(section):
            yield ""
            yield from lines


# --- what stands at the top --------------------------------------------------------------------


def _headline(found: Difference) -> Iterator[str]:
    gaining, losing = 0, 0
    for change in found.effects:
        gaining |= change.gained
        losing |= change.lost
    idle = "nobody"
    if any(change.is_looser for change in found.inventory.enforcement):
        idle = "nobody by the policy, but it is not obeyed any more"
    elif found.grants:
        idle = "nobody today, but somebody could"
    yield f"gain: {_counts(found, gaining, found.gains) or idle}"
    yield f"lose: {_counts(found, losing, found.losses) or 'nobody'}"


def _counts(found: Difference, some: int, changes: Sequence[Change]) -> str:
    kinds = [who.kind for who in found.population.members(some)]
    parts = [
        words
        for kind, words in (
            (WhoKind.STRANGER, "callers without credentials"),
            (WhoKind.KNOWN, "callers without a role"),
        )
        if kind in kinds
    ]
    parts += [counted(number, kind) for kind in KINDS if (number := kinds.count(kind))]
    if not parts and changes:
        parts = ["only tokens with several claims"]
    return f"{listed(parts)} ({kinds_of_requests(len(changes))})" if parts else ""


# --- who gains, who loses ----------------------------------------------------------------------


def _effects(found: Difference, shares: Shares, verb: str, limit: int) -> Iterator[str]:
    """First single callers, then tokens of which no part has it alone."""

    def told(whose: str, who: Who | Combination, changes: Sequence[Change]) -> Iterator[str]:
        yield whose
        by_change = partial(_evidence, found, who, verb)
        yield from shown(changes, limit, "kinds of requests", by_change, indent="  ")

    def told_of_party(party: Party) -> Iterator[str]:
        changes = shares.changes_of(party)
        return told(_whose(found, party, verb, len(changes)), party.members[0], changes)

    def told_of_token(pair: tuple[Combination, list[Change]]) -> Iterator[str]:
        token, changes = pair
        whose = f"{token} {verb}s {kinds_of_requests(len(changes))}, and no part of it alone:"
        return told(whose, token, changes)

    parties = sorted(shares.parties, key=lambda party: _loudness(found, shares, party))
    yield from shown(parties, limit, "sets of callers", told_of_party)
    tokens: dict[Combination, list[Change]] = {}
    for change in found.effects:
        for token in change.gained_together if verb == "gain" else change.lost_together:
            tokens.setdefault(token, []).append(change)
    yield from shown(list(tokens.items()), limit, "tokens with several claims", told_of_token)


def _loudness(found: Difference, shares: Shares, party: Party) -> tuple[bool, bool, int, int]:
    """Less is louder: strangers, callers without a role, many requests, many callers."""
    population = found.population
    return (
        not party.classes & population.strangers,
        not party.classes & population.without_role,
        -len(shares.changes_of(party)),
        -len(party.members),
    )


def _whose(found: Difference, party: Party, verb: str, count: int) -> str:
    """`role `a` and user `b` gain 2 kinds of requests:`"""
    population, what = found.population, kinds_of_requests(count)
    if not party.classes & (population.strangers | population.without_role):
        return f"{named(party.members)} {verb}{'' if len(party.members) > 1 else 's'} {what}:"
    if not party.classes & population.without_role:
        return f"callers without credentials {verb} {what}:"
    known = "whoever is known, even without a role,"
    strangers = party.classes & population.strangers
    whose = "everybody, even without credentials," if strangers else known
    some = " (but for those who have what is needed now)" if verb == "lose" else ""
    return f"{whose} {verb}s {what}{some}:"


def _evidence(
    found: Difference, who: Who | Combination, verb: str, change: Change
) -> Iterator[str]:
    """The request that shows it, and what both policies really answer to it."""
    before, after = found.decided(change, who)
    operations = dict.fromkeys(
        side.operation for side in (change.old, change.new) if side.operation is not None
    )
    yield f"{'+' if verb == 'gain' else '-'} {change.probe}  ({', now '.join(operations)})"
    yield f"    was {_answer(before, change.old)}; is {_answer(after, change.new)}"


_WORDS = {Effect.ALLOW: "allowed", Effect.DENY: "denied"}


def _answer(decision: Decision, side: Side) -> str:
    """`denied (permission-missing: `a`)`"""
    if decision.reason is Reason.PERMITTED:
        return "allowed"
    missing = [(name,) for name in decision.missing.all_of] + [*decision.missing.any_of]
    why = [" or ".join(f"`{name}`" for name in group) for group in missing] or decision.because
    said = f"{decision.reason}: {listed(why)}" if why else decision.reason
    # A service in shadow refuses strangers all the same.
    passes = side.is_only_watched and decision.reason is not Reason.NOT_AUTHENTICATED
    recorded = ", but let through" if passes and decision.effect is Effect.DENY else ""
    return f"{_WORDS[decision.effect]} ({said}){recorded}"
