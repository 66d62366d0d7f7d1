"""Refusals in the words that each service's own clients can parse.

Every dialect says the same: the status, a stable code, a fixed sentence, what is missing (where
the caller may know), and the request's id. Nothing that the caller sent is echoed (threat A-9).
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from policy import Missing

__all__ = ["Dialect", "Problem", "REASON_PHRASES", "render"]

Dialect = Literal["problem", "ucs", "gms"]

REASON_PHRASES: Mapping[int, bytes] = {
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    414: b"URI Too Long",
    415: b"Unsupported Media Type",
    421: b"Misdirected Request",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong: `code` is a policy reason or an error code, both documented and stable."""

    status: int
    code: str
    message: str
    request_id: str
    missing: Missing | None = None


def _missing(problem: Problem) -> dict[str, Any]:
    if not problem.missing:
        return {}
    return {"missing": {key: value for key, value in (
        ("all_of", problem.missing.all_of), ("any_of", problem.missing.any_of)) if value}}  # fmt: skip


def _problem(problem: Problem) -> dict[str, Any]:
    """RFC 9457."""
    return {
        "type": "about:blank",
        "title": REASON_PHRASES[problem.status].decode(),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.message,
        **_missing(problem),
        "request_id": problem.request_id,
    }


def _ucs(problem: Problem) -> dict[str, Any]:
    """A UCS error is a JSON object with an application error code and a description."""
    return {
        "http_status": problem.status,
        "error_code": problem.code,
        "description": problem.message,
        **_missing(problem),
        "request_id": problem.request_id,
    }


def _gms(problem: Problem) -> dict[str, Any]:
    """GMS Context Services: `{"message", "exception"}`."""
    return {
        "message": problem.message,
        "exception": problem.code,
        **_missing(problem),
        "request_id": problem.request_id,
    }


_WRITERS: Mapping[Dialect, tuple[bytes, Callable[[Problem], dict[str, Any]]]] = {
    "problem": (b"application/problem+json", _problem),
    "ucs": (b"application/json", _ucs),
    "gms": (b"application/json", _gms),
}


def render(problem: Problem, dialect: Dialect) -> tuple[bytes, bytes]:
    """The content type and the body."""
    content_type, writer = _WRITERS[dialect]
    return content_type, msgspec.json.encode(writer(problem))
