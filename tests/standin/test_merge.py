"""Merge: two customers become one, and the source is gone."""

import pytest

from gateway.standin.seed import ANNA, MEI, SECOND_ANNA
from tests.standin.client import Json, Ucs


async def merged(ucs: Ucs, **wishes: Json) -> Json:
    reply = await ucs.put(f"/profiles/{ANNA}/merge/{SECOND_ANNA}", json=wishes)
    assert reply.status == 204
    found = await ucs.get(f"/profiles/{ANNA}", params={"extensions": "Phone,Contract"})
    return await found.json()


async def test_the_source_is_deleted(ucs: Ucs) -> None:
    await merged(ucs)
    assert (await ucs.get(f"/profiles/{SECOND_ANNA}")).status == 404


async def test_attributes_of_both_are_kept_and_equal_values_once(ucs: Ucs) -> None:
    found = await merged(ucs)
    assert found["FirstName"] == "Anna"
    assert found["EmailAddress"] == [
        "anna.rossi@example.com",
        "anna@example.org",
        "a.rossi@example.net",
    ]


async def test_multi_valued_records_are_put_together(ucs: Ucs) -> None:
    found = await merged(ucs)
    assert [each["PhoneNumber"] for each in found["Phone"]] == ["555-1918", "555-1919", "555-7777"]


@pytest.mark.parametrize(
    ("wishes", "contract"),
    [
        ({}, "C-1001"),
        ({"keep_uniq_from_src": False, "keep_active_service_only": False}, "C-1001"),
        ({"keep_uniq_from_src": True}, "C-2002"),
        ({"agent_id": "7", "force_merge": True}, "C-2002"),
    ],
)
async def test_where_only_one_can_stay_the_wish_decides(
    ucs: Ucs, wishes: Json, contract: str
) -> None:
    assert (await merged(ucs, **wishes))["Contract"]["ContractNumber"] == contract


async def test_of_records_with_the_same_unique_values_the_destinations_stays(ucs: Ucs) -> None:
    await ucs.post(
        f"/profiles/{SECOND_ANNA}/extensions",
        json={"Phone": [{"PhoneNumber": "555-1918", "description": "theirs"}]},
    )
    found = await merged(ucs)
    assert [each.get("description") for each in found["Phone"]] == ["home", "work", None]


async def test_a_trailing_slash_and_no_body_are_fine(ucs: Ucs) -> None:
    reply = await ucs.put(f"/profiles/{ANNA}/merge/{SECOND_ANNA}/")
    assert reply.status == 204


async def test_interactions_move_to_the_destination(ucs: Ucs) -> None:
    await ucs.put(f"/profiles/{MEI}/merge/{ANNA}", json={})
    moved = await (await ucs.get(f"/customers/{MEI}/interactions")).json()
    assert len(moved) == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/profiles/{ANNA}/merge/nobody", {}, 404),
        (f"/profiles/nobody/merge/{ANNA}", {}, 404),
        (f"/profiles/{ANNA}/merge/{ANNA}", {}, 400),
        (f"/profiles/{ANNA}/merge/{MEI}", {"keep_uniq_from_src": "perhaps"}, 400),
    ],
)
async def test_a_merge_that_makes_no_sense_changes_nothing(
    ucs: Ucs, path: str, body: Json, status: int
) -> None:
    assert (await ucs.put(path, json=body)).status == status
    assert (await ucs.get(f"/profiles/{ANNA}")).status == 200
    assert (await ucs.get(f"/profiles/{MEI}")).status == 200
