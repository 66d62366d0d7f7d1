"""What another catalogue means for the roles of a gateway that uses it."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

import policy
from gateway.settings import load_settings, specs
from policy import Access, DecisionTable, Diagnostic, PolicyInvalid, Route, Severity, Sources, Text
from policy.importing import shape_of

__all__ = ["Affected", "RoleChange", "affected_by"]


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A role that opens other operations than before."""

    role: str
    opens: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Affected:
    """Roles in the order of the policy, and what would be wrong with the policy that is not now."""

    roles: tuple[RoleChange, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    services: tuple[str, ...] = ()


def affected_by(config: Path, file: Path, text: str) -> Affected:
    """What the gateway of `config` would make of `text` in place of its catalogue `file`."""
    settings = load_settings(config, os.environ)
    sources = policy.read(specs(settings), settings.policy)
    using = [each for each in sources.services if _is_same(each.spec.catalogue, file)]
    if not using:
        raise click.ClickException(f"no service of {config} uses the catalogue {file}")
    services = tuple(
        replace(each, catalogue=Text(each.catalogue.file, text)) if each in using else each
        for each in sources.services
    )
    names = tuple(each.spec.name for each in using)
    old, _ = _compiled(sources)
    new, findings = _compiled(Sources(services, sources.policies))
    if new is None:
        return Affected(findings=findings, services=names)
    return Affected(tuple(_changes(old, new, names)), (), names)


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _compiled(sources: Sources) -> tuple[DecisionTable | None, tuple[Diagnostic, ...]]:
    try:
        return policy.compile(policy.load(sources)), ()
    except PolicyInvalid as invalid:
        errors = (each for each in invalid.diagnostics if each.severity is Severity.ERROR)
        return None, tuple(errors)


def _changes(
    old: DecisionTable | None, new: DecisionTable, services: Iterable[str]
) -> Iterator[RoleChange]:
    if old is None:
        return
    was, now = _by_shape(old, services), _by_shape(new, services)
    names = {shape: route.id for shape, route in (was | now).items()}
    before, after = _asked(old, was), _asked(new, now)
    # Scopes are no role's business.
    all_scopes_before, all_scopes_now = old.permissions.every_scope, new.permissions.every_scope
    moved = [shape for shape in names if before.get(shape) != after.get(shape)]
    for name, role in new.roles.items():
        held = old.roles[name].mask if name in old.roles else 0
        opened, closed = [], []
        for shape in moved:
            could = shape in was and _opens(was[shape], held | all_scopes_before)
            can = shape in now and _opens(now[shape], role.mask | all_scopes_now)
            if can and not could:
                opened.append(names[shape])
            elif could and not can:
                closed.append(names[shape])
        if opened or closed:
            yield RoleChange(name, tuple(opened), tuple(closed))


def _by_shape(table: DecisionTable, services: Iterable[str]) -> dict[tuple[str, ...], Route]:
    wanted = set(services)
    return {
        (route.service, *shape_of(route.method, route.template)): route
        for route in table.operations
        if route.service in wanted
    }


def _asked(
    table: DecisionTable, routes: Mapping[tuple[str, ...], Route]
) -> dict[tuple[str, ...], object]:
    """What each operation asks, in names, because bits are another table's."""
    return {
        shape: (
            route.requirement.access,
            frozenset(
                frozenset(table.names_of(clause)) for clause in route.requirement.demand.clauses
            ),
        )
        for shape, route in routes.items()
    }


def _opens(route: Route, held: int) -> bool:
    needed = route.requirement
    return needed.access is Access.PERMITTED and needed.demand.met_by(held)
