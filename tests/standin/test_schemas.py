"""Extension schemas and identification keys: created, read in both forms, deleted."""

import pytest

from gateway.standin.seed import ANNA
from tests.standin.client import Json, Ucs

ADDRESS = {
    "name": "Address",
    "type": "multi-valued",
    "unique": ["kind"],
    "attributes": [
        {"name": "kind", "type": "string", "length": "3", "mandatory": "true"},
        {"name": "street", "type": "string"},
    ],
}
EXTENSIONS = "/metadata/profiles/extensions"
KEYS = "/metadata/identification-keys"


async def test_create_is_201_with_name_and_location(ucs: Ucs) -> None:
    reply = await ucs.post(EXTENSIONS, json=ADDRESS)
    assert reply.status == 201
    assert await reply.json() == {"name": "Address"}
    assert reply.headers["Location"].endswith("/metadata/profiles/extensions/Address")
    assert reply.headers["Location"].startswith("http://")


async def test_the_list_is_an_array_of_schemas(ucs: Ucs) -> None:
    await ucs.post(EXTENSIONS, json=ADDRESS)
    found = {each["name"]: each for each in await (await ucs.get(EXTENSIONS)).json()}
    assert set(found) == {"Address", "Contract", "Phone"}
    assert found["Address"]["type"] == "multi-valued"
    assert found["Address"]["unique"] == ["kind"]
    assert found["Address"]["attributes"][0] == {
        "name": "kind",
        "type": "string",
        "length": "3",
        "mandatory": "true",
    }


@pytest.mark.parametrize("name", ["Phone", "phone"])
async def test_one_schema_is_read_by_name_without_case(ucs: Ucs, name: str) -> None:
    reply = await ucs.get(f"{EXTENSIONS}/{name}")
    assert (await reply.json())["name"] == "Phone"


async def test_a_new_extension_holds_its_rules(ucs: Ucs) -> None:
    await ucs.post(EXTENSIONS, json=ADDRESS)
    url = f"/profiles/{ANNA}/extensions"
    assert (await ucs.post(url, json={"Address": [{"kind": "own", "street": "Elm"}]})).status == 200
    assert (await ucs.post(url, json={"Address": [{"kind": "toolong"}]})).status == 400
    assert (await ucs.post(url, json={"Address": [{"street": "Elm"}]})).status == 400


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "2fast"}, "must begin with a letter"),
        ({"name": "with.dot"}, "must begin with a letter"),
        ({"name": "x" * 27}, "at most 26"),
        ({"name": None}, "`name`"),
        ({"type": "classifier"}, "`type`"),
        ({"unique": ["nothing"]}, "`unique`"),
        ({"unique": "kind"}, "must be an array"),
        ({"attributes": [{"name": "kind", "type": "shoe"}]}, "must be one of"),
        ({"attributes": [{"name": "kind"}, {"name": "kind"}]}, "twice"),
        ({"attributes": ["kind"]}, "objects with a `name`"),
        ({"name": "PHONE"}, "exists already"),
        ({"name": "firstname"}, "is a core attribute"),
        ({"name": "Customer_ID"}, "is a core attribute"),
    ],
)
async def test_a_schema_that_makes_no_sense_is_400(ucs: Ucs, change: Json, says: str) -> None:
    reply = await ucs.post(EXTENSIONS, json=ADDRESS | change)
    assert reply.status == 400
    assert says in (await reply.json())["error_message"]


async def test_delete_is_204_and_drops_the_data_and_then_404(ucs: Ucs) -> None:
    assert (await ucs.delete(f"{EXTENSIONS}/contract")).status == 204
    assert (await ucs.get(f"/profiles/{ANNA}?extensions=Contract")).status == 400
    assert (await ucs.delete(f"{EXTENSIONS}/contract")).status == 404


async def test_delete_is_403_while_an_identification_key_uses_the_extension(ucs: Ucs) -> None:
    reply = await ucs.delete(f"{EXTENSIONS}/phone")
    assert reply.status == 403
    assert "`PhoneKey` uses this extension" in (await reply.json())["error_message"]
    assert (await ucs.delete(f"{KEYS}/PHONEKEY")).status == 204
    assert (await ucs.delete(f"{EXTENSIONS}/phone")).status == 204


async def test_keys_are_listed_and_those_of_an_extension_name_it(ucs: Ucs) -> None:
    found = {each["name"]: each for each in await (await ucs.get(KEYS)).json()}
    assert found["NameKey"]["attributes"] == ["LastName", "FirstName"]
    assert found["PhoneKey"]["source"] == "Phone"
    assert found["PhoneKey"]["attributes"] == ["Phone.PhoneNumber"]


async def test_one_key_is_read_by_name_without_case(ucs: Ucs) -> None:
    assert (await (await ucs.get(f"{KEYS}/namekey")).json())["name"] == "NameKey"
    assert (await ucs.get(f"{KEYS}/shoekey")).status == 404


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"name": "Dob", "attributes": ["dob"]}, ["DOB"]),
        ({"name": "Plan", "source": "contract", "attributes": ["plan"]}, ["Contract.plan"]),
        ({"name": "P2", "source": "Contract", "attributes": ["Contract.plan"]}, ["Contract.plan"]),
    ],
)
async def test_a_key_is_created_on_the_profile_or_on_an_extension(
    ucs: Ucs, body: Json, shown: list[str]
) -> None:
    reply = await ucs.post(KEYS + "/", json=body)
    assert reply.status == 201
    assert reply.headers["Location"].endswith(f"{KEYS}/{body['name']}")
    assert (await (await ucs.get(f"{KEYS}/{body['name']}")).json())["attributes"] == shown


@pytest.mark.parametrize(
    "body",
    [
        {"name": "namekey", "attributes": ["DOB"]},
        {"name": "X", "attributes": []},
        {"name": "X", "attributes": ["Shoe"]},
        {"name": "X", "attributes": ["plan"], "source": "Shoe"},
        {"name": "X", "attributes": ["Colour"], "source": "Phone"},
        {"name": "X", "attributes": ["DOB"], "source": 7},
        {"name": "X", "attributes": ["DOB"], "unique": "perhaps"},
        {"attributes": ["DOB"]},
    ],
)
async def test_a_key_that_makes_no_sense_is_400(ucs: Ucs, body: Json) -> None:
    assert (await ucs.post(KEYS, json=body)).status == 400


async def test_delete_of_a_key_is_204_and_then_404(ucs: Ucs) -> None:
    assert (await ucs.delete(f"{KEYS}/emailkey")).status == 204
    assert (await ucs.delete(f"{KEYS}/emailkey")).status == 404
