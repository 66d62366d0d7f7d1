"""The table: what callers hold, and the answers that lie ready."""

import pytest

from policy import ANONYMOUS, NOTHING_HELD, Access, Decision, Reason, Route, UseRole
from policy.inquiry import Caller
from tests.support.policies import CATALOGUE, POLICY, spec, table, user


@pytest.mark.parametrize(
    ("caller", "held"),
    [
        (user("ann"), ("read", "write")),
        (user("bob"), ("read",)),
        (user("zoe"), ()),
        (user("zoe", claims=("shop-admins", "others")), ("read", "write", "detail", "admin")),
        (user("zoe", claims=("reader",)), ()),
        (user("bob", roles=("writer", "unheard-of")), ("read", "write")),
        (ANONYMOUS, ()),
    ],
)
def test_roles_add_up_from_everywhere(caller: Caller, held: tuple[str, ...]) -> None:
    shop = table()
    assert shop.names_of(shop.held_by(caller).anywhere) == held


def test_nobody_has_the_roles_of_the_empty_name() -> None:
    shop = table(CATALOGUE, POLICY.replace("shop-admins", "''").replace("''", "x"))
    nameless = Caller(
        subject="", kind=ANONYMOUS.kind, means=ANONYMOUS.means, roles=frozenset({"chief"})
    )
    assert shop.held_by(nameless) == NOTHING_HELD
    assert shop.roles_of(nameless) == ()


def test_every_role_of_a_caller_is_told_once() -> None:
    shop = table()
    caller = user("ann", roles=("writer",), claims=("shop-admins",))
    assert [role.name for role in shop.roles_of(caller)] == ["writer", "chief"]


def route(name: str, use_role: UseRole = UseRole.ENFORCE) -> Route:
    shop = table(service=spec(use_role=use_role))
    return next(route for route in shop.operations if route.id == name)


def reason(decision: Decision | None) -> Reason | None:
    return None if decision is None else decision.reason


@pytest.mark.parametrize(
    ("name", "use_role", "to_strangers", "settled"),
    [
        ("health", UseRole.ENFORCE, Reason.PERMITTED, Reason.PERMITTED),
        ("health", UseRole.OFF, Reason.PERMITTED, Reason.PERMITTED),
        ("whoami", UseRole.ENFORCE, Reason.NOT_AUTHENTICATED, Reason.PERMITTED),
        ("whoami", UseRole.OFF, Reason.NOT_AUTHENTICATED, Reason.NOT_ENFORCED),
        ("read-record", UseRole.ENFORCE, Reason.NOT_AUTHENTICATED, None),
        ("read-record", UseRole.SHADOW, Reason.NOT_AUTHENTICATED, None),
        ("read-record", UseRole.OFF, Reason.NOT_AUTHENTICATED, Reason.NOT_ENFORCED),
    ],
)
def test_answers_that_need_no_permissions_lie_ready(
    name: str, use_role: UseRole, to_strangers: Reason, settled: Reason | None
) -> None:
    found = route(name, use_role)
    assert found.to_strangers.reason is to_strangers
    assert reason(found.settled) is settled


def test_the_denial_of_who_holds_nothing_lies_ready() -> None:
    found = route("sweep")
    assert found.denied.missing.any_of == (("write", "admin"),)
    assert found.denied.route is found


def test_a_route_knows_whether_only_its_demand_counts() -> None:
    assert route("read-record").plain
    assert not route("find-records").plain
    assert not route("own-record").plain
    assert route("find-records").requirement.watched == {"details"}
    assert route("whoami").requirement.access is Access.AUTHENTICATED
