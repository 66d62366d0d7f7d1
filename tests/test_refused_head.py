"""A `HEAD` is answered without a body even where its head is refused before it is read whole.

What follows a reply's head would be taken for the next reply by a client that reads on.
"""

import pytest

from tests.support.house import ANN, House, holder
from tests.support.wire import Client

REFUSED = [
    pytest.param(b"Host: h\r\nHost: h\r\n\r\n", 0.0, id="a header is repeated"),
    pytest.param(b"Host: h\r\nContent-Length: 1\r\n\r\n", 0.0, id="it has a body"),
    pytest.param(b"Host: h\r\n" + b"A: b\r\n" * 5_000, 0.0, id="it is too long"),
    pytest.param(b"Host: h\r\n", 60.0, id="its end does not come"),
]


def answer(client: Client) -> tuple[bytes, bytes]:
    """The head and the body of what the client is told last of all."""
    assert isinstance(client.connection._task.waits, bool)
    head, _, body = client.transport.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4")
    assert b"\r\nconnection: close" in head
    return head, body


@pytest.mark.parametrize(("rest", "seconds"), REFUSED)
@pytest.mark.parametrize("line", [b"HEAD /x HTTP/1.1\r\n", b"\r\nHEAD /x HTTP/1.1\r\n"])
def test_a_refused_head_has_no_body_where_its_method_could_be_read(
    line: bytes, rest: bytes, seconds: float
) -> None:
    """RFC 9110 section 9.3.2."""
    client = House().connect()
    client.feed(line + rest)
    if seconds:
        assert client.connection._task.waits
        client.advance(seconds)
    head, body = answer(client)
    assert b"\r\ncontent-length: 0\r\n" not in head
    assert body == b""


@pytest.mark.parametrize("line", [b"HEAD /x\r\n", b"head /x HTTP/1.1\r\n", b"GET /x HTTP/1.1\r\n"])
def test_whatever_else_is_refused_has_one_whatever_came_before(line: bytes) -> None:
    client = House(ann=holder("ann")).connect()
    client.feed(b"HEAD /x HTTP/1.1\r\nHost: h\r\nAuthorization: %b\r\n\r\n" % ANN)
    assert client.connection._task.waits
    client.transport.take_written()
    client.feed(line + b"Host: h\r\nHost: h\r\n\r\n")
    _, body = answer(client)
    assert body.startswith(b"{")
