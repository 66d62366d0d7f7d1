"""Everything that can go wrong on the way of a request, and what a stranger may hear of it.

    GatewayError
      RequestRejected 400
        MalformedTarget · HeaderRejected · FramingRejected · BodyUnreadable
      Misdirected 421
      MethodRefused 405
      BodyTypeRefused 415 · BodyTooLarge 413 · HeadTooLarge 431 · TargetTooLong 414
      RequestTimeout 408
      CredentialsRefused 401 · TokenNotOurs 403
      IdentityUnavailable 503 · RevocationUnavailable 503 · AuditUnavailable 503
      Overloaded 503 · ShuttingDown 503
      UpstreamFailed 502 · UpstreamBusy 503 · UpstreamTokenMissing 503 · UpstreamTimeout 504
      InternalFault 500
    SettingsInvalid (at start; never during a request)

A denial is not here: it is a value (`policy.Decision`). Each class knows its status, its stable
`code` and the sentence that the caller may read; `detail` is for our own log only. Nothing that
the caller sent is echoed in `public`.
"""

from typing import ClassVar

from policy import Diagnostic

__all__ = [
    "AuditUnavailable",
    "BodyTooLarge",
    "BodyTypeRefused",
    "BodyUnreadable",
    "CredentialsRefused",
    "FramingRejected",
    "GatewayError",
    "HeadTooLarge",
    "HeaderRejected",
    "IdentityUnavailable",
    "InternalFault",
    "MalformedTarget",
    "MethodRefused",
    "Misdirected",
    "Overloaded",
    "RequestRejected",
    "RequestTimeout",
    "RevocationUnavailable",
    "SettingsInvalid",
    "ShuttingDown",
    "TargetTooLong",
    "TokenNotOurs",
    "UpstreamBusy",
    "UpstreamFailed",
    "UpstreamTimeout",
    "UpstreamTokenMissing",
]


class GatewayError(Exception):
    """A request that could not be answered as asked; not raised itself.

    `is_repeat` is set where the log has just heard of one like it. Where asking again may help, `retry_after_seconds` says when; 0 says nothing.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    public: ClassVar[str]
    is_repeat = False
    retry_after_seconds: ClassVar[int] = 0

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.public)
        self.detail = detail


class RequestRejected(GatewayError):
    """The request can be read in more than one way, or in none; not raised itself."""

    status = 400


class MalformedTarget(RequestRejected):
    code = "malformed-target"
    public = "the request target is not in canonical form"


class HeaderRejected(RequestRejected):
    code = "header-rejected"
    public = "a request header is malformed, repeated or not allowed"


class FramingRejected(RequestRejected):
    """The end of the message is in doubt; the connection is closed after the answer."""

    code = "framing-rejected"
    public = "the request's framing is malformed"


class BodyUnreadable(RequestRejected):
    code = "body-unreadable"
    public = "the request body is not one strict JSON object in UTF-8 without duplicate keys"


class Misdirected(GatewayError):
    """RFC 9110 section 15.5.20: meant for a host that this gateway does not stand for."""

    status = 421
    code = "misdirected-request"
    public = "this gateway does not answer for the host that the request names"


class MethodRefused(GatewayError):
    status = 405
    code = "method-refused"
    public = "this method is not served"


class BodyTypeRefused(GatewayError):
    status = 415
    code = "body-type-refused"
    public = "this operation takes application/json without content encoding"


class BodyTooLarge(GatewayError):
    status = 413
    code = "body-too-large"
    public = "the request body is larger than this operation takes"


class TargetTooLong(GatewayError):
    status = 414
    code = "target-too-long"
    public = "the request target is too long"


class HeadTooLarge(GatewayError):
    status = 431
    code = "head-too-large"
    public = "the request head is too large"


class RequestTimeout(GatewayError):
    status = 408
    code = "request-timeout"
    public = "the request did not arrive in time"


class CredentialsRefused(GatewayError):
    """One wording for every cause, so that the answer is no oracle.

    `oauth_error` is the RFC 6750 section 3.1 code for Bearer challenges, or "" for Basic.
    """

    status = 401
    code = "credentials-refused"
    public = "the credentials were not accepted"

    def __init__(self, detail: str = "", *, oauth_error: str = "") -> None:
        super().__init__(detail)
        self.oauth_error = oauth_error


class IdentityUnavailable(GatewayError):
    status = 503
    code = "identity-unavailable"
    public = "the caller's identity cannot be verified just now"


class TokenNotOurs(GatewayError):
    """Somebody else's token cannot be ended here, and must not end the gateway's own upstream."""

    status = 403
    code = "token-not-ours"
    public = "this token was issued elsewhere, so it cannot be ended here"


class RevocationUnavailable(GatewayError):
    status = 503
    code = "revocation-unavailable"
    public = "the end of the token cannot be recorded just now, so it is still good"


class AuditUnavailable(GatewayError):
    status = 503
    code = "audit-unavailable"
    public = "the request cannot be recorded just now, so it was not carried out"


class Overloaded(GatewayError):
    status = 503
    code = "overloaded"
    public = "the gateway has as many requests in hand as it can carry out"
    retry_after_seconds = 1


class ShuttingDown(GatewayError):
    """The time for requests in flight was up, and this one had no answer yet."""

    status = 503
    code = "shutting-down"
    public = "the gateway is shutting down, and did not wait for the end of this request"
    retry_after_seconds = 1


class UpstreamFailed(GatewayError):
    status = 502
    code = "upstream-failed"
    public = "the upstream server could not be reached or answered badly"


class UpstreamBusy(GatewayError):
    """Every place at the nodes was taken, and waiting for one was in vain."""

    status = 503
    code = "upstream-busy"
    public = "the upstream server has too much to do just now"
    retry_after_seconds: ClassVar[int] = 1


class UpstreamTokenMissing(GatewayError):
    """The login server gave the gateway no token of its own, so nothing was sent."""

    status = 503
    code = "upstream-token-missing"
    public = "the gateway has no token of its own for the upstream server just now"


class UpstreamTimeout(GatewayError):
    status = 504
    code = "upstream-timeout"
    public = "the upstream server did not answer in time"


class InternalFault(GatewayError):
    """A defect of ours; counted apart from every denial (threat C-8)."""

    status = 500
    code = "internal-fault"
    public = "the gateway failed to handle the request"


class SettingsInvalid(Exception):
    """The settings file cannot be used; carries every finding."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(str(diagnostic) for diagnostic in diagnostics))
        self.diagnostics = diagnostics
