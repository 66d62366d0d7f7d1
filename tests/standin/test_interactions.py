"""Interactions, found three ways, and their content behind absolute addresses."""

import aiohttp
import pytest
from yarl import URL

from gateway.standin import StandinConfig, running
from gateway.standin.seed import ANNA, CHAT, LETTER, SAM
from tests.standin.client import Ucs


async def test_a_customers_interactions_are_an_array(ucs: Ucs) -> None:
    found = await (await ucs.get(f"/customers/{ANNA}/interactions")).json()
    assert [each["interaction_id"] for each in found] == [CHAT, LETTER]
    assert await (await ucs.get(f"/customers/{SAM}/interactions")).json() == []


async def test_a_services_interactions_are_an_array(ucs: Ucs) -> None:
    found = await (await ucs.get("/services/1/interactions")).json()
    assert [each["interaction_id"] for each in found] == [CHAT]
    assert await (await ucs.get("/services/99/interactions")).json() == []


async def test_one_interaction_is_an_object_without_its_text(ucs: Ucs) -> None:
    found = await (await ucs.get(f"/interactions/{CHAT}")).json()
    assert found["media_type"] == "chat"
    assert found["established_date"] == "2026-01-15T09:30:00.000Z"
    assert "renewed" not in str(found)


async def test_content_is_behind_absolute_addresses_on_this_host(ucs: Ucs) -> None:
    found = await (await ucs.get(f"/interactions/{CHAT}")).json()
    assert found["text"] == str(ucs.make_url(f"/interactions/{CHAT}/plain_text"))
    assert found["structured_text"] == str(ucs.make_url(f"/interactions/{CHAT}/structured_text"))
    assert "binary_content" not in found
    assert "renewed" in await (await ucs.get(URL(found["text"]).path)).text()


async def test_a_server_may_call_itself_by_another_name() -> None:
    config = StandinConfig(base_path="/cv", own_address="http://ucs.example.com:8080")
    async with running(config) as server, aiohttp.ClientSession(server.url) as client:
        found = await (await client.get(f"/cv/interactions/{CHAT}")).json()
    assert found["text"] == f"http://ucs.example.com:8080/cv/interactions/{CHAT}/plain_text"


@pytest.mark.parametrize(
    ("path", "content_type", "begins"),
    [
        (f"{CHAT}/plain_text", "text/plain", b"Anna:"),
        (f"{CHAT}/structured_text", "text/html", b"<chat>"),
        (f"{LETTER}/binary_content", "application/pdf", b"%PDF"),
    ],
)
async def test_content_is_sent_as_it_is(
    ucs: Ucs, path: str, content_type: str, begins: bytes
) -> None:
    reply = await ucs.get(f"/interactions/{path}")
    assert reply.content_type == content_type
    assert (await reply.read()).startswith(begins)


@pytest.mark.parametrize(
    "path",
    [
        "/interactions/nothing",
        "/interactions/nothing/plain_text",
        f"/interactions/{CHAT}/binary_content",
        f"/interactions/{LETTER}/structured_text",
        f"/interactions/{CHAT}/udata",
        "/customers/nobody/interactions",
    ],
)
async def test_what_is_not_there_is_404(ucs: Ucs, path: str) -> None:
    assert (await ucs.get(path)).status == 404
