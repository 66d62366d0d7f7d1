"""Metadata, business attributes, the cache, and the server's mode and status."""

import pytest

from gateway.standin.seed import ANNA
from tests.standin.client import Json, Start, Ucs

BUSINESS = "/metadata/business-attributes"


@pytest.mark.parametrize("path", ["/metadata/profiles", "/metadata/profiles/"])
async def test_the_profile_schema_lists_the_core_attributes(ucs: Ucs, path: str) -> None:
    found = await (await ucs.get(path)).json()
    assert [each["name"] for each in found] == [
        "FirstName",
        "LastName",
        "Title",
        "DOB",
        "PhoneNumber",
        "EmailAddress",
    ]


async def test_metadata_is_everything_at_once(ucs: Ucs) -> None:
    found = await (await ucs.get("/metadata")).json()
    assert set(found) == {"profiles", "extensions", "identification-keys", "business-attributes"}
    assert [each["name"] for each in found["extensions"]] == ["Contract", "Phone"]


async def test_business_attributes_are_read_in_three_forms(ucs: Ucs) -> None:
    everything = await (await ucs.get(BUSINESS)).json()
    [by_list] = [each for each in everything if each["name"] == "ServiceType"]
    by_name = await (await ucs.get(f"{BUSINESS}/ServiceType")).json()
    by_use = await (await ucs.get(BUSINESS, params={"cv-attribute": "Service.type"})).json()
    assert by_list == by_name == by_use


async def test_an_unknown_business_attribute_is_404(ucs: Ucs) -> None:
    assert (await ucs.get(f"{BUSINESS}/ShoeType")).status == 404
    assert (await ucs.get(BUSINESS, params={"cv-attribute": "Shoe.type"})).status == 404


async def test_the_cache_can_be_read_reloaded_and_switched(ucs: Ucs) -> None:
    assert (await (await ucs.get("/metadata/cache")).json())["loaded"] is None
    changed = await (await ucs.put("/metadata/cache", json={"enabled": False})).json()
    assert changed["enabled"] is False
    assert changed["loaded"] == "2026-03-01T12:00:00.250Z"
    assert await (await ucs.get("/metadata/cache")).json() == changed
    assert (await ucs.put("/metadata/cache")).status == 200
    assert (await ucs.put("/metadata/cache", json={"enabled": "no"})).status == 400


async def test_status_tells_the_mode(ucs: Ucs) -> None:
    found = await (await ucs.get("/server/status")).json()
    assert found["mode"] == "production"
    assert found["time"] == "2026-03-01T12:00:00.250Z"


@pytest.mark.parametrize("word", ["maintenance", "Maintenance", "MAINTENANCE"])
async def test_in_maintenance_customers_are_503_and_schemas_are_served(ucs: Ucs, word: str) -> None:
    assert (await ucs.post("/server/mode", json={"mode": word})).status == 200
    reply = await ucs.get(f"/profiles/{ANNA}")
    assert reply.status == 503
    assert "needs production mode" in (await reply.json())["error_message"]
    assert (await ucs.get("/metadata/profiles/extensions")).status == 200
    assert (await ucs.get("/genesys/1/cs/services/1")).status == 200
    await ucs.post("/server/mode", json={"mode": "production"})
    assert (await ucs.get(f"/profiles/{ANNA}")).status == 200


@pytest.mark.parametrize("mode", ["asleep", None, 7])
async def test_an_unknown_mode_is_400(ucs: Ucs, mode: Json) -> None:
    assert (await ucs.post("/server/mode", json={"mode": mode})).status == 400


async def test_with_strict_modes_schema_changes_need_maintenance(ucs_as: Start) -> None:
    ucs = await ucs_as(strict_modes=True)
    schema = {"name": "Note", "type": "single-valued"}
    reply = await ucs.post("/metadata/profiles/extensions", json=schema)
    assert reply.status == 503
    await ucs.post("/server/mode", json={"mode": "maintenance"})
    assert (await ucs.post("/metadata/profiles/extensions", json=schema)).status == 201
