"""Refusals as the Genesys Cloud Platform API words them, so that its SDKs can parse them.

The body is the platform's `ErrorBody`. The texts of its 401 and 403 are those that the published
API description lists for every operation; for what goes wrong in a gateway alone, the text is our
own sentence. `contextId` is the request's id, the one of the audit line, which users are asked for
when they report a failure.

One body has one code, and a decision may lack several things at once. What has to be had whatever
else is stands on top: `missing.permissions`, then `missing.any.permissions` for each group of which
one would do, then `app.not.authorized.for.scope`. The first is the body, the others are nested in
its `errors`, so that ALL and ANY are never mixed. What is held, but not in the division that the
request is about, is `missing.division.permission`, or `missing.any.division.permissions` of a group;
its text speaks of one division that would do, so each division is a body of its own.

What the platform puts into `messageParams` of these codes is not published; the names here are ours.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from policy import Missing, Reason

__all__ = ["CODES", "correlation_line", "error_body"]

CODES: Mapping[str, str] = {
    Reason.NOT_AUTHENTICATED.label: "authentication.required",
    "credentials-refused": "bad.credentials",
    # What nobody may is not worded as something that could be granted. `not.found` would be a 404.
    Reason.NO_ROUTE.label: "not.authorized",
    Reason.CLOSED.label: "not.authorized",
    # These where what is missing is not told.
    Reason.PERMISSION_MISSING.label: "not.authorized",
    Reason.SCOPE_MISSING.label: "not.authorized",
    Reason.DIVISION_MISSING.label: "not.authorized",
    "token-not-ours": "not.authorized",
    Reason.GUARD_FAILED.label: "bad.request",
    Reason.UNDECIDABLE.label: "bad.request",
    "malformed-target": "bad.request",
    "header-rejected": "bad.request",
    "framing-rejected": "bad.request",
    "body-unreadable": "bad.request",
    "misdirected-request": "bad.request",
    "method-refused": "method.not.allowed",
    "body-type-refused": "unsupported.media.type",
    "body-too-large": "request.entity.too.large",
    "target-too-long": "request.uri.too.long",
    "head-too-large": "request.head.too.large",
    "request-timeout": "client.timeout",
    "identity-unavailable": "service.unavailable",
    "revocation-unavailable": "service.unavailable",
    "audit-unavailable": "service.unavailable",
    "overloaded": "service.unavailable",
    "shutting-down": "service.unavailable",
    "upstream-failed": "bad.gateway",
    "upstream-busy": "service.unavailable",
    "upstream-token-missing": "service.unavailable",
    "upstream-timeout": "gateway.timeout",
    "internal-fault": "internal.server.error",
}
"""Our reasons and error codes as the platform's codes; `X-Gateway-Refusal` still has ours."""

_TEXTS: Mapping[str, str] = {
    "authentication.required": "No authentication bearer token specified in authorization header.",
    "bad.credentials": "Invalid login credentials.",
    "not.authorized": "You are not authorized to perform the requested action.",
    "missing.permissions": (
        "Unable to perform the requested action. You are missing the following permission(s):"
        " {permissions}"
    ),
    "missing.any.permissions": (
        "Unable to perform the requested action. You must have at least one of the following"
        " permissions assigned: {permissions}"
    ),
    "missing.division.permission": (
        "Unable to perform the requested action. You are missing the following permission"
        " '{permission}' in the provided division(s)."
    ),
    "missing.any.division.permissions": (
        "Unable to perform the requested action. You must have at least one of the following"
        " permissions assigned: {permissions} in at least one of the following division(s):"
        " {divisions}"
    ),
    "app.not.authorized.for.scope": "App not authorized to use scope {scopes}",
}

# Stands for a division that cannot be told, or was not said: only a grant for all would do.
_EVERY_DIVISION = "*"


class _Lack(NamedTuple):
    """One code with what stands in its text's braces."""

    code: str
    words: Mapping[str, str]


def error_body(
    *,
    code: str,
    status: int,
    message: str,
    request_id: str,
    missing: Missing | None,
    choices: Collection[str] = (),
) -> dict[str, Any]:
    """The members of an `ErrorBody`; `code` and `message` are ours, `missing` None untold.

    The platform tells ANY from ALL also where only one permission is named: those are `choices`.
    """
    if missing and choices:
        missing = _apart(missing, choices)
    elsewhere = code == Reason.DIVISION_MISSING.label
    lacks = list(_lacks(missing, elsewhere=elsewhere)) if missing else []
    if not lacks:
        lacks = [_Lack(CODES.get(code) or code.replace("-", "."), {})]
    bodies = [_body(lack, status, message, request_id) for lack in lacks]
    first, *others = bodies
    return {**first, "errors": others}


def correlation_line(request_id: str) -> bytes:
    """The header by which the platform's support, and its SDKs, name a request."""
    return b"inin-correlation-id: %b\r\n" % request_id.encode("ascii")


def _apart(missing: Missing, choices: Collection[str]) -> Missing:
    all_of = tuple(name for name in missing.all_of if name not in choices)
    alone = tuple((name,) for name in missing.all_of if name in choices)
    return msgspec.structs.replace(missing, all_of=all_of, any_of=(*alone, *missing.any_of))


def _lacks(missing: Missing, *, elsewhere: bool) -> Iterator[_Lack]:
    """Whoever holds it `elsewhere`, in other divisions, is told of divisions even if none is named."""
    if elsewhere or missing.divisions:
        yield from _lacks_there(missing)
    else:
        if missing.all_of:
            yield _Lack("missing.permissions", {"permissions": _listed(missing.all_of)})
        for group in missing.any_of:
            yield _Lack("missing.any.permissions", {"permissions": _listed(group)})
    if missing.scopes:
        yield _Lack("app.not.authorized.for.scope", {"scopes": _listed(missing.scopes)})


def _lacks_there(missing: Missing) -> Iterator[_Lack]:
    divisions = [division or _EVERY_DIVISION for division in missing.divisions or ("",)]
    for permission in missing.all_of:
        words = {"permission": permission, "divisions": _listed(divisions)}
        yield _Lack("missing.division.permission", words)
    for group in missing.any_of:
        for division in divisions:
            words = {"permissions": _listed(group), "divisions": _listed([division])}
            yield _Lack("missing.any.division.permissions", words)


def _body(lack: _Lack, status: int, message: str, request_id: str) -> dict[str, Any]:
    text = _TEXTS.get(lack.code, message)
    return {
        "message": text.format_map(lack.words) if lack.words else text,
        "code": lack.code,
        "status": status,
        "messageParams": dict(lack.words),
        "messageWithParams": text,
        "contextId": request_id,
        "details": [],
        "errors": [],
    }


def _listed(names: Sequence[str]) -> str:
    return f"[{', '.join(names)}]"
