"""Every framing attack we know, and any other bytes: what a client's connection makes of them.

The rows of framing.yaml are data; here they are fed whole, byte by byte and at random cuts, since
an answer that depends on how bytes happen to arrive is what smuggling lives on.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from gateway.errors import GatewayError
from gateway.wire.client import ClientConnection
from tests.support.strategies import cuts, hostile_heads, in_pieces
from tests.support.wire import a_client, pull

CASES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("framing.yaml").read_text("utf-8"))


async def listen(client: ClientConnection, heads: list[str]) -> GatewayError | None:
    """Note every request with its body until there are no more; the error that ended it."""
    try:
        while (head := await client.next_head()) is not None:
            heads.append(f"{head.method} {head.target.decode()} refused")
            body = await client.whole_body(10_000)
            heads[-1] = f"{head.method} {head.target.decode()} '{body.decode('latin-1')}'"
    except GatewayError as error:
        return error
    return None


def hear(
    pieces: list[bytes], *, before: list[bytes] | None = None
) -> tuple[list[str], GatewayError | None]:
    """What is understood of `pieces` and the end of the stream after them.

    What comes `before` is there already when the conversation starts.
    """
    client = a_client(pieces=before or ())
    if not pieces:
        client.end()
    heads: list[str] = []
    conversation = pull(listen(client.connection, heads))
    for piece in pieces:
        client.feed(piece)
        if not conversation.waits:
            break
    if pieces:
        client.end()
    return heads, conversation.result()


def singly(raw: bytes) -> list[bytes]:
    return [raw[index : index + 1] for index in range(len(raw))]


def check(case: dict[str, Any], heard: tuple[list[str], GatewayError | None]) -> None:
    heads, error = heard
    assert heads == case["heads"]
    if "refused" not in case:
        assert error is None
        return
    assert error is not None, "it was not refused"
    assert error.code == case["refused"]
    assert error.detail.startswith(tuple(case["detail"])), error.detail


@pytest.mark.parametrize("name", CASES)
def test_whole(name: str) -> None:
    raw = CASES[name]["raw"].encode("latin-1")
    check(CASES[name], hear([raw] if raw else []))


@pytest.mark.parametrize("name", CASES)
def test_whole_and_ended_before_anybody_looked(name: str) -> None:
    raw = CASES[name]["raw"].encode("latin-1")
    check(CASES[name], hear([], before=[raw] if raw else []))


@pytest.mark.parametrize("name", CASES)
def test_byte_by_byte(name: str) -> None:
    check(CASES[name], hear(singly(CASES[name]["raw"].encode("latin-1"))))


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=20)
@given(places=cuts)
def test_at_any_cuts(name: str, places: list[int]) -> None:
    check(CASES[name], hear(in_pieces(CASES[name]["raw"].encode("latin-1"), places)))


@given(raw=hostile_heads, places=cuts)
def test_any_bytes_mean_the_same_however_they_arrive(raw: bytes, places: list[int]) -> None:
    """Of two faults either may be named; whether there is one does not depend on segmentation."""
    heads, error = hear([raw] if raw else [])
    for others, other in (
        hear(singly(raw)),
        hear(in_pieces(raw, places)),
        hear([], before=[raw] if raw else []),
    ):
        assert others == heads
        assert (other is None) is (error is None)
