"""Paths, prefixes, credentials and the shape of errors: what all operations share."""

import base64
import json
from pathlib import Path

import pytest

from gateway.standin import Credentials, StandinConfig, create_app
from gateway.standin.seed import ANNA
from tests.standin.client import Start, Ucs


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    "path", ["/profiles/", f"/profiles/{ANNA}/", "/metadata/profiles/extensions/"]
)
async def test_one_slash_at_the_end_makes_no_difference(ucs: Ucs, path: str) -> None:
    query = "?LastName=Rossi" if path == "/profiles/" else ""
    with_slash = await ucs.get(path + query)
    without = await ucs.get(path.rstrip("/") + query)
    assert with_slash.status == without.status == 200
    assert await with_slash.json() == await without.json()


@pytest.mark.parametrize(
    "path", ["/Profiles", "/profiles//x", f"/profiles/{ANNA}/extra", "/", "/x"]
)
async def test_any_other_path_is_404_with_a_json_error(ucs: Ucs, path: str) -> None:
    reply = await ucs.get(path)
    assert reply.status == 404
    assert await reply.json() == {
        "http_method": "GET",
        "http_uri": path,
        "http_code": 404,
        "error_code": "CV-404",
        "error_message": "there is no such resource",
    }


async def test_the_base_path_is_put_before_everything_of_ucs(ucs_as: Start) -> None:
    ucs = await ucs_as(base_path="/cv", gms_prefix="/gms")
    assert (await ucs.get(f"/cv/profiles/{ANNA}")).status == 200
    assert (await ucs.get(f"/profiles/{ANNA}")).status == 404
    assert (await ucs.get("/cv/server/status")).status == 200
    assert (await ucs.get("/gms/services/1")).status == 200
    [chat, _] = await (await ucs.get(f"/cv/customers/{ANNA}/interactions")).json()
    assert "/cv/interactions/" in chat["text"]


async def test_both_servers_may_share_one_prefix(ucs_as: Start) -> None:
    ucs = await ucs_as(base_path="/genesys/1/cs")
    base = "/genesys/1/cs"
    assert (await ucs.get(f"{base}/profiles/{ANNA}")).status == 200
    assert (await ucs.get(f"{base}/services/1")).status == 200
    assert (await ucs.get(f"{base}/services/1/interactions")).status == 200
    assert set(await (await ucs.get(f"{base}/services/99")).json()) == {"message", "exception"}
    assert "http_method" in await (await ucs.get(f"{base}/profiles/nobody")).json()


@pytest.mark.parametrize("prefix", ["", "cv", "/cv/", "/{x}"])
def test_a_prefix_that_cannot_be_one_is_refused_at_once(prefix: str) -> None:
    with pytest.raises(ValueError, match="`base_path` is"):
        StandinConfig(base_path=prefix)
    with pytest.raises(ValueError, match="`gms_prefix` is"):
        StandinConfig(gms_prefix=prefix)


async def test_without_credentials_configured_any_that_are_sent_are_ignored(ucs: Ucs) -> None:
    reply = await ucs.get(f"/profiles/{ANNA}", headers=basic("no:body"))
    assert reply.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("kent:wrong"),
        basic("kent"),
        basic("lois:secret"),
        {"Authorization": "Basic ***"},
        {"Authorization": "Bearer kent:secret"},
        {"Authorization": "Basic"},
    ],
)
@pytest.mark.parametrize("path", [f"/profiles/{ANNA}", "/nothing", "/genesys/1/cs/services/1"])
async def test_without_the_right_credentials_everything_is_401(
    ucs_as: Start, headers: dict[str, str], path: str
) -> None:
    ucs = await ucs_as(credentials=Credentials(username="kent", password="secret"))
    reply = await ucs.get(path, headers=headers)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="UCS"'


async def test_the_right_credentials_open_the_door(ucs_as: Start) -> None:
    ucs = await ucs_as(credentials=Credentials(username="kent", password="se:cret"))
    reply = await ucs.get(f"/profiles/{ANNA}", headers=basic("kent:se:cret"))
    assert reply.status == 200


def test_a_password_is_not_shown() -> None:
    config = StandinConfig(credentials=Credentials(username="kent", password="hunter2"))
    assert "hunter2" not in repr(config)


async def test_a_body_beyond_the_limit_is_413(ucs_as: Start) -> None:
    ucs = await ucs_as(max_body_bytes=10)
    assert (await ucs.post("/profiles", data=b"x" * 11)).status == 413
    assert (await ucs.post("/profiles", data=json.dumps({}).encode())).status == 201


async def test_a_database_in_a_file_outlives_the_server(ucs_as: Start, tmp_path: Path) -> None:
    database = str(tmp_path / "ucs.sqlite")
    first = await ucs_as(database=database)
    await first.delete(f"/profiles/{ANNA}")
    await first.post("/profiles", json={"customer_id": "NEW", "FirstName": "Bo"})
    await first.close()
    second = await ucs_as(database=database)
    assert (await second.get("/profiles/NEW")).status == 200
    assert (await second.get(f"/profiles/{ANNA}")).status == 404


async def test_without_seed_there_is_nobody(ucs_as: Start) -> None:
    ucs = await ucs_as(seed=False)
    assert (await ucs.get(f"/profiles/{ANNA}")).status == 404
    assert await (await ucs.get("/metadata/profiles/extensions")).json() == []


def test_an_application_can_be_made_without_saying_anything() -> None:
    assert create_app().router is not None
