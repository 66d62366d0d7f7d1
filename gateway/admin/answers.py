"""How the admin port answers: always JSON, and a refusal names its code."""

import msgspec
from aiohttp import web

__all__ = ["NOT_FOUND", "answer", "refusal"]

NOT_FOUND = {"error": "not-found", "message": "there is nothing here"}


def answer(status: int, value: object) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json"
    )


def refusal(status: int, error: str, message: str) -> web.Response:
    return answer(status, {"error": error, "message": message})
