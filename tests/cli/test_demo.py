"""`demo`: the table that the README shows, and a gateway to try things on by hand."""

import asyncio
import re
import signal
from base64 import b64encode
from pathlib import Path

import pytest

from gateway.cli.output import Exit
from gateway.settings import Address
from tests.cli.conftest import Ask
from tests.cli.process import running
from tests.support import examples
from tests.support.raw import RawClient, request

ROW = re.compile(r"^(\w+) +([A-Z]+ .+?)  +(\d{3})  +([a-z-]+) +(yes|no)$", re.MULTILINE)


def rows() -> list[tuple[str, ...]]:
    return ROW.findall(examples.demo().text)


def test_it_ends_with_0_and_the_upstreams_own_word_that_nothing_leaked() -> None:
    assert examples.demo().code == Exit.YES
    refused = sum(decision != "permitted" for *_, decision, _ in rows())
    last = examples.demo().text.splitlines()[-1]
    assert last == f"{refused} requests were refused; the UCS's own record shows 0 of them."


def test_what_is_permitted_reaches_the_upstream_and_nothing_else_does() -> None:
    assert {(decision == "permitted", seen) for *_, decision, seen in rows()} == {
        (True, "yes"),
        (False, "no"),
    }


def test_it_shows_every_way_to_be_refused_that_a_newcomer_should_know() -> None:
    shown = {(int(status), decision) for *_, status, decision, _ in rows()}
    assert shown >= {
        (200, "permitted"),
        (201, "permitted"),
        (400, "malformed-target"),
        (401, "credentials-refused"),
        (401, "not-authenticated"),
        (403, "no-route"),
        (403, "permission-missing"),
    }


def test_a_caller_who_lacks_a_task_is_told_which() -> None:
    text = examples.demo().text
    assert text.count("permission-missing") == text.count("; missing: ")
    assert "nothing is created; missing: UCS.Customer.createProfileExtension" in text


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_it_stays_up_for_trying_things_by_hand_until_it_is_told_to_end(
    ending: signal.Signals,
) -> None:
    async with running("demo") as demo:
        line = await demo.said("The gateway listens on http://")
        (place,) = re.findall(r"http://(\S+) until Ctrl-C", line)
        curl = await demo.said("curl -i -u anna:anna")
        audit = Path((await demo.said("tail -f")).split()[-1])
        client = await RawClient.connect(Address.parse(place))
        anna = b"Basic " + b64encode(b"anna:anna")
        target = curl.strip().removeprefix(f"curl -i -u anna:anna http://{place}")
        await client.send(request("GET", target, authorization=anna))
        assert (await client.reply()).status == 200
        assert await asyncio.to_thread(audit.exists)
        demo.send_signal(ending)
        assert await demo.ended() == Exit.YES
        await client.close()
    assert not audit.parent.exists()  # keys, passwords and audit are gone with it


def test_it_says_where_it_looked_for_the_sample(ask: Ask, tmp_path: Path) -> None:
    said = ask("demo", "--once", "--config-folder", tmp_path / "nowhere")
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert f"'{tmp_path}/nowhere' does not exist" in said.err
