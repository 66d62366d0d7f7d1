"""The desk that every change of policy goes over: what is tried, what is kept, what is told."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from gateway.attempts import Attempt, Finding, HeldBy, Refused
from gateway.clock import SystemClock
from gateway.reload import PolicyChanges
from policy import PolicyUnreadable, Sources
from tests.support.policies import CATALOGUE, POLICY, sources

FIRST = sources(CATALOGUE, POLICY)
SECOND = sources(CATALOGUE, POLICY + "  others: [reader]\n")
BROKEN = sources(CATALOGUE, "roles: {broken")
FINDING = Finding(file="roles.yaml", line=3, column=1, code="yaml-syntax", message="broken")


class Carrier:
    """Takes everything but `BROKEN`."""

    def __init__(self) -> None:
        self.took: list[str] = []
        self.fault = ""

    async def take(self, sources: Sources) -> str:
        if sources == BROKEN:
            raise Refused(str(FINDING), [FINDING])
        self.took.append(sources.digest)
        return self.fault

    async def roll_back(self) -> str:
        self.took.append("rollback")
        return ""

    async def held(self) -> Sequence[HeldBy]:
        return [HeldBy(worker=0, version=self.took[-1] if self.took else "", since=1.0)]


class Desk:
    def __init__(self) -> None:
        self.files: Sources | None = FIRST
        self.carrier = Carrier()
        self.changes = PolicyChanges(
            self.read, self.carrier, FIRST.digest, sources=FIRST, clock=SystemClock()
        )

    def read(self) -> Sources:
        if self.files is None:
            raise PolicyUnreadable([("policy", "no such file or directory")])
        return self.files


async def test_a_change_is_taken_and_the_version_before_is_known() -> None:
    desk = Desk()
    desk.files = SECOND
    attempt = await desk.changes.reload("watch")
    status = await desk.changes.status()
    assert (attempt.outcome, attempt.version) == ("taken", SECOND.digest)
    assert (status.version, status.previous) == (SECOND.digest, FIRST.digest)
    assert (status.stale, status.last_error, status.last_attempt) == (False, None, attempt)
    assert status.workers[0].version == SECOND.digest


async def test_a_watch_that_finds_what_is_in_force_does_nothing() -> None:
    desk = Desk()
    assert (await desk.changes.reload("watch")).source == "start"
    assert desk.carrier.took == []


async def test_a_signal_takes_over_users_and_keys_even_where_the_policy_is_what_it_was() -> None:
    desk = Desk()
    assert (await desk.changes.reload("signal")).outcome == "unchanged"
    assert desk.carrier.took == [FIRST.digest]
    assert (await desk.changes.status()).previous is None


async def test_what_is_refused_is_told_with_its_findings_and_changes_nothing() -> None:
    desk = Desk()
    desk.files = BROKEN
    with capture_logs() as log:
        attempt = await desk.changes.reload("watch")
    status = await desk.changes.status()
    assert (attempt.outcome, attempt.findings) == ("kept", (FINDING,))
    assert (status.version, status.stale, status.last_error) == (FIRST.digest, True, attempt)
    assert str(FINDING) in desk.changes.words
    (entry,) = log
    assert entry["findings"] == [str(FINDING)]
    readings = desk.changes.snapshot().readings
    assert readings["gateway_policy_stale"] == {(): 1.0}
    assert readings["gateway_policy_reloads_total"]["kept",] == 1.0


async def test_a_refused_change_is_tried_by_the_watch_once_and_by_an_operator_again() -> None:
    desk = Desk()
    desk.files = BROKEN
    first = await desk.changes.reload("watch")
    assert await desk.changes.reload("watch") is first
    assert await desk.changes.reload("api") is not first


async def test_files_that_say_again_what_is_in_force_end_the_complaint() -> None:
    desk = Desk()
    for desk.files in (BROKEN, FIRST):
        await desk.changes.reload("watch")
    assert not desk.changes.is_stale
    assert desk.changes.words == ""


async def test_a_folder_that_vanished_and_came_back_is_told_of_and_then_no_more() -> None:
    desk = Desk()
    desk.files = None
    attempt = await desk.changes.reload("watch")
    assert attempt.findings[0].file == "policy"
    assert "no such file" in desk.changes.words
    desk.files = FIRST
    await desk.changes.reload("watch")
    assert not desk.changes.is_stale


async def test_a_rollback_is_at_once_and_told_as_stale() -> None:
    desk = Desk()
    desk.files = SECOND
    await desk.changes.reload("watch")
    attempt = await desk.changes.roll_back()
    status = await desk.changes.status()
    assert (attempt.outcome, attempt.version) == ("rolled-back", FIRST.digest)
    assert (status.version, status.previous) == (FIRST.digest, SECOND.digest)
    assert (status.left, status.stale) == (SECOND.digest, True)
    assert "rolled back from" in desk.changes.words


async def rolled_back() -> Desk:
    desk = Desk()
    desk.files = SECOND
    await desk.changes.reload("watch")
    await desk.changes.roll_back()
    return desk


async def test_neither_the_watch_nor_a_signal_undoes_a_rollback() -> None:
    desk = await rolled_back()
    await desk.changes.reload("watch")
    assert (await desk.changes.reload("signal")).outcome == "unchanged"
    assert desk.carrier.took[-1] == FIRST.digest  # users and keys, with the policy of before
    desk.files = None
    await desk.changes.reload("watch")
    desk.files = SECOND
    await desk.changes.reload("watch")
    status = await desk.changes.status()
    assert (status.version, status.left) == (FIRST.digest, SECOND.digest)


async def test_an_operators_reload_undoes_a_rollback() -> None:
    desk = await rolled_back()
    assert (await desk.changes.reload("api")).outcome == "taken"
    status = await desk.changes.status()
    assert (status.version, status.left) == (SECOND.digest, None)


async def test_files_that_change_again_end_a_rollback() -> None:
    desk = await rolled_back()
    third = sources(CATALOGUE, POLICY + "  third: [reader]\n")
    desk.files = third
    await desk.changes.reload("watch")
    status = await desk.changes.status()
    assert (status.version, status.previous) == (third.digest, FIRST.digest)
    assert not status.stale


async def test_a_second_rollback_brings_back_what_the_first_took_away() -> None:
    desk = await rolled_back()
    assert (await desk.changes.roll_back()).version == SECOND.digest
    assert not desk.changes.is_stale


async def test_a_promotion_is_told_as_stale_until_the_files_say_it_too() -> None:
    desk = Desk()
    attempt = await desk.changes.promote(SECOND)
    status = await desk.changes.status()
    assert (attempt.outcome, attempt.version) == ("promoted", SECOND.digest)
    assert (status.version, status.previous) == (SECOND.digest, FIRST.digest)
    assert (status.left, status.left_by, status.stale) == (FIRST.digest, "promotion", True)
    assert "promoted over" in desk.changes.words
    await desk.changes.reload("watch")
    assert (await desk.changes.reload("signal")).version == SECOND.digest  # of what was promoted
    assert desk.changes.version == SECOND.digest
    desk.files = SECOND
    assert (await desk.changes.reload("watch")).outcome == "unchanged"
    assert not desk.changes.is_stale


async def test_a_promotion_can_be_rolled_back_and_an_operators_reload_undoes_it() -> None:
    desk = Desk()
    await desk.changes.promote(SECOND)
    assert (await desk.changes.roll_back()).version == FIRST.digest
    assert not desk.changes.is_stale  # the files say just that
    await desk.changes.promote(SECOND)
    assert (await desk.changes.reload("api")).version == FIRST.digest
    assert not desk.changes.is_stale


async def test_a_candidate_that_is_refused_at_its_promotion_changes_nothing() -> None:
    desk = Desk()
    attempt = await desk.changes.promote(BROKEN)
    assert (attempt.outcome, attempt.findings) == ("kept", (FINDING,))
    assert (desk.changes.version, desk.changes.is_stale) == (FIRST.digest, False)


async def test_without_a_version_before_there_is_nothing_to_roll_back_to() -> None:
    attempt: Attempt = await Desk().changes.roll_back()
    assert (attempt.outcome, attempt.why) == ("kept", "there is no version to go back to")


async def test_what_a_worker_could_not_take_is_told() -> None:
    desk = Desk()
    desk.files = SECOND
    desk.carrier.fault = "worker 1: no answer"
    await desk.changes.reload("api")
    assert "worker 1: no answer" in desk.changes.words


@pytest.mark.parametrize("source", ["watch", "signal", "api"])
async def test_whoever_brings_a_change_is_told(source: str) -> None:
    desk = Desk()
    desk.files = SECOND
    assert (await desk.changes.reload(source)).source == source  # type: ignore[arg-type]
