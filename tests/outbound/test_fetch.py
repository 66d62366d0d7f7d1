"""The one thing that the gateway fetches, from a server that need not be polite."""

import socket

import pytest

from gateway.outbound.fetch import MAX_DOCUMENT_BYTES, Fetcher, FetchFailed
from tests.support.issuer import KeyServer


async def failure_of(fetcher: Fetcher) -> str:
    with pytest.raises(FetchFailed) as failed:
        await fetcher.fetch()
    await fetcher.close()
    return str(failed.value)


async def test_a_document_is_fetched_as_it_is() -> None:
    async with KeyServer(b'{"keys": []}') as server:
        fetcher = Fetcher(server.url, timeout_seconds=5)
        assert await fetcher.fetch() == b'{"keys": []}'
        assert await fetcher.fetch() == b'{"keys": []}'
        await fetcher.close()
        await fetcher.close()
        assert server.request_headers["Accept-Encoding"] == "identity"
        assert "Cookie" not in server.request_headers
        assert repr(fetcher) == f"Fetcher({server.url!r})"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with KeyServer() as server:
        server.status = status
        server.headers["Location"] = server.url.replace("jwks.json", "elsewhere")
        assert f"status is {status}" in await failure_of(Fetcher(server.url, timeout_seconds=5))
        assert (server.asked, server.others_asked) == (1, 0)


@pytest.mark.parametrize("status", [201, 204, 206, 401, 404, 500, 503])
async def test_only_200_is_an_answer(status: int) -> None:
    async with KeyServer() as server:
        server.status = status
        assert f"status is {status}" in await failure_of(Fetcher(server.url, timeout_seconds=5))


async def test_a_document_has_a_greatest_length() -> None:
    async with KeyServer(b" " * MAX_DOCUMENT_BYTES) as server:
        fetcher = Fetcher(server.url, timeout_seconds=5)
        assert len(await fetcher.fetch()) == MAX_DOCUMENT_BYTES
        server.document += b" "
        assert f"longer than {MAX_DOCUMENT_BYTES}" in await failure_of(fetcher)


async def test_a_compressed_document_is_not_unpacked() -> None:
    async with KeyServer(b"\x1f\x8b") as server:
        server.headers["Content-Encoding"] = "gzip"
        assert "compressed" in await failure_of(Fetcher(server.url, timeout_seconds=5))


async def test_a_slow_server_is_not_waited_for() -> None:
    async with KeyServer() as server:
        server.gate.clear()
        assert "within 0.05 seconds" in await failure_of(Fetcher(server.url, timeout_seconds=0.05))


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    with socket.socket() as bound:  # bound and not listening: nobody answers there
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/jwks.json"
        assert "the connection failed" in await failure_of(Fetcher(url, timeout_seconds=5))


async def test_a_url_is_sent_as_it_was_written() -> None:
    async with KeyServer(b"{}") as server:
        fetcher = Fetcher(server.url + "?p=a%2Fb%20c", timeout_seconds=5)
        assert await fetcher.fetch() == b"{}"
        await fetcher.close()
