"""A client that is not listened to for a while, and one that does not listen."""

from tests.support.wire import GET, Client, a_client, a_reading, head_of, pull

# --- resting ----------------------------------------------------------------------------------


def test_whoever_rests_is_not_read_from_until_the_time_is_over() -> None:
    client = a_client()
    resting = pull(client.connection.rest(1.0))
    assert not client.transport.reading
    client.advance(0.9)
    assert resting.waits
    client.advance(0.5)
    resting.result()
    assert client.transport.reading


def test_what_was_on_its_way_when_reading_paused_is_kept() -> None:
    client = a_client()
    resting = pull(client.connection.rest(1.0))
    client.connection.data_received(GET)
    assert resting.waits
    client.advance(1.5)
    resting.result()
    assert head_of(client).target == b"/"


def test_a_client_that_was_paused_already_stays_paused_for_what_it_has_sent() -> None:
    client = a_client(pieces=[b"x" * 70_000])
    assert client.transport.calls == ["pause"]
    resting = pull(client.connection.rest(1.0))
    client.advance(1.5)
    resting.result()
    assert client.transport.calls == ["pause"]
    client.connection.take(70_000)
    assert client.transport.calls == ["pause", "resume"]


def test_a_client_that_has_ended_need_not_rest() -> None:
    client = a_client()
    client.end()
    pull(client.connection.rest(1.0)).result()
    assert client.transport.calls == []


# --- not reading ------------------------------------------------------------------------------


def deaf(**limits: float) -> Client:
    """A client that asked again and has not read its answers."""
    client = a_client(pieces=[GET, GET], **limits)
    head_of(client)
    client.connection.pause_writing()
    client.transport.unsent = 100_000
    return client


def test_whoever_does_not_read_its_answers_gets_no_further_ones() -> None:
    """R-3: they would pile up here."""
    client = deaf()
    head = pull(client.connection.next_head())
    assert head.waits
    client.feed(GET)
    assert head.waits
    client.transport.unsent = 0
    client.connection.resume_writing()
    assert head.result() is not None


def test_whoever_never_reads_is_dropped() -> None:
    client = deaf(body_idle_timeout_seconds=30.0)
    head = pull(client.connection.next_head())
    client.advance(29)
    assert head.waits
    client.advance(2)
    assert head.result() is None
    assert client.transport.fate == "aborted"


def test_whoever_reads_slowly_has_time_as_long_as_it_goes_on() -> None:
    client = deaf(body_idle_timeout_seconds=30.0, total_timeout_seconds=300.0)
    head = pull(client.connection.next_head())
    for _ in range(5):
        client.transport.unsent -= 1
        client.advance(31)
        assert head.waits
    client.advance(31)
    assert head.result() is None


def test_sending_more_is_not_reading() -> None:
    client = deaf(body_idle_timeout_seconds=30.0)
    head = pull(client.connection.next_head())
    for _ in range(3):
        client.advance(11)
        if head.waits:
            client.feed(b"GET")
    assert head.result() is None


def test_reading_ever_so_slowly_ends_with_the_total_time() -> None:
    client = deaf(body_idle_timeout_seconds=30.0, total_timeout_seconds=100.0)
    head = pull(client.connection.next_head())
    for _ in range(4):
        client.advance(31)
        client.transport.unsent -= 1
        assert isinstance(head.waits, bool)
    assert head.result() is None


def test_a_deaf_client_that_goes_just_ends_the_conversation() -> None:
    client = deaf()
    head = pull(client.connection.next_head())
    assert head.waits
    client.lose()
    assert head.result() is None
    assert "abort" not in client.transport.calls


# --- by what name, and on whose word ----------------------------------------------------------


def said(value: bytes, *, host: bytes = b"h") -> bytes:
    return b"GET / HTTP/1.1\r\nHost: %b\r\nX-Forwarded-For: %b\r\n\r\n" % (host, value)


def test_a_trusted_proxy_speaks_for_each_client_of_its_connection() -> None:
    client = a_client(
        pieces=[said(b"198.51.100.1"), said(b"198.51.100.2"), GET],
        reading=a_reading(trusted_proxies=["10.0.0.0/8"]),
    )
    told = []
    for _ in range(3):
        origin = head_of(client).section.origin
        assert client.connection.forwarding_lines == origin.lines
        told.append(origin.peer)
    assert told == ["198.51.100.1", "198.51.100.2", "10.0.0.7"]
    assert client.connection.peer.origin.peer == "10.0.0.7"


def test_without_a_list_nobody_is_a_proxy() -> None:
    """H-5: there is no default."""
    head = head_of(client := a_client(pieces=[said(b"198.51.100.1")]))
    assert head.section.origin.peer == "10.0.0.7"
    assert b"198.51" not in client.connection.forwarding_lines
