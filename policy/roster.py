"""Who has what: the roles, users, groups, clients and claims of all policy files together.

Every name is defined once, whichever file it stands in; a name that leads nowhere, and roles that
include each other in a circle, are findings.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from policy.diagnostics import Code, Diagnostic, Location, Severity
from policy.document import PolicyDocument
from policy.entries import ClientEntry, GrantEntry, GroupEntry, RoleEntry, UserEntry, role_of
from policy.names import look_alikes, scripts_of
from policy.source import Place
from policy.suggest import Suggestions

__all__ = ["Named", "Roster", "gather"]

E = TypeVar("E")


class Named(msgspec.Struct, Generic[E], frozen=True, gc=False):
    """An entry, and where it stands."""

    entry: E
    place: Place


@dataclass(frozen=True, slots=True)
class Roster:
    """Everything the policy files define, by name."""

    roles: dict[str, Named[RoleEntry]] = field(default_factory=dict)
    users: dict[str, Named[UserEntry]] = field(default_factory=dict)
    groups: dict[str, Named[GroupEntry]] = field(default_factory=dict)
    clients: dict[str, Named[ClientEntry]] = field(default_factory=dict)
    claims: dict[str, Named[tuple[str | GrantEntry, ...]]] = field(default_factory=dict)


_SECTIONS = {
    "roles": "role", "users": "user", "groups": "group", "clients": "client", "claims": "claim",
}  # fmt: skip


def gather(document: PolicyDocument) -> tuple[Roster, list[Diagnostic]]:
    """The roster of `document`, and what is wrong between its entries."""
    roster = Roster()
    findings = list(_collected(document, roster))
    if document.has_all_policies:
        roles = _Known.of("roles", Code.UNKNOWN_ROLE, document)
        groups = _Known.of("groups", Code.UNKNOWN_GROUP, document)
        for role in roster.roles.values():
            findings += roles.unknown(role.entry.includes, role.place, "includes")
        for user in roster.users.values():
            findings += roles.ungrantable(user.entry.roles, user.place, "roles")
            findings += groups.unknown(user.entry.groups, user.place, "groups")
        for group in roster.groups.values():
            findings += roles.ungrantable(group.entry.roles, group.place, "roles")
        for client in roster.clients.values():
            findings += roles.ungrantable(client.entry.roles, client.place, "roles")
        for claim in roster.claims.values():
            findings += roles.ungrantable(claim.entry, claim.place)
    findings += _circles(roster.roles)
    for section, kind in _SECTIONS.items():
        findings += _doubtful_names(getattr(roster, section), kind)
    return roster, findings


def _collected(document: PolicyDocument, roster: Roster) -> Iterator[Diagnostic]:
    for policy in document.policies:
        for section, kind in _SECTIONS.items():
            known: dict[str, Named[object]] = getattr(roster, section)
            entries: Mapping[str, object] = getattr(policy.entries, section)
            for name, place in policy.place.below(section):
                entry = entries.get(name)
                if entry is None:
                    continue  # left out because something is wrong with it
                named = Named(entry, place)
                first = known.setdefault(name, named)
                if first is not named:
                    said = f"the {kind} `{name}` is defined twice"
                    there = f"the first one is at {first.place.where(key=True)}"
                    yield Diagnostic(place.where(key=True), Code.DUPLICATE_NAME, said, there)


@dataclass(frozen=True, slots=True)
class _Known:
    """The names of a section in all files, also of entries that were left out as wrong."""

    kind: str
    code: Code
    names: frozenset[str]
    suggestions: Suggestions

    @classmethod
    def of(cls, section: str, code: Code, document: PolicyDocument) -> "_Known":
        names = [name for policy in document.policies for name in policy.keys(section)]
        return cls(_SECTIONS[section], code, frozenset(names), Suggestions(names))

    def unknown(
        self, names: Collection[str], place: Place, *below: str | int
    ) -> Iterable[Diagnostic]:
        """A finding for each of `names`, which stand at `below`, that is not known."""
        return () if self.names.issuperset(names) else self._unknown(names, place, *below)

    def _unknown(
        self, names: Collection[str], place: Place, *below: str | int
    ) -> Iterator[Diagnostic]:
        for number, name in enumerate(names):
            if name not in self.names:
                yield self._complaint(name, place.where(*below, number))

    def ungrantable(
        self, items: Collection[str | GrantEntry], place: Place, *below: str | int
    ) -> Iterator[Diagnostic]:
        """The same for a list of roles, some of which may be given in some divisions only."""
        for number, item in enumerate(items):
            if (name := role_of(item)) not in self.names:
                steps = (number,) if isinstance(item, str) else (number, "role")
                yield self._complaint(name, place.where(*below, *steps))

    def _complaint(self, name: str, where: Location) -> Diagnostic:
        said = f"no policy file defines the {self.kind} `{name}`"
        return Diagnostic(where, self.code, said, self.suggestions.help_for(name))


def _circles(roles: Mapping[str, Named[RoleEntry]]) -> Iterator[Diagnostic]:
    """Each circle of inclusions once, found by walking on until a role is met again.

    Walked with a list and not by recursion: a chain of inclusions may be as long as the policy.
    """
    done: set[str] = set()
    for start in roles:
        trail: dict[str, Iterator[str]] = {}
        below: str | None = start
        while below is not None or trail:
            if below is not None and below in trail:
                yield _circle(roles, list(trail), below)
            elif below is not None and below not in done and below in roles:
                trail[below] = iter(roles[below].entry.includes)
            name = next(reversed(trail), None)
            if name is None:
                break
            below = next(trail[name], None)
            if below is None:
                del trail[name]
                done.add(name)


def _circle(roles: Mapping[str, Named[RoleEntry]], trail: list[str], name: str) -> Diagnostic:
    members = trail[trail.index(name) :]
    last = roles[members[-1]]
    where = last.place.where("includes", last.entry.includes.index(name))
    if len(members) == 1:
        return Diagnostic(where, Code.ROLE_CYCLE, f"the role `{name}` includes itself")
    way = " → ".join(f"`{member}`" for member in (*members, name))
    return Diagnostic(where, Code.ROLE_CYCLE, f"roles include each other: {way}")


def _doubtful_names(entries: Mapping[str, Named[E]], kind: str) -> Iterator[Diagnostic]:
    def warning(name: str, code: Code, said: str, advice: str | None = None) -> Diagnostic:
        where = entries[name].place.where(key=True)
        return Diagnostic(where, code, said, advice, Severity.WARNING)

    for name, first in look_alikes(entries):
        there = f"the other is at {entries[first].place.where(key=True)}"
        said = f"the {kind} `{name}` looks like the {kind} `{first}`"
        if name.casefold() == first.casefold():
            said = f"the {kind} `{name}` differs from the {kind} `{first}` only by case"
        yield warning(name, Code.LOOK_ALIKE_NAME, said, there)
    for name in entries:
        if not name.isascii() and (scripts := scripts_of(name)):
            said = f"the {kind} `{name}` mixes {' and '.join(scripts)} letters"
            yield warning(name, Code.MIXED_SCRIPT_NAME, said)
