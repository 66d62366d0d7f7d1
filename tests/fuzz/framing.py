"""Any bytes as a request line, as chunks and as a reply's head: refused, or read as others do.

`python -m tests.fuzz.framing` runs it under atheris.
"""

from gateway.errors import FramingRejected, UpstreamFailed
from gateway.http.framing import ChunkDecoder, read_request_line
from gateway.http.head import HEAD_END, read_reply_head
from tests.support.fuzzing import fuzz
from tests.support.strict_reading import NotStrict, read_reply, read_request

_CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


def check(data: bytes) -> None:
    _request_line(data)
    _chunks(data)
    _reply_head(data)


def _request_line(data: bytes) -> None:
    try:
        line = read_request_line(data)
    except FramingRejected:
        return
    read = read_request(data + b"\r\nHost: h\r\n\r\n")
    assert read is not None
    message, _ = read
    assert (message.method, message.target, message.is_1_1) == line


def _chunks(data: bytes) -> None:
    """Whole and byte by byte the same, and the same as another reader sees."""
    whole = _decoded([data])
    assert _decoded([data[index : index + 1] for index in range(len(data))]) == whole
    if whole is None:
        return
    body, rest, done = whole
    try:
        read = read_request(_CHUNKED + data)
    except NotStrict:
        # A line that has not ended yet may be refused as late as it does.
        assert not done
        assert _decoded([data + HEAD_END]) is None
        return
    assert (read is not None) is done
    if read is not None:
        assert (read[0].body, read[1]) == (body, rest)


def _decoded(pieces: list[bytes]) -> tuple[bytes, bytes, bool] | None:
    decoder = ChunkDecoder()
    body, rest = b"", b""
    try:
        for piece in pieces:
            found, rest = decoder.decode(rest + piece)
            body += found
    except FramingRejected:
        return None
    return body, rest if decoder.done else b"", decoder.done


def _reply_head(data: bytes) -> None:
    head = data.partition(HEAD_END)[0] + HEAD_END
    try:
        reply = read_reply_head(head, max_headers=100)
    except UpstreamFailed:
        return
    framing = b"content-length: 0\r\n\r\n"
    read = read_reply(reply.start + framing, "GET", ended=True)
    assert read is not None
    passed_on, rest = read
    assert (passed_on.status, passed_on.body, rest) == (reply.status, b"", b"")


if __name__ == "__main__":
    fuzz(check)
