"""Scopes that a client is given and that no catalogue has: a slip that takes, in silence, what was meant.

A scope is a family with or without `:readonly`, and the family is what gets misspelt: set-up guides
have `quaity:readonly` and `assitstants:readonly`. They also name one by what it is near to, as
`process-authorization:readonly` for `process-automation:readonly`: too far away for a slip of the
finger, so a family that begins alike is suggested as well.
"""

from collections.abc import Collection, Iterator

from policy.diagnostics import Code, Diagnostic, visible
from policy.roster import Roster
from policy.suggest import Suggestions

__all__ = ["ScopeNames", "scope_findings"]

# `process-` alone begins several.
_FEWEST_ALIKE = 9


class ScopeNames:
    """Scopes as they are, and which of them may be meant by a wrong one."""

    def __init__(self, scopes: Collection[str]) -> None:
        self._scopes = frozenset(scopes)
        self._families = tuple(dict.fromkeys(scope.partition(":")[0] for scope in scopes))
        self._slips = Suggestions(self._families)

    def __contains__(self, name: object) -> bool:
        return name in self._scopes

    def help_for(self, name: str) -> str | None:
        """`did you mean …?`, or None if nothing comes near."""
        family, colon, kind = name.partition(":")
        near = family if family in self._families else self._slips.closest(family)
        near = near or self._beginning_alike(family)
        if near is None:
            return None
        meant = near + colon + kind
        found = meant if meant in self._scopes else near
        return f"did you mean `{found}`?" if found in self._scopes else None

    def _beginning_alike(self, family: str) -> str | None:
        shared = {known: _alike(family, known) for known in self._families}
        best = max(shared, key=lambda known: shared[known], default=None)
        return best if best is not None and shared[best] >= _FEWEST_ALIKE else None


def scope_findings(roster: Roster, scopes: Collection[str]) -> Iterator[Diagnostic]:
    """An error for every scope of a client that is none of `scopes`."""
    known = ScopeNames(scopes)
    for client in roster.clients.values():
        for number, name in enumerate(client.entry.scopes):
            if name not in known:
                where = client.place.where("scopes", number)
                said = f"no catalogue has the scope `{visible(name)}`"
                yield Diagnostic(where, Code.UNKNOWN_SCOPE, said, known.help_for(name))


def _alike(one: str, other: str) -> int:
    """How many letters two names have in common from the left."""
    pairs = enumerate(zip(one, other, strict=False))
    differing = (place for place, (mine, theirs) in pairs if mine != theirs)
    return next(differing, min(len(one), len(other)))
