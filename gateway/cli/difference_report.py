"""A difference of two policies as JSON: everything, and no caller or request twice.

Callers to whom the same things happen are one set, and requests that happen to the same sets are
one bundle; so each name and each request is written once for gains and once for losses, however
many callers there are, and a bundle says for which sets of callers it is, or for which it is not.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from policy import Decision
from policy.analysis import (
    Change,
    Combination,
    Difference,
    Shares,
    Side,
    Who,
    gains_of,
    losses_of,
)

__all__ = ["report_of"]


def report_of(found: Difference) -> dict[str, Any]:
    """Everything in which the policies differ."""
    inventory = found.inventory
    return {
        "equal": not found,
        "grants": found.grants,
        "old": found.old.version,
        "new": found.new.version,
        "enforcement": [
            {**msgspec.to_builtins(change), "looser": change.is_looser}
            for change in inventory.enforcement
        ],
        "gains": _effects(found, gains_of(found), "gained_together"),
        "losses": _effects(found, losses_of(found), "lost_together"),
        "demands": [_demand(change) for change in found.demands],
        "moved": [msgspec.to_builtins(moved) for moved in inventory.moved],
        "names": {
            names.section: {"new": names.new, "gone": names.gone} for names in inventory.names
        },
        "holdings": [
            {"callers": _members(held.members), "gained": held.gained, "lost": held.lost}
            for held in inventory.holdings
        ],
    }


def _effects(found: Difference, shares: Shares, together: str) -> dict[str, Any]:
    sets: list[list[int]] = [[] for _ in shares.bundles]
    for number, party in enumerate(shares.parties):
        for bundle in party.bundles:
            sets[bundle].append(number)
    tokens: dict[Combination, list[Change]] = {}
    for change in found.effects:
        for token in getattr(change, together):
            tokens.setdefault(token, []).append(change)
    return {
        "callers": [_members(party.members) for party in shares.parties],
        "requests": [
            {
                **_whose(sets[number], len(shares.parties)),
                "changes": [
                    _change(found, change, shares.parties[sets[number][0]].members[0])
                    for change in bundle.changes
                ],
            }
            for number, bundle in enumerate(shares.bundles)
        ],
        "together": [
            {
                "claims": token.claims,
                "user": token.user,
                "changes": [_change(found, change, token) for change in changes],
            }
            for token, changes in tokens.items()
        ],
    }


def _whose(sets: Sequence[int], count: int) -> dict[str, Sequence[int]]:
    """The numbers of the sets of callers, or of the others if those are fewer."""
    if len(sets) <= count // 2:
        return {"callers": sets}
    inside = set(sets)
    return {"callers_but": [number for number in range(count) if number not in inside]}


def _members(members: Sequence[Who]) -> dict[str, list[str]]:
    """Names by kind; those two kinds that have no names have an empty list."""
    by_kind: dict[str, list[str]] = {}
    for who in members:
        names = by_kind.setdefault(who.kind, [])
        if who.name:
            names.append(who.name)
    return by_kind


def _change(found: Difference, change: Change, who: Who | Combination) -> dict[str, Any]:
    old, new = found.decided(change, who)
    return {
        "request": _request(change),
        "old": _side(change.old),
        "new": _side(change.new),
        "example": {"caller": str(who), "old": _decision(old), "new": _decision(new)},
    }


def _demand(change: Change) -> dict[str, Any]:
    return {
        "request": _request(change),
        "old": _side(change.old),
        "new": _side(change.new),
        "strength": change.strength,
        "opens": change.opens,
    }


def _request(change: Change) -> dict[str, Any]:
    probe = change.probe
    return {"method": probe.question.method, "target": probe.target, "body": probe.body}


def _side(side: Side) -> dict[str, Any]:
    return {
        "operation": None if side.route is None else side.route.id,
        "service": None if side.route is None else side.route.service,
        "use_role": side.use_role,
        "denied": side.outcome.barred,
        "needs": side.needs,
        "because": side.outcome.because,
        "public": side.outcome.for_strangers,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "effect": decision.effect,
        "reason": decision.reason,
        "missing": decision.missing,
        "because": decision.because,
    }
