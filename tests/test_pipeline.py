"""For how long a connection may go without asking who is calling.

A client that keeps its connection repeats its header section, and a look-up in the authenticator's
memory costs more than the decision. So its answer is good for a second on that connection: no
longer, so that who is forgotten there is forgotten everywhere, and never past a token's end.
"""

import pytest

from policy import ANONYMOUS, DecisionTable
from tests.support.house import ANN, BOB, House, holder
from tests.support.policies import CATALOGUE, POLICY, table, user

LOOK_UP_SECONDS = 1.0

# --- within the second ------------------------------------------------------------------------


def test_a_caller_just_looked_up_is_not_looked_up_again() -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    for _ in range(4):
        assert house.ask(client, ANN).caller.subject == "ann"
        house.clock.advance(LOOK_UP_SECONDS / 4)
    assert house.looked_up == [ANN]


@pytest.mark.parametrize("later", [LOOK_UP_SECONDS, 60.0])
def test_after_a_second_the_caller_is_looked_up_again(later: float) -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    for times in (1, 2, 3):
        assert house.ask(client, ANN).caller.subject == "ann"
        assert house.looked_up == [ANN] * times
        house.clock.advance(later)


def test_requests_that_keep_coming_do_not_prolong_the_second() -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    for _ in range(9):
        house.ask(client, ANN)
        house.clock.advance(LOOK_UP_SECONDS / 4)
    assert house.looked_up == [ANN] * 3


def test_who_is_forgotten_is_forgotten_everywhere_after_a_second() -> None:
    """J-10."""
    house = House(ann=holder("ann"))
    client = house.connect()
    house.ask(client, ANN)
    house.authenticator.callers.clear()
    house.clock.advance(LOOK_UP_SECONDS)
    refused = house.ask(client, ANN)
    assert (refused.status, refused.error_code) == (401, "credentials-refused")
    assert refused.caller is ANONYMOUS
    assert house.authenticator.asked_to_prove == [ANN]


def test_who_became_another_is_another_after_a_second() -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    house.ask(client, ANN)
    house.authenticator.callers[ANN] = holder("ann-the-second")
    assert house.ask(client, ANN).caller.subject == "ann"
    house.clock.advance(LOOK_UP_SECONDS)
    assert house.ask(client, ANN).caller.subject == "ann-the-second"


# --- and never past a token's end -------------------------------------------------------------


def test_a_token_is_not_good_past_its_end_within_the_second() -> None:
    """J-7: the second begins with the look-up, and ends with the token."""
    house = House()
    house.authenticator.callers[ANN] = holder("ann", house.clock.wall() + 0.5)
    client = house.connect()
    assert house.ask(client, ANN).caller.subject == "ann"
    house.clock.advance(0.25)
    assert house.ask(client, ANN).caller.subject == "ann"
    assert house.looked_up == [ANN]
    house.clock.advance(0.25)
    refused = house.ask(client, ANN)
    assert house.looked_up == [ANN, ANN]
    assert (refused.status, refused.error_code) == (401, "credentials-refused")


def test_a_token_that_is_good_for_longer_is_looked_up_as_often_as_any() -> None:
    house = House()
    house.authenticator.callers[ANN] = holder("ann", house.clock.wall() + 3600)
    client = house.connect()
    house.ask(client, ANN)
    house.clock.advance(LOOK_UP_SECONDS * 0.75)
    house.ask(client, ANN)
    assert house.looked_up == [ANN]
    house.clock.advance(LOOK_UP_SECONDS * 0.25)
    house.ask(client, ANN)
    assert house.looked_up == [ANN, ANN]


def test_a_corrected_date_ends_a_token_after_a_second_at_the_latest() -> None:
    """The second is counted on the clock that is never corrected."""
    house = House()
    house.authenticator.callers[ANN] = holder("ann", house.clock.wall() + 600)
    client = house.connect()
    house.ask(client, ANN)
    house.clock.set_wall(house.clock.wall() + 3600)
    house.clock.advance(LOOK_UP_SECONDS)
    assert house.ask(client, ANN).error_code == "credentials-refused"


# --- and for nobody else ----------------------------------------------------------------------


def test_each_connection_looks_up_for_itself() -> None:
    house = House(ann=holder("ann"))
    for _ in range(2):
        house.ask(house.connect(), ANN)
    assert house.looked_up == [ANN, ANN]


def test_other_credentials_on_the_same_connection_are_another_caller() -> None:
    house = House(ann=holder("ann"), bob=holder("bob"))
    client = house.connect()
    callers = [house.ask(client, who).caller.subject for who in (ANN, BOB, ANN, None, BOB)]
    assert callers == ["ann", "bob", "ann", "", "bob"]
    assert house.looked_up == [ANN, BOB, ANN, BOB]


def test_credentials_that_nobody_knows_are_never_anybodys() -> None:
    """A look-up that found nobody is not an answer, however often it is repeated."""
    house = House(ann=holder("ann"))
    for _ in range(3):
        client = house.connect()
        house.ask(client, ANN)
        assert house.ask(client, b"Bearer eve").error_code == "credentials-refused"
    assert house.authenticator.asked_to_prove == [b"Bearer eve"] * 3


def test_whoever_shows_no_credentials_is_nobody_without_a_look_up() -> None:
    house = House(ann=holder("ann"))
    client = house.connect()
    assert house.ask(client, None).caller is ANONYMOUS
    assert house.looked_up == []
    assert house.authenticator.asked_to_prove == []


# --- what the caller may do is another question -----------------------------------------------


def stripped() -> DecisionTable:
    """The same policy after ann has lost her role."""
    return table(CATALOGUE, POLICY.replace("ann: {roles: [writer]}", "ann: {}"))


def test_a_policy_that_is_swapped_within_the_second_holds_at_once() -> None:
    house = House(ann=user("ann"))
    client = house.connect()
    missing = []
    for house.live.table in (table(), stripped(), table()):
        decision = house.ask(client, ANN, b"/records?details=1").decision
        assert decision is not None
        missing.append(decision.missing.all_of)
    assert missing == [("detail",), ("read", "detail"), ("detail",)]
    assert house.looked_up == [ANN]
