"""How long an upstream may take to answer an upload: from the request's end, whoever was slow.

`first_byte_timeout_seconds` is promised "from the request's end to the reply's first byte". The
end of a streamed body is not its beginning, so what the client takes over its body is neither
held against the upstream nor does it free the upstream from its time limit.
"""

import pytest

from gateway.errors import UpstreamFailed, UpstreamTimeout
from gateway.exchange import Ending, Exchange
from gateway.http.framing import LAST_CHUNK, chunk
from gateway.http.target import Target
from gateway.upstream import Transfer, Upstream, send
from gateway.upstream.balance import failover
from gateway.upstream.nodes import Ejection, Node
from gateway.upstream.places import Places
from gateway.upstream.pool import Pool
from gateway.wire.upstream import UpstreamConnection
from tests.support.clock import FakeClock
from tests.support.wire import (
    FIVE,
    INTERIM,
    Pull,
    a_client,
    an_upstream,
    chunked,
    head_of,
    post,
    pull,
)

LATE = "node:1: no reply within first_byte_timeout_seconds"


class OneConnection(Pool):
    """A pool with one kept connection, and what became of it."""

    def __init__(self, connection: UpstreamConnection) -> None:
        self.name = "node:1"
        self.fate = "waits"
        self._connection = connection

    def take_idle(self) -> UpstreamConnection:
        self.fate = "taken"
        self._connection.is_fresh = False
        return self._connection

    def take_back(self, _: UpstreamConnection | None, *, clean: bool) -> None:
        self.fate = "put back" if clean else "discarded"


class OneNode(Upstream):
    """A service at one node, as far as sending goes."""

    def __init__(self, pool: Pool) -> None:
        clock = FakeClock()
        ejection = Ejection(after=3, seconds=1.0, max_seconds=30.0)
        self.name = "ucs"
        self.rewrite = None
        self.token = None
        self.retries = 0
        self.nodes = (Node(pool, service="ucs", clock=clock, ejection=ejection, max_concurrent=1),)
        self.places = Places(
            self.nodes, failover, clock=clock, max_waiting=0, wait_timeout_seconds=1.0
        )

    def request_head(self, *_: object) -> bytes:
        return b"HEAD\r\n\r\n"


class Upload:
    """A request that is allowed, on its way from a client to an upstream with 20 s to answer."""

    def __init__(self, *pieces: bytes) -> None:
        self.client = a_client(pieces=pieces, body_idle_timeout_seconds=30.0)
        self.upstream = an_upstream(first_byte_timeout_seconds=20.0)
        self.pool = OneConnection(self.upstream.connection)
        self.exchange = Exchange("r-1", "10.0.0.7", 0.0)
        transfer = Transfer(clock=FakeClock(), max_body_bytes=1000, idle_seconds=30.0)
        self.sending: Pull[None] = pull(
            send(
                self.exchange,
                self.client.connection,
                OneNode(self.pool),
                transfer,
                head=head_of(self.client),
                target=Target("/", ()),
                inspected=None,
            )
        )

    def advance(self, seconds: float) -> None:
        """Time passes on both sides."""
        self.client.advance(seconds)
        self.upstream.advance(seconds)

    def detail(self) -> str:
        with pytest.raises(UpstreamTimeout) as failure:
            self.sending.result()
        return failure.value.detail


# The head with what comes along with it, and what follows piece by piece.
UPLOADS = {
    "no body": (post(0), []),
    "a length, all here": (post(4) + b"body", []),
    "a length, in pieces": (post(4), [b"bo", b"dy"]),
    "chunks, all here": (chunked() + chunk(b"body") + LAST_CHUNK, []),
    "chunks, in pieces": (chunked(), [chunk(b"bo"), chunk(b"dy"), LAST_CHUNK]),
    "chunks, none of them": (chunked(), [LAST_CHUNK]),
}

uploads = pytest.mark.parametrize("case", UPLOADS)


@uploads
def test_an_upstream_that_does_not_answer_an_upload_is_given_up(case: str) -> None:
    """F-10: without the limit, one silent server holds its clients for ever."""
    first, rest = UPLOADS[case]
    upload = Upload(first)
    for piece in rest:
        assert upload.sending.waits
        upload.client.feed(piece)
    assert upload.sending.waits
    upload.advance(19.9)
    assert upload.sending.waits
    upload.advance(0.5)
    assert upload.detail() == LATE
    assert upload.pool.fate == "discarded"


@uploads
def test_what_the_client_takes_over_its_body_is_not_the_upstreams_time(case: str) -> None:
    """The client's pauses are within its own limit, and longer than the upstream's."""
    first, rest = UPLOADS[case]
    upload = Upload(first)
    for piece in rest:
        assert upload.sending.waits
        upload.advance(25)
        upload.client.feed(piece)
    assert upload.sending.waits
    upload.advance(19)
    assert upload.sending.waits
    upload.upstream.feed(FIVE)
    upload.sending.result()
    assert upload.exchange.ending is Ending.COMPLETE
    assert upload.pool.fate == "put back"


def test_an_early_answer_that_has_only_begun_has_time_to_go_on() -> None:
    """The upstream said nothing for longer than its limit, as it had to; now it refuses."""
    upload = Upload(post(4))
    assert upload.sending.waits
    upload.advance(25)
    upload.upstream.feed(b"HTTP/1.1 413 Content Too Large\r\n")
    assert upload.sending.waits
    upload.upstream.feed(b"Content-Length: 0\r\n\r\n")
    upload.sending.result()
    assert upload.exchange.status == 413
    assert upload.pool.fate == "discarded"


@pytest.mark.parametrize("cut", [0, 5, 11, len(INTERIM) - 1])
@pytest.mark.parametrize("case", [case for case in UPLOADS if "pieces" in case])
def test_an_interim_reply_is_no_reason_to_withhold_the_rest(case: str, cut: int) -> None:
    """RFC 9110 section 15.2: any number of them may come before the answer, asked for or not."""
    first, rest = UPLOADS[case]
    upload = Upload(first)
    for piece in rest:
        assert upload.sending.waits
        upload.upstream.feed(*filter(None, (INTERIM[:cut],)))
        assert upload.sending.waits
        upload.upstream.feed(INTERIM[cut:])
        assert upload.sending.waits
        upload.advance(25)  # nor to hold the upstream to its limit
        assert upload.sending.waits
        upload.client.feed(piece)
    assert upload.sending.waits
    assert upload.upstream.transport.written.endswith((b"body", chunk(b"dy") + LAST_CHUNK))
    upload.upstream.feed(FIVE)
    upload.sending.result()
    assert upload.exchange.status == 200
    assert upload.pool.fate == "put back"


def test_interim_replies_during_an_upload_are_counted_too() -> None:
    """F-10: a flood of them is none the better for coming early."""
    upload = Upload(post(4))
    for _ in range(9):
        assert upload.sending.waits
        upload.upstream.feed(INTERIM)
    with pytest.raises(UpstreamFailed, match="too many interim replies"):
        upload.sending.result()


@pytest.mark.parametrize("case", [case for case in UPLOADS if "pieces" in case])
def test_a_reply_that_came_before_the_requests_end_ends_its_connection(case: str) -> None:
    """F-11: the rest of the body might be taken for the next request."""
    first, rest = UPLOADS[case]
    upload = Upload(first)
    assert upload.sending.waits
    upload.client.feed(*rest)  # in one turn of the loop with the answer
    upload.upstream.feed(FIVE)
    upload.sending.result()
    assert upload.exchange.status == 200
    assert upload.exchange.ending is Ending.COMPLETE
    assert upload.pool.fate == "discarded"
