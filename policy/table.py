"""The decision table: a policy as the machine uses it.

Immutable, shared by every request, replaced whole: the operations, and who holds what. A table knows
nothing of files but where things were written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from policy.computed import set_computed
from policy.decision import Decision, Reason
from policy.diagnostics import Diagnostic, Location
from policy.grants import Assignment, Client, Role
from policy.holding import NOTHING_HELD, Held
from policy.inquiry import Caller, Kind, Means
from policy.permissions import Permissions
from policy.route import Route
from policy.routes import Routes
from policy.services import UseRole

__all__ = ["Assignment", "Client", "DecisionTable", "Role", "Service"]

_NOWHERE = Location("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of the table; `lists` are those that the conditions of its catalogue refer to."""

    name: str
    prefix: str
    catalogue: str
    use_role: UseRole
    switches: tuple[str, ...]
    use_scopes: bool = True
    home_division: str | None = None
    pin_header: str | None = None
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionTable:
    """A whole policy, compiled. `version` is a digest of everything it was made from.

    `mark` is what memories of one table are bound to: it is this table's alone, and holds nothing.
    `denials` are the evaluator's, by route and by what its callers held of what was asked for.
    `aware` are the permissions that some operation asks for by division.
    """

    version: str
    services: Mapping[str, Service]
    permissions: Permissions
    roles: Mapping[str, Role]
    users: Mapping[str, Assignment]
    groups: Mapping[str, Assignment]
    clients: Mapping[str, Client]
    claims: Mapping[str, Assignment]
    operations: tuple[Route, ...]
    routes: Routes[Route]
    findings: tuple[Diagnostic, ...] = ()
    no_route: Decision = field(init=False)
    to_strangers: Decision = field(init=False)
    mark: object = field(init=False, repr=False)
    denials: dict[tuple[int, int], Decision] = field(init=False, repr=False)
    aware: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        aware = 0
        for route in self.operations:
            aware |= route.aware | route.realm
        set_computed(
            self,
            mark=object(),
            denials={},
            aware=aware,
            no_route=Decision(reason=Reason.NO_ROUTE, policy=self.version),
            to_strangers=Decision(reason=Reason.NOT_AUTHENTICATED, policy=self.version),
        )

    @property
    def rules(self) -> str:
        """The version's first half: equal where services, catalogues and switches are the same."""
        return self.version[: len(self.version) // 2]

    def assignments_of(self, caller: Caller) -> tuple[Assignment, ...]:
        """Everything that gives `caller` roles: as a user or a client, by its groups and claims.

        A client that got its token here is no user, whatever it is called.
        """
        if caller.kind is Kind.ANONYMOUS:
            return ()
        found: list[Assignment] = []
        if caller.means is Means.CLIENT_CREDENTIALS:
            if (client := self.clients.get(caller.subject)) is not None:
                found.append(client)
        elif (user := self.users.get(caller.subject)) is not None:
            found.append(user)
            found.extend(self.groups[name] for name in user.groups)
        found.extend(self.groups[name] for name in sorted(caller.groups & self.groups.keys()))
        found.extend(self.claims[value] for value in sorted(caller.claims & self.claims.keys()))
        return tuple(found)

    def roles_of(self, caller: Caller) -> tuple[Role, ...]:
        """Every role `caller` has, each once; what they include is theirs to know."""
        names = dict.fromkeys(name for given in self.assignments_of(caller) for name in given.roles)
        if caller.kind is not Kind.ANONYMOUS:
            names |= dict.fromkeys(sorted(caller.roles & self.roles.keys()))
        return tuple(self.roles[name] for name in names)

    def divisions_of(self, caller: Caller, role: str) -> tuple[str, ...] | None:
        """The divisions in which `caller` has a role that it has, None if in all of them."""
        found: dict[str, None] = {}
        for given in self.assignments_of(caller):
            if role in given.roles:
                divisions = dict(given.within).get(role)
                if divisions is None:
                    return None
                found |= dict.fromkeys(divisions)
        if role in caller.roles:
            if caller.divisions is None:
                return None
            found |= dict.fromkeys(sorted(caller.divisions))
        return tuple(found)

    def held_by(self, caller: Caller) -> Held:
        """What `caller` holds, as bits: to be computed once per caller and table."""
        if caller.kind is Kind.ANONYMOUS:
            return NOTHING_HELD
        assignments = self.assignments_of(caller)
        if caller.roles:
            names = tuple(caller.roles & self.roles.keys())
            only = caller.divisions
            within = () if only is None else tuple((name, tuple(only)) for name in names)
            assignments = (*assignments, Assignment(_NOWHERE, names, within=within))
        return self.held_with(assignments, self._scopes_held_by(caller))

    def held_with(self, assignments: Iterable[Assignment], scopes: int) -> Held:
        """What these assignments give, without their groups, beside the bits of `scopes`."""
        everywhere = scopes
        within: dict[str, int] = {}
        for given in assignments:
            only = dict(given.within)
            for name in given.roles:
                mask = self.roles[name].mask
                if name not in only:
                    everywhere |= mask
                    continue
                for division in only[name]:
                    within[division] = within.get(division, 0) | mask
        return self._held(everywhere, within) if within else Held(everywhere, everywhere)

    def _held(self, everywhere: int, within: Mapping[str, int]) -> Held:
        anywhere = everywhere
        for mask in within.values():
            anywhere |= mask
        everywhere |= anywhere & ~self.aware
        counts = self.aware & ~everywhere
        by_division = {name: mask & counts for name, mask in within.items() if mask & counts}
        return Held(anywhere, everywhere, by_division)

    def _scopes_held_by(self, caller: Caller) -> int:
        """The scopes of the policy for a client, of the token for anybody else.

        What a token says itself narrows what its client was authorized for, and never widens it.
        """
        every = self.permissions.every_scope
        if not every:
            return 0
        said = caller.scopes
        if caller.means is not Means.CLIENT_CREDENTIALS:
            return 0 if said is None else self.permissions.scope_mask_of(said)
        client = self.clients.get(caller.subject)
        if client is None:
            return 0
        if not client.use_scopes:
            return every
        known = self.permissions.scope_mask_of
        return known(client.scopes) if said is None else known(said) & known(client.scopes)

    @property
    def everything(self) -> Held:
        """All that there is to hold, scopes among it, in all divisions."""
        names = self.permissions
        return Held.everywhere_alike(names.everything | names.every_scope)

    def names_of(self, mask: int) -> tuple[str, ...]:
        return self.permissions.names_of(mask)

    def __repr__(self) -> str:
        return (
            f"<DecisionTable {self.version}: {len(self.operations)} operations, "
            f"{len(self.roles)} roles, {len(self.permissions)} permissions>"
        )
