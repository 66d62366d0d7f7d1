"""Any bytes as a header section: refused, or read as a strict reader of RFC 9112 reads it.

`python -m tests.fuzz.headers` runs it under atheris.
"""

from gateway.errors import FramingRejected, HeaderRejected, HeadTooLarge
from gateway.http.head import HEAD_END, read_request_fields
from gateway.http.headers import FORWARDED
from tests.support.fuzzing import fuzz
from tests.support.strict_reading import folded_names, read_request

_LINE = b"GET / HTTP/1.1\r\n"
_MOST = 100


def check(data: bytes) -> None:
    # As the wire cuts it: up to the first empty line, and there always is one.
    head = (_LINE + data + HEAD_END).partition(HEAD_END)[0] + HEAD_END
    try:
        headers = read_request_fields(head, max_headers=_MOST, passable=FORWARDED)
    except (FramingRejected, HeaderRejected, HeadTooLarge):
        return
    if not headers.has_host:
        return  # a matter of the version, which is refused one level up
    body = b"0\r\n\r\n" if headers.chunked else b"a" * min(headers.content_length or 0, 10**6)
    if (headers.content_length or 0) > len(body):
        return
    read = read_request(head + body)
    assert read is not None
    message, rest = read
    assert (rest, message.chunked) == (b"", headers.chunked)
    for name, value in headers.passing.items():
        assert value == b", ".join(message.values(name))
    assert len(set(headers.passing)) == len(headers.passing)
    assert folded_names(message) == [name.decode().lower() for name, _ in message.fields]
    written = headers.lines(FORWARDED)
    assert written.count(b"\r\n") == len(headers.passing.keys() & FORWARDED)
    assert not {b"\0", b"\n", b"\r"} & {bytes([byte]) for byte in written.replace(b"\r\n", b"")}


if __name__ == "__main__":
    fuzz(check)
