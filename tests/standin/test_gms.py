"""Services, states and tasks of GMS, under its own prefix and in its own words."""

import pytest
from aiohttp import ClientResponse

from gateway.standin.seed import ANNA, CHAT, MEI
from tests.standin.client import Json, Ucs

CS = "/genesys/1/cs"
NOW = "2026-03-01T12:00:00.250Z"


async def value(reply: ClientResponse, status: int = 200) -> Json:
    assert reply.status == status, await reply.text()
    return await reply.json()


async def start(ucs: Ucs, **body: Json) -> int:
    reply = await ucs.post(f"{CS}/services/start", json=body or {"customer_id": MEI})
    return int((await value(reply, 201))["service_id"])


async def test_start_service_is_201_with_id_and_location(ucs: Ucs) -> None:
    reply = await ucs.post(f"{CS}/services/start", json={"customer_id": MEI, "service_type": 100})
    number = (await value(reply, 201))["service_id"]
    assert reply.headers["Location"] == str(ucs.make_url(f"{CS}/services/{number}"))
    found = await value(await ucs.get(f"{CS}/services/{number}"))
    assert found["customer_id"] == MEI
    assert found["started"] == {"timestamp": NOW}


async def test_a_service_needs_a_customer_or_a_contact_key(ucs: Ucs) -> None:
    reply = await ucs.post(f"{CS}/services/start", json={"service_type": 100})
    found = await value(reply, 400)
    assert set(found) == {"message", "exception"}
    assert found["message"] == "`customer_id` or `contact_key` is needed"
    assert found["exception"].startswith("com.genesyslab.gsg.services.contextservices.exceptions.")


async def test_where_an_event_came_from_is_kept_with_its_moment(ucs: Ucs) -> None:
    found = await value(await ucs.get(f"{CS}/services/1"))
    assert found["started"]["interaction_id"] == CHAT
    assert found["started"]["media_type"] == "chat"


async def test_any_other_key_is_attached_data_and_shown_when_asked_for(ucs: Ucs) -> None:
    number = await start(ucs, customer_id=MEI, Offer={"name": "gold"}, Score=[1, 2])
    assert "Offer" not in await value(await ucs.get(f"{CS}/services/{number}"))
    found = await value(await ucs.get(f"{CS}/services/{number}?extensions=Offer,score"))
    assert found["Offer"] == {"name": "gold"}
    assert found["Score"] == [1, 2]


async def test_attached_data_is_replaced_or_merged(ucs: Ucs) -> None:
    number = await start(ucs, customer_id=MEI, Offer={"name": "gold"}, Score=[1])
    base = f"{CS}/services/{number}/extensions"
    assert (await ucs.put(f"{base}/Offer/merge", json={"price": 5})).status == 200
    assert (await ucs.put(f"{base}/Score/merge", json=2)).status == 200
    assert (await ucs.put(f"{base}/Note", json="first")).status == 200
    assert (await ucs.put(f"{base}/Note/merge", json="last")).status == 200
    found = await value(await ucs.get(f"{CS}/services/{number}?extensions=Offer,Score,Note"))
    assert found["Offer"] == {"name": "gold", "price": 5}
    assert found["Score"] == [1, 2]
    assert found["Note"] == "last"
    assert (await ucs.put(f"{base}/Offer", json={"name": "new"})).status == 200
    found = await value(await ucs.get(f"{CS}/services/{number}?extensions=Offer"))
    assert found["Offer"] == {"name": "new"}


async def test_a_customers_services_are_active_until_they_end(ucs: Ucs) -> None:
    base = f"{CS}/customers/{ANNA}/services"
    assert [each["service_id"] for each in await value(await ucs.get(base))] == [1]
    assert len(await value(await ucs.get(f"{base}/active"))) == 1
    assert await value(await ucs.get(f"{base}/completed")) == []
    assert (await ucs.post(f"{CS}/services/1/end", json={"disposition": "done"})).status == 204
    assert await value(await ucs.get(f"{base}/active")) == []
    [ended] = await value(await ucs.get(f"{base}/completed"))
    assert ended["completed"] == {"timestamp": NOW, "disposition": "done"}


async def test_a_service_ends_once(ucs: Ucs) -> None:
    assert (await ucs.post(f"{CS}/services/1/end")).status == 204
    assert (await ucs.post(f"{CS}/services/1/end")).status == 400


async def test_an_anonymous_service_is_resumed_by_its_key_and_then_has_a_customer(ucs: Ucs) -> None:
    base = f"{CS}/services/anonymous/5550100"
    [service] = await value(await ucs.get(base))
    number = service["service_id"]
    assert len(await value(await ucs.get(f"{base}/active"))) == 1
    assert await value(await ucs.get(f"{base}/completed")) == []
    assert (await ucs.post(f"{CS}/customers/{MEI}/services/{number}", json={})).status == 200
    assert await value(await ucs.get(base)) == []
    [found] = await value(await ucs.get(f"{CS}/customers/{MEI}/services"))
    assert found["customer_id"] == MEI


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("service_types=100", 1),
        ("service_types=101,102", 0),
        ("started_from=2026-01-01T00:00:00.000Z", 1),
        ("started_from=2026-02-01T00:00:00.000Z", 0),
        ("started_to=2026-02-01T00:00:00.000Z", 1),
        ("started_to=2026-01-01T00:00:00.000Z", 0),
    ],
)
async def test_queries_are_filtered(ucs: Ucs, query: str, count: int) -> None:
    found = await value(await ucs.get(f"{CS}/customers/{ANNA}/services?{query}"))
    assert len(found) == count


