"""Tasks have a name, an owner that keeps them, and an end."""

import asyncio
import gc

import pytest
from structlog.testing import capture_logs

from gateway.tasks import Tasks


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_task_bears_the_name_of_its_concern() -> None:
    tasks = Tasks("upstream")
    task = tasks.start(forever(), name="ejection")
    assert task.get_name() == "upstream/ejection"
    assert repr(tasks) == "Tasks('upstream', 1 running)"
    await tasks.close()


async def test_a_task_gives_its_result_to_whoever_awaits_it() -> None:
    async def seven() -> int:
        return 7

    assert await Tasks("t").start(seven(), name="seven") == 7


async def test_a_task_that_nobody_holds_is_kept() -> None:
    tasks, gate, done = Tasks("t"), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        await gate.wait()
        done.set()

    _ = tasks.start(wait(), name="wait")
    gc.collect()
    gate.set()
    await done.wait()


async def test_a_task_that_ended_is_let_go() -> None:
    async def nothing() -> None:
        pass

    tasks = Tasks("t")
    await tasks.start(nothing(), name="nothing")
    assert len(tasks) == 0
    assert tasks


async def test_a_crash_is_logged_with_the_task_it_happened_in() -> None:
    async def crash() -> None:
        raise LookupError("no such thing")

    tasks = Tasks("t")
    with capture_logs() as logs:
        await asyncio.wait({tasks.start(crash(), name="crash")})
        await asyncio.sleep(0)  # the callback comes one turn of the loop later
    assert [(line["event"], line["task"]) for line in logs] == [("task crashed", "t/crash")]


async def test_closing_cancels_and_waits_for_the_clean_up() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            cleaned.append("work")

    tasks = Tasks("t")
    _ = tasks.start(work(), name="work")
    await asyncio.sleep(0)
    await tasks.close()
    assert cleaned == ["work"]
    assert len(tasks) == 0
    await tasks.close()


async def test_tasks_within_their_grace_end_by_themselves() -> None:
    ended = []

    async def work() -> None:
        await asyncio.sleep(0)
        ended.append("by itself")

    tasks = Tasks("t")
    _ = tasks.start(work(), name="work")
    await tasks.close(grace_seconds=60)
    assert ended == ["by itself"]


async def test_a_closing_that_is_cancelled_has_still_told_every_task() -> None:
    tasks, owners = Tasks("t"), Tasks("owner")
    task = tasks.start(forever(), name="work")
    await asyncio.sleep(0)
    closing = owners.start(tasks.close(grace_seconds=60), name="close")
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait({task, closing})
    assert task.cancelled()
    assert closing.cancelled()


async def test_a_task_may_close_its_own_concern() -> None:
    tasks = Tasks("t")

    async def stop() -> str:
        await tasks.close()
        return "stopped"

    other = tasks.start(forever(), name="other")
    assert await tasks.start(stop(), name="stop") == "stopped"
    assert other.cancelled()


async def test_nothing_starts_after_closing() -> None:
    tasks = Tasks("t")
    await tasks.close()
    with pytest.raises(RuntimeError, match="the tasks of `t` are closed"):
        _ = tasks.start(forever(), name="late")
    assert repr(tasks) == "Tasks('t', 0 running, closed)"


async def test_a_task_that_ignores_its_cancellation_is_named() -> None:
    gate = asyncio.Event()

    async def stubborn() -> None:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue

    tasks = Tasks("t", clean_up_seconds=0.01)
    task = tasks.start(stubborn(), name="stubborn")
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await tasks.close()
    assert logs[0]["tasks"] == ["t/stubborn"]
    gate.set()
    await task
