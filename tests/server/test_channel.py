"""Messages between processes: whole, in order, with their descriptors, and an end that is told."""

import os
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import Decoder

from gateway.server.channel import Listening, receive, send
from gateway.server.messages import TO_NURSERY, TO_WORKER, Ask, Drain, Fork, Reload, Renew

TEXT = Decoder(str)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, its = socket.socketpair()
    yield ours, its
    ours.close()
    its.close()


@pytest.fixture
async def listening(
    pair: tuple[socket.socket, socket.socket],
) -> AsyncIterator[tuple[Listening[str], socket.socket]]:
    end = Listening(pair[0], TEXT)
    await end.open()
    yield end, pair[1]
    end.close()


@given(st.lists(st.text(max_size=200), max_size=5))
def test_messages_arrive_whole_and_in_order(texts: list[str]) -> None:
    ours, its = socket.socketpair()
    with ours, its:
        for text in texts:
            send(ours, text)
        ours.close()

        assert [receive(its, TEXT) for _ in texts] == [(text, []) for text in texts]
        assert receive(its, TEXT) is None


def test_descriptors_travel_beside_their_own_message(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, its = pair
    reading, writing = os.pipe()
    send(ours, Renew())
    send(ours, Fork(slot=3), [writing])
    os.close(writing)

    assert receive(its, TO_NURSERY) == (Renew(), [])
    received = receive(its, TO_NURSERY)
    assert received is not None
    message, (descriptor,) = received
    assert message == Fork(slot=3)
    os.write(descriptor, b"the same pipe")
    os.close(descriptor)
    assert os.read(reading, 100) == b"the same pipe"
    os.close(reading)


def test_an_end_in_mid_message_is_an_end(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, its = pair
    ours.sendall(b"\x00\x00\x00\x09half")
    ours.close()

    assert receive(its, TEXT) is None


async def test_the_end_in_a_loop_hears_messages_one_by_one_and_then_the_end(
    listening: tuple[Listening[str], socket.socket],
) -> None:
    end, other = listening
    send(other, "one")
    send(other, "two")
    other.close()

    assert [await end.next(), await end.next(), await end.next()] == ["one", "two", None]


@pytest.mark.parametrize(
    "garbage",
    [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1", b"\x00\x00\x00\x01\x05"],
    ids=["a length beyond any message", "no MessagePack", "a message of another kind"],
)
async def test_what_is_no_message_ends_the_conversation(
    listening: tuple[Listening[str], socket.socket], garbage: bytes
) -> None:
    end, other = listening
    other.sendall(garbage)

    assert await end.next() is None


async def test_telling_somebody_who_is_gone_is_harmless(
    listening: tuple[Listening[str], socket.socket],
) -> None:
    end, other = listening
    other.close()
    assert await end.next() is None

    end.tell("anybody there?")
    end.tell("no")


async def test_what_was_told_before_the_end_arrives(
    listening: tuple[Listening[str], socket.socket],
) -> None:
    end, other = listening
    end.tell("x" * 100_000)
    end.tell("last words")
    reader = Listening(other, TEXT)
    await reader.open()
    long = await reader.next()
    await end.finish()

    assert (long, await reader.next(), await reader.next()) == ("x" * 100_000, "last words", None)
    reader.close()


def test_each_message_is_read_as_what_it_was() -> None:
    ours, its = socket.socketpair()
    with ours, its:
        for message in (Ask(), Reload(version="v2"), Drain()):
            send(ours, message)
            assert receive(its, TO_WORKER) == (message, [])
