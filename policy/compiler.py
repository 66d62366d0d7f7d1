"""A policy document to a decision table, or every diagnostic.

Pure: the same document gives an equal table, and nothing is kept in between. All checking is done
before anything is built, so that building never has to ask whether a name leads somewhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter

from policy.catalogue import Catalogue
from policy.checks import Checked, check
from policy.diagnostics import Code, Diagnostic, Location, Severity
from policy.document import PolicyDocument
from policy.entries import GrantEntry, RoleEntry, divisions_of, role_of
from policy.errors import PolicyInvalid
from policy.few_words import in_few_words
from policy.permission_names import GrantedNames
from policy.permissions import Permissions
from policy.requirements import requirement_of
from policy.route import Access, Route
from policy.routes import Routes
from policy.services import UseRole
from policy.source import Place
from policy.table import Assignment, Client, DecisionTable, Role, Service
from policy.template import Template
from policy.uncollected import uncollected

__all__ = ["compile"]


@uncollected()
def compile(document: PolicyDocument) -> DecisionTable:  # noqa: A001 - the field's verb
    """The table of `document`; warnings lie in its `findings`, errors are `PolicyInvalid`."""
    checked = check(document)
    if any(found.severity is Severity.ERROR for found in checked.findings):
        raise PolicyInvalid(checked.findings)
    scopes = (scope for catalogue in checked.catalogues for scope in catalogue.scopes)
    permissions = Permissions(checked.permissions, scopes)
    roles = _roles(checked, permissions)
    entries = list(_entries(checked, permissions, document.version, _divisions(checked)))
    operations = tuple(route for _, route in entries)
    return DecisionTable(
        version=document.version,
        services={catalogue.spec.name: _service(catalogue) for catalogue in checked.catalogues},
        permissions=permissions,
        roles=roles,
        users={
            name: Assignment(
                user.place.where(key=True),
                _roles_in(user.entry.roles),
                user.entry.groups,
                _within(user.entry.roles),
            )
            for name, user in checked.roster.users.items()
        },
        groups={
            name: Assignment(
                group.place.where(key=True),
                _roles_in(group.entry.roles),
                within=_within(group.entry.roles),
            )
            for name, group in checked.roster.groups.items()
        },
        clients={
            name: Client(
                client.place.where(key=True),
                _roles_in(client.entry.roles),
                within=_within(client.entry.roles),
                scopes=client.entry.scopes,
                use_scopes=client.entry.use_scopes,
            )
            for name, client in checked.roster.clients.items()
        },
        claims={
            value: Assignment(
                claim.place.where(key=True), _roles_in(claim.entry), within=_within(claim.entry)
            )
            for value, claim in checked.roster.claims.items()
        },
        operations=operations,
        routes=Routes((route.method, template, route) for template, route in entries),
        findings=in_few_words([*checked.findings, *_lints(roles, operations, permissions)]),
    )


def _service(catalogue: Catalogue) -> Service:
    spec = catalogue.spec
    return Service(
        name=spec.name,
        prefix=spec.prefix,
        catalogue=catalogue.name,
        use_role=spec.use_role,
        switches=spec.switches,
        use_scopes=spec.use_scopes,
        home_division=spec.home_division,
        pin_header=spec.pin_header,
        lists=catalogue.lists,
    )


def _divisions(checked: Checked) -> tuple[str, ...]:
    """Every division that is named, as a service's home or for a grant."""
    roster = checked.roster
    homes = (catalogue.spec.home_division for catalogue in checked.catalogues)
    given = (
        *(user.entry.roles for user in roster.users.values()),
        *(group.entry.roles for group in roster.groups.values()),
        *(client.entry.roles for client in roster.clients.values()),
        *(claim.entry for claim in roster.claims.values()),
    )
    granted = (
        name
        for items in given
        for item in items
        if not isinstance(item, str)
        for name in divisions_of(item) or ()
    )
    return tuple(dict.fromkeys((*filter(None, homes), *granted)))


def _roles_in(items: Iterable[str | GrantEntry]) -> tuple[str, ...]:
    """Every role that is given, each once."""
    return tuple(dict.fromkeys(map(role_of, items)))


