"""Extension records: inserted, and updated or deleted by the attributes that make them unique."""

import pytest

from gateway.standin.seed import ANNA, SAM
from tests.standin.client import Json, Ucs


async def extension(ucs: Ucs, customer_id: str, name: str) -> Json:
    reply = await ucs.get(f"/profiles/{customer_id}", params={"extensions": name})
    return (await reply.json()).get(name)


async def numbers(ucs: Ucs, customer_id: str) -> list[str]:
    return [record["PhoneNumber"] for record in await extension(ucs, customer_id, "Phone")]


async def test_insert_adds_records_and_answers_200(ucs: Ucs) -> None:
    reply = await ucs.post(
        f"/profiles/{SAM}/extensions",
        json={
            "customer_id": SAM,
            "Phone": [{"PhoneNumber": "555-3"}],
            "contract": {"ContractNumber": "C-5"},
        },
    )
    assert reply.status == 200
    assert await numbers(ucs, SAM) == ["555-2020", "555-3"]
    assert await extension(ucs, SAM, "Contract") == {"ContractNumber": "C-5"}


async def test_insert_overwrites_the_record_with_the_same_unique_values(ucs: Ucs) -> None:
    await ucs.post(
        f"/profiles/{ANNA}/extensions",
        json={"Phone": [{"PhoneNumber": "555-1918", "description": "garden"}]},
    )
    assert await extension(ucs, ANNA, "Phone") == [
        {"PhoneNumber": "555-1918", "description": "garden"},
        {"PhoneType": 2, "prefix": "+1", "PhoneNumber": "555-1919", "description": "work"},
    ]


async def test_insert_overwrites_a_single_valued_extension(ucs: Ucs) -> None:
    await ucs.post(f"/profiles/{ANNA}/extensions", json={"Contract": {"ContractNumber": "C-7"}})
    assert await extension(ucs, ANNA, "Contract") == {"ContractNumber": "C-7"}


async def test_insert_of_nothing_changes_nothing(ucs: Ucs) -> None:
    assert (await ucs.post(f"/profiles/{ANNA}/extensions", json={})).status == 200
    assert (await ucs.post(f"/profiles/{ANNA}/extensions", json={"Phone": []})).status == 200
    assert len(await extension(ucs, ANNA, "Phone")) == 2


async def test_insert_takes_no_core_attribute(ucs: Ucs) -> None:
    reply = await ucs.post(f"/profiles/{ANNA}/extensions", json={"FirstName": "X"})
    assert reply.status == 400
    assert "neither" in (await reply.json())["error_message"]


async def test_insert_for_an_unknown_customer_is_404(ucs: Ucs) -> None:
    assert (await ucs.post("/profiles/nobody/extensions", json={})).status == 404


@pytest.mark.parametrize("name", ["Phone", "pHONE"])
async def test_update_by_unique_writes_the_other_attributes(ucs: Ucs, name: str) -> None:
    reply = await ucs.put(
        f"/profiles/{ANNA}/extensions/{name}/by/unique",
        json={"PhoneNumber": "555-1918", "description": "garden"},
    )
    assert reply.status == 204
    first, second = await extension(ucs, ANNA, "Phone")
    assert first == {
        "PhoneType": 0,
        "prefix": "+1",
        "PhoneNumber": "555-1918",
        "description": "garden",
    }
    assert second["description"] == "work"


async def test_delete_by_unique_takes_one_record(ucs: Ucs) -> None:
    reply = await ucs.put(
        f"/profiles/{ANNA}/extensions/Phone/delete/by/unique",
        json={"PhoneNumber": "555-1918", "description": "other fields are harmless"},
    )
    assert reply.status == 204
    assert await numbers(ucs, ANNA) == ["555-1919"]


async def test_an_extension_named_delete_is_told_from_a_deletion(ucs: Ucs) -> None:
    await ucs.post(
        "/metadata/profiles/extensions",
        json={
            "name": "delete",
            "type": "multi-valued",
            "attributes": [{"name": "id"}, {"name": "note"}],
            "unique": ["id"],
        },
    )
    await ucs.post(f"/profiles/{SAM}/extensions", json={"delete": [{"id": "1", "note": "a"}]})
    update = await ucs.put(
        f"/profiles/{SAM}/extensions/delete/by/unique", json={"id": "1", "note": "b"}
    )
    assert update.status == 204
    assert await extension(ucs, SAM, "delete") == [{"id": "1", "note": "b"}]
    removal = await ucs.put(f"/profiles/{SAM}/extensions/delete/delete/by/unique", json={"id": "1"})
    assert removal.status == 204
    assert await extension(ucs, SAM, "delete") == []


@pytest.mark.parametrize("kind", ["by/unique", "delete/by/unique"])
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("nobody/extensions/Phone", {"PhoneNumber": "1"}, 404),
        (f"{ANNA}/extensions/Shoe", {"PhoneNumber": "1"}, 404),
        (f"{ANNA}/extensions/Phone", {"PhoneNumber": "1"}, 404),
        (f"{ANNA}/extensions/Phone", {"description": "home"}, 400),
        (f"{ANNA}/extensions/Contract", {"ContractNumber": "C-1001"}, 400),
        (f"{ANNA}/extensions/Phone", [], 400),
    ],
)
async def test_what_selects_no_record_is_refused(
    ucs: Ucs, kind: str, path: str, body: Json, status: int
) -> None:
    reply = await ucs.put(f"/profiles/{path}/{kind}", json=body)
    assert reply.status == status
    assert len(await extension(ucs, ANNA, "Phone")) == 2


async def test_update_by_unique_refuses_an_unknown_attribute(ucs: Ucs) -> None:
    reply = await ucs.put(
        f"/profiles/{ANNA}/extensions/Phone/by/unique",
        json={"PhoneNumber": "555-1918", "Colour": "red"},
    )
    assert reply.status == 400


async def test_there_is_no_delete_method_for_a_record(ucs: Ucs) -> None:
    reply = await ucs.delete(f"/profiles/{ANNA}/extensions/Phone/by/unique")
    assert reply.status == 405
    assert reply.headers["Allow"] == "PUT"
    assert (await reply.json())["http_code"] == 405
