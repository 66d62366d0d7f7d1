"""Some of all callers, by what makes them so: a role, a group, a claim, a name.

Whoever has one of what is named is meant, however it came by it: a role by itself, through a
group, or through a claim. A role that includes a named one is another role.
"""

import msgspec

from policy.analysis.population import Who, WhoKind
from policy.table import Assignment, DecisionTable

__all__ = ["Whom"]

_NOTHING: frozenset[str] = frozenset()


class Whom(msgspec.Struct, frozen=True):
    """Callers. `strangers` and `known` mean all who are not known, and all who are."""

    strangers: bool = False
    known: bool = False
    roles: frozenset[str] = _NOTHING
    groups: frozenset[str] = _NOTHING
    users: frozenset[str] = _NOTHING
    clients: frozenset[str] = _NOTHING
    claims: frozenset[str] = _NOTHING

    def has(self, who: Who, table: DecisionTable) -> bool:
        """Whether `who` is among them by what `table` gives."""
        if who.kind is WhoKind.STRANGER:
            return self.strangers
        if self.known or who.kind is WhoKind.KNOWN:
            return self.known
        match who.kind:
            case WhoKind.ROLE:
                return who.name in self.roles
            case WhoKind.GROUP:
                return self._has_group(who.name, table)
            case WhoKind.CLAIM:
                return who.name in self.claims or self._is_given(table.claims[who.name])
            case WhoKind.CLIENT:
                return who.name in self.clients or self._is_given(table.clients[who.name])
            case WhoKind.USER:
                given = table.users[who.name]
                return (
                    who.name in self.users
                    or self._is_given(given)
                    or any(self._has_group(group, table) for group in given.groups)
                )

    def _has_group(self, name: str, table: DecisionTable) -> bool:
        return name in self.groups or self._is_given(table.groups[name])

    def _is_given(self, given: Assignment) -> bool:
        return not self.roles.isdisjoint(given.roles)

    def names(self, who: Who) -> bool:
        """Whether `who` itself is named, and not merely among them for what it has.

        Where each of them must be able to do something it is enough to look at these: whoever
        else is meant has what they have, and perhaps more.
        """
        match who.kind:
            case WhoKind.STRANGER:
                return self.strangers
            case WhoKind.KNOWN:
                return self.known
            case WhoKind.ROLE:
                return who.name in self.roles
            case WhoKind.GROUP:
                return who.name in self.groups
            case WhoKind.CLAIM:
                return who.name in self.claims
            case WhoKind.CLIENT:
                return who.name in self.clients
            case WhoKind.USER:
                return who.name in self.users

    def is_told_from(self, who: Who) -> bool:
        """Whether `who`, who is not among them, is of a sort that `only` keeps out.

        A user, a client, a claim, a stranger always is: they call. A role or a group by itself calls nobody.
        It counts where roles (or groups) say who may, so that a new one is noticed at once, and not
        where `only: {users: [olga]}` leaves open which role olga has it from.
        """
        match who.kind:
            case WhoKind.ROLE:
                return bool(self.roles)
            case WhoKind.GROUP:
                return bool(self.roles or self.groups)
            case _:
                return True
