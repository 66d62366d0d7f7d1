"""`standin` as a process: it says where it is, remembers what it got, and ends in order."""

import re
import signal

import aiohttp

from gateway.cli.output import Exit
from tests.cli.process import running

PROFILE = "/profiles/0004Va58A92T0017"


async def test_it_says_where_it_is_and_what_it_received() -> None:
    async with running("standin", "--address", "127.0.0.1:0") as standin:
        (url,) = re.findall(r"http://\S+", await standin.said("stand-in UCS on"))
        (record,) = re.findall(r"http://\S+", await standin.said("what it received"))
        async with aiohttp.ClientSession() as session:
            async with session.get(url + PROFILE) as reply:
                assert reply.status == 200
                assert (await reply.json())["customer_id"] == PROFILE.rpartition("/")[2]
            async with session.get(record) as reply:
                assert PROFILE in await reply.text()
        standin.send_signal(signal.SIGTERM)
        assert await standin.ended() == Exit.YES


async def test_the_platform_says_where_to_log_in_and_as_whom() -> None:
    async with running("standin", "platform", "--address", "127.0.0.1:0") as standin:
        (api,) = re.findall(r"http://\S+", await standin.said("stand-in Genesys Cloud on"))
        (token_url,) = re.findall(r"http://\S+", await standin.said("log in at"))
        said = await standin.said("client ")
        (client_id, secret) = re.findall(r"client (\S+) with the secret (\S+)", said)[0]
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
        }
        async with aiohttp.ClientSession() as session:
            async with session.post(token_url, data=form) as reply:
                assert reply.status == 200
                token = (await reply.json())["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(f"{api}/routing/queues", headers=headers) as reply:
                assert (await reply.json())["total"] == 5
        standin.send_signal(signal.SIGTERM)
        assert await standin.ended() == Exit.YES
