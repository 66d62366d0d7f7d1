"""The stand-in's own addresses, under `/_standin/`: what was received, and how to behave."""

import json
from typing import Any

from aiohttp import web

from gateway.standin.behaviour import Behaviour, Temper
from gateway.standin.errors import Refusal
from gateway.standin.received import Received

__all__ = ["add_own_routes"]


def add_own_routes(router: web.UrlDispatcher, received: Received, temper: Temper) -> None:
    async def read_received(_: web.Request) -> web.Response:
        return web.json_response(received.as_json())

    async def clear_received(_: web.Request) -> web.Response:
        received.clear()
        return web.Response(status=204)

    async def read_behaviour(_: web.Request) -> web.Response:
        return web.json_response(temper.behaviour.as_json())

    async def change_behaviour(request: web.Request) -> web.Response:
        try:
            temper.become(Behaviour.from_json(await json_object(request)))
        except Refusal as refusal:
            return web.json_response({"error": refusal.message}, status=refusal.status)
        return web.json_response(temper.behaviour.as_json())

    async def behave_well(_: web.Request) -> web.Response:
        temper.become(Behaviour())
        return web.Response(status=204)

    router.add_get("/_standin/received", read_received)
    router.add_delete("/_standin/received", clear_received)
    router.add_get("/_standin/behaviour", read_behaviour)
    router.add_put("/_standin/behaviour", change_behaviour)
    router.add_delete("/_standin/behaviour", behave_well)


async def json_object(request: web.Request) -> dict[str, Any]:
    try:
        value = json.loads(await request.read())
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refusal(400, "the body is not a JSON object")
    return value
