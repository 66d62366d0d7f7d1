"""The reference's view of who holds what, and where it counts: grants, divisions and scopes.

As naive as `tests.support.reference`, of which it is a part: sets of names, made afresh each time.
"""

import string
from typing import Any

from policy import Inquiry, Means, PolicyDocument
from tests.support.reference_names import stands_for, titles_of

__all__ = ["Grants", "missing_scopes", "plain", "sections_of"]


def plain(name: str) -> str:
    """A name of the query as names are compared."""
    return name.strip().lower()


class Grants:
    """Every permission of the caller with a division or None for all, and which of them count."""

    def __init__(self, document: PolicyDocument, operation: Any, inquiry: Inquiry) -> None:
        service = operation.service
        catalogue, changes = service.catalogue.entries, service.overrides
        listed = set(catalogue.permissions) | set(catalogue.interface_only)
        aware = set(catalogue.division_aware)
        if changes is not None:
            listed |= set(changes.entries.permissions) | set(changes.entries.interface_only)
            aware -= set(changes.entries.division_aware.remove)
            aware |= set(changes.entries.division_aware.add)
        pin = service.spec.pin_header
        self.pinned = pin is not None
        self._all = _granted(document, inquiry)
        self._aware = listed if pin is not None else aware
        self.divisions: Any = (
            _division_asked(operation, inquiry) if pin is None else self._pin(pin, inquiry)
        )
        self.anywhere = {name for name, _ in self._all}
        self.everywhere = {name for name in self.anywhere if self._counts(name, None)}
        there = self.divisions if isinstance(self.divisions, list) else []
        # What counts in each of the divisions: in every one of them enough has to.
        self.there = [
            {name for name in self.anywhere if self._counts(name, division)}
            for division in there or [None]
        ]
        self.has_any = not self.pinned or all(some & listed for some in self.there)

    def _counts(self, name: str, division: str | None) -> bool:
        return name not in self._aware or not {(name, None), (name, division)}.isdisjoint(self._all)

    def _pin(self, header: str, inquiry: Inquiry) -> Any:
        value = inquiry.headers.get(header.lower().encode())
        if value is not None:
            return [value.decode()] if _is_pin(value.decode()) else "odd"
        there = {division for name, division in self._all if name in self._aware}
        if None in there or len(there) != 1:
            return []
        (only,) = there
        return [only] if _is_pin(str(only)) else "odd"


def _is_pin(text: str) -> bool:
    letters = string.ascii_letters + string.digits
    if not 1 <= len(text) <= 64 or text[0] not in letters or text[-1] not in letters:
        return False
    return all(char in letters + "._:@-" for char in text)


def _division_asked(operation: Any, inquiry: Inquiry) -> list[str] | None:
    """The divisions that the request names, or the home; None if the body says, and is not there."""
    source = operation.division
    found: list[str] = []
    if source is not None and source.path is not None:
        found = [
            segment
            for segment, want in zip(inquiry.segments, operation.segments, strict=True)
            if not isinstance(want, str) and want[0] == source.path
        ]
    elif source is not None and source.query is not None:
        for name, value in inquiry.query:
            if name == source.query:
                found += [piece.strip(" \t") for piece in value.split(",")]
            elif plain(name) == plain(source.query):
                found.append("")
    elif source is not None and source.header is not None:
        value = inquiry.headers.get(source.header.lower().encode())
        if value is not None:
            found = [piece.strip(" \t") for piece in value.decode().split(",")]
    elif source is not None:
        if inquiry.body is None:
            return None
        found = _divisions_in(inquiry.body, source.body)
    home = operation.service.spec.home_division
    if not found and home is not None:
        return [home]
    return found if len(set(found)) <= 50 else [""]


def _divisions_in(body: Any, key: str) -> list[str]:
    if key.lower() not in body.values:
        return []
    if body.spelt is not None and key not in body.spelt:
        return [""]
    value = body.values[key.lower()]
    found = []
    for item in value if isinstance(value, list) and value else [value]:
        name = item.get("id") if isinstance(item, dict) else item
        found.append(name if isinstance(name, str) else "")
    return found


def sections_of(document: PolicyDocument) -> dict[str, dict[str, Any]]:
    return {
        section: {
            name: entry
            for policy in document.policies
            for name, entry in getattr(policy.entries, section).items()
        }
        for section in ("roles", "users", "groups", "clients", "claims")
    }


def _granted(document: PolicyDocument, inquiry: Inquiry) -> set[tuple[str, str | None]]:
    sections = sections_of(document)
    caller = inquiry.caller
    given: list[tuple[str, str | None]] = [
        (name, division)
        for name in caller.roles
        if name in sections["roles"]
        for division in (caller.divisions if caller.divisions is not None else [None])
    ]
    items: list[Any] = []
    if caller.means is Means.CLIENT_CREDENTIALS:
        if caller.subject in sections["clients"]:
            items += sections["clients"][caller.subject].roles
    elif caller.subject in sections["users"]:
        entry = sections["users"][caller.subject]
        items += entry.roles
        items += [item for group in entry.groups for item in sections["groups"][group].roles]
    items += [item for value in caller.claims for item in sections["claims"].get(value, ())]
    for item in items:
        if isinstance(item, str):
            given.append((item, None))
        else:
            given += [(item.role, None if name == "*" else name) for name in item.divisions]

    titles = titles_of(document)

    def permissions(name: str) -> set[str]:
        role = sections["roles"][name]
        if not role.enabled:
            return set()
        own = {each for line in role.permissions for each in stands_for(line, titles)}
        return own.union(*(permissions(included) for included in role.includes))

    return {(name, division) for role, division in given for name in permissions(role)}


def missing_scopes(document: PolicyDocument, operation: Any, inquiry: Inquiry) -> frozenset[str]:
    """Those of which the caller needs one, and has none."""
    wanted = frozenset(operation.scopes)
    if not wanted or not operation.service.spec.use_scopes:
        return frozenset()
    caller = inquiry.caller
    has = caller.scopes
    if caller.means is Means.CLIENT_CREDENTIALS:
        client = sections_of(document)["clients"].get(caller.subject)
        if client is None:
            return wanted
        if not client.use_scopes:
            return frozenset()
        has = frozenset(client.scopes) & (has if has is not None else frozenset(client.scopes))
    return frozenset() if wanted & (has or frozenset()) else wanted
