"""What is hardly meant about the gateway's own clients: warnings that span several files.

The clients file says who may log in, the policy what that opens. A name that stands in one of them
only is most often misspelt.
"""

from collections.abc import Iterator

from gateway.issuer import TOKEN_INFO_PATH, Clients
from gateway.settings import Settings
from policy import Code, DecisionTable, Diagnostic, Location, Severity
from policy.editing import suggestion

__all__ = ["own_findings"]


def own_findings(
    settings: Settings, table: DecisionTable, clients: Clients | None
) -> Iterator[Diagnostic]:
    """All of them; without a clients file, nothing is said of the policy's clients."""
    if clients is not None:
        yield from _unmatched(table, clients)
    yield from _without_operation(settings, table)


def _unmatched(table: DecisionTable, clients: Clients) -> Iterator[Diagnostic]:
    by_name = {client.name: client for client in clients.values()}
    for name, given in table.clients.items():
        if name not in by_name:
            said = f"the clients file has no client `{name}`, so nobody can be it"
            advice = suggestion(name, by_name) or "`client create` makes one"
            yield _warning(given.where, Code.CLIENT_UNMATCHED, said, advice)
    for name, client in by_name.items():
        if name not in table.clients:
            said = f"no policy file gives the client `{name}` anything"
            advice = suggestion(name, table.clients) or "`client grant` gives it a role"
            yield _warning(client.where, Code.CLIENT_UNMATCHED, said, advice)


def _without_operation(settings: Settings, table: DecisionTable) -> Iterator[Diagnostic]:
    """`token_info` answers what the policy has allowed, and nothing that no catalogue knows."""
    for service in settings.services:
        path = service.prefix.removesuffix("/") + TOKEN_INFO_PATH
        known = {
            route.method
            for route in table.operations
            if route.service == service.name and route.template == path
        }
        if service.token_info and not {"GET", "DELETE"} <= known:
            lacks = " and ".join(f"`{each}`" for each in ("GET", "DELETE") if each not in known)
            said = (
                f"`token_info` of the service `{service.name}` can answer nothing to {lacks}:"
                f" its catalogue has no such operation at {TOKEN_INFO_PATH}"
            )
            advice = "add it to the catalogue or to its overrides, as `requires: authenticated`"
            where = Location(str(service.catalogue))
            yield _warning(where, Code.UNKNOWN_OPERATION, said, advice)


def _warning(where: Location, code: Code, said: str, advice: str) -> Diagnostic:
    return Diagnostic(where, code, said, advice, Severity.WARNING)
