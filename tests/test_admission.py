"""One request too many is refused at next to no cost, and its client not listened to for a while."""

import json

import pytest
from structlog.testing import capture_logs

from gateway.audit import Composer
from gateway.audit.intent import lost
from gateway.exchange import Ending
from gateway.settings import Limits
from tests.support.house import ANN, House, holder
from tests.support.wire import Client, Signal

PAUSE_SECONDS = 0.5


def asks(credentials: bytes = b"Bearer eve", *, more: bytes = b"", method: bytes = b"GET") -> bytes:
    return b"%b /nowhere?a=b HTTP/1.1\r\nHost: h\r\nAuthorization: %b\r\n%b\r\n" % (
        method, credentials, more,
    )  # fmt: skip


def full(places: int = 1) -> tuple[House, Signal, list[Client]]:
    """A house whose every place is taken by somebody whose credentials are being looked at."""
    house = House(limits=Limits(max_in_flight=places), ann=holder("ann"))
    done = house.stall()
    clients = [house.connect() for _ in range(places)]
    for client in clients:
        client.feed(asks())
        assert client.connection._task.waits
    assert house.pipeline.in_flight == places
    return house, done, clients


def turned_away(house: House, data: bytes = b"", **options: float) -> Client:
    """A client whose request comes to a full house."""
    client = house.connect(**options)
    client.feed(data or asks(ANN))
    assert isinstance(client.connection._task.waits, bool)
    return client


def test_as_many_as_there_are_places_are_served_and_one_more_is_refused() -> None:
    house, done, clients = full(places=3)
    client = turned_away(house)
    written = client.transport.take_written()
    assert written.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nretry-after: 1\r\n" in written
    assert b"\r\nx-gateway-refusal: overloaded\r\n" in written
    assert b"connection: close" not in written
    assert house.pipeline.in_flight == 3
    done.set_result(None)
    for served in clients:
        assert served.connection._task.waits
        assert served.transport.written.startswith(b"HTTP/1.1 401 ")
    assert house.pipeline.in_flight == 0
    client.advance(2 * PAUSE_SECONDS)
    assert client.connection._task.waits
    assert house.ask(client, ANN).decision is not None


def test_who_asks_too_much_is_neither_identified_nor_decided_on_and_recorded_all_the_same() -> None:
    house, _, _ = full()
    asked = list(house.looked_up)
    turned_away(house)
    [exchange] = house.audit.exchanges
    assert house.looked_up == asked
    assert exchange.decision is None
    assert (exchange.status, exchange.ending, exchange.error_code) == (
        503, Ending.REFUSED, "overloaded",
    )  # fmt: skip
    assert exchange.head is not None
    assert (exchange.head.method, exchange.bytes_in > 0, exchange.bytes_out > 0) == (
        "GET", True, True,
    )  # fmt: skip


def test_the_refusal_is_a_whole_reply_with_the_requests_own_id() -> None:
    house, _, _ = full()
    replies = [turned_away(house).transport.written for _ in range(2)]
    for reply, exchange in zip(replies, house.audit.exchanges, strict=True):
        head, _, body = reply.partition(b"\r\n\r\n")
        assert json.loads(body)["request_id"] == exchange.id
        assert b"\r\nx-request-id: %b\r\n" % exchange.id.encode() in head + b"\r\n"
        assert b"\r\ncontent-length: %d\r\n" % len(body) in head
        assert exchange.bytes_out == len(reply)


def test_a_refused_head_request_gets_no_body() -> None:
    house, _, _ = full()
    assert turned_away(house, asks(method=b"HEAD")).transport.written.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("others", "pause_seconds"),
    [(0, 0.0004), (499, 0.2), (1_249, PAUSE_SECONDS), (9_999, PAUSE_SECONDS)],
)
def test_whoever_comes_back_at_once_waits_unread_the_longer_the_more_they_are(
    others: int, pause_seconds: float
) -> None:
    """A client that ignores `Retry-After` cannot keep the processor busy with refusing it, and is
    never kept longer than it was told.
    """
    house, done, [served] = full()
    house.pipeline._admission._resting = others
    client = turned_away(house, asks(ANN) * 3)
    assert client.transport.written.count(b"HTTP/1.1 503") == 1
    assert not client.transport.reading
    done.set_result(None)
    assert served.connection._task.waits
    client.advance(0.9 * pause_seconds)
    assert client.connection._task.waits
    assert client.transport.written.count(b"HTTP/1.1") == 1
    client.advance(0.2 * pause_seconds)
    assert client.connection._task.waits
    assert client.transport.reading
    assert client.transport.written.count(b"HTTP/1.1 503") == 1
    assert client.transport.written.count(b"HTTP/1.1 403") == 2


