"""The bytes of replies to the client: those passed on, and those the gateway makes itself."""

from collections.abc import Sequence

from gateway.http.framing import BodyKind
from gateway.http.head import ReplyHead
from gateway.http.problem import REASON_PHRASES, Dialect, Problem, render

__all__ = ["passed_on", "refusal"]


def passed_on(
    head: ReplyHead, kind: BodyKind, *, request_id: str, is_1_1: bool, keep: bool
) -> tuple[bytes, BodyKind]:
    """The head of an upstream's reply as the client gets it, and how its body is delimited.

    A body without a known length goes out in chunks, or, to an HTTP/1.0 client, until the
    connection closes (RFC 9112 section 6.3). Where `keep` is false the client is told so.
    """
    framing = b""
    outgoing = kind
    if kind is BodyKind.LENGTH or (kind is BodyKind.NONE and head.length is not None):
        # 204 has no length to tell (RFC 9110 section 8.6); HEAD and 304 tell the other's.
        framing = b"" if head.status == 204 else b"content-length: %d\r\n" % (head.length or 0)
    elif kind is not BodyKind.NONE:
        outgoing = BodyKind.CHUNKED if is_1_1 else BodyKind.CLOSE
        framing = b"transfer-encoding: chunked\r\n" if is_1_1 else b""
    if not keep or outgoing is BodyKind.CLOSE:
        framing += b"connection: close\r\n"
    elif not is_1_1:
        framing += b"connection: keep-alive\r\n"
    return (
        b"%bx-request-id: %b\r\n%b\r\n" % (head.start, request_id.encode("ascii"), framing)
    ), outgoing


def refusal(
    problem: Problem,
    dialect: Dialect,
    *,
    keep: bool,
    is_head: bool,
    is_1_1: bool = True,
    challenges: Sequence[bytes] = (),
    extra_lines: bytes = b"",
) -> bytes:
    """A whole reply of the gateway's own, marked as such by `X-Gateway-Refusal`."""
    lines, body = render(problem, dialect)
    return b"".join((
        b"HTTP/1.1 %d %b\r\n" % (problem.status, REASON_PHRASES[problem.status]),
        b"%bcontent-length: %d\r\n" % (lines, len(body)),
        b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n",
        *(b"www-authenticate: %b\r\n" % challenge for challenge in challenges),
        extra_lines,
        b"x-gateway-refusal: %b\r\n" % problem.code.encode("ascii"),
        b"x-request-id: %b\r\n" % problem.request_id.encode("ascii"),
        (b"" if is_1_1 else b"connection: keep-alive\r\n") if keep else b"connection: close\r\n",
        b"\r\n",
        b"" if is_head else body,
    ))  # fmt: skip
