"""Carry out a request that was allowed: send it upstream, pass the reply back.

Bytes flow both ways with back-pressure: whoever cannot take more makes the other side wait, so a
transfer of any size costs a few buffers. A connection goes back to its pool only after a complete,
clean exchange (threats F-10, F-11).

What is sent again (threat F-12). As long as no connection could be made, nothing was sent, and the
next node is tried, for writes as well. From the first write into a connection on, a request may have
arrived: a read of which nothing was heard is then sent once more, on a new connection; a write never
is, not even where the connection turns out to have been closed by the other side before, since
nobody can tell what of it was read. Nor is anything that the upstream let its time limit pass for:
the same work twice is the last thing such a server needs.

A 401 to the gateway's own token is not passed on either. Where the gateway fetches that token
itself, another one is fetched, and the request is sent once more with it, if it means the same twice
and its body is still here.
"""

import asyncio
from functools import partial

from gateway.clock import Clock
from gateway.errors import BodyTooLarge, RequestTimeout, UpstreamFailed, UpstreamTimeout
from gateway.exchange import Ending, Exchange, RequestHead
from gateway.http.framing import LAST_CHUNK, BodyKind, chunk
from gateway.http.head import ReplyHead
from gateway.http.reply import passed_on
from gateway.http.rewrite import BodyRewriter, RewriteRules
from gateway.http.rewritten import begun
from gateway.http.target import Target
from gateway.upstream.nodes import Node
from gateway.upstream.service import Upstream
from gateway.wire.client import ClientConnection
from gateway.wire.upstream import UpstreamConnection

__all__ = ["Transfer", "send"]

# Reading twice harms nobody (RFC 9110 section 9.2.1).
_REPEATABLE = frozenset({"GET", "HEAD"})

# Doing it twice has the effect of doing it once (RFC 9110 section 9.2.2).
_IDEMPOTENT = _REPEATABLE | {"DELETE", "OPTIONS", "PUT"}

_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})

# An upstream that asks the gateway for credentials speaks to the gateway, not to the client.
_REFUSES_THE_GATEWAY = frozenset({401, 407})


class _CredentialRefused(UpstreamFailed):
    """The upstream answered 401 to what the gateway proves itself with; nothing was passed on."""


class Transfer:
    """How much and how slowly may pass through unread."""

    __slots__ = ("clock", "idle_seconds", "max_body_bytes")

    def __init__(self, *, clock: Clock, max_body_bytes: int, idle_seconds: float) -> None:
        self.clock = clock
        self.max_body_bytes = max_body_bytes
        self.idle_seconds = idle_seconds


async def send(
    exchange: Exchange,
    client: ClientConnection,
    upstream: Upstream,
    transfer: Transfer,
    *,
    head: RequestHead,
    target: Target,
    inspected: bytes | None,
) -> None:
    """Send the request of `exchange` and relay its reply, setting status and ending.

    `inspected` is the body that was read for the decision; otherwise the body is streamed. Raises
    UpstreamFailed, UpstreamTimeout, UpstreamBusy, UpstreamTokenMissing, BodyTooLarge, and what
    reading the client's body raises.
    """
    token = upstream.token
    token_line = b"" if token is None else token.line() or await token.fresh_line()
    send_with = partial(
        _send, exchange, client, upstream, transfer, head=head, target=target, inspected=inspected
    )
    try:
        await send_with(token_line)
    except _CredentialRefused:
        if token is None:
            raise
        token.refused(token_line)
        is_here = inspected is not None or not head.headers.has_body
        if head.method not in _IDEMPOTENT or not is_here:
            raise
        another_line = await token.other_than(token_line)
        if not another_line:
            raise
        upstream.retries += 1
        await send_with(another_line, resending=True)


