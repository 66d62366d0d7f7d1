"""Identify: finding customers by what is known of them."""

import pytest

from gateway.standin.seed import ANNA, SAM, SECOND_ANNA
from tests.standin.client import Json, Ucs


async def identify(ucs: Ucs, query: str) -> Json:
    reply = await ucs.get(f"/profiles?{query}")
    assert reply.status == 200, await reply.text()
    return await reply.json()


def ids(found: Json) -> list[str]:
    return [each["customer_id"] for each in found]


async def test_a_condition_on_a_core_attribute_finds_ids_only(ucs: Ucs) -> None:
    assert await identify(ucs, "LastName=Okafor") == [{"customer_id": SAM}]


async def test_several_customers_may_fit(ucs: Ucs) -> None:
    assert ids(await identify(ucs, "LastName=Rossi")) == [SECOND_ANNA, ANNA]


async def test_every_condition_must_hold(ucs: Ucs) -> None:
    assert ids(await identify(ucs, "LastName=Rossi&EmailAddress=a.rossi@example.net")) == [
        SECOND_ANNA
    ]


async def test_any_value_of_a_multi_valued_attribute_will_do(ucs: Ucs) -> None:
    assert ids(await identify(ucs, "EmailAddress=anna@example.org")) == [ANNA]


async def test_values_are_compared_exactly(ucs: Ucs) -> None:
    assert await identify(ucs, "LastName=rossi") == []


async def test_nobody_is_an_empty_array(ucs: Ucs) -> None:
    assert await identify(ucs, "LastName=Nemo") == []


@pytest.mark.parametrize("name", ["Phone.PhoneNumber", "phone.PhoneNumber"])
async def test_a_condition_may_name_an_extensions_attribute(ucs: Ucs, name: str) -> None:
    assert ids(await identify(ucs, f"{name}=555-1919")) == [ANNA]


async def test_conditions_on_one_extension_hold_for_one_record(ucs: Ucs) -> None:
    assert ids(await identify(ucs, "Phone.PhoneNumber=555-1919&Phone.description=work")) == [ANNA]
    assert await identify(ucs, "Phone.PhoneNumber=555-1919&Phone.description=home") == []


@pytest.mark.parametrize(
    "condition", ["Phone.PhoneType=2", "Contract.renews=true", "Contract.plan=gold"]
)
async def test_numbers_and_booleans_are_compared_as_written(ucs: Ucs, condition: str) -> None:
    assert ids(await identify(ucs, condition)) == [ANNA]


async def test_include_profile_yes_adds_the_attributes(ucs: Ucs) -> None:
    [sam] = await identify(ucs, "LastName=Okafor&include_profile=yes")
    assert sam["FirstName"] == "Sam"
    assert "Phone" not in sam


async def test_extensions_come_without_include_extensions_and_without_the_profile(ucs: Ucs) -> None:
    [sam] = await identify(ucs, "LastName=Okafor&extensions=Phone")
    assert sam == {
        "customer_id": SAM,
        "Phone": [{"PhoneType": 1, "prefix": "+1", "PhoneNumber": "555-2020"}],
    }


async def test_include_extensions_always_gives_them_to_every_customer(ucs: Ucs) -> None:
    found = await identify(ucs, "LastName=Rossi&extensions=Phone&include_extensions=always")
    assert all("Phone" in each for each in found)


async def test_include_extensions_unique_gives_them_only_when_one_customer_fits(ucs: Ucs) -> None:
    two = await identify(ucs, "LastName=Rossi&extensions=Phone&include_extensions=unique")
    assert not any("Phone" in each for each in two)
    [one] = await identify(ucs, "LastName=Okafor&extensions=Phone&include_extensions=unique")
    assert "Phone" in one


@pytest.mark.parametrize("name", ["extensions", "Extensions", "%65xtensions", "EXTENSIONS"])
async def test_control_parameters_are_known_in_any_spelling(ucs: Ucs, name: str) -> None:
    [sam] = await identify(ucs, f"LastName=Okafor&{name}=Phone")
    assert "Phone" in sam


@pytest.mark.parametrize("key", ["PhoneKey", "phonekey"])
async def test_an_id_key_is_named_without_case_and_needs_its_first_attribute(
    ucs: Ucs, key: str
) -> None:
    assert ids(await identify(ucs, f"id_key={key}&Phone.PhoneNumber=555-2020")) == [SAM]
    reply = await ucs.get(f"/profiles?id_key={key}&LastName=Okafor")
    assert reply.status == 400
    assert "needs `Phone.PhoneNumber`" in (await reply.json())["error_message"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "at least one attribute"),
        ("include_profile=yes&extensions=Phone", "at least one attribute"),
        ("Shoe=43", "an attribute that does not exist"),
        ("Phone.Colour=red", "an extension attribute that does not exist"),
        ("Shoe.size=43", "an extension attribute that does not exist"),
        ("LastName=Rossi&include_profile=maybe", "`include_profile` is one of `no`, `yes`"),
        ("LastName=Rossi&include_extensions=never", "`include_extensions` is one of"),
        ("LastName=Rossi&id_key=ShoeKey", "identification key that does not exist"),
        ("LastName=Rossi&extensions=Shoe", "an extension that does not exist"),
    ],
)
async def test_a_query_that_makes_no_sense_is_400(ucs: Ucs, query: str, says: str) -> None:
    reply = await ucs.get(f"/profiles?{query}")
    assert reply.status == 400
    assert says in (await reply.json())["error_message"]
