"""How long a client may take over what it says."""

import pytest

from gateway.errors import RequestTimeout
from tests.support.wire import GET, Client, a_client, head_of, post, pull


def after_one(**limits: float) -> Client:
    """A client whose first request was read."""
    client = a_client(pieces=[GET], **limits)
    head_of(client)
    return client


def test_a_client_that_says_nothing_more_is_left_after_the_keep_alive_time() -> None:
    client = after_one(keep_alive_timeout_seconds=75.0)
    head = pull(client.connection.next_head())
    client.advance(74.9)
    assert head.waits
    client.advance(1.0)
    assert head.result() is None


def test_a_new_connection_has_only_a_heads_time_to_say_anything() -> None:
    """R-1, R-2: whoever connects wants to ask; to hold the connection costs nothing less."""
    client = a_client(header_timeout_seconds=10.0, keep_alive_timeout_seconds=75.0)
    head = pull(client.connection.next_head())
    client.advance(9.9)
    assert head.waits
    client.advance(0.5)
    assert head.result() is None


def test_the_first_head_has_its_time_from_the_connection_on() -> None:
    client = a_client(header_timeout_seconds=10.0)
    head = pull(client.connection.next_head())
    client.advance(9)
    client.feed(b"GET / HTTP/1.1")
    assert head.waits
    client.advance(1.5)
    with pytest.raises(RequestTimeout):
        head.result()


def test_a_head_has_its_own_time_from_its_first_byte_on() -> None:
    """R-1: a byte now and then does not prolong it."""
    client = after_one(header_timeout_seconds=10.0)
    head = pull(client.connection.next_head())
    client.advance(60)
    for byte in (b"G", b"E", b"T", b" "):
        client.feed(byte)
        assert head.waits
        client.advance(2.4)
    assert head.waits
    client.advance(1.0)
    with pytest.raises(RequestTimeout) as refusal:
        head.result()
    assert refusal.value.detail == "the head did not arrive within header_timeout_seconds"


def test_a_pipelined_beginning_has_the_heads_time() -> None:
    client = a_client(pieces=[GET + b"GET /"], header_timeout_seconds=10.0)
    head_of(client)
    head = pull(client.connection.next_head())
    client.advance(11)
    with pytest.raises(RequestTimeout):
        head.result()


def test_empty_lines_do_not_keep_a_connection_alive() -> None:
    client = after_one(keep_alive_timeout_seconds=75.0)
    head = pull(client.connection.next_head())
    for _ in range(4):
        client.advance(30)
        client.feed(b"\r\n")
        if not head.waits:
            break
    assert not head.waits


def test_a_request_being_answered_has_no_deadline() -> None:
    client = a_client(pieces=[GET])
    head_of(client)
    client.advance(1_000)
    assert not client.connection.expired


def test_a_body_has_time_as_long_as_it_goes_on() -> None:
    client = a_client(pieces=[post(9)], body_idle_timeout_seconds=30.0)
    head_of(client)
    body = pull(client.connection.whole_body(9))
    for _ in range(4):
        assert body.waits
        client.advance(29)
        client.feed(b"a")
    assert body.waits
    client.advance(31)
    with pytest.raises(RequestTimeout) as refusal:
        body.result()
    assert refusal.value.detail == "the body did not go on within body_idle_timeout_seconds"


def test_a_deadline_that_passed_while_the_bytes_came_in_counts_no_more() -> None:
    """Both in one turn of the loop: the head is complete, and its body has time of its own."""
    client = a_client(pieces=[b"P"])
    head = pull(client.connection.next_head())
    assert head.waits
    client.feed(post(1)[1:])
    client.connection.expire()
    assert head.result() is not None
    body = pull(client.connection.body_piece())
    assert body.waits
    client.feed(b"a")
    assert body.result() == b"a"
