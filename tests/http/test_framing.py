"""First lines, and which replies have a body."""

import pytest

from gateway.errors import FramingRejected
from gateway.http.framing import (
    BodyKind,
    RequestLine,
    StatusLine,
    read_request_line,
    read_status_line,
    reply_body,
)

# --- request lines -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET / HTTP/1.1", RequestLine("GET", b"/", True)),
        (b"POST /a?b=%20#c HTTP/1.0", RequestLine("POST", b"/a?b=%20#c", False)),
        (b"OPTIONS * HTTP/1.1", RequestLine("OPTIONS", b"*", True)),
        (b"NOBODYKNOWS x HTTP/1.1", RequestLine("NOBODYKNOWS", b"x", True)),
    ],
)
def test_a_request_line_is_method_target_version(line: bytes, expected: RequestLine) -> None:
    assert read_request_line(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET /",  # HTTP/0.9
        b"GET / HTTP/0.9",
        b"GET / HTTP/1.2",
        b"GET / HTTP/1.10",
        b"GET / HTTP/1.",
        b"GET / HTTP/2.0",
        b"PRI * HTTP/2.0",
        b"GET / http/1.1",
        b"GET  / HTTP/1.1",
        b"GET /  HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b" GET / HTTP/1.1",
        b"GET\t/ HTTP/1.1",
        b"GET /\x0bHTTP/1.1",
        b"get / HTTP/1.1",
        b"Delete / HTTP/1.1",
        b"POST\x00 / HTTP/1.1",
        b"M-SEARCH / HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"GET /\xa0 HTTP/1.1",
        b"GET /\x7f HTTP/1.1",
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1\r",
        b"GET /\nX: y HTTP/1.1",
        b"A" * 25 + b" / HTTP/1.1",
        b"\x16\x03\x01\x02\x00",  # a TLS client hello
    ],
)
def test_any_other_request_line_is_refused(line: bytes) -> None:
    """D0-13, M-3, F-7, F-9."""
    with pytest.raises(FramingRejected) as refusal:
        read_request_line(line)
    assert refusal.value.detail == "the request line is malformed"


# --- status lines ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"HTTP/1.1 200 OK", StatusLine(200, b"OK", True)),
        (b"HTTP/1.0 404 Not Found", StatusLine(404, b"Not Found", False)),
        (b"HTTP/1.1 200 ", StatusLine(200, b"", True)),
        (b"HTTP/1.1 200", StatusLine(200, b"", True)),
        (b"HTTP/1.1 100 Continue", StatusLine(100, b"Continue", True)),
        (b"HTTP/1.1 599 \tgr\xfc\xdfe", StatusLine(599, b"\tgr\xfc\xdfe", True)),
    ],
)
def test_a_status_line_is_version_status_reason(line: bytes, expected: StatusLine) -> None:
    assert read_status_line(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 099 X",
        b"HTTP/1.1 600 X",
        b"HTTP/1.1 2\xb20 OK",
        b"HTTP/1.1 200OK",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.2 200 OK",
        b"HTTP/2 200",
        b"HTTP/0.9 200 OK",
        b"http/1.1 200 OK",
        b" HTTP/1.1 200 OK",
        b"HTTP/1.1 200 O\x00K",
        b"HTTP/1.1 200 O\rK",
        b"HTTP/1.1 200 OK\n",
        b"HTTP/1.1 200 O\x7fK",
        b"ICY 200 OK",
    ],
)
def test_any_other_status_line_is_refused(line: bytes) -> None:
    """F-10."""
    with pytest.raises(FramingRejected) as refusal:
        read_status_line(line)
    assert refusal.value.detail == "the status line is malformed"


# --- which replies have a body -----------------------------------------------------------------

NONE, LENGTH, CHUNKED, CLOSE = BodyKind.NONE, BodyKind.LENGTH, BodyKind.CHUNKED, BodyKind.CLOSE


@pytest.mark.parametrize(
    ("status", "chunked", "length", "expected"),
    [
        (200, False, 5, LENGTH),
        (200, False, 0, NONE),
        (200, False, None, CLOSE),
        (200, True, None, CHUNKED),
        (500, False, None, CLOSE),
        (204, False, 5, NONE),
        (204, True, None, NONE),
        (304, False, 5, NONE),
        (304, False, None, NONE),
        (304, True, None, NONE),
        (100, False, 5, NONE),
        (103, True, None, NONE),
        (205, False, None, CLOSE),
    ],
)
def test_what_delimits_a_replys_body(
    status: int, chunked: bool, length: int | None, expected: BodyKind
) -> None:
    """RFC 9112 section 6.3, in its order; the connection knows which replies are to HEAD."""
    assert reply_body(status, chunked=chunked, length=length) is expected