async def _send(
    exchange: Exchange,
    client: ClientConnection,
    upstream: Upstream,
    transfer: Transfer,
    token_line: bytes,
    *,
    head: RequestHead,
    target: Target,
    inspected: bytes | None,
    resending: bool = False,
) -> None:
    """Send it with this credential; `resending` where it was sent before, with another one."""
    framing = _framing(head, inspected, transfer.max_body_bytes)
    places = upstream.places
    tried: tuple[Node, ...] = ()
    while True:
        node = places.take(tried) or await places.wait(tried)
        connection: UpstreamConnection | None = None
        reply: ReplyHead | None = None
        clean = False
        try:
            request = upstream.request_head(
                head,
                target,
                exchange.caller,
                client.forwarding_lines,
                exchange.id,
                framing,
                node.host_line,
                token_line,
                () if exchange.decision is None else exchange.decision.divisions,
            )
            exchange.sent_at = transfer.clock.monotonic()
            kept = None if resending else node.pool.take_idle()
            connection = kept or await node.pool.connect()
            connection.send_request(request + inspected if inspected else request)
            is_early = False
            while (reply := connection.take_reply(head.method)) is None:
                if client.body_taken or connection.answered:
                    await connection.wait()
                else:
                    is_early = await _upload(
                        client, connection, transfer, chunked=head.headers.chunked
                    )
                    connection.expect_reply()
            node.answered()
            exchange.replied_at = transfer.clock.monotonic()
            outgoing = _begin_reply(
                exchange, client, connection, head=head, reply=reply, rules=upstream.rewrite
            )
            if not connection.body_taken:
                await _stream(client, connection, transfer, *outgoing)
            exchange.ending = Ending.COMPLETE
            clean = not is_early and connection.is_clean_after(reply)
        except (UpstreamFailed, UpstreamTimeout) as error:
            _blame(node, connection, reply, error)
            tried = _tried(tried, node, connection)
            again = _may_be_sent_again(head.method, connection, error, resending=resending)
            if not (again and places.are_left(tried)):
                raise node.told(error) from None
            resending = resending or connection is not None
        except asyncio.CancelledError:
            _blame_for_the_time(node, client, reply)
            raise
        else:
            if node.failures:
                node.succeeded()
            return
        finally:
            node.pool.take_back(connection, clean=clean)
            places.release(node)
        upstream.retries += 1


def _blame(
    node: Node,
    connection: UpstreamConnection | None,
    reply: ReplyHead | None,
    error: UpstreamFailed | UpstreamTimeout,
) -> None:
    """Hold a failure against the node if it says something of it: not where it closed a connection
    that was idle, nor where it answered and what it said of us is what we cannot pass on.
    """
    if reply is not None:
        is_at_fault = reply.status not in _REFUSES_THE_GATEWAY
    else:
        is_at_fault = connection is None or connection.is_fresh or connection.heard
    if is_at_fault:
        node.failed(error)


def _blame_for_the_time(node: Node, client: ClientConnection, reply: ReplyHead | None) -> None:
    """Where the client's time is up before the node's is, and it was the node that used it."""
    if client.overdue and client.body_taken and reply is None:
        node.failed(UpstreamTimeout("no reply within total_timeout_seconds"))


def _tried(
    tried: tuple[Node, ...], node: Node, connection: UpstreamConnection | None
) -> tuple[Node, ...]:
    """The nodes that it would be useless to ask again; a kept connection says nothing of a new."""
    return tried if connection is not None and not connection.is_fresh else (*tried, node)


def _may_be_sent_again(
    method: str,
    connection: UpstreamConnection | None,
    error: UpstreamFailed | UpstreamTimeout,
    *,
    resending: bool,
) -> bool:
    """Whether nothing was sent, or it is a read that may be sent this one more time."""
    if connection is None:
        return True
    return not (
        resending
        or connection.heard
        or method not in _REPEATABLE
        or isinstance(error, UpstreamTimeout)
    )


