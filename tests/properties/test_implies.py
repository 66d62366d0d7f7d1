"""One demand implies another exactly if nobody meets the one and not the other."""

from hypothesis import given, settings
from hypothesis import strategies as st

from policy.permissions import Demand

BITS = 4
masks = st.integers(0, 2**BITS - 1)
groups = st.integers(1, 2**BITS - 1)
demands = st.builds(Demand, masks, st.lists(groups, max_size=3).map(tuple))


@settings(max_examples=1000, deadline=None)
@given(demands, demands)
def test_a_demand_implies_what_everybody_who_meets_it_meets(one: Demand, other: Demand) -> None:
    everybody = range(2**BITS)
    assert one.implies(other) == all(other.met_by(held) for held in everybody if one.met_by(held))
