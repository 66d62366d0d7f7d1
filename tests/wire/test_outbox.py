"""What is written in one turn leaves together, in order, and not on a closed transport."""

from gateway.wire.outbox import Outbox
from tests.support.wire import FakeLoop, FakeTransport


class _Turns(FakeLoop):
    """A loop whose turns end when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.soon: list[object] = []

    def call_soon(self, callback: object) -> None:
        self.soon.append(callback)

    def end_turn(self) -> None:
        due, self.soon = self.soon, []
        for callback in due:
            callback()


def test_nothing_leaves_before_the_turn_ends_and_then_all_of_it_in_order() -> None:
    loop = _Turns()
    outbox, one, other = Outbox(loop), FakeTransport(), FakeTransport()
    outbox.put(one, b"a")
    outbox.put(other, b"b")
    outbox.put(one, b"c")
    assert (one.written, other.written) == (b"", b"")
    loop.end_turn()
    assert (one.written, other.written) == (b"ac", b"b")


def test_a_turn_has_one_end_however_much_is_written() -> None:
    loop = _Turns()
    outbox, transport = Outbox(loop), FakeTransport()
    for _ in range(3):
        outbox.put(transport, b"x")
    assert len(loop.soon) == 1
    loop.end_turn()
    outbox.put(transport, b"y")
    assert len(loop.soon) == 1


def test_what_was_flushed_before_is_not_written_again() -> None:
    loop = _Turns()
    outbox, transport = Outbox(loop), FakeTransport()
    outbox.put(transport, b"x")
    outbox.flush()
    loop.end_turn()
    assert transport.written == b"x"


def test_a_transport_that_closed_meanwhile_is_left_alone_and_others_are_not() -> None:
    loop = _Turns()
    outbox, gone, there = Outbox(loop), FakeTransport(), FakeTransport()
    outbox.put(gone, b"x")
    outbox.put(there, b"y")
    gone.abort()
    loop.end_turn()
    assert (gone.written, there.written) == (b"", b"y")


def test_what_is_to_be_done_before_replies_leave_is_done_once_a_turn_and_before_them() -> None:
    loop, transport = _Turns(), FakeTransport()
    written_before: list[bytes] = []
    outbox = Outbox(loop, before=lambda: written_before.append(transport.written))
    outbox.put(transport, b"a")
    outbox.put(transport, b"b")
    assert written_before == []
    loop.end_turn()
    assert (written_before, transport.written) == ([b""], b"ab")


def test_it_is_done_before_an_early_flush_as_well() -> None:
    loop, transport = _Turns(), FakeTransport()
    written_before: list[bytes] = []
    outbox = Outbox(loop, before=lambda: written_before.append(transport.written))
    outbox.put(transport, b"a")
    outbox.flush()
    assert (written_before, transport.written) == ([b""], b"a")
