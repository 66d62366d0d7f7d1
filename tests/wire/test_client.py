"""A client's heads: one at a time, remembered only as far as the same bytes mean the same."""

import pytest

from gateway.errors import FramingRejected, GatewayError, HeadTooLarge
from gateway.http.framing import LAST_CHUNK
from gateway.wire.client import METHODS
from tests.support.wire import GET, a_client, a_reading, chunked, head_of, post, pull


def test_a_head_is_method_target_version_and_headers() -> None:
    head = head_of(a_client(pieces=[b"PUT /a?b HTTP/1.0\r\nAccept: c\r\n\r\n"]))
    assert (head.method, head.target, head.is_1_1) == ("PUT", b"/a?b", False)
    assert head.headers.passing == {b"accept": b"c"}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_served_method_is_known_to_both_readers(method: str) -> None:
    raw = method.encode() + b" / HTTP/1.1\r\nHost: h\r\n\r\n"
    assert head_of(a_client(pieces=[raw])).method == method


def test_the_same_header_section_is_not_read_twice() -> None:
    client = a_client(pieces=[GET, GET.replace(b"GET /", b"DELETE /other")])
    first, second = head_of(client), head_of(client)
    assert (first.target, second.target) == (b"/", b"/other")
    assert second.section is first.section


@pytest.mark.parametrize(
    "other",
    [
        b"GET / HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:  h\r\n\r\n",
    ],
)
def test_a_section_with_one_other_byte_is_another(other: bytes) -> None:
    client = a_client(pieces=[GET, other, GET])
    sections = [head_of(client).section for _ in range(3)]
    assert len(set(sections)) == 3


def test_a_remembered_section_is_held_against_each_new_request_line() -> None:
    """What framing depends on besides the section is never remembered."""
    client = a_client(pieces=[post(0), post(0).replace(b"POST", b"GET")])
    assert head_of(client).section is head_of(client).section
    client = a_client(pieces=[chunked(), LAST_CHUNK, chunked().replace(b"POST", b"GET")])
    head_of(client)
    assert pull(client.connection.whole_body(9)).result() == b""
    with pytest.raises(FramingRejected, match="a body on a method"):
        head_of(client)
    client = a_client(pieces=[chunked(), LAST_CHUNK, chunked().replace(b"HTTP/1.1", b"HTTP/1.0")])
    head_of(client)
    assert pull(client.connection.whole_body(9)).result() == b""
    with pytest.raises(FramingRejected, match=r"chunked body on HTTP/1\.0"):
        head_of(client)
    section = b"\r\nAccept: a\r\n\r\n"
    client = a_client(pieces=[b"GET / HTTP/1.0" + section, b"GET / HTTP/1.1" + section])
    head_of(client)
    with pytest.raises(GatewayError, match="without `Host`"):
        head_of(client)


def test_a_refused_section_is_not_remembered() -> None:
    bad = b"GET / HTTP/1.1\r\nHost: h\r\nX_Y: z\r\n\r\n"
    client = a_client(pieces=[bad, bad])
    for _ in range(2):
        with pytest.raises(GatewayError, match="a header name"):
            head_of(client)


def test_each_connection_remembers_for_itself() -> None:
    assert head_of(a_client(pieces=[GET])).section is not head_of(a_client(pieces=[GET])).section


@pytest.mark.parametrize(
    ("raw", "reusable"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_a_connection_is_kept_as_the_version_and_the_client_say(raw: bytes, reusable: bool) -> None:
    client = a_client(pieces=[raw])
    head_of(client)
    assert client.connection.reusable is reusable


@pytest.mark.parametrize("step", [1, 4000, 9000])
def test_a_head_longer_than_the_limit_is_too_large(step: int) -> None:
    """H-15, R-1: counted before it is parsed, complete or not."""
    raw = b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"b" * 8000
    for end in (b"", b"\r\n\r\n"):
        client = a_client(max_head_bytes=4096)
        head = pull(client.connection.next_head())
        for start in range(0, len(raw + end), step):
            client.feed((raw + end)[start : start + step])
            if not head.waits:
                break
        with pytest.raises(HeadTooLarge) as refusal:
            head.result()
        assert refusal.value.detail == "the head is longer than max_head_bytes"
        assert client.connection.bytes_in <= 4097 or step > 1


def test_a_head_as_long_as_the_limit_is_not() -> None:
    raw = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    assert head_of(a_client(pieces=[raw], max_head_bytes=len(raw)))
    with pytest.raises(HeadTooLarge):
        head_of(a_client(pieces=[raw], max_head_bytes=len(raw) - 1))


def test_more_fields_than_the_limit_are_too_many() -> None:
    with pytest.raises(HeadTooLarge) as refusal:
        head_of(a_client(pieces=[GET], reading=a_reading(max_headers=0)))
    assert refusal.value.detail == "more header fields than max_headers"


def test_the_longest_head_that_the_settings_allow_can_arrive() -> None:
    """A limit above the mark at which reading pauses must not stall the head."""
    client = a_client(max_head_bytes=200_000)
    head = pull(client.connection.next_head())
    client.feed(GET.removesuffix(b"\r\n"))
    for _ in range(9):
        client.feed(b"A: %b\r\n" % (b"b" * 16_000))
        assert head.waits
    client.feed(b"\r\n")
    assert head.result()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
def test_nothing_follows_a_method_that_is_not_served(method: str) -> None:
    """M-2, M-5: it is read as far as its caller, who is told; what comes behind is nobody's."""
    client = a_client(pieces=[b"%b h:80 HTTP/1.1\r\nHost: h\r\n\r\n" % method.encode()])
    assert head_of(client).method == method
    assert not client.connection.reusable


def test_the_last_of_as_many_requests_as_the_limit_ends_the_connection() -> None:
    client = a_client(pieces=[GET * 3], max_requests_per_connection=3)
    kept = []
    for _ in range(3):
        head_of(client)
        kept.append(client.connection.reusable)
    assert kept == [True, True, False]


def test_a_long_section_is_read_each_time_rather_than_kept() -> None:
    """R-2: what idle connections remember adds up."""
    long = GET.replace(b"Host: h", b"Host: h\r\nAccept: " + b"a" * 4000)
    longer = long.replace(b"a", b"aa", 100)
    client = a_client(pieces=[long, long, longer, longer, GET, GET])
    sections = [head_of(client).section for _ in range(6)]
    assert sections[0] is sections[1]
    assert sections[2] is not sections[3]
    assert sections[4] is sections[5]
