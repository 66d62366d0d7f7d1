"""Profiles: core attributes and extensions side by side, created, read, replaced and deleted."""

import pytest
from aiohttp import ClientResponse

from gateway.standin.seed import ANNA, MEI, SAM
from tests.standin.client import Json, Start, Ucs


async def profile(ucs: Ucs, customer_id: str, extensions: str = "Phone,Contract") -> Json:
    reply = await ucs.get(f"/profiles/{customer_id}", params={"extensions": extensions})
    assert reply.status == 200
    return await reply.json()


async def message(reply: ClientResponse) -> str:
    return str((await reply.json())["error_message"])


async def test_create_returns_201_with_the_id_and_where_it_is(ucs: Ucs) -> None:
    reply = await ucs.post("/profiles", json={"FirstName": "Bo", "LastName": "Berg"})
    assert reply.status == 201
    customer_id = (await reply.json())["customer_id"]
    assert len(customer_id) == 16
    assert reply.headers["Location"] == f"/profiles/{customer_id}"
    assert await profile(ucs, customer_id, "") == {
        "customer_id": customer_id,
        "FirstName": "Bo",
        "LastName": "Berg",
    }


async def test_each_new_customer_has_an_id_of_its_own(ucs: Ucs) -> None:
    ids = [(await (await ucs.post("/profiles", json={})).json())["customer_id"] for _ in range(3)]
    assert len(set(ids)) == 3


async def test_a_chosen_id_is_kept_when_it_is_free_and_refused_when_not(ucs: Ucs) -> None:
    body = {"customer_id": "0004Va58A92TZZZZ", "FirstName": "Bo"}
    first = await ucs.post("/profiles", json=body)
    assert await first.json() == {"customer_id": "0004Va58A92TZZZZ"}
    second = await ucs.post("/profiles", json=body)
    assert second.status == 400
    assert "already" in await message(second)


async def test_extensions_are_top_level_keys_beside_the_attributes(ucs: Ucs) -> None:
    reply = await ucs.post(
        "/profiles",
        json={
            "FirstName": "Bo",
            "EmailAddress": ["bo@example.com", "b@example.com"],
            "Phone": [{"PhoneNumber": "1"}, {"PhoneNumber": "2"}],
            "Contract": {"ContractNumber": "C-9"},
        },
    )
    found = await profile(ucs, (await reply.json())["customer_id"])
    assert found["EmailAddress"] == ["bo@example.com", "b@example.com"]
    assert found["Phone"] == [{"PhoneNumber": "1"}, {"PhoneNumber": "2"}]
    assert found["Contract"] == {"ContractNumber": "C-9"}


@pytest.mark.parametrize("name", ["Phone", "phone", "PHONE"])
async def test_extension_names_are_compared_without_case(ucs: Ucs, name: str) -> None:
    reply = await ucs.post("/profiles", json={name: [{"PhoneNumber": "1"}]})
    found = await profile(ucs, (await reply.json())["customer_id"], name)
    assert found["Phone"] == [{"PhoneNumber": "1"}]


async def test_an_empty_array_is_a_legal_extension(ucs: Ucs) -> None:
    reply = await ucs.post("/profiles", json={"Phone": []})
    assert reply.status == 201
    assert (await profile(ucs, (await reply.json())["customer_id"]))["Phone"] == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"Shoe": {"size": 43}}, "neither a core attribute nor an extension"),
        ({"FirstName": 7}, "neither a string nor an array of strings"),
        ({"EmailAddress": ["a", 7]}, "neither a string nor an array of strings"),
        ({"Phone": {"PhoneNumber": "1"}}, "write an array"),
        ({"Contract": [{"ContractNumber": "1"}]}, "is an object"),
        ({"Contract": {"plan": "gold"}}, "`Contract.ContractNumber` is missing"),
        ({"Phone": [{"Colour": "red"}]}, "has no attribute `Colour`"),
        ({"Phone": [{"PhoneType": "home"}]}, "not a valid integer"),
        ({"Phone": [{"PhoneNumber": "1"}, {"PhoneNumber": "1"}]}, "same unique values"),
        ({"Phone": [], "PHONE": []}, "named twice"),
        ({"FirstName": "a", "firstname": "b"}, "named twice"),
        ({"customer_id": "longer-than-sixteen-characters"}, "at most 16"),
        ([], "not a JSON object"),
    ],
)
async def test_a_body_that_is_wrong_is_400_and_creates_nothing(
    ucs: Ucs, body: Json, says: str
) -> None:
    reply = await ucs.post("/profiles", json=body)
    assert reply.status == 400
    assert says in await message(reply)


@pytest.mark.parametrize(
    "text", ["", "{", "nul", '{"FirstName": NaN}', '{"x": 1e999}', "[" * 10**5]
)
async def test_a_body_that_is_not_json_is_400(ucs: Ucs, text: str) -> None:
    reply = await ucs.post("/profiles", data=text.encode())
    assert reply.status == 400
    assert await message(reply) == "the body is not a JSON value"


