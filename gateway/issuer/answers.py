"""What our endpoints answer: JSON that is never kept, in the words of OAuth 2.0.

An error is not in the dialect of any service, since it is a login's client that reads it: RFC 6749
section 5.2, with Genesys Cloud's `description` beside `error_description`. Nothing that the client
sent is echoed (threat A-9).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

import msgspec

from gateway.http.problem import REASON_PHRASES

__all__ = ["Answer", "OAuthError", "Result", "json_answer", "refused", "reply"]


class Result(StrEnum):
    """What became of a request to one of our endpoints. A metric label and an audit reason.

    `oauth_error` is the word for it in RFC 6749 section 5.2, or one like those.
    """

    oauth_error: str
    status: int

    def __new__(cls, value: str, status: int = 200, oauth_error: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.status = status
        member.oauth_error = oauth_error
        return member

    TOKEN_ISSUED = "token-issued"  # noqa: S105 - a label
    TOKEN_REVOKED = "token-revoked"  # noqa: S105
    TOKEN_DESCRIBED = "token-described"  # noqa: S105
    PUBLISHED = "published"

    INVALID_REQUEST = "invalid-request", 400, "invalid_request"
    INVALID_CLIENT = "invalid-client", 401, "invalid_client"
    UNAUTHORIZED_CLIENT = "unauthorized-client", 400, "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported-grant-type", 400, "unsupported_grant_type"
    INVALID_SCOPE = "invalid-scope", 400, "invalid_scope"
    TOO_MANY_FAILURES = "too-many-failures", 429, "too_many_requests"
    UNAVAILABLE = "issuer-unavailable", 503, "temporarily_unavailable"


class OAuthError(Exception):
    """A request to one of our endpoints that is refused.

    `description` is a fixed sentence for the client; `detail` is for the audit only.
    """

    def __init__(
        self,
        result: Result,
        description: str,
        *,
        detail: tuple[str, ...] = (),
        status: int = 0,
        extra_lines: bytes = b"",
    ) -> None:
        super().__init__(description)
        self.result = result
        self.description = description
        self.detail = detail
        self.status = status or result.status
        self.extra_lines = extra_lines


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, before it is bytes. `because` is for the audit."""

    status: int
    result: Result
    body: bytes = b""
    because: tuple[str, ...] = ()
    extra_lines: bytes = b""
    may_be_kept: bool = False

    @property
    def is_refusal(self) -> bool:
        return bool(self.result.oauth_error)


def json_answer(result: Result, value: Mapping[str, Any], *because: str) -> Answer:
    """Something that was asked for."""
    return Answer(
        status=200, result=result, body=msgspec.json.encode(value), because=tuple(because)
    )


def refused(error: OAuthError) -> Answer:
    """RFC 6749 section 5.2."""
    body = {
        "error": error.result.oauth_error,
        "description": error.description,
        "error_description": error.description,
    }
    return Answer(
        status=error.status,
        result=error.result,
        body=msgspec.json.encode(body),
        because=error.detail,
        extra_lines=error.extra_lines,
    )


# RFC 6749 section 5.1 wants both of any answer that holds a token, or may.
_NOT_KEPT = b"cache-control: no-store\r\npragma: no-cache\r\n"
# How long others go on with keys that we no longer publish.
_KEPT = b"cache-control: public, max-age=300\r\n"


def reply(answer: Answer, *, request_id: str, keep: bool, is_head: bool, is_1_1: bool) -> bytes:
    """The whole reply."""
    body = answer.body
    return b"".join((
        b"HTTP/1.1 %d %b\r\n" % (answer.status, REASON_PHRASES[answer.status]),
        b"content-type: application/json\r\n" if body else b"",
        b"content-length: %d\r\n" % len(body),
        _KEPT if answer.may_be_kept else _NOT_KEPT,
        b"x-content-type-options: nosniff\r\n",
        answer.extra_lines,
        b"x-gateway-refusal: %b\r\n" % answer.result.encode("ascii") if answer.is_refusal else b"",
        b"x-request-id: %b\r\n" % request_id.encode("ascii"),
        (b"" if is_1_1 else b"connection: keep-alive\r\n") if keep else b"connection: close\r\n",
        b"\r\n",
        b"" if is_head else body,
    ))  # fmt: skip
