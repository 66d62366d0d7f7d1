"""Requests as they are typed or stand in a file, read exactly as the gateway reads them."""

import json
import re
from pathlib import Path

import click

from gateway.errors import (
    BodyTooLarge,
    BodyUnreadable,
    GatewayError,
    MalformedTarget,
    MethodRefused,
    TargetTooLong,
)
from gateway.http.body import read_facts
from gateway.http.target import Target, TargetLimits, canonicalise
from gateway.settings import Limits
from gateway.wire.client import METHODS
from policy import BodyFacts, DecisionTable
from policy.analysis import Expectation, Refusal, SentRequest

__all__ = [
    "REFUSALS",
    "canonical_target",
    "content_of",
    "facts_of",
    "header_option",
    "sent_request",
]

_HEADER_NAME = re.compile("[A-Za-z0-9-]{1,128}")

REFUSALS = frozenset(
    error.code
    for error in (BodyTooLarge, BodyUnreadable, MalformedTarget, MethodRefused, TargetTooLong)
)
"""The codes with which the functions here refuse."""


def canonical_target(method: str, target: bytes, limits: Limits) -> Target:
    """What the gateway would read of the request line, refused where it would refuse it.

    Raises MethodRefused, MalformedTarget or TargetTooLong.
    """
    if method not in METHODS:
        raise MethodRefused(f"the gateway serves {', '.join(sorted(METHODS))}")
    return canonicalise(
        target,
        TargetLimits(
            max_target_bytes=limits.max_target_bytes,
            max_segments=limits.max_segments,
            max_query_parameters=limits.max_query_parameters,
        ),
    )


def _body_facts(content: bytes, limits: Limits, *, is_optional: bool) -> BodyFacts:
    """What policy is told of a body, which may be left out if it `is_optional`.

    Raises BodyTooLarge or BodyUnreadable.
    """
    if len(content) > limits.max_inspected_body_bytes:
        raise BodyTooLarge(f"it has more than {limits.max_inspected_body_bytes} bytes")
    if not content and is_optional:
        return BodyFacts({})
    return read_facts(content, max_depth=limits.max_body_depth, max_keys=limits.max_body_keys)


def facts_of(path: Path, limits: Limits, *, is_optional: bool = False) -> BodyFacts:
    """The same of a file's content."""
    with path.open("rb") as file:
        content = file.read(limits.max_inspected_body_bytes + 1)
    return _body_facts(content, limits, is_optional=is_optional)


def _headers(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> dict[bytes, bytes]:
    """Lower-case name to value, of `Name: value`."""
    read: dict[bytes, bytes] = {}
    for text in given:
        name, colon, value = text.partition(":")
        if not (colon and _HEADER_NAME.fullmatch(name) and value.isascii() and value.isprintable()):
            raise click.BadParameter(f"`{text}` is not `Name: value`")
        if name.lower().encode() in read:
            raise click.BadParameter(f"`{name}` is given twice, which the gateway refuses")
        read[name.lower().encode()] = value.strip().encode()
    return read


header_option = click.option(
    "--header",
    "-H",
    "headers",
    multiple=True,
    callback=_headers,
    help="A header that says the request's division, as `Name: value`; may be repeated.",
)


def sent_request(table: DecisionTable, expectation: Expectation, limits: Limits) -> SentRequest:
    """The request of an expectation; what is refused about it is part of the value."""
    method, _, target = expectation.request.partition(" ")
    try:
        canonical = canonical_target(method, target.encode(), limits)
    except GatewayError as error:
        return SentRequest(refused=_refusal(error))
    route = table.routes.find(method, canonical.segments)
    return SentRequest(
        method=method,
        segments=canonical.segments,
        query=canonical.query,
        headers={
            name.lower().encode(): value.encode() for name, value in expectation.headers.items()
        },
        body=_body(expectation, limits, is_optional=route is not None and route.body_optional),
    )


def _body(
    expectation: Expectation, limits: Limits, *, is_optional: bool
) -> BodyFacts | Refusal | None:
    content = content_of(expectation)
    if content is None and not is_optional:
        return None
    try:
        return _body_facts(content or b"", limits, is_optional=is_optional)
    except GatewayError as error:
        return _refusal(error)


def content_of(expectation: Expectation) -> bytes | None:
    """The body as it is sent; None if there is none."""
    body = expectation.body
    if body is None:
        return None
    return (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()


def _refusal(error: GatewayError) -> Refusal:
    return Refusal(error.status, error.code, error.detail)
