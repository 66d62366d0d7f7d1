"""Scopes and divisions in an explanation: the gates beside a caller's permissions."""

from collections.abc import Iterator

from policy.decision import Decision, NeedsBody, Reason
from policy.explanation import Need, Stage, Step
from policy.ground import Ground
from policy.inquiry import Inquiry, Means
from policy.origins import in_words
from policy.permissions import Demand
from policy.route import Route
from policy.table import DecisionTable

__all__ = ["division_step", "elsewhere_remedy", "scope_remedy", "scope_step"]


def scope_step(table: DecisionTable, inquiry: Inquiry, demand: Demand) -> Step | None:
    """Which of the scopes that the operation names the caller has; None if it names none."""
    permissions = table.permissions
    wanted = next((group for group in demand.any_of if group & permissions.every_scope), 0)
    if not wanted:
        return None
    said = " or ".join(f"`{name}`" for name in permissions.scopes_of(wanted))
    held = permissions.scopes_of(wanted & inquiry.held.anywhere)
    answer = "held" if held else "missing"
    return Step(Stage.SCOPE, f"{said}: {answer}", None, tuple(_scopes_of(table, inquiry)))


def _scopes_of(table: DecisionTable, inquiry: Inquiry) -> Iterator[str]:
    caller = inquiry.caller
    client = table.clients.get(caller.subject)
    if caller.means is not Means.CLIENT_CREDENTIALS or client is None:
        if caller.scopes is None:
            yield "the token names no scopes"
        else:
            yield f"the token names {_listed(tuple(sorted(caller.scopes)))}"
    elif not client.use_scopes:
        yield f"the client does not use scopes ({client.where})"
    else:
        yield f"the client is authorized for {_listed(client.scopes)} ({client.where})"
        if caller.scopes is not None:
            yield f"its token names {_listed(tuple(sorted(caller.scopes)))} of them"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def division_step(route: Route, ground: Ground | None) -> Step | None:
    """Which division the request is about; None if that plays no part."""
    if ground is None:
        return None
    if route.pin_header is not None:
        if ground.divisions:
            said = f"`{route.service}` is pinned to {in_words(ground.divisions)}"
        else:
            said = f"`{route.service}` is pinned by `{route.pin_header}`, which is left out"
        return Step(Stage.DIVISION, said)
    source = route.requirement.source
    if not ground.is_certain:
        return Step(Stage.DIVISION, f"{source} says the division, and was not given")
    if source is None:
        said = "the operation does not say its division"
    else:
        said = f"the division is said by {source}"
    if ground.divisions == route.home:
        what = f"the home division {in_words(route.home)}" if route.home else "all divisions"
        return Step(Stage.DIVISION, f"{said}: {what} is meant" if route.home else said, None, (
            () if route.home else ("only grants in all divisions count",)
        ))  # fmt: skip
    return Step(Stage.DIVISION, f"{said}: {in_words(ground.divisions)}")


def scope_remedy(
    table: DecisionTable, inquiry: Inquiry, answer: Decision | NeedsBody
) -> Step | None:
    """What would open the gate of scopes."""
    if not isinstance(answer, Decision) or not answer.missing.scopes:
        return None
    some = " or ".join(f"`{name}`" for name in answer.missing.scopes)
    caller = inquiry.caller
    if caller.means is Means.CLIENT_CREDENTIALS and caller.subject in table.clients:
        where = table.clients[caller.subject].where
        return Step(Stage.REMEDY, f"authorize the client for {some}", where)
    return Step(Stage.REMEDY, f"a token that names {some}")


def elsewhere_remedy(needs: list[Need], answer: Decision) -> Step:
    """Where a grant would do that the caller has elsewhere."""
    assert answer.reason is Reason.DIVISION_MISSING  # noqa: S101 - the caller's promise
    lacking = [need for need in needs if not need.met]
    ways = tuple(
        f"{origin.permission}: {origin}"
        for need in lacking
        for origin in need.origins
        if origin.permission in need.elsewhere
    )
    if not answer.divisions:
        return Step(
            Stage.REMEDY, "name a division in which it is granted, or grant it in all", None, ways
        )
    return Step(Stage.REMEDY, f"a grant in {in_words(answer.divisions)} as well", None, ways)
