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
