"""A refusal says the same in every dialect, and nothing that the caller sent."""

import json

import pytest

from gateway import errors
from gateway.http.problem import REASON_PHRASES, Dialect, Problem, render
from policy import Missing, Reason

MISSING = Missing(("UCS.Customer.createProfile",), (("A", "B"), ("C", "D")))


def problem(missing: Missing | None = None) -> Problem:
    return Problem(
        status=403,
        code=Reason.PERMISSION_MISSING,
        message="the caller lacks a permission",
        request_id="r-1",
        missing=missing,
    )


EXPECTED: dict[Dialect, tuple[bytes, dict[str, object]]] = {
    "problem": (
        b"application/problem+json",
        {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "code": "permission-missing",
            "detail": "the caller lacks a permission",
            "request_id": "r-1",
        },
    ),
    "ucs": (
        b"application/json",
        {
            "http_status": 403,
            "error_code": "permission-missing",
            "description": "the caller lacks a permission",
            "request_id": "r-1",
        },
    ),
    "gms": (
        b"application/json",
        {
            "message": "the caller lacks a permission",
            "exception": "permission-missing",
            "request_id": "r-1",
        },
    ),
}

dialects = pytest.mark.parametrize("dialect", EXPECTED)


@dialects
@pytest.mark.parametrize("missing", [None, Missing()], ids=["not told", "nothing"])
def test_each_dialect_has_its_words(dialect: Dialect, missing: Missing | None) -> None:
    lines, body = render(problem(missing), dialect)
    content_type, expected = EXPECTED[dialect]
    assert (lines, json.loads(body)) == (b"content-type: %b\r\n" % content_type, expected)


@dialects
@pytest.mark.parametrize(
    ("missing", "written"),
    [
        (Missing(all_of=("A",)), {"all_of": ["A"]}),
        (Missing(any_of=(("A", "B"),)), {"any_of": [["A", "B"]]}),
        (Missing(scopes=("s", "t")), {"scopes": ["s", "t"]}),
        (
            Missing(all_of=("A",), divisions=("d-1", "")),
            {"all_of": ["A"], "divisions": ["d-1", ""]},
        ),
        (
            MISSING,
            {"all_of": ["UCS.Customer.createProfile"], "any_of": [["A", "B"], ["C", "D"]]},
        ),
    ],
)
def test_what_is_missing_is_told_in_every_dialect(
    dialect: Dialect, missing: Missing, written: dict[str, object]
) -> None:
    body = json.loads(render(problem(missing), dialect)[1])
    assert body == EXPECTED[dialect][1] | {"missing": written}


def gateway_errors() -> list[type[errors.GatewayError]]:
    """Every class that can become a reply: all but the families, which are not raised."""
    kinds = [getattr(errors, name) for name in errors.__all__]
    families = {errors.GatewayError, errors.RequestRejected}
    return [
        kind for kind in kinds if issubclass(kind, errors.GatewayError) and kind not in families
    ]


@pytest.mark.parametrize("kind", gateway_errors(), ids=lambda kind: kind.__name__)
def test_every_error_can_be_said(kind: type[errors.GatewayError]) -> None:
    for dialect in EXPECTED:
        error = kind("something from the caller")
        said = Problem(status=error.status, code=error.code, message=error.public, request_id="r-1")
        body = render(said, dialect)[1]
        assert error.public in json.loads(body).values()
        assert b"something from the caller" not in body


def test_every_status_has_its_phrase() -> None:
    of_the_token_endpoint = {200, 429}
    needed = {kind.status for kind in gateway_errors()} | {401, 403} | of_the_token_endpoint
    assert needed == set(REASON_PHRASES)
