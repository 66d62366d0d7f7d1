"""An endpoint of an authorization server, from a server that need not be polite."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.outbound import Fetcher, FetchFailed, OAuthEndpoint, an_endpoint
from gateway.outbound.oauth import MAX_ANSWER_BYTES
from gateway.settings import OAuthCredential, Secret
from tests.support.authority import Authority
from tests.support.oauth_server import OAuthServer

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
async def server() -> AsyncIterator[OAuthServer]:
    async with OAuthServer() as running:
        yield running


def endpoint(server: OAuthServer, secret: bytes = b"s3cret", **changes: Any) -> OAuthEndpoint:
    fields: dict[str, Any] = {
        "client_id": "gateway",
        "secret": Secret(secret, "a test"),
        "authenticate": "basic",
        **changes,
    }
    fetcher = Fetcher(server.token_url, timeout_seconds=5, max_bytes=MAX_ANSWER_BYTES)
    return OAuthEndpoint(fetcher, **fields)


async def failure_of(asked: OAuthEndpoint) -> str:
    with pytest.raises(FetchFailed) as failed:
        await asked.ask(GRANT)
    await asked.close()
    return str(failed.value)


@pytest.mark.parametrize("authenticate", ["basic", "body"])
async def test_the_gateway_proves_itself_in_one_place(
    server: OAuthServer, authenticate: str
) -> None:
    asked = endpoint(server, authenticate=authenticate)
    answer = await asked.ask({**GRANT, "scope": "a b&c"})
    await asked.close()
    [question] = server.asked
    assert question.client == "gateway"
    assert ("Authorization" in question.headers) is (authenticate == "basic")
    assert ("client_secret" in question.form) is (authenticate == "body")
    assert question.form["scope"] == "a b&c"
    assert answer["expires_in"] == 3600


@pytest.mark.parametrize("authenticate", ["basic", "body"])
@pytest.mark.parametrize("secret", ["a:b", "+/=", "pß w&r=d%41"])
async def test_a_secret_arrives_as_it_is_written(
    server: OAuthServer, secret: str, authenticate: str
) -> None:
    """RFC 6749 section 2.3.1: name and secret are encoded before they are joined by a colon."""
    server.clients = {"a:b c": secret}
    asked = endpoint(server, secret.encode(), client_id="a:b c", authenticate=authenticate)
    assert "access_token" in await asked.ask(GRANT)
    await asked.close()


async def test_a_refusal_is_told_by_its_code_and_nothing_else_of_it(server: OAuthServer) -> None:
    assert await failure_of(endpoint(server, b"wrong")) == (
        "the answer's status is 401, expected 200: invalid_client"
    )
    for error in ("two words", "x" * 61, ["invalid_client"], "invalid_client\n"):
        server.status, server.document = 400, json.dumps({"error": error}).encode()
        assert await failure_of(endpoint(server)) == "the answer's status is 400, expected 200"


@pytest.mark.parametrize("status", [201, 301, 302, 307, 403, 404, 429, 500, 503])
async def test_nothing_but_200_is_an_answer_and_nobody_is_followed(
    server: OAuthServer, status: int
) -> None:
    server.status, server.headers = status, {"Location": f"{server.url}/elsewhere"}
    assert await failure_of(endpoint(server)) == f"the answer's status is {status}, expected 200"
    assert server.others_asked == 0


@pytest.mark.parametrize(
    "document", [b"", b"[]", b'"x"', b"{", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"<html>", b"\xff"]
)
async def test_anything_but_one_json_object_is_a_failure(
    server: OAuthServer, document: bytes
) -> None:
    server.document = document
    assert "not one JSON object" in await failure_of(endpoint(server))


async def test_an_answer_has_a_greatest_length(server: OAuthServer) -> None:
    server.document = b"{}" + b" " * (MAX_ANSWER_BYTES - 2)
    asked = endpoint(server)
    assert await asked.ask(GRANT) == {}
    server.document += b" "
    assert f"longer than {MAX_ANSWER_BYTES} bytes" in await failure_of(asked)


async def test_a_new_secret_in_the_file_needs_no_restart(
    server: OAuthServer, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    credential = OAuthCredential.model_validate(
        {"client_id": "gateway", "client_secret_file": file, "token_url": server.token_url}
    )
    asked = an_endpoint(credential, credential.token_url)
    assert "access_token" in await asked.ask(GRANT)
    server.clients["gateway"] = "another"
    file.write_text("another\n")
    assert "access_token" in await asked.ask(GRANT)
    file.unlink()
    assert "access_token" in await asked.ask(GRANT), "the last one serves while there is none"
    await asked.close()


async def test_a_server_with_a_certificate_of_our_own_authority_is_believed_and_no_other(
    tmp_path: Path,
) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    (tmp_path / "secret").write_text("s3cret")
    pair = authority.issue("127.0.0.1")
    async with OAuthServer(tls=pair.server_context()) as server:
        settings = {
            "client_id": "gateway",
            "client_secret_file": tmp_path / "secret",
            "token_url": server.token_url,
        }
        good = OAuthCredential.model_validate(settings | {"ca_file": authority.file})
        asked = an_endpoint(good, good.token_url)
        assert "access_token" in await asked.ask(GRANT)
        await asked.close()
        bad = OAuthCredential.model_validate(settings | {"ca_file": stranger.file})
        assert "the connection failed" in await failure_of(an_endpoint(bad, bad.token_url))
        assert len(server.asked) == 1


def test_no_secret_shows(server: OAuthServer) -> None:
    assert "s3cret" not in repr(endpoint(server))
