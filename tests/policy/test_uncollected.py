"""What a policy is made of is not looked through while it is made, nor right afterwards."""

import gc

from policy.uncollected import uncollected


def test_what_was_made_is_old_and_the_collector_is_on_again() -> None:
    gc.unfreeze()  # what gateways of other tests have kept
    with uncollected():
        assert not gc.isenabled()
        made = [[number] for number in range(100)]
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0, "nothing is kept from the collector for good"
    old = {id(each) for each in gc.get_objects(generation=2)}
    assert all(id(each) in old for each in made)


def test_what_was_frozen_stays_frozen() -> None:
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        with uncollected():
            pass
        assert gc.get_freeze_count() >= before - 100, "only what died is not frozen any more"
    finally:
        gc.unfreeze()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
