"""Every framing attack of the corpus, and any other bytes: what a client's connection makes of them.

`tests/live/test_corpus.py` holds the same cases against a whole gateway. Here they are fed to the
connection alone, so that each can be cut at any place, and the reason of a refusal is asserted,
which no client is ever told. What is accepted has to be what another reader of RFC 9112 reads.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.wire.client import ClientConnection
from tests.support.corpus import Case, Shape, load_corpus
from tests.support.held_site import CREDENTIALS
from tests.support.strategies import cuts, hostile_heads, in_pieces
from tests.support.strict_reading import read_request
from tests.support.wire import a_client, pull

Heard = tuple[str, bytes, bytes]

_THEMES = {"framing.yaml", "chunks.yaml", "headers.yaml", "method.yaml", "exhaustion.yaml"}
_REFUSED_HERE = {"framing-rejected", "header-rejected", "head-too-large"}
_LONG = 4000


def _code(reply: str) -> str:
    return reply.partition(" ")[2]


# Where nobody is denied, and no target is looked at.
SHAPES = [
    (case, shape)
    for case in load_corpus()
    if case.theme in _THEMES and {_code(reply) for reply in case.replies} <= {"", *_REFUSED_HERE}
    if not case.limits
    for shape in case.spelt(CREDENTIALS)
]
SHORT = [(case, shape) for case, shape in SHAPES if len(shape.raw) < _LONG]


def every(shapes: list[tuple[Case, Shape]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("case", "shape"), shapes, ids=[f"{case}, {shape!r}" for case, shape in shapes]
    )


async def listen(client: ClientConnection, heard: list[Heard]) -> GatewayError | None:
    """Note every request with its body until there are no more; the error that ended it."""
    try:
        while (head := await client.next_head()) is not None:
            heard.append((head.method, head.target, await client.whole_body(10_000)))
            if not client.reusable:
                break
    except GatewayError as error:
        return error
    return None


def hear(
    pieces: list[bytes], *, before: list[bytes] | None = None
) -> tuple[list[Heard], GatewayError | None]:
    """What is understood of `pieces` and the end of the stream after them.

    What comes `before` is there already when the conversation starts.
    """
    client = a_client(pieces=before or ())
    if not pieces:
        client.end()
    heard: list[Heard] = []
    conversation = pull(listen(client.connection, heard))
    for piece in pieces:
        client.feed(piece)
        if not conversation.waits:
            break
    if pieces:
        client.end()
    return heard, conversation.result()


def singly(raw: bytes) -> list[bytes]:
    return [raw[index : index + 1] for index in range(len(raw))]


def read_by_another(raw: bytes) -> list[Heard]:
    """The requests at the front of `raw`, each with one empty line before it at most."""
    found = []
    while raw and (read := read_request(raw.removeprefix(b"\r\n"))) is not None:
        message, raw = read
        found.append((message.method, message.target, message.body))
        if message.values(b"connection") == [b"close"] or not message.is_1_1:
            break
    return found


def check(case: Case, shape: Shape, outcome: tuple[list[Heard], GatewayError | None]) -> None:
    heard, error = outcome
    code = _code(case.replies[-1]) if case.replies else ""
    if not code:
        assert error is None
        assert heard == read_by_another(shape.raw)
        return
    assert error is not None, "it was not refused"
    assert error.code == code
    assert error.detail.startswith(case.because or ""), error.detail
    assert len(heard) == len(case.replies) - 1


@every(SHAPES)
def test_whole(case: Case, shape: Shape) -> None:
    check(case, shape, hear([shape.raw] if shape.raw else []))


@every(SHAPES)
def test_whole_and_ended_before_anybody_looked(case: Case, shape: Shape) -> None:
    check(case, shape, hear([], before=[shape.raw] if shape.raw else []))


@every(SHORT)
def test_byte_by_byte(case: Case, shape: Shape) -> None:
    check(case, shape, hear(singly(shape.raw)))


@settings(max_examples=1000)
@given(one=st.sampled_from(SHORT), places=cuts)
def test_at_any_cuts(one: tuple[Case, Shape], places: list[int]) -> None:
    case, shape = one
    check(case, shape, hear(in_pieces(shape.raw, places)))


@given(raw=hostile_heads, places=cuts)
def test_any_bytes_mean_the_same_however_they_arrive(raw: bytes, places: list[int]) -> None:
    """Of two faults either may be named; whether there is one does not depend on segmentation."""
    heard, error = hear([raw] if raw else [])
    for others, other in (
        hear(singly(raw)),
        hear(in_pieces(raw, places)),
        hear([], before=[raw] if raw else []),
    ):
        assert others == heard
        assert (other is None) is (error is None)
