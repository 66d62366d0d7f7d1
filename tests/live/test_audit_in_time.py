"""When a request's trace is in memory that outlives the process: before anybody else learns of it."""

from pathlib import Path

import pytest

from gateway.app import Gateway
from tests.support.raw import RawClient, request
from tests.support.site import Audit, running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import OK, Conversation, RecordingUpstream

READ = "UCS.Customer.readCustomerProfile"
PROFILE = "/profiles/0004Va58A92T0017"


def noted(gateway: Gateway) -> list[bytes]:
    return [note for _, note in gateway.audit._journal.open_slots()]


async def test_a_request_is_noted_before_the_upstream_sees_it_and_told_before_the_client_does(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    at_the_upstream: list[bytes] = []

    async def look(conversation: Conversation) -> None:
        while await conversation.request():
            at_the_upstream.extend(noted(site.gateway))
            await conversation.answer(OK)

    upstream.script = look
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        journal = site.gateway.audit._journal
        before = journal.written
        reply = await site.ask("GET", PROFILE, roles=[READ])

        assert journal.written > before
        assert noted(site.gateway) == []
    [note] = at_the_upstream
    assert f'"id":"{reply.header("x-request-id")}"'.encode() in note
    [line] = Audit(tmp_path).lines()
    assert (line["id"], line["ending"]) == (reply.header("x-request-id"), "complete")


@pytest.mark.parametrize("rest", [0, 5], ids=["whole-body", "body-to-be-skipped"])
async def test_a_denial_is_told_or_noted_before_the_client_has_it(
    rest: int, tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await RawClient.connect(site.address)
        whole = request("POST", "/profiles", authorization=bearer(roles=()), body=b"0123456789")
        await client.send(whole[: len(whole) - rest])
        reply = await client.reply()

        journal = site.gateway.audit._journal
        assert reply.status == 403
        assert len(noted(site.gateway)) == bool(rest)
        assert bool(journal.written) is not bool(rest)
        await client.send(whole[len(whole) - rest :])
        await client.close()
    [line] = Audit(tmp_path).lines()
    assert (line["effect"], line["reason"]) == ("deny", "permission-missing")
