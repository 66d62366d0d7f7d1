"""Any bytes a client may send, and what the upstream then sees, read by somebody else.

Whatever comes, the answer is a row of well-formed replies and then a connection that is closed or
goes on; nothing waits for ever and nothing is a defect of ours. And whatever was forwarded is read
again by `tests/support/strict_reading.py`, strictly and with every leniency of the servers that
might stand behind: all of them see the operation that the audit says was decided on.
"""

import random
import re
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gateway.http.headers import FORWARDED
from tests.support.byte_client import ByteClient, cut_anywhere
from tests.support.held_site import HeldSite, held_site
from tests.support.request_bytes import any_bytes, honest_requests
from tests.support.site import GMS, UCS
from tests.support.strict_reading import (
    Message,
    NotStrict,
    Operation,
    Reply,
    folded_names,
    lax_operations,
    operation_of,
    read_request,
)

_OURS = {
    b"host", b"authorization", b"x-genesys-tenantid", b"x-gateway-caller", b"x-request-id",
    b"x-forwarded-for", b"x-forwarded-proto", b"content-length", b"transfer-encoding",
}  # fmt: skip

TEMPLATES = {
    name: operation["request"]
    for catalogue in (UCS, GMS)
    for name, operation in yaml.safe_load(catalogue.read_text("utf-8"))["operations"].items()
}
PREFIX = {"ucs": "", "gms": "/genesys/1/cs"}

quietly = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeldSite]:
    with held_site(tmp_path_factory.mktemp("site")) as running:
        yield running


def read_by_another(raw: bytes) -> tuple[list[Message], str]:
    """The requests at the front of `raw`, each with one empty line before it at most.

    And which method the rest seems to have, of which this reader can make nothing.
    """
    found: list[Message] = []
    try:
        while read := read_request(raw.removeprefix(b"\r\n")):
            message, raw = read
            found.append(message)
    except NotStrict:
        pass
    seems_head = raw.removeprefix(b"\r\n").startswith(b"HEAD ")
    return found, "HEAD" if seems_head else "GET"


async def converse(held: HeldSite, raw: bytes, seed: int) -> list[Reply]:
    """Send all of it, cut somewhere, and read what comes back until the connection's end.

    The client ends its side when every request that another reader sees is answered.
    """
    client = await ByteClient.connect(held.address)
    replies = []
    try:
        await client.send(cut_anywhere(raw, random.Random(seed)))
        messages, unread = read_by_another(raw)
        for message in messages:
            reply = await client.reply(message.method)
            if reply is None:
                break
            replies.append(reply)
            if reply.header(b"connection") == b"close":
                _forget_a_body(client, message.method, reply)
                break
        client.end()
        while (reply := await client.reply(unread)) is not None:
            replies.append(reply)
            _forget_a_body(client, unread, reply)
            unread = "GET"
        assert await client.closed() == b""
    finally:
        client.abort()
    return replies


def _forget_a_body(client: ByteClient, method: str, reply: Reply) -> None:
    """RFC 9110 section 9.3.2: no body after HEAD; of what could not be read nobody knows that it was
    one.
    """
    if method == "HEAD" and reply.header(b"x-gateway-refusal"):
        client.received = b""


def check_forwarded(raw: bytes, asked: list[Message]) -> Message:
    """Read a forwarded request strictly and laxly; it is the first that fits of those `asked`."""
    read = read_request(raw)
    assert read is not None
    message, rest = read
    assert (rest, message.trailers, message.is_1_1) == (b"", (), True)
    names = folded_names(message)
    assert len(set(names)) == len(names)
    assert {name.lower() for name, _ in message.fields} <= _OURS | FORWARDED
    operation = operation_of(message.target)
    for leniency, seen in lax_operations(message.target):
        assert seen == operation, leniency
    while asked:
        wanted = asked.pop(0)
        if (wanted.method, _decided(wanted)) == (message.method, operation):
            assert message.body == wanted.body
            return message
    raise AssertionError(f"nobody asked for {raw!r}")


def _decided(message: Message) -> Operation | None:
    try:
        operation = operation_of(message.target)
    except NotStrict:
        return None
    segments = operation.segments
    return Operation(segments[:-1] if segments[-1:] == ("",) else segments, operation.query)


def check_decision(held: HeldSite, message: Message) -> None:
    """The audit's line says that this very operation was allowed."""
    [request_id] = message.values(b"x-request-id")
    line = held.run(held.audit_line(request_id.decode()))
    assert (line["method"], line["effect"]) == (message.method, "allow")
    method, _, template = TEMPLATES[line["route"]].partition(" ")
    assert method == ("GET" if message.method == "HEAD" else message.method)
    path = "/" + "/".join(operation_of(message.target).segments)
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(PREFIX[line["service"]] + template))
    assert re.fullmatch(pattern, path)


@quietly
@given(raw=any_bytes, seed=st.integers(0, 1000))
def test_any_bytes_end_in_replies_and_what_is_forwarded_is_what_was_decided(
    held: HeldSite, raw: bytes, seed: int
) -> None:
    before = len(held.upstream.requests)
    replies = held.run(converse(held, raw, seed))
    for reply in replies:
        assert reply.complete
        refusal = reply.header(b"x-gateway-refusal")
        assert refusal != b"internal-fault"
        assert (refusal is not None) is (reply.status != 200)
        assert reply.status < 500
    forwarded = held.upstream.requests[before:]
    event(f"{len(forwarded)} forwarded")
    asked, _ = read_by_another(raw)
    for sent in forwarded:
        check_decision(held, check_forwarded(sent, asked))


@quietly
@given(raw=honest_requests(), seed=st.integers(0, 1000))
def test_an_honest_request_is_carried_out_as_it_was_meant(
    held: HeldSite, raw: bytes, seed: int
) -> None:
    before = len(held.upstream.requests)
    replies = held.run(converse(held, raw, seed))
    assert [reply.status for reply in replies] == [200]
    [sent] = held.upstream.requests[before:]
    check_decision(held, check_forwarded(sent, read_by_another(raw)[0]))


@pytest.mark.parametrize(
    "target",
    ["/a;b/c", "/a%2Fb", "/a%3Bb", "/a/../b", "/a/%2e%2e/b", "//a", "/a%5Cb", "/a%252e", "/a%00b",
     "/a?b;c=d", "/a%3Fb"],
)  # fmt: skip
def test_a_target_that_servers_read_in_two_ways_would_be_noticed(target: str) -> None:
    plain = operation_of(target.encode())
    assert any(seen != plain for _, seen in lax_operations(target.encode()))


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;a\r\nx\r\n0\r\n\r\n",
    ],
)
def test_a_request_that_two_servers_read_in_two_ways_would_be_noticed(raw: bytes) -> None:
    with pytest.raises(NotStrict):
        read_request(raw)