async def test_of_a_repeated_key_the_last_one_wins(ucs: Ucs) -> None:
    body = b'{"FirstName": "first", "FirstName": "last"}'
    reply = await ucs.post("/profiles", data=body)
    assert (await profile(ucs, (await reply.json())["customer_id"]))["FirstName"] == "last"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
async def test_other_unicode_encodings_are_understood(ucs: Ucs, encoding: str) -> None:
    body = '{"FirstName": "Bo"}'.encode(encoding)
    reply = await ucs.post("/profiles", data=body, headers={"Content-Type": "text/plain"})
    assert reply.status == 201


async def test_without_a_profile_schema_adding_a_profile_is_403(ucs_as: Start) -> None:
    ucs = await ucs_as(core_attributes=())
    reply = await ucs.post("/profiles", json={})
    assert reply.status == 403
    assert "no profile schema" in await message(reply)


async def test_a_query_by_id_gives_attributes_and_only_the_extensions_asked_for(ucs: Ucs) -> None:
    assert "Phone" not in await profile(ucs, ANNA, "")
    found = await profile(ucs, ANNA, "contract")
    assert found["FirstName"] == "Anna"
    assert found["Contract"]["ContractNumber"] == "C-1001"
    assert "Phone" not in found


async def test_a_list_of_extensions_may_have_blanks_and_repeated_parameters_add_up(
    ucs: Ucs,
) -> None:
    assert {"Phone", "Contract"} <= set(await profile(ucs, ANNA, "Phone, Contract"))
    reply = await ucs.get(f"/profiles/{ANNA}?extensions=Phone&EXTENSIONS=Contract")
    assert {"Phone", "Contract"} <= set(await reply.json())


async def test_a_single_valued_extension_without_a_record_is_left_out(ucs: Ucs) -> None:
    found = await profile(ucs, MEI)
    assert found["Phone"] == []
    assert "Contract" not in found


async def test_an_unknown_extension_is_400(ucs: Ucs) -> None:
    reply = await ucs.get(f"/profiles/{ANNA}", params={"extensions": "Shoe"})
    assert reply.status == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_customer_is_404(ucs: Ucs, method: str) -> None:
    reply = await ucs.request(method, "/profiles/nobody", json={})
    assert reply.status == 404
    assert await message(reply) == "there is no such customer"


async def test_update_replaces_the_attributes_and_leaves_absent_extensions_alone(ucs: Ucs) -> None:
    reply = await ucs.put(f"/profiles/{ANNA}", json={"customer_id": ANNA, "FirstName": "Anne"})
    assert reply.status == 200
    assert await reply.read() == b""
    found = await profile(ucs, ANNA)
    assert found["FirstName"] == "Anne"
    assert "LastName" not in found
    assert len(found["Phone"]) == 2


async def test_update_replaces_an_extension_that_is_present(ucs: Ucs) -> None:
    await ucs.put(f"/profiles/{ANNA}", json={"FirstName": "Anna", "phone": [{"PhoneNumber": "9"}]})
    found = await profile(ucs, ANNA)
    assert found["Phone"] == [{"PhoneNumber": "9"}]
    assert found["Contract"]["ContractNumber"] == "C-1001"


@pytest.mark.parametrize("nothing", [[], None])
async def test_update_with_an_empty_extension_wipes_it(ucs: Ucs, nothing: Json) -> None:
    await ucs.put(f"/profiles/{ANNA}", json={"FirstName": "Anna", "Phone": nothing})
    assert (await profile(ucs, ANNA))["Phone"] == []


async def test_update_that_fails_half_way_changes_nothing(ucs: Ucs) -> None:
    before = await profile(ucs, ANNA)
    reply = await ucs.put(f"/profiles/{ANNA}", json={"FirstName": "X", "Phone": [{"Colour": 1}]})
    assert reply.status == 400
    assert await profile(ucs, ANNA) == before


async def test_the_id_of_the_path_wins_over_the_bodys(ucs: Ucs) -> None:
    await ucs.put(f"/profiles/{ANNA}", json={"customer_id": SAM, "FirstName": "Anne"})
    assert (await profile(ucs, ANNA))["FirstName"] == "Anne"
    assert (await profile(ucs, SAM))["FirstName"] == "Sam"


async def test_delete_is_204_and_takes_the_records_with_it(ucs: Ucs) -> None:
    reply = await ucs.delete(f"/profiles/{ANNA}")
    assert reply.status == 204
    assert (await ucs.get(f"/profiles/{ANNA}")).status == 404
    await ucs.post("/profiles", json={"customer_id": ANNA})
    assert (await profile(ucs, ANNA))["Phone"] == []


async def test_head_answers_like_get_without_a_body(ucs: Ucs) -> None:
    reply = await ucs.head(f"/profiles/{ANNA}")
    assert reply.status == 200
    assert int(reply.headers["Content-Length"]) > 0
    assert await reply.read() == b""


@pytest.mark.parametrize("text", ["naïve ☎", "\ud800 alone", "\x00 inside"])
async def test_any_text_that_json_can_carry_is_kept(ucs: Ucs, text: str) -> None:
    reply = await ucs.post("/profiles", json={"FirstName": text})
    assert (await profile(ucs, (await reply.json())["customer_id"]))["FirstName"] == text
