"""One caller, or all callers of which a policy says the same; and what they hold."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec

from policy.holding import NOTHING_HELD, Held
from policy.inquiry import Caller, Kind, Means
from policy.table import Assignment, DecisionTable

__all__ = ["Who", "WhoKind", "holdings_of"]


class WhoKind(StrEnum):
    """What sort of caller is meant."""

    STRANGER = "anonymous"
    KNOWN = "known"  # proved who it is, and nothing gives it any role
    ROLE = "role"  # has this role in all divisions, and no other
    GROUP = "group"  # belongs to this group, and has nothing else
    CLAIM = "claim"  # has this value in its token's roles claim, and nothing else
    CLIENT = "client"  # an OAuth client, as the policy files say
    USER = "user"  # as the policy files say


class Who(msgspec.Struct, frozen=True, order=True):
    """One caller, or all callers of which the policy says the same."""

    kind: WhoKind
    name: str = ""

    def __str__(self) -> str:
        match self.kind:
            case WhoKind.STRANGER:
                return "anonymous callers"
            case WhoKind.KNOWN:
                return "callers without a role"
            case _:
                return f"{self.kind} `{self.name}`"

    def caller(self, table: DecisionTable) -> Caller:
        """A caller of this sort. Whoever is no client has a token that names every scope."""
        if self.kind is WhoKind.STRANGER:
            return Caller(subject="", kind=Kind.ANONYMOUS, means=Means.NONE)
        if self.kind is WhoKind.CLIENT:
            return Caller(subject=self.name, kind=Kind.SERVICE, means=Means.CLIENT_CREDENTIALS)

        def named(kind: WhoKind) -> frozenset[str]:
            return frozenset({self.name} if self.kind is kind else ())

        return Caller(
            subject=self.name if self.kind is WhoKind.USER else "(unnamed)",
            kind=Kind.USER,
            means=Means.NONE,
            roles=named(WhoKind.ROLE),
            groups=named(WhoKind.GROUP),
            claims=named(WhoKind.CLAIM),
            scopes=frozenset(table.permissions.scopes),
        )


def holdings_of(table: DecisionTable, everybody: Iterable[Who]) -> list[Held]:
    """What each of them holds in `table`; whoever it does not name holds nothing of its own."""
    holdings = _Holdings(table)
    return [holdings.of(who) for who in everybody]


class _Holdings:
    """Worked out once for all who are given the same."""

    def __init__(self, table: DecisionTable) -> None:
        self._table = table
        self._scopes = table.permissions.every_scope
        self._known: dict[object, Held] = {}

    def of(self, who: Who) -> Held:
        table = self._table
        match who.kind:
            case WhoKind.STRANGER:
                return NOTHING_HELD
            case WhoKind.CLIENT:
                return table.held_by(who.caller(table))
            case WhoKind.ROLE:
                role = table.roles.get(who.name)
                return Held.everywhere_alike((role.mask if role else 0) | self._scopes)
            case _:
                return self._joined(tuple(_given_to(table, who)))

    def _joined(self, given: Sequence[Assignment]) -> Held:
        key = tuple((each.roles, each.within) for each in given)
        held = self._known.get(key)
        if held is None:
            held = self._known[key] = self._table.held_with(given, self._scopes)
        return held


def _given_to(table: DecisionTable, who: Who) -> Iterator[Assignment]:
    match who.kind:
        case WhoKind.GROUP:
            section = table.groups
        case WhoKind.CLAIM:
            section = table.claims
        case WhoKind.USER:
            section = table.users
        case _:
            return
    if (given := section.get(who.name)) is not None:
        yield given
        yield from (table.groups[name] for name in given.groups)
