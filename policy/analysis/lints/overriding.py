"""Do a deployment's overrides open what the shipped catalogue keeps shut?

Both are compiled and asked the same requests. An operation of the deployment's own is its own
business, unless it answers what a shipped one answered, or is open to everybody.
"""

from collections.abc import Iterator

from policy.analysis.lints.warnings import named, warning
from policy.analysis.outcomes import Outcome, outcome_of
from policy.analysis.probes import Probe, probes_of
from policy.analysis.questions import questions_of
from policy.catalogue import assemble
from policy.compiler import compile as compiled
from policy.conditions import lists_of
from policy.decision import Reason
from policy.diagnostics import Code, Diagnostic, Location
from policy.document import PolicyDocument, ServiceDocument, Written
from policy.entries import GuardEntry, ListChange, OverridesFile, WhenEntry
from policy.errors import PolicyInvalid
from policy.route import Route
from policy.table import DecisionTable

__all__ = ["override_findings"]


def override_findings(document: PolicyDocument) -> Iterator[Diagnostic]:
    """One finding for each place of an overrides file that allows more than was shipped."""
    for service in document.services:
        if service.overrides is not None:
            yield from _weakened(service, service.overrides)


def _weakened(service: ServiceDocument, overrides: Written[OverridesFile]) -> Iterator[Diagnostic]:
    after = _alone(service)
    try:
        before = _alone(ServiceDocument(service.spec, service.catalogue, _names_of(overrides)))
    except PolicyInvalid:
        return  # the catalogue is sound by its overrides only: there is nothing to compare with
    found: dict[Location, list[tuple[Route, Probe, str]]] = {}
    places = _Places(service, overrides)
    for question in questions_of(before, after):
        was, now = question.routes
        if now is None:
            continue
        try:
            probes = probes_of(question)
        except PolicyInvalid:
            said = (
                f"`{now.id}` has too many conditions and guards to be compared with the catalogue"
            )
            yield warning(now.where, Code.OVERRIDE_WEAKENS, said)
            continue
        for probe in probes:
            why = _why_weaker(outcome_of(was, probe), outcome_of(now, probe), after)
            if why is not None:
                found.setdefault(places.of(now), []).append((now, probe, why))
                break
    for where, weaker in found.items():
        _, probe, why = weaker[0]
        names = tuple(dict.fromkeys(each.id for each, _, _ in weaker))
        less = "asks" if len(names) == 1 else "ask"
        said = f"{named(names)} {less} for less than the catalogue as it is shipped"
        yield warning(where, Code.OVERRIDE_WEAKENS, said, f"`{probe}` {why}")


def _names_of(overrides: Written[OverridesFile]) -> Written[OverridesFile]:
    """What the overrides name and nothing else, so that names have the same bits with and without.

    Scopes that are taken away still have bits while the shipped operations ask for them.
    """
    entries = overrides.entries
    kept = {"overrides", "permissions", "interface_only", "scopes"}
    update = {
        name: each.get_default()
        for name, each in OverridesFile.model_fields.items()
        if name not in kept
    }
    update["scopes"] = ListChange(add=entries.scopes.add)
    return Written(entries.model_copy(update=update), overrides.source)


def _alone(service: ServiceDocument) -> DecisionTable:
    """The operations of one service, with nobody to call them."""
    return compiled(PolicyDocument(version="", services=(service,), policies=()))


def _why_weaker(was: Outcome, now: Outcome, table: DecisionTable) -> str | None:
    """What is allowed now and was not before; the permissions of both have the same bits."""
    if now.demand is None:
        return None
    if now.for_strangers:
        return None if was.for_strangers else "is now open to everybody, known or not"
    if was.demand is None:
        if was.barred is Reason.NO_ROUTE:
            return None
        return f"was refused to everybody: {' and '.join(was.because)}"
    if was.for_strangers or now.demand.implies(was.demand):
        return None
    names = table.names_of(was.demand.bits & ~now.demand.all_of)
    return f"no longer needs {', '.join(f'`{name}`' for name in names)}"


class _Places:
    """Which lines of the overrides have a say in an operation."""

    def __init__(self, service: ServiceDocument, overrides: Written[OverridesFile]) -> None:
        self._overrides = overrides
        self._operations = {each.id: each for each in assemble(service)[0].operations}

    def of(self, route: Route) -> Location:
        entries, place = self._overrides.entries, self._overrides.place
        for section in ("operations", "extra_operations"):
            if route.id in getattr(entries, section):
                return place.where(section, route.id, key=True)
        operation = self._operations[route.id]
        rules: list[WhenEntry | GuardEntry] = [each.when for each in operation.also if each.when]
        rules += operation.guards
        lists = [name for rule in rules for _, name in lists_of(rule)]
        for name in lists:
            if name in entries.lists:
                return place.where("lists", name, key=True)
        for _, name in operation.template.parameters:
            if name in entries.parameters:
                return place.where("parameters", name, key=True)
        return place.where("overrides")
