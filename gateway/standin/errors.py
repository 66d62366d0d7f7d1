"""How the stand-in says no: one exception, and the two JSON shapes in which callers read it.

UCS 8.x answers errors with an object that begins with `http_method`; the rest of its fields is
not documented in public, so ours are a guess of the same kind. GMS answers with `message` and
`exception`, and those names are documented.
"""

from enum import StrEnum
from typing import Any

__all__ = [
    "Dialect",
    "Refusal",
    "bad_request",
    "forbidden",
    "not_found",
    "render",
    "unavailable",
]

GMS_EXCEPTION = "com.genesyslab.gsg.services.contextservices.exceptions."

# The last part of the Java class name that GMS shows, by status.
GMS_EXCEPTIONS = {
    400: "ContextServicesExceptionInvalidParameter",
    401: "ContextServicesExceptionUnauthorized",
    403: "ContextServicesExceptionForbidden",
    404: "ContextServicesExceptionResource",
}


class Dialect(StrEnum):
    """Which of the two servers is speaking."""

    UCS = "ucs"
    GMS = "gms"


class Refusal(Exception):
    """The call ends with this status; whatever it had changed so far is undone."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def __repr__(self) -> str:
        return f"<Refusal {self.status}: {self.message}>"


def bad_request(message: str) -> Refusal:
    return Refusal(400, message)


def forbidden(message: str) -> Refusal:
    """UCS's own 403: the operation is known and well formed, and cannot be allowed."""
    return Refusal(403, message)


def not_found(message: str) -> Refusal:
    return Refusal(404, message)


def unavailable(message: str) -> Refusal:
    return Refusal(503, message)


def render(dialect: Dialect, status: int, message: str, *, method: str, target: str) -> Any:
    """The JSON value that a caller of this server gets."""
    match dialect:
        case Dialect.UCS:
            return {
                "http_method": method,
                "http_uri": target,
                "http_code": status,
                "error_code": f"CV-{status}",
                "error_message": message,
            }
        case Dialect.GMS:
            name = GMS_EXCEPTIONS.get(status, "ContextServicesException")
            return {"message": message, "exception": GMS_EXCEPTION + name}
