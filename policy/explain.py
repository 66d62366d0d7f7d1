"""The same question with its working shown.

`explain` asks `decide` and then retraces the way to its answer: it never decides anything itself,
so that an explanation cannot differ from what would have happened. For administrators only: it
names roles, users and places in files, which a refused caller must not learn.
"""

from collections.abc import Iterator

from policy.decision import Decision, NeedsBody, Reason
from policy.evaluator import decide
from policy.explain_gates import division_step, elsewhere_remedy, scope_remedy, scope_step
from policy.explanation import Explanation, Need, Stage, Step, Supplier
from policy.ground import Ground, ground_of
from policy.inquiry import Inquiry, Kind, Means
from policy.origins import in_words, origins_of
from policy.permissions import Demand
from policy.predicates import Answer
from policy.remedies import remedy_for
from policy.route import Access, Route
from policy.services import UseRole
from policy.table import DecisionTable, Role
from policy.witnesses import witnesses_of

__all__ = ["explain"]


def explain(table: DecisionTable, inquiry: Inquiry) -> Explanation:
    """What `decide` answers, and why."""
    decision = decide(table, inquiry)
    story = _Story(table, inquiry, decision)
    steps = tuple(story.steps())
    return Explanation(
        decision=decision,
        inquiry=inquiry,
        route=decision.route,
        steps=steps,
        needs=tuple(story.needs),
        suppliers=tuple(story.suppliers),
    )


class _Story:
    """The way to one decision, told step by step; `needs` and `suppliers` are found on the way."""

    def __init__(
        self, table: DecisionTable, inquiry: Inquiry, decision: Decision | NeedsBody
    ) -> None:
        self.needs: list[Need] = []
        self.suppliers: list[Supplier] = []
        self._table = table
        self._inquiry = inquiry
        self._decision = decision
        self._reason = decision.reason if isinstance(decision, Decision) else None
        self._ground = self._ground_of(decision.route)

    def steps(self) -> Iterator[Step]:
        route = self._decision.route
        if route is None:
            yield self._nothing_known()
        else:
            yield self._chosen(route)
            yield self._caller(route)
            # A stranger, a public operation, a service that does not use roles: no rule is read.
            if self._reason in _WEIGHED and route.requirement.access is not Access.PUBLIC:
                yield from self._conditions(route)
                if self._reason is not Reason.UNDECIDABLE:
                    yield from self._permissions(route)
                    yield from self._guards(route)
        yield self._verdict(route)
        if self._reason is Reason.PERMISSION_MISSING:
            yield self._remedy()
        if isinstance(self._decision, Decision) and self._reason is Reason.DIVISION_MISSING:
            yield elsewhere_remedy(self.needs, self._decision)
        if scopes := scope_remedy(self._table, self._inquiry, self._decision):
            yield scopes

    def _ground_of(self, route: Route | None) -> Ground | None:
        """What counts where the division matters; None where it does not, or was not asked for."""
        if route is None or self._reason not in _DIVIDED or route.settled is not None:
            return None
        if route.pin_header is None and not (route.aware and self._inquiry.held.by_division):
            return None
        return ground_of(route, self._inquiry)

    def _request(self) -> str:
        return f"`{self._inquiry.method} /{'/'.join(self._inquiry.segments)}`"

    def _nothing_known(self) -> Step:
        segments = self._inquiry.segments
        details = []
        if methods := self._table.routes.methods_of(segments):
            details.append(f"this path has operations for {', '.join(methods)}")
        details.extend(
            f"`{route.id}` is `{route.template}`: {differs}"
            for route in self._table.operations
            if route.method == self._inquiry.method and (differs := _difference(route, segments))
        )
        return Step(Stage.ROUTE, f"no operation answers {self._request()}", None, tuple(details))

    def _chosen(self, route: Route) -> Step:
        matches = self._table.routes.matches(self._inquiry.method, self._inquiry.segments)
        details = tuple(
            f"`{other.id}` ({other.method} {other.template}) would answer too; {_closer(route, other)}"
            for other in matches
            if other is not route
        )
        said = (
            f"{self._request()} is `{route.id}` of the service `{route.service}`"
            f" ({route.method} {route.template})"
        )
        return Step(Stage.ROUTE, said, route.where, details)

    def _caller(self, route: Route) -> Step:
        caller = self._inquiry.caller
        if route.requirement.access is Access.PUBLIC:
            return Step(Stage.CALLER, "the operation is public: anybody may call it")
        if caller.kind is Kind.ANONYMOUS:
            return Step(Stage.CALLER, "the caller is anonymous, and the operation is not public")
        roles = self._table.roles_of(caller)
        details = [f"role `{role.name}`" + self._remarks(role) for role in roles]
        if route.use_role is UseRole.OFF:
            details = [f"`{route.service}` does not use roles: knowing the caller is enough"]
        elif not roles:
            details = ["the caller has no role"]
        kind = "client" if caller.means is Means.CLIENT_CREDENTIALS else caller.kind
        said = f"the caller is the {kind} `{caller.subject}`"
        return Step(Stage.CALLER, said, None, tuple(details))

    def _remarks(self, role: Role) -> str:
        """What there is to say of a role of the caller's."""
        only = self._table.divisions_of(self._inquiry.caller, role.name)
        where = "" if only is None else f", only in {in_words(only)}"
        return where + ("" if role.enabled else ", off")

    def _conditions(self, route: Route) -> Iterator[Step]:
        for extra in route.requirement.extras:
            answer = extra.condition.answer(self._inquiry.query, self._inquiry.body)
            details = [f"needs {words}" for words in self._in_words(extra.demand)]
            if answer is Answer.YES:
                found = witnesses_of(extra.condition, self._inquiry.query, self._inquiry.body)
                details += [f"met by {words}" for words in found]
            said = f"{extra.condition.text}: {answer}"
            yield Step(Stage.CONDITION, said, extra.where, tuple(details))

    def _in_words(self, demand: Demand) -> Iterator[str]:
        missing = self._table.permissions.missing_of(demand)
        yield from (f"`{name}`" for name in missing.all_of)
        yield from (f"one of {', '.join(f'`{n}`' for n in group)}" for group in missing.any_of)

    def _demand(self, route: Route) -> Demand:
        """What was demanded: what the body adds counts only where all else was held."""
        requirement, query, body = route.requirement, self._inquiry.query, self._inquiry.body
        floor: list[Demand] = [requirement.demand]
        ceiling: list[Demand] = []
        for extra in requirement.extras:
            if extra.condition.answer(query, body) is Answer.YES:
                (floor if extra.condition.body_test is None else ceiling).append(extra.demand)
        if all(demand.met_by(bits) for demand in floor for bits in self._counting):
            floor += ceiling
        return Demand.joined(floor)

    def _permissions(self, route: Route) -> Iterator[Step]:
        demand = self._demand(route)
        permissions = self._table.permissions
        groups = [(name,) for name in permissions.names_of(demand.all_of)]
        some = (group for group in demand.any_of if not group & permissions.every_scope)
        if division := division_step(route, self._ground):
            yield division
        for names in (*groups, *map(permissions.names_of, some)):
            need = self._need(names)
            self.needs.append(need)
            said = " or ".join(f"`{name}`" for name in names)
            shown = tuple(f"{origin.permission}: {origin}" for origin in need.origins)
            answer = "held" if need.met else "held, but not there" if need.elsewhere else "missing"
            yield Step(Stage.PERMISSION, f"{said}: {answer}", None, shown)
        if not demand:
            yield Step(Stage.PERMISSION, "nothing is needed but to be known")
        if scopes := scope_step(self._table, self._inquiry, demand):
            yield scopes

    @property
    def _counting(self) -> tuple[int, ...]:
        """What the caller holds, as far as it counts for this request, in each of its divisions."""
        ground = self._ground
        if ground is None or not ground.is_certain:
            return (self._inquiry.held.anywhere,)
        return ground.each

    def _need(self, names: tuple[str, ...]) -> Need:
        bits, counting = self._table.permissions.mask_of(names), 0
        if all(bits & there for there in self._counting):
            for there in self._counting:
                counting |= there
        held = self._table.names_of(bits & counting)
        elsewhere = self._table.names_of(bits & self._inquiry.held.anywhere & ~counting)
        caller, table = self._inquiry.caller, self._table
        origins = (
            origin for name in (*held, *elsewhere) for origin in origins_of(table, caller, name)
        )
        return Need(names, held, tuple(origins), elsewhere)

    def _guards(self, route: Route) -> Iterator[Step]:
        body = self._inquiry.body
        if self._reason in _LACKING:
            return
        for guard in route.requirement.guards:
            if body is None:
                answer = "cannot tell"
            else:
                answer = "holds" if guard.test(body, self._inquiry) else "fails"
            yield Step(Stage.GUARD, f"{guard.text}: {answer}", guard.where)

    def _verdict(self, route: Route | None) -> Step:
        if not isinstance(self._decision, Decision):
            return Step(Stage.VERDICT, "it depends on the body, which was not given")
        details = []
        if route is not None and route.use_role is UseRole.SHADOW:
            details.append(f"`{route.service}` only watches: the request goes on all the same")
        details += [f"because {words}" for words in self._decision.because]
        said = f"{self._decision.effect}: {self._decision.reason}"
        return Step(Stage.VERDICT, said, None, tuple(details))

    def _remedy(self) -> Step:
        missing = [need.names for need in self.needs if not need.met]
        remedy, suppliers = remedy_for(self._table, missing)
        self.suppliers.extend(suppliers)
        return Step(Stage.REMEDY, str(remedy), None, tuple(map(str, suppliers)))


