"""TLS is plumbing: whatever goes in at one end comes out at the other, however it was cut.

The client is OpenSSL itself, over memory instead of a socket.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.tls import TlsChannel
from gateway.wire.watch import Watch
from tests.support.certificates import HOST, client_context, server
from tests.support.wire import FakeLoop


class Above(asyncio.Protocol):
    """What is decrypted, and every event, in order."""

    def __init__(self) -> None:
        self.received = b""
        self.events: list[str] = []
        self.stays_open = True

    def connection_made(self, _transport: asyncio.BaseTransport) -> None:
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        assert "made" in self.events, "data before there is a connection"
        assert data
        self.received += data

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.stays_open

    def connection_lost(self, error: Exception | None) -> None:
        self.events.append("lost" if error is None else f"lost: {type(error).__name__}")

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")


class Carrier:
    """The TCP transport below."""

    def __init__(self) -> None:
        self.written = b""
        self.calls: list[str] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        assert data
        assert not self.calls, "a write after the end"
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closing

    def __getattr__(self, name: str) -> Any:
        def called() -> None:
            self.calls.append(name)
            self.closing = self.closing or name in {"close", "abort"}

        return called


class Pair:
    """A client and the channel, with the bytes between them in hand."""

    def __init__(self, folder: Path) -> None:
        certificate, private = server().write(folder, "server")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, private)
        self.loop = FakeLoop()
        self.watch = Watch(self.loop)  # type: ignore[arg-type]
        self.carrier = Carrier()
        self.above = Above()
        self.shaking = True
        self.channel = TlsChannel(
            self.loop,  # type: ignore[arg-type]
            self.watch,
            context,
            handshake_seconds=10,
            above=lambda _: self.above,
            shaken=lambda _: self._shaken(),
        )
        self.channel.connection_made(self.carrier)  # type: ignore[arg-type]
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client_context(folder).wrap_bio(self._in, self._out, server_hostname=HOST)

    def _shaken(self) -> None:
        assert self.shaking, "told twice"
        self.shaking = False

    def flight(self) -> bytes:
        """What the client has to send, having read what is here."""
        self._in.write(self.carrier.written)
        self.carrier.written = b""
        return self._out.read()

    def shake(self) -> bytes:
        """Both through the handshake but for the client's last flight, which is returned."""
        for _ in range(2):
            try:
                self.client.do_handshake()
            except ssl.SSLWantReadError:
                self.channel.data_received(self.flight())
        self.flight()
        self.client.do_handshake()
        return self.flight()

    def read(self) -> bytes:
        self.flight()
        pieces = []
        try:
            while piece := self.client.read(65_536):
                pieces.append(piece)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return b"".join(pieces)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture
def pair(folder: Path) -> Pair:
    return Pair(folder)


def opened(pair: Pair) -> Pair:
    pair.channel.data_received(pair.shake())
    assert pair.above.events == ["made"]
    return pair


def test_a_handshake_and_the_first_request_may_arrive_together(pair: Pair) -> None:
    last = pair.shake()
    pair.client.write(b"GET /")
    pair.channel.data_received(last + pair.flight())
    assert (pair.above.events, pair.above.received) == (["made"], b"GET /")
    assert not pair.shaking


@given(sizes=st.lists(st.integers(1, 400), min_size=1), data=st.binary(max_size=40_000))
def test_however_the_bytes_are_cut_the_same_arrives(
    folder: Path, sizes: list[int], data: bytes
) -> None:
    pair = Pair(folder)
    last = pair.shake()
    for start in range(0, len(data), 1000):
        pair.client.write(data[start : start + 1000])
    sent = last + pair.flight()
    turn = 0
    while sent:
        size = sizes[turn % len(sizes)]
        pair.channel.data_received(sent[:size])
        sent = sent[size:]
        turn += 1
    assert pair.above.events == ["made"]
    assert pair.above.received == data


@given(data=st.binary(min_size=1, max_size=100_000))
def test_what_is_written_arrives(folder: Path, data: bytes) -> None:
    pair = opened(Pair(folder))
    pair.channel.write(data)
    assert pair.read() == data


def test_the_time_for_a_handshake_is_bounded(pair: Pair) -> None:
    pair.loop.advance(9.5)
    assert pair.carrier.calls == []
    pair.loop.advance(1)
    assert pair.carrier.calls == ["abort"]
    pair.channel.connection_lost(None)
    assert not pair.shaking
    assert len(pair.watch) == 0


def test_after_the_handshake_its_time_is_no_matter(pair: Pair) -> None:
    opened(pair)
    assert len(pair.watch) == 0
    pair.loop.advance(100)
    assert pair.carrier.calls == []


