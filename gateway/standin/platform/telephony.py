"""Telephony: edges, sites, trunks and phones, stations, and traces of SIP messages."""

from typing import Any

from gateway.standin.platform.call import API, Call, Reply, Route, read_moment
from gateway.standin.platform.collection import Collection, matching
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.paging import listing
from gateway.standin.platform.store import Entity

__all__ = ["EDGES", "PHONES", "ROUTES", "SITES", "STATIONS", "TRUNKS"]

BASE = "/telephony/providers/edges"

EDGES = Collection(
    kind="edge",
    path=BASE,
    parameter="edgeId",
    fields={"description": str},
    defaults={
        "version": 1,
        "state": "active",
        "statusCode": "AWAITING_CONNECTION",
        "onlineStatus": "OFFLINE",
        "edgeDeploymentType": "HARDWARE",
        "physicalEdge": True,
        "managed": False,
    },
)
SITES = Collection(
    kind="site",
    path=f"{BASE}/sites",
    parameter="siteId",
    fields={"description": str, "callerId": str, "callerName": str},
    defaults={"version": 1, "state": "active", "mediaModel": "Premises", "managed": False},
)
TRUNKS = Collection(kind="trunk", path=f"{BASE}/trunks", parameter="trunkId")
PHONES = Collection(kind="phone", path=f"{BASE}/phones", parameter="phoneId")
STATIONS = Collection(kind="station", path="/stations", parameter="stationId", divided=False)


def reboot(call: Call) -> Reply:
    EDGES.one(call)
    return Reply(202, value="Accepted")


def disassociate(call: Call) -> Reply:
    """The station is free for somebody else."""
    station = STATIONS.one(call)
    free = {name: value for name, value in station.items() if name != "userId"}
    call.store.put("station", free | {"status": "AVAILABLE"})
    return Reply(204)


def list_stations(call: Call) -> Reply:
    return Reply(value=listing(call, matching(call, call.store.all("station"))))


def asked_interval(call: Call) -> tuple[Any, Any]:
    start = read_moment(call.asked("dateStart"), "dateStart")
    end = read_moment(call.asked("dateEnd"), "dateEnd")
    if end <= start:
        raise bad_request("`dateEnd` is not after `dateStart`.", "dateEnd")
    return start, end


def list_sip_traces(call: Call) -> Reply:
    start, end = asked_interval(call)
    found = [
        record
        for record in call.store.all("sip record")
        if start <= read_moment(record["date"], "date") < end
        and call.asked("conversationId") in {None, record["conversationId"]}
        and call.asked("callId") in {None, record["callid"]}
    ]
    return Reply(value={"status": 200, "count": len(found), "data": found})


def ask_for_download(call: Call) -> Reply:
    body = call.json_object()
    for name in ("dateStart", "dateEnd"):
        read_moment(body.get(name), name)
    id_ = call.store.new_id("sip download")
    call.store.put("sip download", {"id": id_})
    return Reply(value={"downloadId": id_, "documentId": id_})


def get_download(call: Call) -> Reply:
    download: Entity = call.store.get("sip download", call.parameters["downloadId"])
    return Reply(
        value={
            "id": download["id"],
            "url": f"https://files.stand-in.example/{download['id']}.pcap",
            "selfUri": f"{API}/telephony/siptraces/download/{download['id']}",
        }
    )


ROUTES = (
    *SITES.routes("list", "create", "get", "change", "delete"),
    *TRUNKS.routes("list", "get"),
    *PHONES.routes("list", "get", "delete"),
    *EDGES.routes("list", "create", "get", "change", "delete"),
    Route("POST", f"{BASE}/{{edgeId}}/reboot", reboot),
    Route("GET", "/stations", list_stations),
    Route("GET", "/stations/{stationId}", STATIONS.get),
    Route("DELETE", "/stations/{stationId}/associateduser", disassociate),
    Route("GET", "/telephony/siptraces", list_sip_traces),
    Route("POST", "/telephony/siptraces/download", ask_for_download),
    Route("GET", "/telephony/siptraces/download/{downloadId}", get_download),
)
