"""How long an upstream may take, and what its connection is good for afterwards."""

import pytest

from gateway.errors import UpstreamTimeout
from tests.support.wire import FIVE, GET, INTERIM, OK, Pull, an_upstream, pull, the_reply
from tests.support.wire import read_reply as read

# --- time --------------------------------------------------------------------------------------


def timed_out(reading: Pull[object]) -> str:
    with pytest.raises(UpstreamTimeout) as failure:
        reading.result()
    return failure.value.detail


def test_the_head_has_one_time_limit_that_interim_replies_do_not_prolong() -> None:
    upstream = an_upstream(first_byte_timeout_seconds=20.0)
    upstream.connection.send_request(GET)
    reply = pull(the_reply(upstream.connection))
    for _ in range(3):
        upstream.advance(6)
        upstream.feed(INTERIM)
        assert reply.waits
    upstream.advance(3)
    assert timed_out(reply) == "no reply within first_byte_timeout_seconds"


def test_the_head_has_its_time_from_the_request_on() -> None:
    """Whatever is left of the time that the connection might lie idle does not count."""
    upstream = an_upstream(first_byte_timeout_seconds=20.0)
    upstream.connection.within(5.0)
    upstream.advance(4)
    upstream.connection.send_request(GET)
    reply = pull(the_reply(upstream.connection))
    upstream.advance(19.9)
    assert reply.waits
    upstream.advance(0.5)
    assert timed_out(reply) == "no reply within first_byte_timeout_seconds"


def test_each_exchange_has_its_own_time() -> None:
    upstream = an_upstream(first_byte_timeout_seconds=20.0)
    for _ in range(3):
        upstream.connection.send_request(GET)
        reading = pull(read(upstream, "GET"))
        upstream.advance(15)
        assert reading.waits
        upstream.feed(FIVE)
        assert reading.result() == (200, b"hello")
        upstream.advance(100)
        assert upstream.connection.usable


def test_a_body_has_time_as_long_as_it_goes_on() -> None:
    upstream = an_upstream(pieces=[OK + b"Content-Length: 9\r\n\r\n"], idle_timeout_seconds=40.0)
    reading = pull(read(upstream, "GET"))
    for _ in range(3):
        assert reading.waits
        upstream.advance(39)
        upstream.feed(b"a")
    assert reading.waits
    upstream.advance(41)
    assert timed_out(reading) == "the reply did not go on within idle_timeout_seconds"


@pytest.mark.parametrize("unsent", [1, 5], ids=["a piece", "the head only"])
def test_a_reply_that_came_just_in_time_has_time_for_its_body(unsent: int) -> None:
    """Both in one turn of the loop, with or without a first piece of the body."""
    upstream = an_upstream()
    upstream.connection.send_request(GET)
    reading = pull(read(upstream, "GET"))
    upstream.feed(FIVE[: len(FIVE) - unsent])
    upstream.connection.expire()
    assert reading.waits
    upstream.feed(FIVE[len(FIVE) - unsent :])
    assert reading.result() == (200, b"hello")


def test_a_whole_reply_that_came_just_in_time_leaves_the_connection_clean() -> None:
    """The deadline was for its head, which is here: nothing is late any more."""
    upstream = an_upstream()
    upstream.connection.send_request(GET)
    upstream.feed(OK + b"Content-Length: 0\r\n\r\n")
    upstream.connection.expire()
    head = pull(the_reply(upstream.connection)).result()
    assert upstream.connection.is_clean_after(head)


def test_after_a_timeout_the_connection_is_not_used_again() -> None:
    upstream = an_upstream()
    upstream.connection.send_request(GET)
    reply = pull(the_reply(upstream.connection))
    upstream.advance(30)
    timed_out(reply)
    assert not upstream.connection.usable


# --- what the pool and the pipeline ask --------------------------------------------------------


def test_a_request_is_sent_and_its_answer_heard() -> None:
    upstream = an_upstream(pieces=[FIVE])
    connection = upstream.connection
    pull(the_reply(connection)).result()
    connection.take_available()
    connection.send_request(b"GET / HTTP/1.1\r\n\r\n")
    assert upstream.transport.written == b"GET / HTTP/1.1\r\n\r\n"
    assert not connection.heard
    assert not connection.answered
    upstream.feed(b"H")
    assert connection.heard
    assert connection.answered


def test_the_end_is_an_answer_of_a_kind_though_nothing_was_heard() -> None:
    upstream = an_upstream()
    upstream.connection.send_request(b"GET / HTTP/1.1\r\n\r\n")
    upstream.end()
    assert upstream.connection.answered
    assert not upstream.connection.heard


HAPPENINGS = {
    "bytes": lambda upstream: upstream.feed(b"HTTP/1.1 408 Request Timeout\r\n\r\n"),
    "the end": lambda upstream: upstream.end(),
    "age": lambda upstream: upstream.advance(60),
}


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_whatever_happens_to_an_idle_connection_ends_it(happening: str) -> None:
    """F-10, F-11: an answer that nobody asked for is nobody's."""
    upstream = an_upstream()
    upstream.connection.idle = True
    upstream.connection.within(15)
    HAPPENINGS[happening](upstream)
    assert not upstream.connection.usable
    assert upstream.transport.fate == "aborted"


def test_an_idle_connection_that_is_lost_is_just_gone() -> None:
    upstream = an_upstream()
    upstream.connection.idle = True
    upstream.lose()
    assert not upstream.connection.usable
    assert upstream.transport.calls == []


def test_a_connection_reads_well_in_a_log() -> None:
    upstream = an_upstream()
    assert repr(upstream.connection) == "<UpstreamConnection node:1 busy>"
    upstream.connection.idle = True
    assert repr(upstream.connection) == "<UpstreamConnection node:1 idle>"
    upstream.lose()
    assert repr(upstream.connection) == "<UpstreamConnection node:1 lost>"
