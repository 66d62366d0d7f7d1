"""From an expectation table to single expectations: one caller, one request, one outcome.

Whatever is named must be there. An expectation of a caller, role, permission, operation or
condition that does not exist would hold, or fail, whatever the policy says; so it is a finding of
its own, with the nearest name that does exist.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property

from msgspec import structs

from policy import decoding
from policy.analysis.expected import Allowed, AnsweredBy, Denied, Expectation, Expected
from policy.decision import Effect, Reason
from policy.diagnostics import Code, Diagnostic, Location, in_order
from policy.document import Written
from policy.evaluator import given_twice, not_one_division
from policy.expectations import (
    CallerEntry,
    Denial,
    ExpectationEntry,
    ExpectationsFile,
    LackEntry,
)
from policy.inquiry import ANONYMOUS, Caller, Kind, Means
from policy.loader import Text
from policy.permission_names import PermissionNames
from policy.permissions import NO_DEMAND
from policy.requirements import demand_of, named_in
from policy.source import Place, scan
from policy.suggest import Suggestions
from policy.table import DecisionTable

__all__ = ["UNNAMED", "expectations_of"]

UNNAMED = "(unnamed)"
"""The name of a caller that an expectation describes without one."""

_STRANGERS = "anonymous"
_REASONS = tuple(reason.value for reason in Reason if reason.effect is Effect.DENY)
# Reasons whose `because` says something of the request; that of a missing permission says what is
# missing in other words.
_TELLING = frozenset({Reason.GUARD_FAILED.value, Reason.UNDECIDABLE.value})


def expectations_of(
    table: DecisionTable, texts: Iterable[Text], refusals: Collection[str] = ()
) -> tuple[tuple[Expectation, ...], tuple[Diagnostic, ...]]:
    """Every expectation of the files `texts` in order, and everything that is wrong with them.

    `refusals` are the codes with which requests are refused before policy is asked. Where there
    is any finding, the expectations are not to be relied on.
    """
    known = _Known(table, refusals)
    found: list[Expectation] = []
    findings: list[Diagnostic] = []
    for text in texts:
        source, complaints = scan(text.content, text.file)
        findings += complaints
        if source is None:
            continue
        reading = decoding.read(ExpectationsFile, source)
        findings += reading.findings
        if reading.model is None:
            continue
        file = _File(Written(reading.model, source), known)
        found += file.expectations()
        if not (complaints or reading.findings):  # or what was left out may have named them
            file.check_use()
        findings += file.findings
    return tuple(found), in_order(findings)


class _Known:
    """The names of a policy, and what to say of others."""

    def __init__(self, table: DecisionTable, refusals: Collection[str]) -> None:
        self.table = table
        permissions = {name: table.permissions.title_of(name) for name in table.permissions}
        self.permissions = PermissionNames(permissions)
        self.reasons = frozenset({*_REASONS, *refusals})
        self.operations = frozenset(route.id for route in table.operations)
        self.conditions = frozenset(_texts_of(table))
        self._suggestions: dict[str, Suggestions] = {}

    def reason_advice(self, word: str) -> str | None:
        return self.advice("reason", self.reasons, word)

    def advice(self, kind: str, names: Iterable[str], name: str) -> str | None:
        if kind not in self._suggestions:
            self._suggestions[kind] = Suggestions(sorted(names))
        return self._suggestions[kind].help_for(name)


def _texts_of(table: DecisionTable) -> Iterator[str]:
    """Everything that `because` may say."""
    for route in table.operations:
        needed = route.requirement
        yield from (extra.condition.text for extra in needed.extras)
        yield from (guard.text for guard in needed.guards)
        yield from map(given_twice, needed.watched)
        if route.pin_header is not None:
            yield not_one_division(route.pin_header)


class _File:
    """One file: its callers, its lines, and the findings on the way."""

    def __init__(self, written: Written[ExpectationsFile], known: _Known) -> None:
        self.findings: list[Diagnostic] = []
        self._written = written
        self._known = known
        self._used: set[str] = set()
        place = written.place.below("callers")
        self._callers = {
            name: self._caller(name, entry, place.below(name))
            for name, entry in written.entries.callers.items()
        }
        # Also those that were left out because something is wrong with them.
        self._described = set(written.keys("callers"))

    @cached_property
    def _suggestions(self) -> Suggestions:
        return Suggestions((*self._callers, *self._known.table.users, _STRANGERS))

    def expectations(self) -> list[Expectation]:
        place = self._written.place.below("expect")
        return [
            expectation
            for number, entry in enumerate(self._written.entries.expect)
            for expectation in self._of(entry, place.below(number))
        ]

    def check_use(self) -> None:
        """Find the callers that no line names."""
        for name in self._callers.keys() - self._used:
            said = f"no line expects anything of the caller `{name}`"
            where = self._written.place.where("callers", name, key=True)
            self._find(where, Code.CALLER_UNUSED, said, "name it in a line, or take it out")

    # --- callers ------------------------------------------------------------------------------

    def _caller(self, name: str, entry: CallerEntry, place: Place) -> Caller:
        table = self._known.table
        if name == _STRANGERS:
            said = f"`{name}` is whoever has no credentials"
            self._find(place.where(key=True), Code.RESERVED_NAME, said, "choose another name")
        elif name in table.users and entry.user != name:
            said = f"`{name}` is a user of the policy, and here somebody else"
            self._find(place.where(key=True), Code.DUPLICATE_NAME, said, "choose another name")
        if entry.user is not None:
            self._check("user", Code.UNKNOWN_USER, [entry.user], table.users, place, "user")
        if entry.client is not None:
            clients = table.clients
            self._check("client", Code.UNKNOWN_CLIENT, [entry.client], clients, place, "client")
        scopes = table.permissions.scopes
        self._check("scope", Code.UNKNOWN_SCOPE, entry.scopes or (), scopes, place, "scopes")
        self._check("role", Code.UNKNOWN_ROLE, entry.roles, table.roles, place, "roles")
        self._check("claim", Code.UNKNOWN_CLAIM, entry.claims, table.claims, place, "claims")
        named = None if entry.scopes is None else frozenset(entry.scopes)
        if entry.client is not None:
            means = Means.CLIENT_CREDENTIALS
            return Caller(subject=entry.client, kind=Kind.SERVICE, means=means, scopes=named)
        return Caller(
            subject=entry.user or entry.subject or UNNAMED,
            kind=Kind.USER,
            means=Means.NONE,
            roles=frozenset(entry.roles),
            divisions=None if entry.divisions is None else frozenset(entry.divisions),
            claims=frozenset(entry.claims),
            scopes=frozenset(scopes) if named is None else named,
        )

    def _check(
        self, kind: str, code: Code, names: Sequence[str], known: Collection[str],
        place: Place, key: str,
    ) -> None:  # fmt: skip
        for number, name in enumerate(names):
            if name not in known:
                below = (key,) if key in {"user", "client"} else (key, number)
                who = "catalogue" if key == "scopes" else "policy file"
                said = f"no {who} {_VERBS[kind]} the {kind} `{name}`"
                advice = self._known.advice(kind, known, name)
                self._find(place.where(*below), code, said, advice)

    def _named(self, name: str, where: Location) -> Caller | None:
        """Whom a line means by `name`; None if nobody, and then that is found."""
        self._used.add(name)
        if name in self._callers:
            return self._callers[name]
        if name == _STRANGERS:
            return ANONYMOUS
        if name in self._known.table.users:
            scopes = frozenset(self._known.table.permissions.scopes)
            return Caller(subject=name, kind=Kind.USER, means=Means.NONE, scopes=scopes)
        if name not in self._described:
            advice = self._suggestions.help_for(name)
            if advice is None and name in self._known.table.roles:
                advice = f"for the role, describe a caller: `{name}: {{roles: [{name}]}}`"
            said = f"nobody is called `{name}`, here or among the users of the policy"
            self._find(where, Code.UNKNOWN_CALLER, said, advice)
        return None

    # --- lines --------------------------------------------------------------------------------

    def _of(self, entry: ExpectationEntry, place: Place) -> Iterator[Expectation]:
        def expected(what: Expected, where: Location, who: str, caller: Caller) -> Expectation:
            return Expectation(
                where=where, name=entry.name, request=entry.request, body=entry.body,
                headers=entry.headers, who=who, caller=caller,
                scopes=self._scopes_of(caller), expected=what,
            )  # fmt: skip

        if entry.route is not None:
            self._check_route(entry.route, place)
            where = place.where("route")
            yield expected(AnsweredBy(entry.route), where, "", ANONYMOUS)
        self._check_because(entry, place)
        self._check_names(entry, place)
        for number, name in enumerate(entry.allow):
            where = place.where("allow", number)
            if (caller := self._named(name, where)) is not None:
                yield expected(Allowed(entry.because), where, name, caller)
        for name, denial in entry.deny.items():
            where = place.where("deny", name, key=True)
            denied = self._denied(denial, entry, place.below("deny", name))
            if (caller := self._named(name, where)) is not None and denied is not None:
                yield expected(denied, where, name, caller)

    def _scopes_of(self, caller: Caller) -> tuple[str, ...] | None:
        named, every = caller.scopes, self._known.table.permissions.scopes
        return None if named is None or named == frozenset(every) else tuple(sorted(named))

    def _check_route(self, route: str, place: Place) -> None:
        if route not in self._known.operations:
            said = f"no catalogue has an operation `{route}`"
            advice = self._known.advice("operation", self._known.operations, route)
            self._find(place.where("route"), Code.UNKNOWN_OPERATION, said, advice)

    def _check_because(self, entry: ExpectationEntry, place: Place) -> None:
        for number, text in enumerate(entry.because or ()):
            if text not in self._known.conditions:
                said = f"no operation has a condition or guard `{text}`"
                advice = self._known.advice("condition", self._known.conditions, text)
                where = place.where("because", number)
                self._find(where, Code.UNKNOWN_CONDITION, said, advice)
        telling = any(
            isinstance(denial, str) and denial in _TELLING for denial in entry.deny.values()
        )
        if entry.because is not None and not entry.allow and not telling:
            said = "`because` says nothing of a request that lacks a permission"
            advice = "name an allowed caller as well, or take `because` out"
            self._find(place.where("because", key=True), Code.POINTLESS_RULE, said, advice)

    def _check_names(self, entry: ExpectationEntry, place: Place) -> None:
        for number, name in enumerate(entry.allow):
            if name in entry.allow[:number]:
                said = f"`{name}` is allowed twice"
                self._find(place.where("allow", number), Code.DUPLICATE_NAME, said)
            if name in entry.deny:
                said = f"`{name}` is expected to be allowed and to be denied"
                advice = f"it is allowed at {place.where('allow', number)}"
                where = place.where("deny", name, key=True)
                self._find(where, Code.CONTRADICTION, said, advice)

    def _denied(self, denial: Denial, entry: ExpectationEntry, place: Place) -> Denied | None:
        known = self._known
        if isinstance(denial, str) and denial in known.reasons:
            return Denied(denial, None, entry.because if denial in _TELLING else None)
        if isinstance(denial, LackEntry):
            return self._lacking(denial, place)
        wrong = [
            complaint
            for path, name in named_in(denial)
            if (complaint := known.permissions.complaint(name, place, *path)) is not None
        ]
        if isinstance(denial, str):
            wrong = [self._neither(complaint, denial) for complaint in wrong]
        if wrong:
            self.findings += wrong
            return None
        permissions = known.table.permissions
        missing = permissions.missing_of(demand_of(denial, permissions))
        return Denied(Reason.PERMISSION_MISSING.value, missing)

    def _lacking(self, lack: LackEntry, place: Place) -> Denied | None:
        """What is missing besides permissions, or in some divisions only."""
        table, before = self._known.table, len(self.findings)
        permissions, scopes = lack.permissions or (), lack.scopes or ()
        for path, name in named_in(permissions):
            complain = self._known.permissions.complaint
            if (found := complain(name, place, "permissions", *path)) is not None:
                self.findings.append(found)
        known = table.permissions.scopes
        self._check("scope", Code.UNKNOWN_SCOPE, scopes, known, place, "scopes")
        if len(self.findings) > before:
            return None
        demand = demand_of(permissions, table.permissions) if permissions else NO_DEMAND
        missing = table.permissions.missing_of(demand)
        reason = Reason.PERMISSION_MISSING if missing else Reason.SCOPE_MISSING
        if lack.divisions is not None:
            reason = Reason.DIVISION_MISSING
        missing = structs.replace(missing, scopes=scopes, divisions=lack.divisions or ())
        return Denied(reason.value, missing)

    def _neither(self, complaint: Diagnostic, word: str) -> Diagnostic:
        """A word by itself may have been meant as a reason."""
        said = f"`{word}` is neither a reason nor a permission"
        advice = self._known.reason_advice(word) or complaint.help
        return Diagnostic(complaint.where, complaint.code, said, advice)

    def _find(self, where: Location, code: Code, said: str, advice: str | None = None) -> None:
        self.findings.append(Diagnostic(where, code, said, advice))


_VERBS = {
    "user": "names", "client": "defines", "role": "defines", "claim": "maps", "scope": "has",
}  # fmt: skip
