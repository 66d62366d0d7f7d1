"""What a policy answers."""

import pytest

from policy import NOTHING, Decision, Effect, Missing, Reason


@pytest.mark.parametrize("reason", list(Reason))
def test_only_what_is_known_to_be_permitted_is_allowed(reason: Reason) -> None:
    allows = reason in {Reason.PERMITTED, Reason.NOT_ENFORCED}
    assert reason.effect is (Effect.ALLOW if allows else Effect.DENY)
    assert Decision(reason=reason, policy="x").effect is reason.effect


def test_nothing_missing_is_false() -> None:
    assert not NOTHING
    assert Missing(all_of=("a",))
    assert Missing(any_of=(("a", "b"),))
