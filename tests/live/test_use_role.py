"""`use_role`: enforce, shadow, or only authenticate; seen at the upstream and in the audit."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.raw import Reply
from tests.support.site import Audit, running_site, ucs
from tests.support.upstream import RecordingUpstream

READ = "UCS.Customer.readCustomerProfile"
CREATE = "UCS.Customer.createProfile"
EXTENSION = "UCS.Customer.createProfileExtension"
UPDATE = "UCS.Customer.updateCustomerProfile"
PROFILE = "/profiles/0004Va58A92T0017"


async def ask(
    folder: Path, upstream: RecordingUpstream, mode: object, method: str, target: str, **how: Any
) -> tuple[Reply, dict[str, Any]]:
    """The reply and the audit line of one request to a service in this mode."""
    limits = {"max_inspected_body_bytes": 64}
    async with running_site(folder, [ucs(upstream.url, use_role=mode)], limits=limits) as site:
        reply = await site.ask(method, target, **how)
    [line] = Audit(folder).lines()
    return reply, line


async def test_shadow_decides_and_records_and_lets_through(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    reply, line = await ask(tmp_path, upstream, "shadow", "DELETE", PROFILE, roles=[READ])
    assert (reply.status, len(upstream.requests)) == (200, 1)
    told = (line["effect"], line["reason"], line["enforced"], line["status"])
    assert told == ("deny", "permission-missing", False, 200)
    assert line["missing"]["all_of"] == ["UCS.Customer.deleteCustomerProfile"]


async def test_shadow_says_of_what_is_allowed_what_enforcing_would_say(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    _, line = await ask(tmp_path, upstream, "shadow", "GET", PROFILE, roles=[READ])
    assert (line["effect"], line["reason"], line["enforced"]) == ("allow", "permitted", True)


@pytest.mark.parametrize(
    ("reason", "body", "content_type"),
    [
        ("permission-missing", b'{"Phone": []}', "application/json"),
        ("undecidable", b"not json", "application/json"),
        ("undecidable", b"FirstName=Ada", "application/x-www-form-urlencoded"),
        ("undecidable", b'{"FirstName": "' + b"A" * 64 + b'"}', "application/json"),
    ],
)
async def test_shadow_lets_a_body_through_whatever_may_be_said_of_it(
    tmp_path: Path, upstream: RecordingUpstream, reason: str, body: bytes, content_type: str
) -> None:
    reply, line = await ask(
        tmp_path, upstream, "shadow", "POST", "/profiles",
        roles=[CREATE], body=body, content_type=content_type,
    )  # fmt: skip
    assert reply.status == 200
    assert upstream.requests[0].endswith(b"\r\n\r\n" + body)
    assert (line["effect"], line["reason"], line["enforced"]) == ("deny", reason, False)


async def test_shadow_lets_a_failed_guard_through(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    body = b'{"customer_id": "0004Va58A92T0099"}'
    reply, line = await ask(tmp_path, upstream, "shadow", "PUT", PROFILE, roles=[UPDATE], body=body)
    assert (reply.status, line["reason"], line["enforced"]) == (200, "guard-failed", False)


@pytest.mark.parametrize("mode", [True, "shadow", False])
async def test_no_mode_lets_a_stranger_through(
    tmp_path: Path, upstream: RecordingUpstream, mode: object
) -> None:
    reply, line = await ask(tmp_path, upstream, mode, "GET", PROFILE, roles=None)
    assert (reply.status, upstream.conversations) == (401, [])
    assert (line["reason"], line["enforced"]) == ("not-authenticated", True)


@pytest.mark.parametrize("mode", [True, "shadow", False])
async def test_no_mode_lets_an_unknown_operation_through(
    tmp_path: Path, upstream: RecordingUpstream, mode: object
) -> None:
    reply, line = await ask(
        tmp_path, upstream, mode, "POST", "/server/mode", roles=[READ], body=b"{}"
    )
    assert (reply.status, upstream.conversations) == (403, [])
    assert (line["reason"], line["enforced"]) == ("no-route", True)


async def test_false_asks_who_it_is_and_nothing_else(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    reply, line = await ask(tmp_path, upstream, False, "DELETE", PROFILE, roles=[])
    assert (reply.status, len(upstream.requests)) == (200, 1)
    assert (line["effect"], line["reason"]) == ("allow", "not-enforced")
