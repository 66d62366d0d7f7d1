"""A request has so much time as a whole, wherever it waits; the audit tells of one that ran out.

The end of its time cancels whatever it waits for, as does a client that leaves, as does shutdown.
Which of them it was must never be mixed up, least of all when they come in the same turn.
"""

import asyncio

import pytest

from gateway.exchange import Ending, Exchange
from gateway.settings import Limits
from tests.support.house import ANN, House, holder
from tests.support.wire import Client

GET = b"GET /nowhere HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer eve\r\n\r\n"
PUT = (
    b"PUT /records/1/owner HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ann\r\n"
    b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n"
)
DENIED = (
    b"POST /nowhere HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ann\r\nContent-Length: 9\r\n\r\n"
)


def a_house() -> House:
    return House(limits=Limits(), ann=holder("ann"))


def asks(house: House, data: bytes) -> Client:
    """A client whose request is under way, with a minute for it."""
    client = house.connect(total_timeout_seconds=60.0, body_idle_timeout_seconds=30.0)
    client.feed(data)
    assert client.connection._task.waits
    assert client.connection.busy
    return client


def outcome(house: House, client: Client) -> Exchange:
    assert isinstance(client.connection._task.waits, bool)
    [exchange] = house.audit.exchanges
    return exchange


def test_whoever_was_waited_for_in_vain_is_answered_504() -> None:
    house = a_house()
    house.stall()
    client = asks(house, GET)
    client.advance(59)
    assert client.connection._task.waits
    assert house.audit.exchanges == []
    client.advance(2)
    exchange = outcome(house, client)
    assert (exchange.status, exchange.error_code, exchange.ending) == (
        504, "upstream-timeout", Ending.TIMED_OUT,
    )  # fmt: skip
    assert client.transport.written.startswith(b"HTTP/1.1 504 ")
    assert house.pipeline.in_flight == 0


def test_after_its_504_a_connection_is_as_good_as_before() -> None:
    house = a_house()
    house.stall()
    client = asks(house, GET)
    client.advance(61)
    assert b"connection: close" not in client.transport.take_written()
    assert outcome(house, client).ending is Ending.TIMED_OUT
    house.authenticator.takes_its_time = None
    assert house.ask(client, ANN).ending is Ending.REFUSED
    client.advance(70)
    assert client.connection._task.waits
    assert len(house.audit.exchanges) == 2


def test_a_body_that_arrives_too_slowly_is_answered_408() -> None:
    """R-1: each byte comes in time, and all of them too late."""
    house = a_house()
    client = asks(house, PUT)
    for _ in range(3):
        client.advance(19)
        client.feed(b"{")
        assert client.connection._task.waits
    client.advance(5)
    exchange = outcome(house, client)
    assert (exchange.status, exchange.error_code, exchange.ending) == (
        408, "request-timeout", Ending.TIMED_OUT,
    )  # fmt: skip
    assert b"\r\nconnection: close\r\n" in client.transport.written


def test_a_reply_that_has_begun_is_cut_off() -> None:
    house = a_house()
    client = asks(house, DENIED)
    assert client.transport.written.startswith(b"HTTP/1.1 403 ")
    for _ in range(3):
        client.advance(19)
        client.feed(b"x")
        assert client.connection._task.waits
    client.advance(5)
    exchange = outcome(house, client)
    assert (exchange.status, exchange.ending) == (403, Ending.TIMED_OUT)
    assert client.transport.fate == "aborted"


def test_time_between_two_requests_counts_for_neither() -> None:
    house = a_house()
    client = house.connect(total_timeout_seconds=60.0, keep_alive_timeout_seconds=1000.0)
    house.ask(client, ANN)
    client.advance(500)
    assert client.connection._task.waits
    assert house.ask(client, ANN).ending is Ending.REFUSED


@pytest.mark.parametrize("first", ["time", "client"])
def test_a_client_that_leaves_in_the_same_turn_has_left(first: str) -> None:
    house = a_house()
    house.stall()
    client = asks(house, GET)
    if first == "client":
        client.lose()
    client.connection.deadline = client.connection._until = client.loop.time()
    client.connection.expire()
    if first == "time":
        client.lose()
    with pytest.raises(asyncio.CancelledError):
        client.connection._task.result()
    [exchange] = house.audit.exchanges
    assert (exchange.status, exchange.ending) == (None, Ending.CLIENT_LEFT)


def test_a_shutdown_in_the_same_turn_is_a_shutdown() -> None:
    house = a_house()
    house.stall()
    client = asks(house, GET)
    client.advance(61)
    client.connection._task.cancel()
    with pytest.raises(asyncio.CancelledError):
        client.connection._task.result()
    [exchange] = house.audit.exchanges
    assert (exchange.status, exchange.ending) == (503, Ending.CANCELLED)
    assert exchange.error_code == "shutting-down"


def test_a_request_that_ends_just_before_its_time_is_left_alone() -> None:
    """The end of the request stops the clock, so nothing can be cancelled that comes after it."""
    house = a_house()
    house.ask(client := house.connect(total_timeout_seconds=60.0), ANN)
    client.connection.expire()
    assert not client.connection._task.cancelled
