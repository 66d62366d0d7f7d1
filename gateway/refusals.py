"""What a refused caller gets: a denial or a failure, as the bytes of a whole reply.

A denial is a decision's reason, a failure an error's code; both become a `Problem` in the dialect
of the service under whose prefix the request lies. Where no service can be told, because the
target could not be read, the root's is taken.
"""

from collections.abc import Mapping, Sequence

from gateway.authn import Authenticator
from gateway.errors import CredentialsRefused, GatewayError, MethodRefused, Overloaded
from gateway.exchange import Exchange, RequestHead
from gateway.http.problem import Dialect, Problem
from gateway.http.reply import refusal
from gateway.upstream import Upstream
from gateway.wire.client import METHODS
from policy import ANONYMOUS, Decision, Missing, Reason

__all__ = ["DENIALS", "Refusals"]

# What a denied caller is told: the status and a fixed sentence for each reason.
DENIALS: Mapping[Reason, tuple[int, str]] = {
    Reason.NO_ROUTE: (403, "this operation is not known to the gateway, so it is not allowed"),
    Reason.NOT_AUTHENTICATED: (401, "this operation needs credentials"),
    Reason.CLOSED: (403, "this operation is closed to everybody"),
    Reason.PERMISSION_MISSING: (403, "the caller's roles do not allow this operation"),
    Reason.SCOPE_MISSING: (403, "the caller's scopes do not allow this operation"),
    Reason.DIVISION_MISSING: (403, "the caller's roles do not allow this operation there"),
    Reason.GUARD_FAILED: (400, "the request's body contradicts its path or its caller"),
    Reason.UNDECIDABLE: (400, "what the decision depends on is said twice, or unclearly"),
}

# RFC 9110 section 15.5.6: a 405 names the methods that are served; to strangers it does not
# (threat M-5).
_ALLOW_LINE = b"allow: %b\r\n" % ", ".join(sorted(METHODS)).encode("ascii")


# Stands where a request's id will stand; in no other text.
_BLANK = "@"


class Refusals:
    """The replies of one gateway's own."""

    def __init__(self, upstreams: Sequence[Upstream], authenticator: Authenticator) -> None:
        self._upstreams = {upstream.name: upstream for upstream in upstreams}
        # The longest prefix first; among services that share one, the first of the settings.
        self._by_prefix = sorted(upstreams, key=lambda upstream: -len(upstream.prefix))
        self._authenticator = authenticator
        self._overload: dict[tuple[Dialect, bool, bool, bool, int], bytes] = {}

    def of_denial(self, exchange: Exchange, decision: Decision, *, keep: bool) -> bytes:
        """The reply to a decision that says no; sets the exchange's status."""
        status, message = DENIALS[decision.reason]
        challenges: Sequence[bytes] = ()
        missing: Missing | None = None
        choices: tuple[str, ...] = ()
        if decision.reason is Reason.NOT_AUTHENTICATED:
            challenges = self._authenticator.challenges
        elif decision.route is not None and self._upstreams[decision.route.service].reveal_missing:
            missing, choices = decision.missing, decision.route.choices
        exchange.status = status
        problem = Problem(
            status=status,
            code=decision.reason.label,
            message=message,
            request_id=exchange.id,
            missing=missing,
            choices=choices,
        )
        dialect = self._dialect(exchange)
        return _reply(exchange, problem, dialect, keep=keep, challenges=challenges)

    def of_failure(self, exchange: Exchange, error: GatewayError, *, keep: bool) -> bytes:
        """The reply to a failure; sets the exchange's status."""
        challenges: Sequence[bytes] = ()
        if isinstance(error, CredentialsRefused):
            challenges = self._authenticator.challenges_after(error)
        extra_lines = b""
        if isinstance(error, MethodRefused) and exchange.caller is not ANONYMOUS:
            extra_lines = _ALLOW_LINE
        elif error.retry_after_seconds:
            extra_lines = _retry_after(error.retry_after_seconds)
        exchange.status = error.status
        return _reply(
            exchange,
            _problem(error, exchange.id),
            self._dialect(exchange),
            keep=keep,
            challenges=challenges,
            extra_lines=extra_lines,
        )

    def of_overload(self, exchange: Exchange, head: RequestHead, *, keep: bool) -> bytes:
        """The reply of `Overloaded`, at next to no cost; sets the exchange's status.

        All of it but the request's id is the same for everybody, and is kept.
        """
        exchange.status = Overloaded.status
        blank = _BLANK * len(exchange.id)
        dialect = self._dialect_at(head.target.partition(b"?")[0].decode("ascii"))
        key = (dialect, keep, head.is_1_1, head.method == "HEAD", len(blank))
        reply = self._overload.get(key)
        if reply is None:
            reply = self._overload[key] = _reply(
                exchange,
                _problem(Overloaded(), blank),
                dialect,
                keep=keep,
                extra_lines=_retry_after(Overloaded.retry_after_seconds),
            )
        return reply.replace(blank.encode("ascii"), exchange.id.encode("ascii"))

    def _dialect(self, exchange: Exchange) -> Dialect:
        return self._dialect_at(exchange.target.path if exchange.target is not None else "/")

    def _dialect_at(self, path: str) -> Dialect:
        for upstream in self._by_prefix:
            if upstream.prefix == "/" or f"{path}/".startswith(f"{upstream.prefix}/"):
                return upstream.dialect
        return "problem"


def _reply(
    exchange: Exchange,
    problem: Problem,
    dialect: Dialect,
    *,
    keep: bool,
    challenges: Sequence[bytes] = (),
    extra_lines: bytes = b"",
) -> bytes:
    head = exchange.head
    method = exchange.refused_method if head is None else head.method
    return refusal(
        problem,
        dialect,
        keep=keep,
        is_head=method == "HEAD",
        is_1_1=head is None or head.is_1_1,
        challenges=challenges,
        extra_lines=extra_lines,
    )


def _problem(error: GatewayError, request_id: str) -> Problem:
    return Problem(
        status=error.status, code=error.code, message=error.public, request_id=request_id
    )


def _retry_after(seconds: int) -> bytes:
    return b"retry-after: %d\r\n" % seconds
