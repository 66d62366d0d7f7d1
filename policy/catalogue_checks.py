"""The rules of one catalogue: do its names lead anywhere, and can its rules ever apply?"""

from collections.abc import Iterator

from policy.catalogue import Catalogue, Operation
from policy.conditions import lists_of
from policy.diagnostics import Code, Diagnostic, Severity
from policy.document import ServiceDocument
from policy.entries import AlsoEntry, GuardEntry, Requires, WhenEntry
from policy.permission_names import PermissionNames
from policy.requirements import ACCESS_WORDS, named_in
from policy.source import Place
from policy.suggest import Suggestions

__all__ = ["catalogue_findings", "permission_keys"]


def catalogue_findings(service: ServiceDocument, catalogue: Catalogue) -> Iterator[Diagnostic]:
    """What is wrong with `catalogue`, which was assembled from `service`, by itself."""
    return _CatalogueCheck(service, catalogue).findings()


def permission_keys(service: ServiceDocument) -> Iterator[str]:
    """Every permission, also those that were left out because something is wrong with them."""
    for written in filter(None, (service.catalogue, service.overrides)):
        yield from written.keys("permissions")
        yield from written.keys("interface_only")


class _CatalogueCheck:
    def __init__(self, service: ServiceDocument, catalogue: Catalogue) -> None:
        self._service = service
        self._catalogue = catalogue
        self._permissions = PermissionNames(catalogue.permissions, permission_keys(service))
        # A list that was left out because something is wrong with it is not unknown.
        self._lists = {*catalogue.lists, *service.catalogue.keys("lists")}
        self._switches = set(service.catalogue.keys("switches"))
        self._switches_used: set[str] = set()
        self._scopes = Suggestions(catalogue.scopes)

    def findings(self) -> Iterator[Diagnostic]:
        yield from self._reserved_names()
        yield from self._divisions()
        for operation in self._catalogue.operations:
            yield from self._operation(operation)
        yield from self._switches_of_service()
        unused = self._catalogue.switches.keys() - self._switches_used
        for name in sorted(unused):
            where = self._catalogue.place.where("switches", name, key=True)
            said = f"no rule asks for the switch `{name}`"
            yield Diagnostic(where, Code.SWITCH_UNUSED, said, None, Severity.WARNING)

    def _divisions(self) -> Iterator[Diagnostic]:
        written = self._service.catalogue
        for number, name in enumerate(written.entries.division_aware):
            found = self._permissions.complaint(name, written.place, "division_aware", number)
            if found is not None:
                yield found

    def _reserved_names(self) -> Iterator[Diagnostic]:
        for written in (self._service.catalogue, self._service.overrides):
            if written is None:
                continue
            shown = (
                (section, name)
                for section in ("permissions", "interface_only")
                for name in getattr(written.entries, section)
            )
            for section, name in shown:
                is_plain = name not in ACCESS_WORDS and "*" not in name
                if is_plain and (
                    section == "permissions" or name not in written.entries.permissions
                ):
                    continue
                where = written.place.where(section, name, key=True)
                if name in ACCESS_WORDS:
                    said = f"`{name}` is no permission: `requires` has a meaning for it"
                    yield Diagnostic(where, Code.RESERVED_NAME, said)
                elif "*" in name:
                    said = f"`{name}` is a pattern, and no permission is called by one"
                    yield Diagnostic(where, Code.RESERVED_NAME, said)
                elif section != "permissions" and name in written.entries.permissions:
                    said = f"`{name}` stands under `permissions` too"
                    yield Diagnostic(where, Code.DUPLICATE_NAME, said)

    def _operation(self, operation: Operation) -> Iterator[Diagnostic]:
        requires, catalogue = operation.requires, self._catalogue
        is_known = isinstance(requires, str) and (
            requires in ACCESS_WORDS
            or (requires in catalogue.permissions and requires not in catalogue.interface_only)
        )
        if not is_known:
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
        yield from self._scopes_of(operation)
        yield from self._division_of(operation)
        for number, also in enumerate(operation.also):
            yield from self._also(also, operation.also_place.below(number))
        for number, guard in enumerate(operation.guards):
            yield from self._guard(guard, operation, operation.guards_place.below(number))

    def _scopes_of(self, operation: Operation) -> Iterator[Diagnostic]:
        for number, name in enumerate(operation.scopes):
            if name not in self._catalogue.scopes:
                said = f"the catalogue has no scope `{name}`"
                advice = self._scopes.help_for(name) or "list it under `scopes`"
                where = operation.scopes_place.where(number)
                yield Diagnostic(where, Code.UNKNOWN_SCOPE, said, advice)

    def _division_of(self, operation: Operation) -> Iterator[Diagnostic]:
        name = operation.division.path if operation.division is not None else None
        names = [name for _, name in operation.template.parameters]
        if name is not None and name not in names:
            said = f"`{operation.template}` has no parameter `{name}`"
            advice = Suggestions(names).help_for(name)
            where = operation.division_place.where("path")
            yield Diagnostic(where, Code.UNKNOWN_PARAMETER, said, advice)

    def _requires(self, requires: Requires, place: Place) -> Iterator[Diagnostic]:
        for path, name in named_in(requires):
            if name in self._catalogue.interface_only:
                said = f"`{name}` stands under `interface_only`, and here it is asked for"
                where = place.where(*path)
                yield Diagnostic(where, Code.RESERVED_NAME, said, "move it to `permissions`")
            elif (found := self._permissions.complaint(name, place, *path)) is not None:
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
