"""How a conversation begins and ends: started on connecting, cancelled when the client leaves,
closed so that the last answer is still read.
"""

import asyncio

import pytest

from gateway.errors import FramingRejected
from gateway.wire.client import ClientConnection
from tests.support.wire import GET, Client, Pull, a_client, head_of, post, pull

# --- the beginning ----------------------------------------------------------------------------


def test_a_conversation_starts_with_the_connection_and_bears_the_peers_name() -> None:
    met: list[ClientConnection] = []

    async def converse(client: ClientConnection) -> None:
        met.append(client)

    client = a_client(converse)
    assert met == [client.connection]
    assert client.connection._task.name == "10.0.0.7"
    assert len(client.watch) == 1


@pytest.mark.parametrize(
    ("peer", "name"),
    [
        (("10.0.0.7", 50_000), "10.0.0.7"),
        (("2001:db8::1", 1, 0, 0), "2001:db8::1"),
        ("", "local"),
        ("/run/other.sock", "local"),
        (None, "local"),
    ],
)
def test_who_is_connected_is_told_to_the_upstream_by_us(
    peer: tuple[object, ...] | str | None, name: str
) -> None:
    """H-5: `X-Forwarded-*` are made here, from the socket."""
    connection = a_client(peer=peer).connection
    assert connection.peer.origin.peer == name
    assert connection.forwarding_lines == (
        f"x-forwarded-for: {name}\r\nx-forwarded-proto: http\r\n".encode()
    )


def test_a_connection_reads_well_in_a_log() -> None:
    connection = a_client().connection
    assert repr(connection) == "<ClientConnection 10.0.0.7>"
    connection.busy = True
    assert repr(connection) == "<ClientConnection 10.0.0.7 busy>"


# --- loss -------------------------------------------------------------------------------------


async def waits_for_ever(client: ClientConnection) -> None:
    await client.wait()
    raise AssertionError("it went on without its client")


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
def test_a_client_that_leaves_takes_its_request_with_it(error: Exception | None) -> None:
    client = a_client(waits_for_ever)
    client.connection.busy = True
    client.lose(error)
    with pytest.raises(asyncio.CancelledError):
        client.connection._task.result()
    assert len(client.watch) == 0


def test_a_client_that_leaves_between_two_requests_just_ends_the_conversation() -> None:
    heads: list[object] = []

    async def converse(client: ClientConnection) -> None:
        heads.append(await client.next_head())

    client = a_client(converse)
    client.lose()
    assert client.connection._task.result() is None
    assert heads == [None]


def test_what_a_client_asked_for_in_advance_is_not_begun_when_it_has_left() -> None:
    """Nobody would be told, nor would its going end what was begun after it."""
    client = a_client(waits_for_ever, pieces=[GET + GET])
    head_of(client)
    client.lose()
    assert pull(client.connection.next_head()).result() is None


def test_what_a_client_asked_for_in_advance_is_begun_when_it_only_ended_its_side() -> None:
    client = a_client(waits_for_ever, pieces=[GET + GET])
    head_of(client)
    client.end()
    assert head_of(client).method == "GET"


def test_a_client_that_ends_its_side_before_the_answer_has_left_as_well() -> None:
    """As nginx and Go read it: a half-closed client cannot be told from one that is gone."""
    client = a_client(waits_for_ever, pieces=[GET])
    head_of(client)
    client.connection.busy = True
    client.end()
    with pytest.raises(asyncio.CancelledError):
        client.connection._task.result()


def test_a_client_that_ends_its_side_within_its_body_is_told_that_it_did() -> None:
    client = a_client(waits_for_ever, pieces=[post(5), b"he"])
    head_of(client)
    client.connection.busy = True
    client.end()
    assert not client.connection._task.cancelled
    with pytest.raises(FramingRejected, match="the body ended early"):
        pull(client.connection.whole_body(9)).result()


# --- closing ----------------------------------------------------------------------------------


def closing(client: Client) -> Pull[None]:
    return pull(client.connection.close())


def test_closing_tells_the_client_first_and_waits_for_it_to_end() -> None:
    client = a_client()
    done = closing(client)
    assert done.waits
    assert client.transport.calls == ["eof"]
    client.end()
    done.result()
    assert client.transport.calls == ["eof", "close"]


def test_closing_does_not_wait_for_a_client_that_has_ended() -> None:
    client = a_client()
    client.end()
    closing(client).result()
    assert client.transport.calls == ["eof", "close"]


def test_closing_reads_on_so_that_the_answer_is_not_lost_to_a_reset() -> None:
    client = a_client(pieces=[post(50_000)])
    head_of(client)
    done = closing(client)
    for _ in range(5):
        client.feed(b"x" * 10_000)
        assert done.waits
        assert client.connection.buffer == b""
    client.end()
    done.result()
    assert client.transport.fate == "closed"


