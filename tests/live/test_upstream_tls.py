"""TLS to a node: who is believed, who is not, and what an attacker on the way could cut off.

A refused certificate is a refused connection: nothing of a request, nor the gateway's credential,
has been sent by then.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.authority import Authority, Pair
from tests.support.raw import Reply, request
from tests.support.site import Audit, Site, running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import OK, Conversation, RecordingUpstream, recording_upstream

READ = "UCS.Customer.readCustomerProfile"
UPDATE = "UCS.Customer.updateCustomerProfile"
IMPORT = ("UCS.Customer.executeBulkImport", "UCS.Customer.createProfile",
          "UCS.Customer.createProfileExtension")  # fmt: skip
PROFILE = "/profiles/0004Va58A92T0017"
LOCAL = "127.0.0.1"


class Secure(RecordingUpstream):
    """A node that is spoken to by TLS."""

    @property
    def url(self) -> str:
        return f"https://{LOCAL}:{self.port}"


@asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[Secure]:
    node = Secure()
    server = await asyncio.start_server(node._talk, LOCAL, 0, ssl=context)
    node.port = server.sockets[0].getsockname()[1]
    try:
        yield node
    finally:
        server.close()
        for conversation in node.conversations:
            conversation.writer.transport.abort()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def service(*nodes: RecordingUpstream, **tls: Any) -> dict[str, Any]:
    return ucs(
        "", upstream={"nodes": [node.url for node in nodes], **({"tls": tls} if tls else {})}
    )


async def read(site: Site) -> Reply:
    return await site.ask("GET", PROFILE, roles=[READ])


def why(site: Site) -> str:
    """What the first node is said to suffer from."""
    return site.gateway._upstreams[0].nodes[0].state()


async def refused(site: Site) -> str:
    """Why a request is answered 502, and the node is out at last."""
    for _ in range(3):
        reply = await read(site)
        assert (reply.status, reply.header("x-gateway-refusal")) == (502, "upstream-failed")
    return why(site)


async def test_a_node_with_a_certificate_of_our_authority_is_spoken_to(
    tmp_path: Path, authority: Authority
) -> None:
    async with serving(authority.issue(LOCAL).server_context()) as node:
        async with running_site(tmp_path, [service(node, ca_file=str(authority.file))]) as site:
            for _ in range(2):
                assert (await read(site)).body == b"{}"
        [conversation] = node.conversations
        assert conversation.writer.get_extra_info("ssl_object").version() == "TLSv1.3"
    assert node.requests[0].split(b"\r\n")[1] == b"host: 127.0.0.1:%d" % node.port


async def test_the_name_to_insist_on_may_be_given(tmp_path: Path, authority: Authority) -> None:
    async with serving(authority.issue("ucs.example.com").server_context()) as node:
        tls = {"ca_file": str(authority.file), "server_name": "ucs.example.com"}
        async with running_site(tmp_path, [service(node, **tls)]) as site:
            assert (await read(site)).status == 200


def wrong_authority(authority: Authority, folder: Path) -> Pair:
    return Authority(folder, "somebody").issue(LOCAL)


DOUBTFUL = {
    "of another authority": (wrong_authority, "unable to get local issuer certificate"),
    "for another name": (
        lambda authority, _: authority.issue("ucs.example.com"),
        "ip address mismatch, certificate is not valid for '127.0.0.1'",
    ),
    "past its time": (
        lambda authority, _: authority.issue(LOCAL, ended=True),
        "certificate has expired",
    ),
    "with the name in its subject only": (
        lambda authority, _: authority.issue(common_name=LOCAL),
        "ip address mismatch, certificate is not valid for '127.0.0.1'",
    ),
}


@pytest.mark.parametrize("case", DOUBTFUL)
async def test_a_certificate_in_doubt_is_refused_and_nothing_is_sent(
    tmp_path: Path, authority: Authority, case: str
) -> None:
    make, complaint = DOUBTFUL[case]
    async with (
        serving(make(authority, tmp_path).server_context()) as node,
        running_site(tmp_path, [service(node, ca_file=str(authority.file))]) as site,
    ):
        said = await refused(site)
    assert "its certificate is refused: " in said
    assert complaint in said.lower()
    assert node.requests == []


async def test_without_an_authority_of_our_own_the_systems_are_asked(
    tmp_path: Path, authority: Authority
) -> None:
    """Verification has no off: an https node needs no `tls` section to be verified."""
    async with (
        serving(authority.issue(LOCAL).server_context()) as node,
        running_site(tmp_path, [service(node)]) as site,
    ):
        assert "its certificate is refused: " in await refused(site)
    assert node.requests == []


async def test_a_server_that_speaks_no_tls_is_refused(tmp_path: Path, authority: Authority) -> None:
    async with recording_upstream() as plain:
        liar = Secure()
        liar.port = plain.port

        async def script(conversation: Conversation) -> None:
            await conversation.answer(OK)

        plain.script = script
        async with running_site(tmp_path, [service(liar, ca_file=str(authority.file))]) as site:
            assert "wrong version number" in await refused(site)
    assert plain.requests == []


# --- the gateway's own certificate -------------------------------------------------------------


def demanding(pair: Pair, authority: Authority) -> ssl.SSLContext:
    context = pair.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    return context


async def test_a_node_that_asks_for_a_certificate_gets_the_gateways(
    tmp_path: Path, authority: Authority
) -> None:
    own = authority.issue(file="gateway", common_name="the gateway")
    tls = {
        "ca_file": str(authority.file),
        "certificate_file": str(own.certificate),
        "key_file": str(own.key),
    }
    async with serving(demanding(authority.issue(LOCAL), authority)) as node:
        async with running_site(tmp_path, [service(node, **tls)]) as site:
            assert (await read(site)).status == 200
        [conversation] = node.conversations
        subject = conversation.writer.get_extra_info("peercert")["subject"]
    assert subject == ((("commonName", "the gateway"),),)


async def test_without_one_such_a_node_cannot_be_asked(
    tmp_path: Path, authority: Authority
) -> None:
    """TLS 1.3 lets a client send before it is told: that nobody read it is the node's doing."""
    async with (
        serving(demanding(authority.issue(LOCAL), authority)) as node,
        running_site(tmp_path, [service(node, ca_file=str(authority.file))]) as site,
    ):
        said = await refused(site)
    assert "perhaps it wants another client certificate, or one at all" in said
    assert node.requests == []