async def test_states_and_tasks_come_with_the_service_when_asked_for(ucs: Ucs) -> None:
    plain = await value(await ucs.get(f"{CS}/services/1"))
    assert not any(name.endswith(("states", "tasks")) for name in plain)
    found = await value(
        await ucs.get(f"{CS}/services/1?active_states=true&active_tasks=true&completed_states=true")
    )
    assert len(found["active_states"]) == 1
    assert len(found["active_tasks"]) == 1
    assert found["completed_states"] == []
    assert (await ucs.get(f"{CS}/services/1?active_states=maybe")).status == 400


async def test_expiry_is_a_number_of_seconds(ucs: Ucs) -> None:
    assert (await ucs.put(f"{CS}/services/1", json={"expires_in": 60})).status == 200
    assert (await value(await ucs.get(f"{CS}/services/1")))["expires_in"] == 60
    assert (await ucs.put(f"{CS}/services/1", json={"expires_in": "soon"})).status == 400


async def test_a_deleted_service_is_gone_with_its_states(ucs: Ucs) -> None:
    assert (await ucs.delete(f"{CS}/services/1")).status == 204
    assert (await ucs.get(f"{CS}/services/1")).status == 404
    assert (await ucs.get(f"{CS}/services/1/states")).status == 404


@pytest.mark.parametrize("number", ["99", "abc", "-1", "9" * 30, "²"])
async def test_an_unknown_service_is_404_in_the_words_of_gms(ucs: Ucs, number: str) -> None:
    found = await value(await ucs.get(f"{CS}/services/{number}"), 404)
    assert found["message"] == "there is no such service"
    assert found["exception"].endswith("ContextServicesExceptionResource")


@pytest.mark.parametrize("level", ["state", "task"])
async def test_a_state_and_a_task_live_alike(ucs: Ucs, level: str) -> None:
    base = f"{CS}/services/1/{level}s"
    begun = await ucs.post(f"{base}/start", json={f"{level}_type": 102, "Feedback": {"rating": 7}})
    number = (await value(begun, 201))[f"{level}_id"]
    assert begun.headers["Location"] == str(ucs.make_url(f"{base}/{number}"))
    url = f"{base}/{number}"
    assert (await ucs.put(f"{url}/extensions/Feedback/merge", json={"note": "warm"})).status == 200
    assert (await ucs.put(f"{url}/extensions/Extra", json=[1])).status == 200
    found = await value(await ucs.get(f"{url}?extensions=Feedback,Extra"))
    assert found["Feedback"] == {"rating": 7, "note": "warm"}
    assert found["Extra"] == [1]
    assert len(await value(await ucs.get(base))) == 2
    assert len(await value(await ucs.get(f"{base}?{level}_types=102"))) == 1
    assert (await ucs.post(f"{url}/end", json={"disposition": "done"})).status == 204
    assert (await ucs.post(f"{url}/end")).status == 400
    assert [each[f"{level}_id"] for each in await value(await ucs.get(f"{base}/completed"))] == [
        number
    ]
    assert len(await value(await ucs.get(f"{base}/active"))) == 1


async def test_a_state_is_no_task(ucs: Ucs) -> None:
    [state] = await value(await ucs.get(f"{CS}/services/1/states"))
    assert (await ucs.get(f"{CS}/services/1/tasks/{state['state_id']}")).status == 404


async def test_a_transition_ends_one_state_and_starts_another(ucs: Ucs) -> None:
    [state] = await value(await ucs.get(f"{CS}/services/1/states"))
    reply = await ucs.post(
        f"{CS}/services/1/states/transition",
        json={
            "from": {"state_id": state["state_id"], "disposition": "done"},
            "to": {"state_type": 101},
            "media_type": "voice",
        },
    )
    number = (await value(reply, 201))["state_id"]
    [ended] = await value(await ucs.get(f"{CS}/services/1/states/completed"))
    [begun] = await value(await ucs.get(f"{CS}/services/1/states/active"))
    assert ended["completed"]["disposition"] == "done"
    assert begun["state_id"] == number
    assert begun["started"]["media_type"] == ended["completed"]["media_type"] == "voice"


async def test_a_transition_from_nowhere_starts_nothing(ucs: Ucs) -> None:
    url = f"{CS}/services/1/states/transition"
    assert (await ucs.post(url, json={"from": {"state_id": 99}, "to": {}})).status == 404
    assert (await ucs.post(url, json={"to": {}})).status == 400
    assert len(await value(await ucs.get(f"{CS}/services/1/states"))) == 1


async def test_the_export_names_a_file(ucs: Ucs) -> None:
    reply = await ucs.post(f"{CS}/maintenance/services/files?time_from=2026-01-01")
    assert (await value(reply))["files"]


async def test_an_unknown_path_under_the_prefix_is_answered_in_the_words_of_gms(ucs: Ucs) -> None:
    found = await value(await ucs.get(f"{CS}/nothing"), 404)
    assert set(found) == {"message", "exception"}
    found = await value(await ucs.patch(f"{CS}/services/1"), 405)
    assert set(found) == {"message", "exception"}