def test_closing_lets_a_client_finish_that_was_made_to_wait() -> None:
    client = a_client(pieces=[b"x" * 70_000], drain_body_bytes=200_000)
    assert not client.transport.reading
    done = closing(client)
    assert done.waits
    assert client.transport.reading


def test_closing_waits_no_longer_than_the_linger_time() -> None:
    client = a_client(linger_seconds=2.0)
    done = closing(client)
    client.advance(1.9)
    assert done.waits
    client.advance(0.5)
    done.result()
    assert client.transport.calls == ["eof", "close"]


def test_closing_reads_no_more_than_the_drain_limit() -> None:
    client = a_client(drain_body_bytes=1000)
    done = closing(client)
    client.feed(b"x" * 1000)
    assert done.waits
    for _ in range(2):
        client.feed(b"x")
        assert isinstance(done.waits, bool)
    done.result()
    assert client.transport.fate == "closed"


def test_a_lost_connection_needs_no_closing() -> None:
    client = a_client()
    client.lose()
    closing(client).result()
    assert client.transport.calls == []


def test_a_connection_lost_while_closing_is_left_alone() -> None:
    client = a_client()
    done = closing(client)
    client.lose()
    done.result()
    assert client.transport.calls == ["eof"]


def test_a_transport_that_cannot_half_close_is_closed_at_the_end() -> None:
    client = a_client()
    client.transport.half_closes = False
    client.end()
    closing(client).result()
    assert client.transport.calls == ["close"]


def test_a_client_that_half_closed_still_gets_the_rest_of_its_answer() -> None:
    """It ended its side after the answer was made; whoever is gone would reset the connection."""
    client = a_client()
    client.end()
    client.transport.unsent = 50_000
    closing(client)
    assert client.transport.fate != "aborted"


def test_a_slow_reader_still_gets_the_rest_of_its_answer() -> None:
    """The linger time is for what the client sends, not for what it has yet to read."""
    client = a_client(linger_seconds=2.0, body_idle_timeout_seconds=30.0)
    client.transport.unsent = 50_000
    done = closing(client)
    client.advance(3)
    assert isinstance(done.waits, bool)
    assert client.transport.fate != "aborted"


def test_what_is_unsent_when_reading_on_ends_has_the_idle_time_of_a_body() -> None:
    client = a_client(linger_seconds=2.0, body_idle_timeout_seconds=30.0)
    client.transport.unsent = 50_000
    done = closing(client)
    client.advance(2.5)
    assert done.waits
    client.advance(29.5)
    assert done.waits
    assert client.transport.calls == ["eof", "close"]
    client.advance(1)
    done.result()
    assert client.transport.calls == ["eof", "close", "abort"]


def test_a_client_that_read_to_the_end_is_not_dropped() -> None:
    """The transport closes once all is sent, and says so."""
    client = a_client()
    client.end()
    client.transport.unsent = 50_000
    done = closing(client)
    assert done.waits
    client.transport.unsent = 0
    client.lose()
    done.result()
    assert client.transport.calls == ["eof", "close"]


def test_a_client_that_never_reads_is_dropped_in_the_end() -> None:
    """R-2."""
    client = a_client(linger_seconds=2.0, body_idle_timeout_seconds=30.0)
    client.transport.unsent = 50_000
    done = closing(client)
    for _ in range(4):
        client.advance(31)
        assert isinstance(done.waits, bool)
    assert client.transport.fate == "aborted"


def test_an_answer_on_its_way_when_shutdown_comes_still_arrives() -> None:
    client = a_client()
    client.transport.unsent = 50_000
    head = pull(client.connection.next_head())
    client.connection.end_if_idle()
    assert head.result() is None
    closing(client)
    assert client.transport.fate != "aborted"


# --- shutdown ---------------------------------------------------------------------------------


def test_at_shutdown_an_idle_client_has_had_its_last_answer() -> None:
    client = a_client()
    head = pull(client.connection.next_head())
    client.connection.end_if_idle()
    assert head.result() is None


def test_at_shutdown_a_busy_client_and_one_that_is_speaking_go_on() -> None:
    busy = a_client()
    busy.connection.busy = True
    busy.connection.end_if_idle()
    assert not busy.connection.ended
    speaking = a_client(pieces=[b"GET / HT"])
    head = pull(speaking.connection.next_head())
    speaking.connection.end_if_idle()
    assert head.waits
    speaking.feed(b"TP/1.1\r\nHost: h\r\n\r\n")
    assert head.result() is not None
