"""The same over IPv6: the public port, the nodes, and the address that everybody is told."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.site import Audit, running_site, ucs
from tests.support.upstream import recording_upstream

PROFILE = "/profiles/0004Va58A92T0017"
READ = "UCS.Customer.readCustomerProfile"


def has_ipv6() -> bool:
    with closing(socket.socket(socket.AF_INET6)) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


pytestmark = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")


async def test_clients_and_nodes_may_have_ipv6_addresses(tmp_path: Path) -> None:
    async with recording_upstream("[::1]") as upstream:
        listen = {"address": "[::1]:0"}
        async with running_site(tmp_path, [ucs(upstream.url)], listen=listen) as site:
            reply = await site.ask("GET", PROFILE, roles=[READ])
            denied = await site.ask("GET", PROFILE)
        (sent,) = upstream.requests
    assert (reply.status, denied.status) == (200, 403)
    assert f"\r\nhost: [::1]:{upstream.port}\r\n".encode() in sent
    assert b"\r\nx-forwarded-for: ::1\r\n" in sent
    assert [line["peer"] for line in Audit(tmp_path).lines()] == ["::1", "::1"]


async def test_a_trusted_proxy_may_have_an_ipv6_address_and_tell_another(tmp_path: Path) -> None:
    async with recording_upstream() as upstream:
        listen = {"address": "[::1]:0", "trusted_proxies": ["::1"]}
        async with running_site(tmp_path, [ucs(upstream.url)], listen=listen) as site:
            told = {"X-Forwarded-For": "2001:db8::7"}
            assert (await site.ask("GET", PROFILE, roles=[READ], headers=told)).status == 200
        (sent,) = upstream.requests
    assert b"\r\nx-forwarded-for: 2001:db8::7" in sent
    assert [line["peer"] for line in Audit(tmp_path).lines()] == ["2001:db8::7"]
