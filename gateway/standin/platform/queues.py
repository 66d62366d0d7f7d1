"""Queues, who is a member of one, and the settings of routing around them."""

from typing import Any

from gateway.standin.platform.call import API, Call, Reply, Route
from gateway.standin.platform.collection import Collection, matching
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.paging import listing
from gateway.standin.platform.store import Entity

__all__ = ["QUEUES", "ROUTES", "member_reference"]

UTILIZATION = "utilization"


def with_counts(call: Call, queue: Entity) -> Entity:
    members = members_of(call, queue["id"])
    joined = sum(1 for member in members if member["joined"])
    return queue | {
        "memberCount": len(members),
        "userMemberCount": len(members),
        "joinedMemberCount": joined,
    }


QUEUES = Collection(
    kind="queue",
    path="/routing/queues",
    parameter="queueId",
    fields={
        "description": str,
        "skillEvaluationMethod": str,
        "scoringMethod": str,
        "autoAnswerOnly": bool,
        "enableTranscription": bool,
        "enableManualAssignment": bool,
        "callingPartyName": str,
        "callingPartyNumber": str,
        "acwSettings": dict,
        "mediaSettings": dict,
    },
    defaults={
        "skillEvaluationMethod": "ALL",
        "scoringMethod": "TimestampAndPriority",
        "acwSettings": {"wrapupPrompt": "OPTIONAL"},
        "mediaSettings": {},
        "autoAnswerOnly": True,
        "enableTranscription": False,
        "enableManualAssignment": False,
    },
    shown=with_counts,
)


def members_of(call: Call, queue_id: str) -> list[Entity]:
    return [each for each in call.store.all("queue member") if each["queueId"] == queue_id]


def member_reference(queue_id: str, user: Entity, *, joined: bool) -> Entity:
    """What is stored of a membership."""
    return {
        "id": user["id"],
        "name": user["name"],
        "queueId": queue_id,
        "joined": joined,
        "ringNumber": 1,
        "memberBy": "user",
    }


def shown_member(call: Call, member: Entity) -> Entity:
    user = call.store.get("user", member["id"])
    return {
        "id": member["id"],
        "name": member["name"],
        "user": {"id": user["id"], "name": user["name"], "selfUri": user["selfUri"]},
        "ringNumber": member["ringNumber"],
        "joined": member["joined"],
        "memberBy": member["memberBy"],
        "routingStatus": {"userId": user["id"], "status": "IDLE", "startTime": call.timestamp},
        "selfUri": f"{API}/routing/queues/{member['queueId']}/members/{member['id']}",
    }


def list_members(call: Call) -> Reply:
    members = members_of(call, QUEUES.one(call)["id"])
    if joined := call.asked("joined"):
        members = [member for member in members if member["joined"] is (joined == "true")]
    page = listing(call, matching(call, members))
    page["entities"] = [shown_member(call, member) for member in page["entities"]]
    uncounted = {"total", "pageCount", "lastUri"}  # this one listing does not count its members
    return Reply(value={name: page[name] for name in page if name not in uncounted})


def add_or_remove_members(call: Call) -> Reply:
    """`delete=true` removes those that are named, else they are added."""
    queue_id = QUEUES.one(call)["id"]
    users = []
    for each in call.json_list():
        if not isinstance(each, dict) or not isinstance(each.get("id"), str):
            raise bad_request("A member has no `id`.", "id")
        users.append(call.store.get("user", each["id"]))
    for user in users:
        key = f"{queue_id}/{user['id']}"
        if not call.asked_flag("delete"):
            call.store.put("queue member", member_reference(queue_id, user, joined=False), key)
        elif ("queue member", key) in call.store:
            call.store.drop("queue member", key)
    return Reply(204)


def delete_queue(call: Call) -> Reply:
    queue_id = QUEUES.one(call)["id"]
    for member in members_of(call, queue_id):
        call.store.drop("queue member", f"{queue_id}/{member['id']}")
    return QUEUES.delete(call)


def list_division_views(call: Call) -> Reply:
    """Queues with no more than their names and divisions."""
    page = listing(call, matching(call, call.store.all("queue")))
    page["entities"] = [
        {name: queue[name] for name in ("id", "name", "division")} for queue in page["entities"]
    ]
    return Reply(value=page)


def list_comparison_periods(call: Call) -> Reply:
    queue = QUEUES.one(call)
    return Reply(
        value={"total": 0, "entities": [], "selfUri": f"{queue['selfUri']}/comparisonperiods"}
    )


def list_wrap_up_codes(call: Call) -> Reply:
    QUEUES.one(call)
    return Reply(value=listing(call, matching(call, call.store.all("wrap-up code"))))


def utilization(call: Call) -> Entity:
    if (UTILIZATION, UTILIZATION) in call.store:
        return call.store.get(UTILIZATION, UTILIZATION)
    return default_utilization()


def default_utilization() -> dict[str, Any]:
    media = {"call": 1, "callback": 1, "chat": 4, "email": 1, "message": 4, "workitem": 1}
    return {
        "utilization": {
            name: {"maximumCapacity": most, "interruptableMediaTypes": [], "includeNonAcd": False}
            for name, most in media.items()
        },
        "labelUtilizations": {},
    }


def get_utilization(call: Call) -> Reply:
    return Reply(value=utilization(call))


def change_utilization(call: Call) -> Reply:
    wanted = call.json_object().get("utilization")
    if not isinstance(wanted, dict) or not all(isinstance(each, dict) for each in wanted.values()):
        raise bad_request("`utilization` is required.", "utilization")
    changed = utilization(call) | {"utilization": wanted}
    return Reply(value=call.store.put(UTILIZATION, changed, UTILIZATION))


def reset_utilization(call: Call) -> Reply:
    if (UTILIZATION, UTILIZATION) in call.store:
        call.store.drop(UTILIZATION, UTILIZATION)
    return Reply(204)


ROUTES = (
    Route("GET", "/routing/queues/divisionviews", list_division_views),
    *QUEUES.routes("list", "create", "get", "change"),
    Route("DELETE", "/routing/queues/{queueId}", delete_queue),
    Route("GET", "/routing/queues/{queueId}/members", list_members),
    Route("POST", "/routing/queues/{queueId}/members", add_or_remove_members),
    Route("GET", "/routing/queues/{queueId}/comparisonperiods", list_comparison_periods),
    Route("GET", "/routing/queues/{queueId}/wrapupcodes", list_wrap_up_codes),
    Route("GET", "/routing/utilization", get_utilization),
    Route("PUT", "/routing/utilization", change_utilization),
    Route("DELETE", "/routing/utilization", reset_utilization),
)
