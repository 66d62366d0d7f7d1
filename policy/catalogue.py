"""A catalogue as it is in force: the shipped facts with the deployment's own changes.

Operations have their templates read and their parts know which file they came from, so that a
finding about an overridden rule points into the overrides and not into the shipped catalogue.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from policy.diagnostics import Code, Diagnostic, Location
from policy.document import ServiceDocument, Written
from policy.entries import (
    AlsoEntry,
    CatalogueFile,
    ChangedOperation,
    DivisionEntry,
    GuardEntry,
    ListChange,
    OperationEntry,
    OverridesFile,
    ParameterEntry,
    Requires,
)
from policy.services import ServiceSpec
from policy.source import Place
from policy.suggest import Suggestions
from policy.template import Grammar, Template, TemplateError

__all__ = ["METHODS", "Catalogue", "Operation", "assemble"]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REQUEST = re.compile(r"([A-Za-z]+) (\S+)")
_NAMED = {"scopes": "the list of scopes", "division_aware": "the list `division_aware`"}


@dataclass(slots=True)
class _Draft:
    """An operation's entry, and what replaces parts of it."""

    entry: OperationEntry
    place: Place
    change: ChangedOperation | None = None
    change_place: Place | None = None

    def part(self, name: str) -> Any:
        """The part `name` that counts."""
        changed = None if self.change is None else getattr(self.change, name)
        return getattr(self.entry, name) if changed is None else changed

    def place_of(self, name: str) -> Place:
        """Where the part that counts was written."""
        is_changed = self.change is not None and getattr(self.change, name) is not None
        if is_changed and self.change_place is not None:
            return self.change_place.below(name)
        return self.place.below(name)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation as it is in force; each `…_place` says where that part was written.

    Any one of `scopes` is enough, and none is asked for where there are none. `division` says
    where a request tells which division it is about.
    """

    id: str
    title: str
    method: str
    template: Template
    requires: Requires
    also: tuple[AlsoEntry, ...]
    guards: tuple[GuardEntry, ...]
    body_optional: bool
    scopes: tuple[str, ...] = ()
    division: DivisionEntry | None = None
    place: Place
    draft: _Draft

    # Looked for when they are asked for: of most operations there is nothing to say.

    @property
    def requires_place(self) -> Place:
        return self.draft.place_of("requires")

    @property
    def also_place(self) -> Place:
        return self.draft.place_of("also")

    @property
    def guards_place(self) -> Place:
        return self.draft.place_of("guards")

    @property
    def scopes_place(self) -> Place:
        return self.draft.place_of("scopes")

    @property
    def division_place(self) -> Place:
        return self.draft.place_of("division")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The operations of one service, and all that their rules refer to.

    `permissions` are all that may be granted, those of `interface_only` last: no operation asks
    for them. `scopes` are all that there are; `division_aware` names permissions. `literal_first`
    says that templates may cross.
    """

    name: str
    spec: ServiceSpec
    permissions: Mapping[str, str]
    interface_only: frozenset[str]
    division_aware: frozenset[str]
    scopes: tuple[str, ...]
    literal_first: bool
    lists: Mapping[str, tuple[str, ...]]
    switches: Mapping[str, str]
    operations: tuple[Operation, ...]
    place: Place

    @property
    def switches_on(self) -> frozenset[str]:
        return frozenset(self.spec.switches)


def assemble(service: ServiceDocument) -> tuple[Catalogue, tuple[Diagnostic, ...]]:
    """The catalogue of `service`, and what is wrong with it by itself."""
    assembly = _Assembly(service.catalogue)
    if service.overrides is not None:
        assembly.change(service.overrides, service.catalogue.entries.catalogue)
    return assembly.finished(service), tuple(assembly.findings)


