"""Does a line of a role open more than it looks like?

Two kinds do. A pattern stands for more tomorrow than today, because catalogues grow; Genesys' own
help advises against "All Permissions" for that. And some single permissions open a whole system:
`telephony:plugin:all` of Genesys Cloud looks like one of nineteen lines that let a program watch,
and lets it delete every edge. Both are told with what they open by themselves. An operation whose
method writes only reads if its title says so, or if a scope that ends in `:readonly` will do.
"""

from collections.abc import Iterator

from policy.analysis.lints.opening import WRITING_METHODS, says_it_reads_first
from policy.analysis.lints.warnings import warning
from policy.catalogue import Operation, assemble
from policy.diagnostics import Code, Diagnostic
from policy.document import PolicyDocument
from policy.permission_names import GrantedNames
from policy.permissions import Demand, Permissions
from policy.requirements import ACCESS_WORDS, demand_of
from policy.services import UseRole
from policy.table import DecisionTable

__all__ = ["breadth_findings"]

# More than any job of one program needs; the broadest permission of UCS opens 6.
_MANY_WRITES = 25
_MOST_SCOPES = 4


def breadth_findings(document: PolicyDocument, table: DecisionTable) -> Iterator[Diagnostic]:
    """Lines that are patterns, and permissions that open many writes by themselves."""
    known = GrantedNames({name: table.permissions.title_of(name) for name in table.permissions})
    names = known.names_of
    operations = _Operations(document, table.permissions)
    for policy in document.policies:
        for role, place in policy.place.below("roles"):
            entry = policy.entries.roles[role]
            lines = entry.permissions if entry.enabled else ()
            for number, line in enumerate(lines):
                opened = operations.opened_by(names(line))
                where = place.where("permissions", number)
                if known.is_pattern(line):
                    many = len(names(line))
                    said = (
                        f"`{line}` stands for {_counted(many, 'permission')} today and for those"
                        f" that come; it opens {opened}"
                    )
                    advice = "name each permission by itself, if no more is meant"
                    yield warning(where, Code.WILDCARD_PERMISSION, said, advice)
                elif opened.writes - opened.reading > _MANY_WRITES:
                    said = f"`{line}` opens {opened}"
                    yield warning(where, Code.BROAD_PERMISSION, said, opened.advice)


class _Opened:
    """What a set of permissions opens: how much of it writes, and how much of that only reads."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        writing = [each for each in operations if each.method in WRITING_METHODS]
        reading = [each for each in writing if _only_reads(each)]
        self._all = len(operations)
        self.writes = len(writing)
        self.reading = len(reading)
        self._scopes = [each.scopes for each in writing if each not in reading]

    def __str__(self) -> str:
        said = f"{_counted(self._all, 'operation')}, {self.writes} of them writes"
        return f"{said} ({self.reading} of these only read)" if self.reading else said

    @property
    def advice(self) -> str:
        """How the writes can be kept shut."""
        names = dict.fromkeys(name for scopes in self._scopes for name in scopes)
        if not names or not all(self._scopes):
            return "grant something narrower, if there is anything"
        some = ", ".join(f"`{name}`" for name in list(names)[:_MOST_SCOPES])
        more = "" if len(names) <= _MOST_SCOPES else ", …"
        plural = "" if len(names) == 1 else "s"
        return f"clients without the scope{plural} {some}{more} are kept from them by `use_scopes`"


class _Operations:
    """The operations of a policy by the permissions that they ask for; scopes do not count."""

    def __init__(self, document: PolicyDocument, permissions: Permissions) -> None:
        self._permissions = permissions
        self._by_bit: dict[int, list[int]] = {}
        self._all: list[tuple[Operation, Demand]] = []
        self._known: dict[int, _Opened] = {}
        for service in document.services:
            if service.spec.use_role is UseRole.OFF:
                continue
            for operation in assemble(service)[0].operations:
                self._add(operation)

    def _add(self, operation: Operation) -> None:
        if isinstance(operation.requires, str) and operation.requires in ACCESS_WORDS:
            return
        demand = demand_of(operation.requires, self._permissions)
        # Under one permission that it cannot be opened without, or under each that may do.
        keys = demand.all_of & -demand.all_of or demand.any_of[0]
        while keys:
            lowest = keys & -keys
            self._by_bit.setdefault(lowest, []).append(len(self._all))
            keys ^= lowest
        self._all.append((operation, demand))

    def opened_by(self, names: tuple[str, ...]) -> _Opened:
        mask = self._permissions.mask_of(names)
        if mask not in self._known:
            bits = (self._permissions.mask_of([name]) for name in names)
            numbers = {number for bit in bits for number in self._by_bit.get(bit, ())}
            opened = (self._all[number] for number in sorted(numbers))
            self._known[mask] = _Opened(
                tuple(operation for operation, demand in opened if demand.met_by(mask))
            )
        return self._known[mask]


def _only_reads(operation: Operation) -> bool:
    by_scope = any(name.endswith(":readonly") for name in operation.scopes)
    return by_scope or says_it_reads_first(operation.title or operation.id)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number:,} {word}s"
