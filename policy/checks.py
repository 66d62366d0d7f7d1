"""The rules that span entries: what each entry says by itself is right, do they fit together?

What passes here can be compiled without another question.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from policy.catalogue import Catalogue, Operation, assemble
from policy.conditions import lists_of
from policy.diagnostics import Code, Diagnostic, Severity
from policy.document import PolicyDocument, ServiceDocument
from policy.entries import AlsoEntry, GuardEntry, Requires, WhenEntry
from policy.overlaps import overlaps
from policy.requirements import ACCESS_WORDS, named_in
from policy.roster import Roster, gather
from policy.source import Place
from policy.suggest import Suggestions

__all__ = ["Checked", "PermissionNames", "check"]


@dataclass(frozen=True, slots=True)
class Checked:
    """The parts of a document, put together, and everything that is wrong with them.

    `permissions` are those of all catalogues with their display names, in catalogue order.
    """

    catalogues: tuple[Catalogue, ...]
    roster: Roster
    permissions: Mapping[str, str]
    findings: tuple[Diagnostic, ...]


def check(document: PolicyDocument) -> Checked:
    """Put `document` together, with every finding on the way."""
    findings: list[Diagnostic] = []
    catalogues: list[Catalogue] = []
    permissions: dict[str, str] = {}
    services: dict[str, Catalogue] = {}
    for service in document.services:
        catalogue, found = assemble(service)
        findings += found
        findings += _CatalogueCheck(service, catalogue).findings()
        catalogues.append(catalogue)
        permissions = permissions | {
            name: title for name, title in catalogue.permissions.items() if name not in permissions
        }
        if services.setdefault(service.spec.name, catalogue) is not catalogue:
            said = f"two services are called `{service.spec.name}`"
            findings.append(Diagnostic(catalogue.place.where(), Code.DUPLICATE_NAME, said))
    findings += overlaps(catalogues)
    roster, found_in_roster = gather(document)
    findings += found_in_roster
    if document.has_all_catalogues:
        findings += _granted(document, roster, permissions)
    return Checked(tuple(catalogues), roster, permissions, tuple(findings))


class PermissionNames:
    """The permissions that may be named, and what to say of a name that is none of them."""

    def __init__(self, titles: Mapping[str, str], others: Iterable[str] = ()) -> None:
        self._names = {*titles, *others}
        self._by_title = {title.casefold(): name for name, title in titles.items()}
        self._suggestions = Suggestions(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def holds(self, names: Iterable[str]) -> bool:
        """Whether there is nothing to complain of."""
        return self._names.issuperset(names)

    def complaint(self, name: str, place: Place, *steps: str | int) -> Diagnostic | None:
        if name in self._names:
            return None
        where = place.where(*steps)
        if "*" in name:
            said = f"`{name}` is a pattern, and patterns are not read"
            return Diagnostic(
                where, Code.WILDCARD_PERMISSION, said, "name each permission by itself"
            )
        said = f"no catalogue knows the permission `{name}`"
        if (meant := self._by_title.get(name.casefold())) is not None:
            advice: str | None = f"this is what people see; the permission's name is `{meant}`"
        else:
            advice = self._suggestions.help_for(name)
        return Diagnostic(where, Code.UNKNOWN_PERMISSION, said, advice)


def _granted(
    document: PolicyDocument, roster: Roster, titles: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """What is wrong with the permissions that roles name."""
    others = [name for service in document.services for name in _permission_keys(service)]
    known = PermissionNames(titles, others)
    for role in roster.roles.values():
        if known.holds(role.entry.permissions):
            continue
        for number, name in enumerate(role.entry.permissions):
            if (found := known.complaint(name, role.place, "permissions", number)) is not None:
                yield found


def _permission_keys(service: ServiceDocument) -> Iterator[str]:
    """Also those that were left out because something is wrong with them."""
    yield from service.catalogue.keys("permissions")
    if service.overrides is not None:
        yield from service.overrides.keys("permissions")


class _CatalogueCheck:
    """The rules of one catalogue: do their names lead anywhere, and can they ever apply?"""

    def __init__(self, service: ServiceDocument, catalogue: Catalogue) -> None:
        self._service = service
        self._catalogue = catalogue
        self._permissions = PermissionNames(catalogue.permissions, _permission_keys(service))
        # A list that was left out because something is wrong with it is not unknown.
        self._lists = {*catalogue.lists, *service.catalogue.keys("lists")}
        self._switches = set(service.catalogue.keys("switches"))
        self._switches_used: set[str] = set()

    def findings(self) -> Iterator[Diagnostic]:
        yield from self._reserved_names()
        for operation in self._catalogue.operations:
            yield from self._operation(operation)
        yield from self._switches_of_service()
        unused = self._catalogue.switches.keys() - self._switches_used
        for name in sorted(unused):
            where = self._catalogue.place.where("switches", name, key=True)
            said = f"no rule asks for the switch `{name}`"
            yield Diagnostic(where, Code.SWITCH_UNUSED, said, None, Severity.WARNING)

    def _reserved_names(self) -> Iterator[Diagnostic]:
        for written in (self._service.catalogue, self._service.overrides):
            if written is None:
                continue
            for name in written.entries.permissions:
                if name not in ACCESS_WORDS and "*" not in name:
                    continue
                where = written.place.where("permissions", name, key=True)
                if name in ACCESS_WORDS:
                    said = f"`{name}` is no permission: `requires` has a meaning for it"
                    yield Diagnostic(where, Code.RESERVED_NAME, said)
                else:
                    said = f"`{name}` is a pattern, and no permission is called by one"
                    yield Diagnostic(where, Code.RESERVED_NAME, said)

    def _operation(self, operation: Operation) -> Iterator[Diagnostic]:
        requires = operation.requires
        if not (
            isinstance(requires, str)
            and (requires in ACCESS_WORDS or requires in self._permissions)
        ):
            yield from self._requires(requires, operation.requires_place)
        if requires == "public":
            rules = (
                (operation.also, operation.also_place),
                (operation.guards, operation.guards_place),
            )
            for entries, place in rules:
                if entries:
                    said = "a public operation is open to everybody before any rule is read"
                    advice = "make it `authenticated`, or take the rules away"
                    yield Diagnostic(place.where(), Code.POINTLESS_RULE, said, advice)
        for number, also in enumerate(operation.also):
            yield from self._also(also, operation.also_place.below(number))
        for number, guard in enumerate(operation.guards):
            yield from self._guard(guard, operation, operation.guards_place.below(number))

    def _requires(self, requires: Requires, place: Place) -> Iterator[Diagnostic]:
        for path, name in named_in(requires):
            if (found := self._permissions.complaint(name, place, *path)) is not None:
                yield found

    def _also(self, also: AlsoEntry, place: Place) -> Iterator[Diagnostic]:
        if isinstance(also.requires, str) and also.requires in ACCESS_WORDS:
            said = f"`{also.requires}` demands nothing more"
            yield Diagnostic(
                place.where("requires"), Code.POINTLESS_RULE, said, "name a permission"
            )
        else:
            yield from self._requires(also.requires, place.below("requires"))
        if also.when is not None:
            yield from self._list_names(also.when, place.below("when"))
        yield from self._switch(also.switch, place)

    def _guard(self, guard: GuardEntry, operation: Operation, place: Place) -> Iterator[Diagnostic]:
        names = [name for _, name in operation.template.parameters]
        for key, name in (guard.body_value_equals_path or {}).items():
            if name not in names:
                where = place.where("body_value_equals_path", key)
                said = f"`{operation.template}` has no parameter `{name}`"
                advice = Suggestions(names).help_for(name)
                yield Diagnostic(where, Code.UNKNOWN_PARAMETER, said, advice)
        yield from self._list_names(guard, place)
        yield from self._switch(guard.switch, place)

    def _list_names(self, entry: WhenEntry | GuardEntry, place: Place) -> Iterator[Diagnostic]:
        for path, name in lists_of(entry):
            if name not in self._lists:
                said = f"the catalogue has no list `{name}`"
                advice = Suggestions(self._lists).help_for(name)
                yield Diagnostic(place.where(*path), Code.UNKNOWN_LIST, said, advice)

    def _switch(self, name: str | None, place: Place) -> Iterator[Diagnostic]:
        if name is None:
            return
        self._switches_used.add(name)
        if name not in self._switches:
            said = f"the catalogue declares no switch `{name}`"
            advice = Suggestions(self._switches).help_for(name) or "declare it under `switches`"
            yield Diagnostic(place.where("switch"), Code.UNKNOWN_SWITCH, said, advice)

    def _switches_of_service(self) -> Iterator[Diagnostic]:
        """The service's settings are another file's business; here is what they should name."""
        spec = self._service.spec
        for name in spec.switches:
            if name not in self._switches:
                where = self._catalogue.place.where("switches", key=True)
                said = (
                    f"the service `{spec.name}` turns on `{name}`, and the catalogue"
                    f" `{self._catalogue.name}` declares no such switch"
                )
                advice = Suggestions(self._switches).help_for(name)
                yield Diagnostic(where, Code.UNKNOWN_SWITCH, said, advice)
