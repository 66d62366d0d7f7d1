"""The bytes of every kind of reply, as the client gets them."""

import json

import httptools
import pytest

from gateway.http.framing import BodyKind
from gateway.http.head import read_reply_head
from gateway.http.problem import Problem
from gateway.http.reply import passed_on, refusal

NONE, LENGTH, CHUNKED, CLOSE = BodyKind.NONE, BodyKind.LENGTH, BodyKind.CHUNKED, BodyKind.CLOSE

L = b"content-length: 5\r\n"
L0 = b"content-length: 0\r\n"
T = b"transfer-encoding: chunked\r\n"
C = b"connection: close\r\n"
K = b"connection: keep-alive\r\n"

LEN, ZERO, TE, BARE = (
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "",
)

# (method, upstream's reply) -> what frames it for (1.1 keep, 1.1 close, 1.0 keep, 1.0 close)
FRAMING = {
    ("GET", 200, LEN): ((L, LENGTH), (L + C, LENGTH), (L + K, LENGTH), (L + C, LENGTH)),
    ("GET", 200, ZERO): ((L0, NONE), (L0 + C, NONE), (L0 + K, NONE), (L0 + C, NONE)),
    ("GET", 200, TE): ((T, CHUNKED), (T + C, CHUNKED), (C, CLOSE), (C, CLOSE)),
    ("GET", 200, BARE): ((T, CHUNKED), (T + C, CHUNKED), (C, CLOSE), (C, CLOSE)),
    ("HEAD", 200, LEN): ((L, NONE), (L + C, NONE), (L + K, NONE), (L + C, NONE)),
    ("HEAD", 200, TE): ((b"", NONE), (C, NONE), (K, NONE), (C, NONE)),
    ("HEAD", 200, BARE): ((b"", NONE), (C, NONE), (K, NONE), (C, NONE)),
    ("DELETE", 204, BARE): ((b"", NONE), (C, NONE), (K, NONE), (C, NONE)),
    ("DELETE", 204, LEN): ((b"", NONE), (C, NONE), (K, NONE), (C, NONE)),
    ("DELETE", 204, TE): ((b"", NONE), (C, NONE), (K, NONE), (C, NONE)),
    ("GET", 304, LEN): ((L, NONE), (L + C, NONE), (L + K, NONE), (L + C, NONE)),
    ("GET", 304, BARE): ((b"", NONE), (C, NONE), (K, NONE), (C, NONE)),
    ("POST", 500, LEN): ((L, LENGTH), (L + C, LENGTH), (L + K, LENGTH), (L + C, LENGTH)),
}  # fmt: skip

CLIENTS = [(True, True), (True, False), (False, True), (False, False)]


@pytest.mark.parametrize("client", range(4), ids=["1.1 keep", "1.1 close", "1.0 keep", "1.0 close"])
@pytest.mark.parametrize("case", FRAMING, ids=str)
def test_a_reply_is_framed_anew(case: tuple[str, int, str], client: int) -> None:
    """D0-1, F-5: nothing of the upstream's own framing is copied."""
    method, status, section = case
    is_1_1, keep = CLIENTS[client]
    head = read_reply_head(
        f"HTTP/1.1 {status} Why\r\nServer: s\r\n{section}\r\n".encode(), max_headers=9
    )
    kind = NONE if method == "HEAD" else head.kind
    framing, outgoing = FRAMING[case][client]
    assert passed_on(head, kind, request_id="r-1", is_1_1=is_1_1, keep=keep) == (
        b"HTTP/1.1 %d Why\r\nServer: s\r\nx-request-id: r-1\r\n%b\r\n" % (status, framing),
        outgoing,
    )


class Reader:
    """Another reader of the reply."""

    def __init__(self, raw: bytes) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = False
        self.parser = httptools.HttpResponseParser(self)
        self.parser.feed_data(raw)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.complete = True


PROBLEM = Problem(status=401, code="not-authenticated", message="say who you are", request_id="r-1")


def test_a_refusal_is_one_whole_reply_marked_as_the_gateways_own() -> None:
    reply = Reader(
        refusal(
            PROBLEM,
            "problem",
            keep=True,
            is_head=False,
            challenges=(b'Bearer realm="a"', b'Basic realm="b"'),
            extra_lines=b"allow: GET\r\n",
        )
    )
    assert reply.parser.get_status_code() == 401
    assert reply.complete
    assert json.loads(reply.body)["detail"] == "say who you are"
    assert reply.fields == [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(reply.body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"www-authenticate", b'Bearer realm="a"'),
        (b"www-authenticate", b'Basic realm="b"'),
        (b"allow", b"GET"),
        (b"x-gateway-refusal", b"not-authenticated"),
        (b"x-request-id", b"r-1"),
    ]


@pytest.mark.parametrize("keep", [True, False])
def test_a_refusal_says_when_the_connection_ends(keep: bool) -> None:
    reply = Reader(refusal(PROBLEM, "gms", keep=keep, is_head=False))
    assert ((b"connection", b"close") in reply.fields) is not keep


def test_a_refused_head_request_learns_the_length_and_gets_no_body() -> None:
    whole = refusal(PROBLEM, "ucs", keep=True, is_head=False)
    head, _, body = whole.partition(b"\r\n\r\n")
    assert refusal(PROBLEM, "ucs", keep=True, is_head=True) == head + b"\r\n\r\n"
    assert b"content-length: %d\r\n" % len(body) in whole