def test_a_client_that_rests_can_be_lost() -> None:
    house, _, _ = full()
    client = turned_away(house)
    client.lose()
    client.connection._task.result()
    assert len(client.watch) == 0


def test_at_shutdown_a_client_that_rests_has_had_its_last_answer() -> None:
    house, _, _ = full()
    client = turned_away(house)
    house.pipeline.draining = True
    client.connection.end_if_idle()
    assert isinstance(client.connection._task.waits, bool)
    assert client.transport.fate == "closed"


@pytest.mark.parametrize(
    ("more", "sent", "kept"),
    [
        (b"Content-Length: 5\r\n", b"hello", True),
        (b"Content-Length: 70000\r\n", b"", False),
        (b"Transfer-Encoding: chunked\r\n", b"", False),
        (b"Content-Length: 5\r\nExpect: 100-continue\r\n", b"", False),
    ],
)
def test_a_body_nobody_reads_is_drained_or_its_connection_closed(
    more: bytes, sent: bytes, kept: bool
) -> None:
    """F-6."""
    house, done, _ = full()
    client = turned_away(house, asks(ANN, more=more, method=b"POST") + sent)
    assert (b"\r\nconnection: close\r\n" in client.transport.take_written()) is not kept
    if not kept:
        assert client.transport.ended
        return
    done.set_result(None)
    client.advance(2 * PAUSE_SECONDS)
    assert client.connection._task.waits
    client.feed(asks(ANN))
    assert client.connection._task.waits
    assert client.transport.written.startswith(b"HTTP/1.1 ")


def test_it_is_noted_before_its_body_is_waited_for() -> None:
    """Whoever has the answer has a line, though this process be killed meanwhile."""
    house, _, _ = full()
    notes: list[bytes] = []
    composer = Composer(b"k" * 32)
    house.audit.note = lambda exchange: notes.append(composer.note(exchange))
    client = turned_away(house, asks(ANN, more=b"Content-Length: 5\r\n", method=b"POST") + b"hel")
    assert client.transport.written.startswith(b"HTTP/1.1 503 ")
    [line] = [lost(note, house.clock) for note in notes]
    assert (line.method, line.effect, line.reason) == ("POST", "deny", "overloaded")


@pytest.mark.parametrize("how", ["ends", "stays silent"])
def test_whoever_keeps_the_rest_of_a_refused_body_back_still_has_its_answer(how: str) -> None:
    """It was whole: a reset might take it away, and the refusal is all there is to record."""
    house, _, _ = full()
    client = turned_away(house, asks(ANN, more=b"Content-Length: 5\r\n", method=b"POST") + b"hel")
    if how == "ends":
        client.end()
    else:
        client.advance(31)
    assert isinstance(client.connection._task.waits, bool)
    [exchange] = house.audit.exchanges
    assert (exchange.status, exchange.ending, exchange.error_code) == (
        503, Ending.REFUSED, "overloaded",
    )  # fmt: skip
    assert "abort" not in client.transport.calls
    counted = house.metrics.snapshot().readings["gateway_refusals_total"]
    assert {code: count for code, count in counted.items() if count} == {("overloaded",): 1}


def test_a_refused_body_that_dribbles_in_takes_nobodys_place() -> None:
    """R-1: a few idle strangers could fill every place."""
    house = House(limits=Limits(max_in_flight=1), ann=holder("ann"))
    slow = house.connect()
    slow.feed(asks(ANN, more=b"Content-Length: 5\r\n", method=b"POST"))
    assert slow.connection._task.waits
    assert slow.transport.written.startswith(b"HTTP/1.1 403 ")
    assert slow.connection.busy
    assert house.pipeline.in_flight == 0


def test_it_is_counted_under_its_code() -> None:
    house, _, _ = full()
    turned_away(house)
    turned_away(house)
    counted = house.metrics.snapshot().readings["gateway_refusals_total"]
    assert counted["overloaded",] == 2


def test_the_log_hears_of_many_at_once() -> None:
    """R-7: a flood must not cost a line of log for each of its drops."""
    house, _, _ = full()
    with capture_logs() as entries:
        for _ in range(5):
            turned_away(house)
        house.clock.advance(10)
        turned_away(house)
    assert [entry["turned_away"] for entry in entries] == [1, 5]
