"""Names of a table that other files refer to: found, or a finding with the nearest right one."""

from collections.abc import Iterable

from policy.assertions import listed
from policy.diagnostics import Code, Diagnostic, Location
from policy.source import Place
from policy.suggest import Suggestions
from policy.table import DecisionTable

__all__ = ["Lookup"]


class Lookup:
    """The names of one table; what is looked for in vain is kept in `findings`."""

    def __init__(self, table: DecisionTable) -> None:
        self.findings: list[Diagnostic] = []
        right: dict[Code, tuple[str, Iterable[str]]] = {
            Code.UNKNOWN_ROLE: ("no policy file defines the role", table.roles),
            Code.UNKNOWN_GROUP: ("no policy file defines the group", table.groups),
            Code.UNKNOWN_USER: ("no policy file defines the user", table.users),
            Code.UNKNOWN_CLIENT: ("no policy file defines the client", table.clients),
            Code.UNKNOWN_CLAIM: ("no policy file maps the claim", table.claims),
            Code.UNKNOWN_SERVICE: ("the settings have no service", table.services),
            Code.UNKNOWN_OPERATION: (
                "no catalogue has the operation",
                (route.id for route in table.operations),
            ),
            Code.UNKNOWN_PERMISSION: ("no catalogue knows the permission", table.permissions),
            Code.UNKNOWN_LIST: (
                "no catalogue has the list",
                (name for service in table.services.values() for name in service.lists),
            ),
        }
        self._said = {code: said for code, (said, _) in right.items()}
        self._names = {code: dict.fromkeys(names) for code, (_, names) in right.items()}
        self._suggestions = {code: Suggestions(names) for code, names in self._names.items()}

    def known(
        self, code: Code, names: str | tuple[str, ...] | None, place: Place
    ) -> frozenset[str] | None:
        """Those of `names`, which stand at `place`, that the table has; a finding for each other."""
        if names is None:
            return None
        for number, name in enumerate(listed(names)):
            self.check(code, name, place.where(number))
        return frozenset(name for name in listed(names) if name in self._names[code])

    def check(self, code: Code, name: str, where: Location) -> None:
        """A finding unless the table has the name."""
        if name not in self._names[code]:
            advice = self._suggestions[code].help_for(name)
            self.find(where, code, f"{self._said[code]} `{name}`", advice)

    def find(self, where: Location, code: Code, message: str, advice: str | None = None) -> None:
        self.findings.append(Diagnostic(where, code, message, advice))