class _Assembly:
    """A catalogue on its way from what was shipped to what is in force."""

    def __init__(self, written: Written[CatalogueFile]) -> None:
        shipped, place = written.entries, written.place
        self.findings: list[Diagnostic] = []
        self.has_all_operations = len(written.keys("operations")) == len(shipped.operations)
        self.permissions = dict(shipped.permissions)
        self.interface_only = dict(shipped.interface_only)
        self.named = {"scopes": shipped.scopes, "division_aware": shipped.division_aware}
        self.lists = dict(shipped.lists)
        self.parameters = {
            name: (entry, place.below("parameters", name))
            for name, entry in shipped.parameters.items()
        }
        places = dict(place.below("operations"))
        self.drafts = {
            name: _Draft(entry, places[name]) for name, entry in shipped.operations.items()
        }

    def change(self, overrides: Written[OverridesFile], name: str) -> None:
        """Apply the deployment's changes to the catalogue `name`."""
        changes, place = overrides.entries, overrides.place
        if changes.overrides != name:
            said = f"this is meant for `{changes.overrides}`, and the service uses `{name}`"
            self._find(place.where("overrides"), Code.UNKNOWN_CATALOGUE, said)
            return
        for key in changes.permissions.keys() & self.permissions.keys():
            self._find(
                place.where("permissions", key, key=True),
                Code.DUPLICATE_NAME,
                f"the catalogue has a permission `{key}` already",
            )
        self.permissions |= changes.permissions
        self.interface_only |= changes.interface_only
        for section, called in _NAMED.items():
            now, change = self.named[section], getattr(changes, section)
            of = Code.UNKNOWN_LIST_ENTRY, called
            self.named[section] = self._changed(now, change, place.below(section), of)
        shown = len(changes.extra_operations) == len(overrides.keys("extra_operations"))
        self.has_all_operations = self.has_all_operations and shown
        self._change_lists(overrides)
        self._change_parameters(overrides)
        self._change_operations(overrides)

    def _change_lists(self, overrides: Written[OverridesFile]) -> None:
        known = Suggestions(self.lists)
        for name, change in overrides.entries.lists.items():
            place = overrides.place.below("lists", name)
            if name not in self.lists:
                said = f"the catalogue has no list `{name}`"
                self._find(place.where(key=True), Code.UNKNOWN_LIST, said, known.help_for(name))
                continue
            of = Code.UNKNOWN_LIST_ENTRY, f"the list `{name}`"
            self.lists[name] = self._changed(self.lists[name], change, place, of)

    def _changed(
        self, now: tuple[str, ...], change: ListChange, place: Place, of: tuple[Code, str]
    ) -> tuple[str, ...]:
        """The names of `now` as they are after `change`; `of` is what to say of those."""
        code, called = of
        for number, entry in enumerate(change.remove):
            if entry not in now:
                said = f"{called} does not hold `{entry}`"
                advice = Suggestions(now).help_for(entry)
                self._find(place.where("remove", number), code, said, advice)
        kept = (entry for entry in now if entry not in change.remove)
        return tuple(dict.fromkeys((*kept, *change.add)))

    def _change_parameters(self, overrides: Written[OverridesFile]) -> None:
        for name, entry in overrides.entries.parameters.items():
            self.parameters[name] = entry, overrides.place.below("parameters", name)

    def _change_operations(self, overrides: Written[OverridesFile]) -> None:
        known = Suggestions(self.drafts)
        for name, change in overrides.entries.operations.items():
            place = overrides.place.below("operations", name)
            if name in self.drafts:
                self.drafts[name].change, self.drafts[name].change_place = change, place
            else:
                said = f"the catalogue has no operation `{name}`"
                advice = known.help_for(name)
                self._find(place.where(key=True), Code.UNKNOWN_OPERATION, said, advice)
        for name, entry in overrides.entries.extra_operations.items():
            place = overrides.place.below("extra_operations", name)
            if name in self.drafts:
                said = f"the catalogue has an operation `{name}` already"
                advice = "change it under `operations`, or choose another name"
                self._find(place.where(key=True), Code.DUPLICATE_NAME, said, advice)
            else:
                self.drafts[name] = _Draft(entry, place)

    def finished(self, service: ServiceDocument) -> Catalogue:
        """The catalogue, without the operations whose request cannot be read."""
        grammars = {name: self._grammar(*found) for name, found in self.parameters.items()}
        read = (self._operation(name, draft, grammars) for name, draft in self.drafts.items())
        operations = tuple(operation for operation in read if operation is not None)
        if self.has_all_operations and len(operations) == len(self.drafts):
            self._look_for_unused(operations)
        return Catalogue(
            name=service.catalogue.entries.catalogue,
            spec=service.spec,
            permissions=self.permissions | self.interface_only,
            interface_only=frozenset(self.interface_only.keys() - self.permissions.keys()),
            division_aware=frozenset(self.named["division_aware"]),
            scopes=self.named["scopes"],
            literal_first=service.catalogue.entries.overlaps == "literal-first",
            lists=self.lists,
            switches=service.catalogue.entries.switches,
            operations=operations,
            place=service.catalogue.place,
        )

    def _grammar(self, entry: ParameterEntry, place: Place) -> Grammar:
        plain = Grammar(entry.alphabet, entry.max_length)
        for number, literal in enumerate(entry.excluded):
            if not plain.fits(literal):
                said = f"`{literal}` is never this parameter anyway"
                self._find(place.where("except", number), Code.POINTLESS_RULE, said)
        return Grammar(entry.alphabet, entry.max_length, frozenset(entry.excluded))

    def _operation(
        self, name: str, draft: _Draft, grammars: Mapping[str, Grammar]
    ) -> Operation | None:
        written = _REQUEST.fullmatch(draft.entry.request)
        if written is None or written[1] not in METHODS:
            advice = f"the methods are {', '.join(METHODS)}"
            said = f"`{draft.entry.request}` is not `METHOD /template`"
            self._find(draft.place.where("request"), Code.MALFORMED_REQUEST, said, advice)
            return None
        try:
            template = Template.parse(written[2], grammars)
        except TemplateError as error:
            self._find(draft.place.where("request"), Code.MALFORMED_REQUEST, str(error))
            return None
        return Operation(
            id=name,
            title=draft.entry.title,
            method=written[1],
            template=template,
            requires=draft.part("requires"),
            also=draft.part("also"),
            guards=draft.part("guards"),
            body_optional=draft.entry.body == "optional",
            scopes=draft.part("scopes"),
            division=draft.part("division"),
            place=draft.place,
            draft=draft,
        )

    def _look_for_unused(self, operations: tuple[Operation, ...]) -> None:
        """A parameter that was described under a wrong name would keep its default silently."""
        used = dict.fromkeys(
            name for operation in operations for _, name in operation.template.parameters
        )
        known = Suggestions(used)
        for name, (_, place) in self.parameters.items():
            if name not in used:
                said = f"no template has a parameter `{name}`"
                advice = known.help_for(name)
                self._find(place.where(key=True), Code.UNKNOWN_PARAMETER, said, advice)

    def _find(self, where: Location, code: Code, message: str, advice: str | None = None) -> None:
        self.findings.append(Diagnostic(where, code, message, advice))