def _within(items: Iterable[str | GrantEntry]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The roles that are given in some divisions only: all divisions wins."""
    found: dict[str, dict[str, None] | None] = {}
    for item in items:
        role, divisions = role_of(item), divisions_of(item)
        known = found.get(role, {})
        if known is None or divisions is None:
            found[role] = None
        else:
            found[role] = known | dict.fromkeys(divisions)
    return tuple((role, tuple(some)) for role, some in found.items() if some is not None)


def _roles(checked: Checked, permissions: Permissions) -> dict[str, Role]:
    """Every role with its closure; included roles are compiled before those that include them."""
    roster = checked.roster
    graph = {name: role.entry.includes for name, role in roster.roles.items()}
    roles: dict[str, Role] = {}
    for name in TopologicalSorter(graph).static_order():
        entry, place = roster.roles[name].entry, roster.roles[name].place
        places = _granted(entry, place, checked.granted)
        own = permissions.mask_of(places)
        mask = own
        for included in entry.includes:
            mask |= roles[included].mask
        roles[name] = Role(
            name=name,
            title=entry.title,
            enabled=entry.enabled,
            own=own,
            # A role that is off grants nothing, and passes nothing on.
            mask=mask if entry.enabled else 0,
            includes=tuple(dict.fromkeys(entry.includes)),
            where=place.where(key=True),
            permission_places=places,
        )
    return {name: roles[name] for name in roster.roles}


def _granted(entry: RoleEntry, place: Place, known: GrantedNames) -> Mapping[str, Location]:
    """Every permission that a role names, and the line that does: the first of several."""
    written = place.below("permissions").of_names(entry.permissions)
    if known.holds(entry.permissions):
        return written
    lines = ((line, written[line]) for line in entry.permissions)
    places: dict[str, Location] = {}
    for line, where in lines:
        for name in known.names_of(line):
            places.setdefault(name, where)
    return places


def _entries(
    checked: Checked, permissions: Permissions, version: str, divisions: tuple[str, ...]
) -> Iterator[tuple[Template, Route]]:
    index = 0
    for catalogue in checked.catalogues:
        spec, prefix = catalogue.spec, catalogue.spec.prefix_segments
        home = () if spec.home_division is None else (spec.home_division,)
        pinned = spec.pin_header is not None
        realm = permissions.mask_of(catalogue.permissions) if pinned else 0
        aware = realm if pinned else permissions.mask_of(catalogue.division_aware)
        for operation in catalogue.operations:
            template = operation.template.below(prefix)
            requirement = requirement_of(operation, catalogue, permissions, aware)
            yield (
                template,
                Route(
                    id=operation.id,
                    title=operation.title,
                    service=spec.name,
                    use_role=spec.use_role,
                    method=operation.method,
                    template=str(template),
                    index=index,
                    prefix_length=len(prefix),
                    parameters=template.parameters,
                    body_optional=operation.body_optional,
                    requirement=requirement,
                    home=home,
                    pin_header=spec.pin_header,
                    realm=realm,
                    divisions=divisions if requirement.aware or pinned else (),
                    where=operation.place.where(key=True),
                    policy=version,
                    missing=permissions.missing_of(requirement.demand.unmet_by(0)),
                    choices=permissions.names_of(requirement.demand.alone),
                ),
            )
            index += 1


def _lints(
    roles: Mapping[str, Role], operations: Iterable[Route], permissions: Permissions
) -> Iterator[Diagnostic]:
    """What is allowed to be, and hardly meant. Scopes are no role's business."""

    def warning(where: Location, code: Code, said: str) -> Diagnostic:
        return Diagnostic(where, code, said, severity=Severity.WARNING)

    granted = permissions.every_scope
    for role in roles.values():
        granted |= role.mask
        if role.enabled and not role.mask:
            said = f"the role `{role.name}` grants nothing"
            yield warning(role.where, Code.ROLE_GRANTS_NOTHING, said)
    for route in operations:
        demand = route.requirement.demand
        enforced = route.use_role is not UseRole.OFF
        if enforced and route.requirement.access is Access.PERMITTED and not demand.met_by(granted):
            said = f"no role has what `{route.id}` of `{route.service}` needs"
            yield warning(route.where, Code.OPERATION_UNREACHABLE, said)
