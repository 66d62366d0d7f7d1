"""Which requests an assertion means by what it says of them.

What means no request is a finding: an assertion about nothing would hold for ever and say nothing.
"""

from collections.abc import Callable

from policy.analysis.lookup import Lookup
from policy.analysis.probes import OWN_NAME, Probe
from policy.analysis.questions import Question
from policy.analysis.selections import Asked, Requests, Selection, fits
from policy.assertions import What, WhatEntry, listed
from policy.catalogue import METHODS
from policy.conditions import lists_of
from policy.diagnostics import Code
from policy.holding import NOTHING_HELD
from policy.inquiry import Caller, Kind, Means, folded
from policy.route import Route
from policy.source import Place
from policy.suggest import Suggestions
from policy.table import DecisionTable

__all__ = ["Meant", "Reader"]

Reader = Callable[[str, str], tuple[tuple[str, ...], tuple[tuple[str, str], ...]]]
"""Reads a method and a target as the gateway would: the path's segments and the query's pairs.
Raises ValueError, with a reason, where it would be refused."""

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_METHODS = {"writes": _WRITES, "reads": frozenset(METHODS) - _WRITES}


class Meant:
    """The requests of one table, by what is written of them."""

    def __init__(self, table: DecisionTable, read: Reader, lookup: Lookup) -> None:
        self._table = table
        self._read = read
        self._lookup = lookup
        self._requests = Requests(table)

    def asked(self, written: What, place: Place) -> tuple[Asked, ...]:
        """The requests that are meant; none only where there is a finding."""
        if not isinstance(written, WhatEntry):
            return self._selected(WhatEntry(operations=listed(written)), place, place)
        if written.request is not None:
            return self._one_request(written.request, written, place)
        return self._selected(written, place, place.below("operations"))

    def _selected(self, written: WhatEntry, place: Place, operations: Place) -> tuple[Asked, ...]:
        before = len(self._lookup.findings)
        selection = self._selection(written, place, operations)
        if len(self._lookup.findings) > before:
            return ()
        asked = self._requests.of(selection)
        advice = "leave some of it out"
        if not asked:
            said = "no request is meant: nothing is all of this at once"
            self._lookup.find(place.where(), Code.NOTHING_MEANT, said, advice)
            return ()
        meant = {each.route.id for each in asked}
        for number, name in enumerate(listed(written.operations or ())):
            if name not in meant:
                said = f"no request of `{name}` is all of this at once"
                self._lookup.find(operations.where(number), Code.NOTHING_MEANT, said, advice)
        return asked

    def _selection(self, written: WhatEntry, place: Place, operations: Place) -> Selection:
        known = self._lookup.known
        needs = known(Code.UNKNOWN_PERMISSION, written.needs, place.below("needs"))
        methods = None
        if written.methods is not None:
            methods = frozenset[str]().union(
                *(_METHODS.get(word, frozenset({word})) for word in listed(written.methods))
            )
        paths = None if written.paths is None else listed(written.paths)
        self._check_paths(paths or (), place.below("paths"))
        if written.when is not None:
            for path, name in lists_of(written.when):
                self._lookup.check(Code.UNKNOWN_LIST, name, place.where("when", *path))
        return Selection(
            operations=known(Code.UNKNOWN_OPERATION, written.operations, operations),
            methods=methods,
            services=known(Code.UNKNOWN_SERVICE, written.services, place.below("services")),
            paths=paths,
            needs=None if needs is None else self._table.permissions.mask_of(needs),
            when=written.when,
        )

    def _check_paths(self, paths: tuple[str, ...], place: Place) -> None:
        templates = dict.fromkeys(route.template for route in self._table.operations)
        for number, path in enumerate(paths):
            if not any(fits(path, template) for template in templates):
                advice = Suggestions(templates).help_for(path)
                said = f"no operation has the path `{path}`"
                self._lookup.find(place.where(number), Code.NOTHING_MEANT, said, advice)

    # --- one request ----------------------------------------------------------------------------

    def _one_request(self, text: str, written: WhatEntry, place: Place) -> tuple[Asked, ...]:
        where, find = place.where("request"), self._lookup.find
        method, _, target = text.partition(" ")
        if method not in METHODS or not target:
            advice = f"write a method ({', '.join(METHODS)}) and a target: `GET /profiles/1`"
            find(where, Code.MALFORMED_REQUEST, f"`{text}` is not a request", advice)
            return ()
        try:
            segments, query = self._read(method, target)
        except ValueError as refused:
            said = f"the gateway refuses such a request: {refused}"
            find(where, Code.MALFORMED_REQUEST, said)
            return ()
        route = self._table.routes.find(method, segments)
        if route is None:
            said = f"no operation answers `{text}`, so it is denied to everybody"
            advice = f"`ucs-gateway explain {text}` tells what comes near"
            find(where, Code.NOTHING_MEANT, said, advice)
            return ()
        body, reads_body = written.body, route.requirement.reads_body
        if body is None and reads_body and not route.body_optional:
            said = f"what becomes of it depends on the body, which `{route.id}` reads"
            find(where, Code.MISSING_KEY, said, "give `body`; `body: {}` is one without keys")
            return ()
        question = Question(method, segments, (route,))
        probe = Probe(question, query, (body or {}) if reads_body else None)
        if not self._is_clear(route, probe, place.below("body")):
            return ()
        return self._requests.of(Selection(request=probe))

    def _is_clear(self, route: Route, probe: Probe, place: Place) -> bool:
        """Whether the body says the same to every reader, whoever sends it."""
        seen: dict[str, str] = {}
        for key, value in (probe.body or {}).items():
            if (first := seen.setdefault(folded(key), key)) != key:
                said = f"`{key}` and `{first}` are the same key"
                self._lookup.find(place.where(key, key=True), Code.DUPLICATE_KEY, said)
                return False
            if isinstance(value, str) and value != OWN_NAME and _matters(route, probe, value):
                said = f"what becomes of it depends on whether the caller is called `{value}`"
                advice = f"write `{OWN_NAME}` for the name of whoever sends it"
                self._lookup.find(place.where(key), Code.BAD_VALUE, said, advice)
                return False
        return True


def _matters(route: Route, probe: Probe, name: str) -> bool:
    """Whether a guard answers a caller of this name otherwise than others."""
    said = set()
    for subject in (name, OWN_NAME):
        inquiry = probe.inquiry(
            Caller(subject=subject, kind=Kind.USER, means=Means.NONE), NOTHING_HELD
        )
        if inquiry.body is not None:
            guards = route.requirement.guards
            said.add(tuple(guard.test(inquiry.body, inquiry) for guard in guards))
    return len(said) > 1