def _framing(head: RequestHead, inspected: bytes | None, max_body_bytes: int) -> bytes:
    """The line that delimits the body, with its CRLF, or nothing."""
    method, headers = head.method, head.headers
    if inspected is not None:
        return b"content-length: %d\r\n" % len(inspected)
    if headers.has_body:
        if (headers.content_length or 0) > max_body_bytes:
            raise BodyTooLarge("`Content-Length` is over max_body_bytes")
        if headers.chunked:
            return b"transfer-encoding: chunked\r\n"
        return b"content-length: %d\r\n" % (headers.content_length or 0)
    # RFC 9110 section 8.6: a request whose method expects a body says so when it has none.
    return b"content-length: 0\r\n" if method in _WITH_BODY else b""


async def _upload(
    client: ClientConnection, connection: UpstreamConnection, transfer: Transfer, *, chunked: bool
) -> bool:
    """Stream the client's body, until its end or until the upstream says something before that.

    Whether it has. If that was its answer, its next request might begin in the middle of this one
    (threat F-11); after an interim reply it waits for the rest (RFC 9110 section 15.2).
    """
    sent = 0
    connection.at_leisure()
    while (piece := await client.body_piece(connection)) is not None:
        if not piece:
            if chunked:
                connection.write(LAST_CHUNK)
            return connection.answered
        sent += len(piece)
        if sent > transfer.max_body_bytes:
            raise BodyTooLarge("the body is longer than max_body_bytes")
        connection.write(chunk(piece) if chunked else piece)
        while connection.blocked and not connection.answered:
            connection.within(transfer.idle_seconds)
            await connection.wait()
            if connection.expired:
                raise UpstreamTimeout("the upstream does not read the request")
        connection.at_leisure()
    return True


def _begin_reply(
    exchange: Exchange,
    client: ClientConnection,
    connection: UpstreamConnection,
    *,
    head: RequestHead,
    reply: ReplyHead,
    rules: RewriteRules | None,
) -> tuple[BodyKind, BodyRewriter | None]:
    """Write the reply's head and what is here of its body; how the body goes on."""
    if reply.status in _REFUSES_THE_GATEWAY:
        failure = _CredentialRefused if reply.status == 401 else UpstreamFailed
        raise failure(f"the upstream refused the gateway's own credential: {reply.status}")
    # Nothing is promised to the client before what is here of the body has proved readable.
    body_kind, piece = connection.body_kind, connection.take_available()
    rewriter = None
    if rules is not None:
        reply, body_kind, piece, rewriter = begun(
            rules, reply, body_kind, piece, whole=connection.body_taken
        )
    keep = client.reusable = client.reusable and client.body_taken
    lines, kind = passed_on(reply, body_kind, request_id=exchange.id, is_1_1=head.is_1_1, keep=keep)
    exchange.status = reply.status
    if kind is BodyKind.CLOSE:
        client.reusable = False
    if piece:
        lines += _framed(piece, kind)
    if kind is BodyKind.CHUNKED and connection.body_taken:
        lines += LAST_CHUNK
    client.write(lines)
    return kind, rewriter


async def _stream(
    client: ClientConnection,
    connection: UpstreamConnection,
    transfer: Transfer,
    kind: BodyKind,
    rewriter: BodyRewriter | None,
) -> None:
    """The rest of the reply's body, as fast as the client takes it."""
    while not connection.body_taken:
        await _until_writable(client, transfer)
        piece = await connection.body_piece()
        if rewriter is not None:
            piece = rewriter.feed(piece) + (rewriter.finish() if connection.body_taken else b"")
        if piece:
            client.write(_framed(piece, kind))
    if kind is BodyKind.CHUNKED:
        client.write(LAST_CHUNK)


def _framed(piece: bytes, kind: BodyKind) -> bytes:
    return chunk(piece) if kind is BodyKind.CHUNKED else piece


async def _until_writable(client: ClientConnection, transfer: Transfer) -> None:
    while client.blocked:
        client.within(transfer.idle_seconds)
        await client.wait()
        if client.expired:
            raise RequestTimeout("the client does not read its reply")
    client.at_leisure()
