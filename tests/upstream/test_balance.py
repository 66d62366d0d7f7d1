"""Which node is asked: in every state of all nodes, the choice that the settings promise."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings import UpstreamSettings, Url
from gateway.upstream.balance import STRATEGIES, candidates, failover, least_outstanding

NOW = 100.0


@dataclass(frozen=True)
class State:
    """A node as far as a choice goes: `serves_at` is when it is in, or owed a trial."""

    name: int
    serves_at: float
    outstanding: int = 0

    def may_serve(self, now: float) -> bool:
        return now >= self.serves_at


@st.composite
def states(draw: st.DrawFn) -> list[State]:
    return [
        State(name, draw(st.sampled_from([0.0, NOW, NOW + 1])), draw(st.integers(0, 3)))
        for name in range(draw(st.integers(1, 5)))
    ]


turns = st.integers(0, 1_000)


@given(states())
def test_only_nodes_that_are_in_are_asked_unless_none_is(nodes: list[State]) -> None:
    left = candidates(nodes, NOW)
    inside = [node for node in nodes if node.serves_at <= NOW]
    assert left == (inside or nodes)


@given(states(), st.data())
def test_a_node_that_was_tried_is_not_tried_again(nodes: list[State], data: st.DataObject) -> None:
    tried = data.draw(st.lists(st.sampled_from(nodes), unique=True))
    left = candidates(nodes, NOW, tried)
    assert not set(left) & set(tried)
    assert bool(left) is (len(tried) < len(nodes))


@given(states(), turns)
def test_failover_asks_the_first_in_the_order_of_the_settings(
    nodes: list[State], turn: int
) -> None:
    assert failover(nodes, turn) is nodes[0]


@given(states(), turns)
def test_least_outstanding_asks_one_that_nobody_undercuts(nodes: list[State], turn: int) -> None:
    chosen = least_outstanding(nodes, turn)
    assert chosen.outstanding == min(node.outstanding for node in nodes)


@given(st.integers(1, 5), turns)
def test_equals_take_turns(count: int, turn: int) -> None:
    nodes = [State(name, 0.0) for name in range(count)]
    asked = Counter(least_outstanding(nodes, turn + each).name for each in range(3 * count))
    assert set(asked.values()) == {3}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_can_be_chosen_in_the_settings(name: str) -> None:
    settings = UpstreamSettings.model_validate({"nodes": (Url("http", "a", 80),), "choose": name})
    assert STRATEGIES[settings.choose] is STRATEGIES[name]


def test_the_settings_know_no_other_strategy() -> None:
    schema = UpstreamSettings.model_json_schema()["properties"]["choose"]
    assert set(schema["enum"]) == set(STRATEGIES)
