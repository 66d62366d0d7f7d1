"""A worker is killed after any store into its journal: each request is told exactly once.

The story of a run is drawn, then carried out once while every store and every write is recorded;
then a successor is let loose on each moment of it. What it is held to is worked out from the story
alone: what was noted or committed before that moment.
"""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.compose import Composer
from gateway.audit.journal import Journal
from gateway.audit.record import encode
from gateway.audit.recovery import recover_into
from gateway.audit.spool import Spool
from tests.support.audit import FakeSink, a_record, an_exchange, without_fragments
from tests.support.clock import FakeClock
from tests.support.cuts import Moment, Recording, moments

CAPACITY = 6 * 3 * 1024  # six places; some fifty lines go round the ring once

STORIES = Composer(b"k" * 32)


class Run:
    """A worker's life, in steps: it remembers after which store each request was safe."""

    def __init__(self) -> None:
        self.journal = Journal.create(CAPACITY)
        self.sink = FakeSink()
        self.recording = Recording(self.journal, self.sink.taken)
        self.spool = Spool(self.journal, self.sink)
        self.noted: dict[str, int] = {}
        self.committed: dict[str, int] = {}
        self._under_way: dict[str, int] = {}
        self._idle = [self.journal.slot(number) for number in range(self.journal.places)]
        self._count = 0

    @property
    def now(self) -> int:
        return len(self.recording.stores)

    def begin(self, _: int) -> None:
        """A request is noted and forwarded, if there is a place for it."""
        if not self._idle:
            return
        self._count += 1
        name, slot = f"r-{self._count}", self._idle.pop()
        self.journal.note(slot, STORIES.note(an_exchange(name)))
        self._under_way[name] = slot
        self.noted[name] = self.now

    def end(self, most: int) -> None:
        """Some requests end in one turn, and one more that was never forwarded."""
        names = list(self._under_way)[:most]
        self._count += 1
        stranger = f"r-{self._count}"
        lines = encode([a_record(name) for name in (*names, stranger)])
        if self.journal.unread_bytes + len(lines) > self.journal.ring_bytes:
            self.write(0)
        slots = [self._under_way.pop(name) for name in names]
        self.journal.commit(lines, slots)
        self._idle += slots
        self.committed |= dict.fromkeys((*names, stranger), self.now)

    def write(self, torn_at: int) -> None:
        """The thread writes what is there; the first time maybe not all of it."""
        self.sink.script = [torn_at] if torn_at else []
        try:
            self.spool.drain(self.journal.written)
        except OSError:
            self.spool.drain(self.journal.written)
        self.sink.script = []


steps = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.just(0)),
        st.tuples(st.just("end"), st.integers(0, 3)),
        st.tuples(st.just("write"), st.one_of(st.just(0), st.integers(1, 1_500))),
    ),
    min_size=4,
    max_size=20,
)


def check(run: Run, number: int, content: bytes) -> None:
    """What the file says of a worker that was killed before its store of that number."""
    lines = [json.loads(line) for line in without_fragments(content).splitlines()]
    endings = {line["id"]: line["ending"] for line in lines}
    assert len(endings) == len(lines), "a request was told twice"
    for name, safe_at in run.committed.items():
        if safe_at <= number:
            assert endings[name] == "complete", f"the line of {name} was in the journal"
    for name, safe_at in run.noted.items():
        if safe_at <= number:
            assert name in endings, f"{name} was noted"
    for name, ending in endings.items():
        if ending == "worker-lost":
            assert name in run.noted
            assert run.committed.get(name, number + 1) > number, f"{name} had ended"


def carried_out(story: list[tuple[str, int]]) -> Run:
    run = Run()
    for step, argument in story:
        getattr(run, step)(argument)
    return run


@settings(max_examples=40, deadline=None)
@given(story=steps)
def test_each_request_is_told_exactly_once_whenever_its_worker_is_killed(
    story: list[tuple[str, int]],
) -> None:
    run = carried_out(story)
    for number, left in moments(CAPACITY, run.recording, run.sink.taken):
        sink = left.sink()
        recover_into(left.journal, sink, FakeClock())

        check(run, number, bytes(sink.taken))
        assert recover_into(left.journal, sink, FakeClock()) == (0, 0)
        left.journal.close()
    run.journal.close()


@settings(max_examples=40, deadline=None)
@given(story=steps, which=st.floats(0, 1), torn_at=st.one_of(st.none(), st.integers(1, 900)))
def test_also_when_the_successor_is_killed_over_it(
    story: list[tuple[str, int]], which: float, torn_at: int | None
) -> None:
    run = carried_out(story)
    all_moments = list(moments(CAPACITY, run.recording, run.sink.taken))
    number, left = all_moments[int(which * (len(all_moments) - 1))]
    check_after_two_kills(run, number, left, torn_at)
    for _, each in all_moments:
        each.journal.close()
    run.journal.close()


def test_a_commit_that_was_cut_short_does_not_come_true_when_a_successor_commits() -> None:
    run = carried_out([("begin", 0)] * 5)
    begun = run.now
    run.end(2)  # the older two; the successor tells the younger three first
    for number, left in moments(CAPACITY, run.recording, run.sink.taken):
        if number > begun:
            check_after_two_kills(run, number, left)
        left.journal.close()
    run.journal.close()


def check_after_two_kills(run: Run, number: int, left: Moment, torn_at: int | None = None) -> None:
    sink = left.sink(*([] if torn_at is None else [torn_at]))
    second = Recording(left.journal, sink.taken)
    try:
        recover_into(left.journal, sink, FakeClock())
    except OSError:
        recover_into(left.journal, sink, FakeClock())

    for _, again in moments(CAPACITY, second, sink.taken, before=left.stores):
        third = again.sink()
        recover_into(again.journal, third, FakeClock())
        check(run, number, bytes(third.taken))
        again.journal.close()
