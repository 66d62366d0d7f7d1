"""How long an upstream may take, and what its connection is good for afterwards."""

import pytest

from gateway.errors import UpstreamTimeout
from tests.support.wire import FIVE, INTERIM, OK, Pull, an_upstream, pull
from tests.support.wire import read_reply as read

# --- time --------------------------------------------------------------------------------------


def timed_out(reading: Pull[object]) -> str:
    with pytest.raises(UpstreamTimeout) as failure:
        reading.result()
    return failure.value.detail


def test_the_head_has_one_time_limit_that_interim_replies_do_not_prolong() -> None:
    upstream = an_upstream(first_byte_timeout_seconds=20.0)
    reply = pull(upstream.connection.reply_head("GET"))
    for _ in range(3):
        upstream.advance(6)
        upstream.feed(INTERIM)
        assert reply.waits
    upstream.advance(3)
    assert timed_out(reply) == "no reply within first_byte_timeout_seconds"


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


def test_a_reply_that_came_just_in_time_has_time_for_its_body() -> None:
    """Both in one turn of the loop."""
    upstream = an_upstream()
    reading = pull(read(upstream, "GET"))
    upstream.feed(FIVE[:-1])
    upstream.connection.expire()
    assert reading.waits
    upstream.feed(b"o")
    assert reading.result() == (200, b"hello")


def test_after_a_timeout_the_connection_is_not_used_again() -> None:
    upstream = an_upstream()
    reply = pull(upstream.connection.reply_head("GET"))
    upstream.advance(30)
    timed_out(reply)
    assert not upstream.connection.usable


# --- what the pool and the pipeline ask --------------------------------------------------------


def test_a_request_is_sent_and_its_answer_heard() -> None:
    upstream = an_upstream(pieces=[FIVE])
    connection = upstream.connection
    pull(connection.reply_head("GET")).result()
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
