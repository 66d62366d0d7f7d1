"""The rules that span entries: what each entry says by itself is right, do they fit together?

What passes here can be compiled without another question.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policy.catalogue import Catalogue, assemble
from policy.catalogue_checks import catalogue_findings, permission_keys
from policy.diagnostics import Code, Diagnostic
from policy.document import PolicyDocument
from policy.overlaps import overlaps
from policy.permission_names import GrantedNames
from policy.roster import Roster, gather
from policy.scope_names import scope_findings

__all__ = ["Checked", "check"]


@dataclass(frozen=True, slots=True)
class Checked:
    """The parts of a document, put together, and everything that is wrong with them.

    `permissions` are those of all catalogues with their display names, in catalogue order, and
    `granted` tells which of them a line of a role stands for.
    """

    catalogues: tuple[Catalogue, ...]
    roster: Roster
    permissions: Mapping[str, str]
    granted: GrantedNames
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
        findings += catalogue_findings(service, catalogue)
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
    others = [name for service in document.services for name in permission_keys(service)]
    granted = GrantedNames(permissions, others)
    if document.has_all_catalogues:
        findings += _in_roles(roster, granted)
        scopes = dict.fromkeys(name for each in catalogues for name in each.scopes)
        findings += scope_findings(roster, scopes)
    return Checked(tuple(catalogues), roster, permissions, granted, tuple(findings))


def _in_roles(roster: Roster, known: GrantedNames) -> Iterator[Diagnostic]:
    """What is wrong with the permissions that roles name."""
    for role in roster.roles.values():
        if known.holds(role.entry.permissions):
            continue
        for number, name in enumerate(role.entry.permissions):
            if (found := known.complaint(name, role.place, "permissions", number)) is not None:
                yield found
