"""URLs of UCS in replies, as a client of the gateway gets them."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.standin import Running, StandinConfig, running
from gateway.standin.seed import ANNA, CHAT, LETTER
from tests.support.raw import request
from tests.support.site import Audit, Site, gms, running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import Conversation, RecordingUpstream

READ = "UCS.SchemaMgt.readInteraction"
SCHEMA = "UCS.SchemaMgt.createProfileExtensionSchema"
PATH = "/interactions/00001a57JGQ00BW8"
PUBLIC = "https://gateway.example.com"
NAME = "http://ucs.example.com:8080"


def rewriting(url: str, **changes: Any) -> dict[str, Any]:
    return ucs(url, **{"public_url": PUBLIC, "rewrite_from": [NAME]} | changes)


def body_of(address: str) -> bytes:
    return json.dumps({"interaction_id": "1", "text": f"{address}{PATH}/plain_text"}).encode()


def reply(body: bytes, fields: bytes = b"Content-Type: application/json\r\n") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (fields, len(body), body)


# --- with an upstream that says exactly this -----------------------------------------------------


async def test_a_small_reply_is_rewritten_and_has_its_length(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.script = upstream.answers(reply(body_of(upstream.url)), reply(body_of(NAME)))
    async with running_site(tmp_path, [rewriting(upstream.url)]) as site:
        client = await site.connect()
        for _ in range(2):
            await client.send(request("GET", PATH, authorization=bearer(roles=(READ,))))
            got = await client.reply()
            assert got.body == body_of(PUBLIC)
            assert got.header("content-length") == str(len(got.body))
    assert len(upstream.conversations) == 1
    lines = Audit(tmp_path).lines()
    assert [(line["status"], line["ending"]) for line in lines] == [(200, "complete")] * 2


async def test_without_the_setting_nothing_is_touched(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    body = body_of(upstream.url)
    location = f'Location: {upstream.url}/a\r\nETag: "v1"\r\nContent-Type: application/json\r\n'
    upstream.script = upstream.answers(reply(body, location.encode()))
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        got = await site.ask("GET", PATH, roles=[READ], headers={"Accept-Encoding": "gzip"})
    assert (got.body, got.header("etag")) == (body, '"v1"')
    assert got.header("location") == f"{upstream.url}/a"
    assert b"\r\naccept-encoding: gzip\r\n" in upstream.requests[0]


async def test_a_reply_in_pieces_goes_out_in_chunks_and_whole(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    whole = b"[" + b",".join([body_of(upstream.url)] * 20_000) + b"]"
    asked = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        while await conversation.request():
            data = reply(whole)
            cut = data.index(b'"http') + 4
            await conversation.answer(data[:cut])
            await asked.wait()
            await conversation.answer(data[cut:])

    upstream.script = script
    async with running_site(tmp_path, [rewriting(upstream.url)]) as site:
        client = await site.connect()
        await client.send(request("GET", PATH, authorization=bearer(roles=(READ,))) * 2)
        head = await client.reader.readuntil(b"\r\n\r\n")  # before the rest is there
        assert b"\r\ntransfer-encoding: chunked\r\n" in head
        assert b"content-length" not in head.lower()
        asked.set()
        first = (await client._read(head, "GET")).body
        second = (await client.reply()).body
    assert first == second == b"[" + b",".join([body_of(PUBLIC)] * 20_000) + b"]"
    assert len(upstream.conversations) == 1


async def test_a_client_of_http_1_0_gets_a_reply_in_pieces_until_the_end(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body_of(upstream.url)
        )

    upstream.script = script
    async with running_site(tmp_path, [rewriting(upstream.url)]) as site:
        client = await site.connect()
        await client.send(
            b"GET %b HTTP/1.0\r\nAuthorization: %b\r\n\r\n" % (PATH.encode(), bearer(roles=(READ,)))
        )
        raw = await client.rest()
    assert b"\r\nconnection: close\r\n" in raw
    assert raw.endswith(b"\r\n\r\n" + body_of(PUBLIC))


async def test_a_head_request_promises_no_length(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.script = upstream.answers(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 80\r\n\r\n"
    )
    async with running_site(tmp_path, [rewriting(upstream.url)]) as site:
        client = await site.connect()
        for _ in range(2):
            await client.send(request("HEAD", PATH, authorization=bearer(roles=(READ,))))
            got = await client.reply("HEAD")
            assert (got.status, got.header("content-length"), got.body) == (200, None, b"")


async def test_replies_are_asked_for_uncompressed_and_compressed_ones_pass_as_they_are(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    fields = b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
    upstream.script = upstream.answers(reply(body_of(upstream.url), fields))
    async with running_site(tmp_path, [rewriting(upstream.url)]) as site:
        accept = {"Accept-Encoding": "gzip", "Accept": "*/*"}
        got = await site.ask("GET", PATH, roles=[READ], headers=accept)
    assert got.body == body_of(upstream.url)
    [sent] = upstream.requests
    assert b"\r\naccept: */*\r\n" in sent
    assert b"accept-encoding" not in sent.lower()


async def test_services_of_one_gateway_are_rewritten_each_for_itself(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    fields = f"Location: {upstream.url}/genesys/1/cs/services/1\r\n".encode()
    upstream.script = upstream.answers(reply(b"{}", fields))
    services = [rewriting(upstream.url, name="plain", public_url=None, rewrite_from=[])]
    services += [gms(upstream.url, prefix="/public", public_url="http://10.0.0.1:8080")]
    async with running_site(tmp_path, services) as site:
        of_ucs = await site.ask("GET", PATH, roles=[READ])
        of_gms = await site.ask("GET", "/public/services/1", roles=["Supervisor"])
    assert of_ucs.header("location") == f"{upstream.url}/genesys/1/cs/services/1"
    assert of_gms.header("location") == "http://10.0.0.1:8080/public/services/1"


async def test_a_reply_cut_short_within_an_address_is_cut_short_for_the_client(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        data = reply(body_of(upstream.url))
        await conversation.answer(data[: data.index(b'"http') + 6])

    upstream.script = script
    async with running_site(tmp_path, [rewriting(upstream.url)]) as site:
        client = await site.connect()
        await client.send(request("GET", PATH, authorization=bearer(roles=(READ,))))
        raw = await client.rest()
    assert not raw.endswith(b"0\r\n\r\n")
    [line] = Audit(tmp_path).lines()
    assert (line["status"], line["ending"]) == (200, "upstream-failed")


# --- with the stand-in, which writes addresses as UCS does ---------------------------------------


@pytest.fixture
async def standin() -> AsyncIterator[Running]:
    config = StandinConfig(base_path="/cv", own_address=NAME)
    async with running(config) as server:
        yield server


@pytest.fixture
async def site(tmp_path: Path, standin: Running) -> AsyncIterator[Site]:
    upstream = {"nodes": [standin.url], "base_path": "/cv"}
    service = rewriting(standin.url, upstream=upstream, prefix="/genesys/1/cs")
    async with running_site(tmp_path, [service]) as running:
        yield running


async def test_the_contents_of_interactions_are_reached_through_the_gateway(site: Site) -> None:
    listed = await site.ask("GET", f"/genesys/1/cs/customers/{ANNA}/interactions", roles=[READ])
    chat, letter = json.loads(listed.body)
    contents = {}
    for address in (
        chat["text"],
        chat["structured_text"],
        letter["text"],
        letter["binary_content"],
    ):
        assert address.startswith(f"{PUBLIC}/genesys/1/cs/interactions/")
        path = urlsplit(address).path
        contents[path.removeprefix("/genesys/1/cs/interactions/")] = (
            await site.ask("GET", path, roles=[READ])
        ).body
        assert (await site.ask("GET", path, roles=[])).status == 403
    assert contents[f"{CHAT}/plain_text"].startswith(b"Anna:")
    assert contents[f"{CHAT}/structured_text"].startswith(b"<chat>")
    assert contents[f"{LETTER}/binary_content"].startswith(b"%PDF")
    assert NAME.encode() not in listed.body


async def test_what_was_created_is_found_through_the_gateway(site: Site) -> None:
    body = b"""{"name": "Pets", "type": "multi-valued", "unique": ["Name"],
                "attributes": [{"name": "Name", "type": "string", "mandatory": "true"}]}"""
    path = "/genesys/1/cs/metadata/profiles/extensions"
    made = await site.ask("POST", path, roles=[SCHEMA], body=body)
    assert made.status == 201
    assert made.header("location") == f"{PUBLIC}{path}/Pets"
