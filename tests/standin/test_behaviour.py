"""Slow, rude and dead, on demand."""

import asyncio

import aiohttp
import pytest

from gateway.standin import Behaviour, Manner, Running, create_app, running
from gateway.standin.behaviour import RUDE_REPLIES
from gateway.standin.seed import ANNA
from tests.standin.client import AioHttp, Json, Ucs

REQUEST = f"GET /profiles/{ANNA} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()


async def raw(standin: Running) -> bytes:
    reader, writer = await asyncio.open_connection(standin.host, standin.port)
    writer.write(REQUEST)
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply


async def test_it_behaves_well_until_told_otherwise(ucs: Ucs) -> None:
    assert await (await ucs.get("/_standin/behaviour")).json() == {
        "manner": "well-behaved",
        "delay_seconds": 0.0,
        "requests": None,
        "path_prefix": "/",
    }


@pytest.mark.parametrize("manner", sorted(RUDE_REPLIES))
async def test_a_rude_reply_is_sent_as_it_is_and_the_connection_closed(manner: Manner) -> None:
    async with running() as standin:
        standin.behave(Behaviour(manner=manner))
        assert await raw(standin) == RUDE_REPLIES[manner]
        [receipt] = standin.received.requests
        assert receipt.status is None


@pytest.mark.parametrize(
    "manner",
    [
        Manner.SILENT,
        Manner.GARBAGE,
        Manner.TRUNCATED,
        Manner.TRUNCATED_HEAD,
        Manner.TRUNCATED_CHUNKS,
        Manner.BAD_CHUNK,
    ],
)
async def test_a_client_cannot_make_a_reply_of_it(manner: Manner) -> None:
    async with running() as standin, aiohttp.ClientSession() as session:
        standin.behave(Behaviour(manner=manner))
        with pytest.raises(aiohttp.ClientError):
            async with session.post(standin.url + "/profiles", json={}) as reply:
                await reply.read()


async def test_what_is_met_rudely_is_not_carried_out() -> None:
    async with running() as standin, aiohttp.ClientSession() as session:
        standin.behave(Behaviour(manner=Manner.TRUNCATED, requests=1))
        with pytest.raises(aiohttp.ClientError):
            async with session.delete(f"{standin.url}/profiles/{ANNA}") as reply:
                await reply.read()
        async with session.get(f"{standin.url}/profiles/{ANNA}") as reply:
            assert reply.status == 200


async def test_unavailable_is_a_proper_503_and_recorded(ucs: Ucs) -> None:
    await ucs.put("/_standin/behaviour", json={"manner": "unavailable"})
    reply = await ucs.get(f"/profiles/{ANNA}")
    assert reply.status == 503
    assert (await reply.json())["http_code"] == 503
    [found] = (await (await ucs.get("/_standin/received")).json())["requests"]
    assert found["status"] == 503


async def test_a_behaviour_may_last_for_some_requests(ucs: Ucs) -> None:
    await ucs.put("/_standin/behaviour", json={"manner": "unavailable", "requests": 2})
    assert [(await ucs.get("/server/status")).status for _ in range(3)] == [503, 503, 200]


async def test_a_behaviour_may_be_for_some_paths(ucs: Ucs) -> None:
    await ucs.put("/_standin/behaviour", json={"manner": "unavailable", "path_prefix": "/server"})
    assert (await ucs.get("/server/status")).status == 503
    assert (await ucs.get(f"/profiles/{ANNA}")).status == 200


async def test_delete_makes_it_behave_again(ucs: Ucs) -> None:
    await ucs.put("/_standin/behaviour", json={"manner": "unavailable"})
    assert (await ucs.delete("/_standin/behaviour")).status == 204
    assert (await ucs.get("/server/status")).status == 200


async def test_a_delay_comes_before_the_answer(aiohttp_client: AioHttp) -> None:
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    ucs = await aiohttp_client(create_app(sleep=sleep))
    await ucs.put("/_standin/behaviour", json={"delay_seconds": 2.5, "requests": 1})
    assert (await ucs.get("/server/status")).status == 200
    assert (await ucs.get("/server/status")).status == 200
    assert waited == [2.5]


async def test_whoever_hangs_is_answered_when_the_behaviour_changes() -> None:
    async with running() as standin:
        standin.behave(Behaviour(manner=Manner.HANGING))
        async with asyncio.TaskGroup() as group:
            reply = group.create_task(raw(standin))
            await standin.received.arrived(1)
            assert not reply.done()
            standin.behave(Behaviour())
        assert reply.result().startswith(b"HTTP/1.1 200 OK")


async def test_whoever_hangs_does_not_keep_the_server_from_ending() -> None:
    async with running() as standin:
        standin.behave(Behaviour(manner=Manner.HANGING))
        _, writer = await asyncio.open_connection(standin.host, standin.port)
        writer.write(REQUEST)
        await standin.received.arrived(1)
    writer.close()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"manner": "shy"}, "`manner` is one of"),
        ({"mood": "bad"}, "made of delay_seconds, manner, path_prefix, requests"),
        ({"delay_seconds": -1}, "`delay_seconds`"),
        ({"delay_seconds": True}, "`delay_seconds`"),
        ({"requests": 0}, "`requests`"),
        ({"requests": True}, "`requests`"),
        ({"path_prefix": "profiles"}, "`path_prefix`"),
        ([], "not a JSON object"),
    ],
)
async def test_a_behaviour_that_makes_no_sense_is_400_and_changes_nothing(
    ucs: Ucs, body: Json, says: str
) -> None:
    reply = await ucs.put("/_standin/behaviour", json=body)
    assert reply.status == 400
    assert says in (await reply.json())["error"]
    assert (await ucs.get("/server/status")).status == 200


async def test_a_behaviour_that_is_not_json_is_400(ucs: Ucs) -> None:
    assert (await ucs.put("/_standin/behaviour", data=b"{")).status == 400
