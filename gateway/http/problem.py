"""Refusals in the words that each service's own clients can parse.

Every dialect says the same: the status, a stable code, a fixed sentence, what is missing (where
the caller may know), and the request's id. Nothing that the caller sent is echoed (threat A-9).
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from gateway.http.genesys_cloud import correlation_line, error_body
from policy import Missing

__all__ = ["Dialect", "Problem", "REASON_PHRASES", "render"]

Dialect = Literal["problem", "ucs", "gms", "genesys-cloud"]

REASON_PHRASES: Mapping[int, bytes] = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    414: b"URI Too Long",
    415: b"Unsupported Media Type",
    421: b"Misdirected Request",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong: `code` is a policy reason or an error code, both documented and stable.

    Of what is `missing`, `choices` were asked for as a choice among one.
    """

    status: int
    code: str
    message: str
    request_id: str
    missing: Missing | None = None
    choices: tuple[str, ...] = ()


def _missing(problem: Problem) -> dict[str, Any]:
    if not problem.missing:
        return {}
    said = ((key, getattr(problem.missing, key)) for key in Missing.__struct_fields__)
    return {"missing": {key: value for key, value in said if value}}


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


def _genesys_cloud(problem: Problem) -> dict[str, Any]:
    """The Platform API's `ErrorBody`."""
    return error_body(
        code=problem.code,
        status=problem.status,
        message=problem.message,
        request_id=problem.request_id,
        missing=problem.missing,
        choices=problem.choices,
    )


_WRITERS: Mapping[Dialect, tuple[bytes, Callable[[Problem], dict[str, Any]]]] = {
    "problem": (b"application/problem+json", _problem),
    "ucs": (b"application/json", _ucs),
    "gms": (b"application/json", _gms),
    "genesys-cloud": (b"application/json", _genesys_cloud),
}


def render(problem: Problem, dialect: Dialect) -> tuple[bytes, bytes]:
    """The header lines that are the dialect's own, the content type's among them, and the body."""
    content_type, writer = _WRITERS[dialect]
    lines = b"content-type: %b\r\n" % content_type
    if dialect == "genesys-cloud":
        lines += correlation_line(problem.request_id)
    return lines, msgspec.json.encode(writer(problem))
