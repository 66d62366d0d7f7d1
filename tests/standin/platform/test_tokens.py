"""The platform's token endpoint, and what a token is good for."""

import base64

import pytest

from gateway.standin.platform import OAuthClient, PlatformConfig, running_platform
from tests.standin.platform.conftest import Platform


def basic(client_id: str, secret: str) -> dict[str, str]:
    text = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


async def test_a_token_is_given_for_credentials_in_the_form_or_in_the_header(
    platform: Platform,
) -> None:
    client = platform.config.clients[0]
    in_form = await platform.log_in()
    in_header = await platform.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers=basic(client.client_id, client.secret),
    )
    for reply in (in_form, in_header):
        assert reply.status == 200
        assert reply.headers["Cache-Control"] == "no-store"
        body = await reply.json()
        assert body.keys() == {"access_token", "token_type", "expires_in"}
        assert (body["token_type"], body["expires_in"]) == ("bearer", 86_400)


@pytest.mark.parametrize(
    ("form", "status", "error", "says"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client", "client not found"),
        ({"client_secret": "wrong"}, 401, "invalid_client", "authentication failed"),
        (
            {"grant_type": "password"},
            400,
            "unsupported_grant_type",
            "unsupported grant type password",
        ),
    ],
)
async def test_a_login_is_refused_in_the_shape_of_oauth(
    platform: Platform, form: dict[str, str], status: int, error: str, says: str
) -> None:
    reply = await platform.log_in(**form)
    assert reply.status == status
    assert await reply.json() == {"error": error, "description": says, "error_description": says}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 401),
        (b"\xff", {}, 400),
        (b"&".join([b"a=1"] * 30), {}, 400),
        (b"", basic("93499654-2be6-597a-bdb3-fbfaf8803579", "stand-in-secret"), 400),
        (b"grant_type=client_credentials", {"Authorization": "Basic !"}, 401),
        (b"grant_type=client_credentials", {"Authorization": "Digest x"}, 401),
    ],
)
async def test_nonsense_gets_no_token(
    platform: Platform, body: bytes, headers: dict[str, str], status: int
) -> None:
    reply = await platform.http.post("/oauth/token", data=body, headers=headers)
    assert reply.status == status
    assert (await reply.json())["error"] in {"invalid_client", "invalid_request"}


async def test_without_a_token_nothing_is_answered(platform: Platform) -> None:
    reply = await platform.http.get("/api/v2/routing/queues")
    assert reply.status == 401
    body = await reply.json()
    assert body["code"] == "authentication.required"
    assert reply.headers["ININ-Correlation-Id"] == body["contextId"]


async def test_a_token_ends_at_its_time(platform_as: object) -> None:
    platform = await platform_as(token_seconds=300)  # type: ignore[operator]
    platform.clock.forward(299)
    assert (await platform.ask("GET", "/tokens/me")).status == 200
    platform.clock.forward(1)
    assert await platform.refused("GET", "/tokens/me") == (401, "bad.credentials", "")


async def test_the_oldest_tokens_go_when_there_are_too_many(platform_as: object) -> None:
    platform = await platform_as(token_limit=2)  # type: ignore[operator]
    first = platform.token
    for _ in range(2):
        await platform.log_in()
    assert (await platform.ask("GET", "/tokens/me")).status == 200
    platform.token = first
    assert (await platform.ask("GET", "/tokens/me")).status == 401


async def test_all_tokens_can_be_ended_from_outside() -> None:
    async with running_platform() as running:
        client = PlatformConfig().clients[0]
        assert client == OAuthClient()
        assert running.tokens.issued_count == 0
        assert client.secret not in repr(client)
        running.tokens.revoke_all()


async def test_login_and_api_are_found_under_their_prefixes_only(platform_as: object) -> None:
    platform = await platform_as(login_prefix="/login", api_prefix="/cloud")  # type: ignore[operator]
    found = await platform.found("GET", "/routing/queues")
    assert found["selfUri"] == "/api/v2/routing/queues?pageSize=25&pageNumber=1"
    assert (await platform.http.post("/oauth/token")).status == 401
    headers = {"Authorization": f"Bearer {platform.token}"}
    assert (await platform.http.get("/api/v2/routing/queues", headers=headers)).status == 404


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"login_prefix": "login"}, "`login_prefix` is `login`"),
        ({"api_prefix": "/api/"}, "`api_prefix` is `/api/`"),
        ({"api_prefix": "/{x}"}, "a prefix has no braces"),
        ({"clients": ()}, "nobody could ever log in"),
        ({"token_seconds": 0}, "write a number above zero"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(
    settings: dict[str, object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        PlatformConfig(**settings)  # type: ignore[arg-type]
