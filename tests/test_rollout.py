"""For whom a candidate counts, and when it has to go."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rollout import Band, Rollout, Watch, place_of
from policy import ANONYMOUS, Means
from tests.support.policies import table, user

SHOP = table()
names = st.text(alphabet=st.characters(exclude_categories=()), min_size=1, max_size=20)
shares = st.floats(0, 1)
KEY = b"k" * 16


@given(names, shares, shares, st.binary(max_size=64))
def test_whoever_is_in_stays_in_while_the_share_grows(
    name: str, one: float, other: float, key: bytes
) -> None:
    small, large = sorted((one, other))
    if Rollout(share=small, key=key).includes(user(name), SHOP):
        assert Rollout(share=large, key=key).includes(user(name), SHOP)


@given(names)
def test_a_share_of_nothing_takes_nobody_and_all_takes_everybody(name: str) -> None:
    assert not Rollout(share=0.0, key=KEY).includes(user(name), SHOP)
    assert Rollout(share=1.0, key=KEY).includes(user(name), SHOP)


def test_a_tenth_of_the_share_is_a_tenth_of_the_names_and_another_tenth_for_another_key() -> None:
    everybody = [user(f"agent-{number}") for number in range(5_000)]
    taken = [
        {one.subject for one in everybody if Rollout(share=0.1, key=key).includes(one, SHOP)}
        for key in (b"one", b"other")
    ]
    assert all(400 < len(some) < 600 for some in taken)
    assert len(taken[0] & taken[1]) < 150


def test_a_name_has_one_place_whatever_else_the_caller_brings() -> None:
    assert place_of("ann", KEY) == place_of("ann", KEY)
    for claims in ((), ("shop-admins",)):
        assert Rollout(subjects=frozenset({"ann"})).includes(user("ann", claims=claims), SHOP)


def test_a_group_brings_its_members_and_nobody_else() -> None:
    rollout = Rollout(groups=frozenset({"desk"}))
    assert [rollout.includes(user(name), SHOP) for name in ("ann", "bob", "zoe")] == [
        False, True, False,
    ]  # fmt: skip


def test_a_client_is_not_the_user_of_the_same_name() -> None:
    rollout = Rollout(subjects=frozenset({"bob"}), groups=frozenset({"desk"}))
    client = msgspec.structs.replace(user("bob"), means=Means.CLIENT_CREDENTIALS)
    assert not rollout.includes(client, SHOP)
    assert Rollout(share=1.0).includes(client, SHOP)


def test_strangers_are_never_in() -> None:
    assert not Rollout(share=1.0, subjects=frozenset({""})).includes(ANONYMOUS, SHOP)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Rollout(share=share)


def test_a_key_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        Rollout(key=b"k" * 65)


@pytest.mark.parametrize("wrong", [{"above": 2}, {"below": -1}, {"minimum": 0}, {"window": 10}])
def test_what_is_no_band_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"band|minimum"):
        Band(**wrong)


requests = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)
bands = st.builds(
    lambda above, below, minimum, more: Band(
        above=above, below=below, minimum=minimum, window=minimum + more
    ),
    shares, shares, st.integers(1, 8), st.integers(0, 12),
)  # fmt: skip


def naively(band: Band, told: list[tuple[bool, bool]]) -> bool:
    last = told[-band.window :]
    by_candidate = sum(denied for denied, _ in last)
    by_active = sum(denied for _, denied in last)
    more = by_candidate - by_active
    outside = more > band.above * len(last) or -more > band.below * len(last)
    return len(last) >= band.minimum and outside


@given(bands, requests)
def test_it_must_go_when_the_last_requests_say_so(
    band: Band, told: list[tuple[bool, bool]]
) -> None:
    watch = Watch(band)
    for number, (denied, would_be) in enumerate(told, 1):
        why = watch.add(denied=denied, would_be_denied=would_be)
        assert (why is not None) is naively(band, told[:number])


def test_why_it_must_go_is_said_in_numbers() -> None:
    watch = Watch(Band(above=0.1, minimum=10, window=10))
    for _ in range(8):
        assert watch.add(denied=True, would_be_denied=True) is None
    assert watch.add(denied=True, would_be_denied=False) is None
    assert watch.add(denied=True, would_be_denied=False) == (
        "of the last 10 requests it denied 2 more than the active policy would have"
        " (20.0%; the limit is 10.0%)"
    )


def test_that_it_denies_too_little_is_a_reason_as_well() -> None:
    watch = Watch(Band(below=0.5, minimum=1, window=5))
    said = watch.add(denied=False, would_be_denied=True)
    assert said is not None
    assert "it denied 1 fewer than" in said
