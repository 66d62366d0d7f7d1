"""How the platform says no: `ErrorBody`, and the codes that stand on every operation.

The codes 401 and 404 and their sentences are those of the published API description. Which code
a malformed request gets differs by service there; `bad.request` and `invalid.value` stand for all.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["Fault", "bad_credentials", "bad_request", "error_body", "full", "no_token", "not_found"]


class Fault(Exception):
    """The call ends with this status."""

    def __init__(
        self, status: int, code: str, message: str, params: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.params = dict(params or {})

    def __repr__(self) -> str:
        return f"<Fault {self.status} {self.code}: {self.message}>"


def error_body(fault: Fault, context_id: str) -> dict[str, Any]:
    return {
        "message": fault.message,
        "code": fault.code,
        "status": fault.status,
        "messageParams": fault.params,
        "contextId": context_id,
        "details": [],
        "errors": [],
    }


def no_token() -> Fault:
    return Fault(
        401,
        "authentication.required",
        "No authentication bearer token specified in authorization header.",
    )


def bad_credentials() -> Fault:
    return Fault(401, "bad.credentials", "Invalid login credentials.")


def not_found(what: str = "resource", id_: str = "") -> Fault:
    params = {"entityId": id_, "entityName": what} if id_ else {}
    return Fault(404, "not.found", f"The requested {what} was not found.", params)


def bad_request(message: str, field: str = "") -> Fault:
    """`field` is the one at fault."""
    if field:
        return Fault(400, "invalid.value", message, {"fieldName": field})
    return Fault(400, "bad.request", message)


def full(kind: str, limit: int) -> Fault:
    return Fault(
        400,
        "limit.exceeded",
        f"The limit of {limit} for {kind} has been reached.",
        {"limit": str(limit)},
    )
