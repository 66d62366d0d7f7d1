"""How much a role opens, and whether its title says so.

An operation *writes* if its method is POST, PUT, PATCH or DELETE, unless its own title (or its
name, if it has none) begins with a word of reading: `POST /services/query` titled "Query Service"
reads. A role *says that it reads* if its title (or its name) has a word of reading and none of
writing. What every known caller may do is opened by no role.
"""

import re
from collections.abc import Iterator

from policy.analysis.lints.warnings import named, warning
from policy.diagnostics import Code, Diagnostic
from policy.route import Access, Route
from policy.services import UseRole
from policy.table import DecisionTable, Role

__all__ = ["WRITING_METHODS", "Openings", "says_it_reads_first", "title_findings", "writes"]

WRITING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_READS = frozenset(
    """
    analyze browse check count download export fetch find get identify inspect list look lookup
    monitor query read report retrieve search see select show track validate verify view watch
    """.split()  # noqa: SIM905 - read as words
)
_READING = _READS | frozenset(
    """
    audit auditor browsing listing monitoring observer readonly reader readers reading reporting
    reports viewer viewers viewing watcher
    """.split()  # noqa: SIM905 - read as words
)
_WRITING = frozenset(
    """
    add admin administer administration administrator administrators all approve archive assign
    cancel change complete configure control create creator delete edit editor everything execute
    full handle import importer insert maintain maintenance manage management manager merge modify
    move operate operator owner remove replace run save send set start stop submit super supervise
    supervisor update upload write writer
    """.split()  # noqa: SIM905 - read as words
)


class Openings:
    """Which operations a set of permissions opens, by the floor of each operation."""

    def __init__(self, table: DecisionTable) -> None:
        # Under one permission that it cannot be opened without, or under each that may do.
        self._by_bit: dict[int, list[Route]] = {}
        self._scopes = table.permissions.every_scope
        for route in table.operations:
            demand = route.requirement.demand
            permitted = route.requirement.access is Access.PERMITTED and demand
            if not permitted or route.use_role is UseRole.OFF:
                continue
            keys = demand.all_of & -demand.all_of or demand.any_of[0]
            for bit in _bits(keys):
                self._by_bit.setdefault(bit, []).append(route)

    def of(self, mask: int) -> tuple[Route, ...]:
        """The operations that whoever holds `mask` may call, in the order of the catalogues.

        Scopes and divisions are left out of it.
        """
        found = {
            route.index: route
            for bit in _bits(mask)
            for route in self._by_bit.get(bit, ())
            if route.requirement.demand.met_by(mask | self._scopes)
        }
        return tuple(found[index] for index in sorted(found))

    def counts(self, role: Role) -> tuple[int, int]:
        """How many operations the role opens, and how many of them write."""
        opened = self.of(role.mask)
        return len(opened), sum(map(writes, opened))


def writes(route: Route) -> bool:
    """Whether the operation changes something, as far as it says."""
    return route.method in WRITING_METHODS and not says_it_reads_first(route.title or route.id)


def says_it_reads_first(title: str) -> bool:
    """Whether the title (or the name) of an operation begins with a word of reading."""
    words = _words(title)
    return bool(words) and words[0] in _READS


def title_findings(table: DecisionTable) -> Iterator[Diagnostic]:
    """Roles that say they read, and open writes."""
    openings = Openings(table)
    for role in table.roles.values():
        if not role.enabled or not _says_it_reads(role.title or role.name):
            continue
        opened = openings.of(role.mask)
        writing = [route.id for route in opened if writes(route)]
        if writing:
            said = (
                f"the role `{role.name}` is called `{role.title or role.name}`, and"
                f" {len(writing)} of the {len(opened)} operations it opens write: {named(writing)}"
            )
            advice = "take away what opens them, or let the title say so"
            yield warning(role.where, Code.ROLE_BROADER_THAN_TITLE, said, advice)


def _says_it_reads(title: str) -> bool:
    words = set(_words(title))
    return not words.isdisjoint(_READING) and words.isdisjoint(_WRITING)


def _words(text: str) -> list[str]:
    """The words of a title or of a name, also of `readProfile` and `read_profile`."""
    return [word.lower() for word in _WORD.findall(text)]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest
        mask ^= lowest
