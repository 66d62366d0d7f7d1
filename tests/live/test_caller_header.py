"""The header that tells the upstream who called: the proved name, and nothing else, as one line."""

from pathlib import Path

import pytest

from tests.support.raw import request
from tests.support.site import running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import RecordingUpstream

READ = "UCS.Customer.readCustomerProfile"


@pytest.mark.parametrize(
    ("subject", "line"),
    [
        ("anna", b"anna"),
        ("anna@example.com", b"anna@example.com"),
        ("Jürgen Müller", b"J%C3%BCrgen%20M%C3%BCller"),
        ("a%0d%0aX-Role: admin", b"a%250d%250aX-Role:%20admin"),
        ("a, b; c=d", b"a,%20b;%20c=d"),
    ],
)
async def test_a_name_is_one_line_of_visible_ascii(
    tmp_path: Path, upstream: RecordingUpstream, subject: str, line: bytes
) -> None:
    """H-10."""
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        authorization = bearer(subject, roles=(READ,))
        await client.send(request("GET", "/profiles/1", authorization=authorization))
        assert (await client.reply()).status == 200
    [sent] = upstream.requests
    assert b"\r\nX-Gateway-Caller: " + line + b"\r\n" in sent


@pytest.mark.parametrize("subject", ["a\r\nX-Role: admin", "a\nb", "a\0", "a\x85b", "a\u2028b", ""])
async def test_a_name_with_a_control_character_is_nobodys(
    tmp_path: Path, upstream: RecordingUpstream, subject: str
) -> None:
    """H-10."""
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        authorization = bearer(subject, roles=(READ,))
        await client.send(request("GET", "/profiles/1", authorization=authorization))
        reply = await client.reply()
    assert (reply.status, reply.header("x-gateway-refusal")) == (401, "credentials-refused")
    assert upstream.conversations == []
