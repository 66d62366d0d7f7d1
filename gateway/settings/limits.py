"""What a single client may cost: every limit, its default, and the precedent it follows.

A request over a limit is refused whole; nothing is ever cut to fit.
"""

from pydantic import Field

from gateway.settings.base import Section
from gateway.settings.values import Bytes, Count, Seconds

__all__ = ["Limits"]


class Limits(Section):
    """Bounds on requests and connections."""

    max_head_bytes: Bytes = Field(
        default=16_384,
        description="request line and headers together, else 431; Node.js and HAProxy allow 16 KiB",
    )
    max_headers: Count = Field(
        default=100,
        description="headers of one request, else 431; the default of Apache and of Envoy",
    )
    max_target_bytes: Bytes = Field(
        default=8_192,
        description="request target, else 414; RFC 9112 section 3 asks for at least 8000, Apache"
        " and nginx allow 8 KiB",
    )
    max_segments: Count = Field(
        default=32,
        description="segments of the path, else 414; the deepest operation of any catalogue has 8",
    )
    max_query_parameters: Count = Field(
        default=100,
        description="query parameters, else 414; Tomcat and Jetty allow 1000 of a form, no"
        " catalogue has use for 100",
    )
    max_inspected_body_bytes: Bytes = Field(
        default=1_048_576,
        description="body that has to be read before the decision, else 413; nginx's"
        " `client_max_body_size` of 1 MiB",
    )
    max_body_bytes: Bytes = Field(
        default=1_073_741_824,
        description="body that is streamed through unread, else 413; Apache's `LimitRequestBody`"
        " of 1 GiB",
    )
    max_body_depth: int = Field(
        default=32,
        ge=1,
        le=128,
        description="nesting of an inspected body, else 400; profiles nest 3 deep, Jackson stops"
        " at 1000 and .NET at 64",
    )
    max_body_keys: Count = Field(
        default=1_000,
        description="keys at the top of an inspected body, else 400; PHP's `max_input_vars` of"
        " 1000",
    )
    max_connections: Count = Field(
        default=10_000,
        description="client connections of one worker; further ones are closed at once, so that"
        " a client or a balancer in front knows and tries elsewhere; needs as many file descriptors"
        " again as connections to upstream servers",
    )
    max_requests_per_connection: Count = Field(
        default=1_000,
        description="requests answered on one connection; the last answer says `connection:"
        " close`; nginx's `keepalive_requests`",
    )
    max_in_flight: Count = Field(
        default=1_024,
        description="requests that one worker carries out at once, else 503 with `Retry-After`,"
        " before anybody is identified, and for up to half a second the connection is not read from;"
        " Envoy's default for `max_requests`",
    )
    header_timeout_seconds: Seconds = Field(
        default=10.0,
        description="from the first byte of a request to the end of its head, else 408; on a new"
        " connection it begins with the connection; against slow-header attacks, as Go's"
        " `ReadHeaderTimeout` and HAProxy's `timeout http-request`",
    )
    body_idle_timeout_seconds: Seconds = Field(
        default=30.0,
        description="silence between two pieces of a body, else 408; half of nginx's"
        " `client_body_timeout`",
    )
    total_timeout_seconds: Seconds = Field(
        default=300.0,
        description="from a request's head to its reply's last byte, else 408 where the body was"
        " still arriving, 504 where the upstream was waited for, and cut off where the reply had"
        " begun; Node.js gives a request as much (`requestTimeout`)",
    )
    keep_alive_timeout_seconds: Seconds = Field(
        default=75.0,
        description="silence between two requests on one connection; nginx's `keepalive_timeout`",
    )
    drain_body_bytes: int = Field(
        default=65_536,
        ge=0,
        le=1 << 30,
        description="rest of a refused request's body that is read and thrown away to keep the"
        " connection; with more to come it is closed; Go drains up to 256 KiB",
    )
    shutdown_seconds: Seconds = Field(
        default=20.0,
        description="time for requests in flight to end at shutdown; below the 30 seconds after"
        " which Kubernetes kills",
    )