# --- bodies ------------------------------------------------------------------------------------


async def test_a_write_goes_on_to_a_node_that_can_be_believed(
    tmp_path: Path, authority: Authority
) -> None:
    context = authority.issue(LOCAL).server_context()
    other = Authority(tmp_path, "somebody").issue(LOCAL, file="other").server_context()
    async with serving(other) as false, serving(context) as true:
        services = [service(false, true, ca_file=str(authority.file))]
        async with running_site(tmp_path, services) as site:
            reply = await site.ask("PUT", PROFILE, roles=[UPDATE], body=b"{}")
            assert reply.status == 200
    assert false.requests == []
    assert len(true.requests) == 1


async def test_large_bodies_pass_in_both_directions(tmp_path: Path, authority: Authority) -> None:
    large = bytes(range(256)) * 8192
    async with serving(authority.issue(LOCAL).server_context()) as node:
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(large)
        node.script = node.answers(head + large)
        async with running_site(tmp_path, [service(node, ca_file=str(authority.file))]) as site:
            for _ in range(2):
                reply = await site.ask(
                    "POST", "/profiles/import", roles=IMPORT, body=large, content_type="a/b"
                )
                assert reply.body == large
        assert len(node.conversations) == 1
    assert all(request.endswith(large) for request in node.requests)


@pytest.mark.parametrize("is_cut_off", [False, True], ids=["its own end", "cut off"])
async def test_a_reply_without_length_is_whole_only_by_tlss_own_end(
    tmp_path: Path, authority: Authority, *, is_cut_off: bool
) -> None:
    """RFC 8446 section 6.1: whoever sits on the way can end a TCP connection, but not TLS."""

    async def script(conversation: Conversation) -> None:
        node.requests.append(await conversation.request())
        await conversation.answer(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        if is_cut_off:
            number = conversation.writer.get_extra_info("socket").fileno()
            with socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM) as raw:
                raw.shutdown(socket.SHUT_RDWR)

    async with serving(authority.issue(LOCAL).server_context()) as node:
        node.script = script
        async with running_site(tmp_path, [service(node, ca_file=str(authority.file))]) as site:
            client = await site.connect()
            await client.send(request("GET", PROFILE, authorization=bearer(roles=(READ,))))
            if is_cut_off:
                assert not (await client.rest()).endswith(b"0\r\n\r\n")
            else:
                assert (await client.reply()).body == b"half"
    [line] = Audit(tmp_path).lines()
    assert line["ending"] == ("upstream-failed" if is_cut_off else "complete")