def test_a_failed_handshake_sends_its_alert_and_reads_on_until_the_client_goes(pair: Pair) -> None:
    pair.channel.data_received(b"\x16\x03\x01\x00\x04\x0b\x00\x00\x00")  # not a hello
    assert pair.carrier.written[:1] == b"\x15"
    assert pair.carrier.calls == ["write_eof"]
    pair.channel.data_received(b"GET / HTTP/1.1\r\n\r\n")
    assert not pair.channel.eof_received()  # the transport closes itself
    pair.channel.connection_lost(None)
    assert (pair.above.events, pair.shaking, len(pair.watch)) == ([], False, 0)


def test_a_refused_client_that_stays_is_cut_off(pair: Pair) -> None:
    pair.channel.data_received(b"GET / HTTP/1.1\r\n\r\n")
    pair.loop.advance(10.5)
    assert pair.carrier.calls == ["write_eof", "abort"]


def test_our_end_is_said_and_the_clients_bytes_are_read_on(pair: Pair) -> None:
    opened(pair).channel.write(b"HTTP/1.1 413\r\n\r\n")
    pair.channel.write_eof()
    assert pair.read() == b"HTTP/1.1 413\r\n\r\n"
    assert pair.client.read(1) == b""  # close_notify: nothing was cut off
    pair.client.write(b"still on its way")
    pair.channel.data_received(pair.flight())
    assert pair.above.received == b"still on its way"
    pair.channel.close()
    assert pair.carrier.calls == ["write_eof", "close"]


def test_closing_says_so_before_it_does(pair: Pair) -> None:
    opened(pair).channel.close()
    assert pair.carrier.calls == ["close"]
    pair.flight()
    assert pair.client.read(1) == b""


def test_the_clients_end_is_told_once_and_leaves_our_side_open(pair: Pair) -> None:
    opened(pair)
    pair.client.write(b"GET /")
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.channel.data_received(pair.flight())
    assert pair.channel.eof_received()
    assert (pair.above.events, pair.above.received) == (["made", "eof"], b"GET /")
    pair.channel.write(b"HTTP/1.1 200 OK\r\n\r\n")
    assert pair.carrier.written
    assert pair.carrier.calls == []


def test_whoever_does_not_stay_open_is_closed_at_the_clients_end(pair: Pair) -> None:
    opened(pair).above.stays_open = False
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.channel.data_received(pair.flight())
    assert pair.carrier.calls == ["close"]


def test_what_follows_the_clients_end_is_not_read(pair: Pair) -> None:
    opened(pair)
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.channel.data_received(pair.flight() + b"\x17\x03\x03\x00\x05hello")
    pair.channel.data_received(b"\x17\x03\x03\x00\x05hello")
    assert (pair.above.events, pair.above.received) == (["made", "eof"], b"")


def test_a_record_that_was_tampered_with_ends_the_connection(pair: Pair) -> None:
    opened(pair)
    pair.client.write(b"GET / HTTP/1.1")
    record = bytearray(pair.flight())
    record[-1] ^= 1
    pair.channel.data_received(bytes(record))
    assert (pair.above.received, pair.carrier.calls) == (b"", ["abort"])
    pair.channel.connection_lost(None)
    assert pair.above.events == ["made", "lost: SSLError"]


def test_back_pressure_is_that_of_the_transport_below(pair: Pair) -> None:
    opened(pair)
    pair.channel.pause_writing()
    pair.channel.resume_writing()
    assert pair.above.events == ["made", "pause", "resume"]
    pair.carrier.calls.clear()
    pair.channel.pause_reading()
    pair.channel.resume_reading()
    assert pair.carrier.calls == ["pause_reading", "resume_reading"]


def test_who_does_not_read_what_was_written_is_not_read_from(pair: Pair) -> None:
    """R-3: a client may ask for new keys without end, and each has an answer."""
    opened(pair)
    pair.channel.pause_writing()
    assert pair.carrier.calls == ["pause_reading"]
    pair.channel.pause_reading()
    pair.channel.resume_reading()
    assert "resume_reading" not in pair.carrier.calls
    pair.channel.resume_writing()
    assert pair.carrier.calls[-1] == "resume_reading"


def test_when_it_has_read_the_connection_above_may_still_not_want_to_hear_it(pair: Pair) -> None:
    opened(pair)
    pair.channel.pause_writing()
    pair.channel.pause_reading()
    pair.channel.resume_writing()
    assert "resume_reading" not in pair.carrier.calls
    pair.channel.resume_reading()
    assert pair.carrier.calls[-1] == "resume_reading"