# The answers to which rules have contributed; `None` is the wish to see the body.
_WEIGHED = frozenset(
    {
        None,
        Reason.PERMITTED,
        Reason.PERMISSION_MISSING,
        Reason.SCOPE_MISSING,
        Reason.DIVISION_MISSING,
        Reason.GUARD_FAILED,
        Reason.UNDECIDABLE,
    }
)
_LACKING = frozenset({Reason.PERMISSION_MISSING, Reason.SCOPE_MISSING, Reason.DIVISION_MISSING})
# What nobody has at all is missing whatever the division.
_DIVIDED = _WEIGHED - {Reason.PERMISSION_MISSING, Reason.SCOPE_MISSING, Reason.UNDECIDABLE}


def _pairs(one: str, other: str) -> Iterator[tuple[str, str]]:
    return zip(one.split("/")[1:], other.split("/")[1:], strict=True)


def _closer(route: Route, other: Route) -> str:
    """Why `route` was preferred: the first segment in which it says more."""
    for mine, theirs in _pairs(route.template, other.template):
        if mine != theirs:
            return f"`{mine}` is closer than `{theirs}`"
    return f"the parameters of `{route.service}` accept less"


def _difference(route: Route, segments: tuple[str, ...]) -> str | None:
    """What keeps `route` from answering, if it is one segment only."""
    template = tuple(route.template.split("/")[1:])
    if len(template) != len(segments):
        return None
    parameters = {position for position, _ in route.parameters}
    pairs = enumerate(zip(template, segments, strict=True))
    wrong = [
        f"`{want}` stands where `{have}` was asked for"
        for position, (want, have) in pairs
        if position not in parameters and want != have
    ]
    if not wrong:
        return "a parameter does not accept what stands in its place"
    return wrong[0] if len(wrong) == 1 else None
