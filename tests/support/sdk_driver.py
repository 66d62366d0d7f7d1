"""The official Python SDK of Genesys Cloud, driven by lines of JSON: one order in, one answer out.

It runs in a process of its own (`tests/support/sdk.py` starts it), because the SDK blocks where it
waits, takes seconds and many megabytes to import, keeps threads that never end, and has settings
that are global to a process.

An order is `{"do": "log-in", "point": …, "client_id": …, "secret": …}` or `{"do": "call", "client":
…, "api": …, "method": …, "arguments": {…}}`; other clients remain as they are. An answer has what
came as `raw`, what the SDK made of it as `parsed`, or the `exception` that it raised. `operation`
asks which method and path a method of the SDK stands for.
"""

import inspect
import json
import re
import sys
from typing import Any

import PureCloudPlatformClientV2 as sdk  # noqa: N813 - as its own samples call it

CLIENTS: list[Any] = []
LAST: dict[str, str] = {}


def remember(response: Any) -> Any:
    LAST["raw"] = response.data
    return response


def pointed(point: dict[str, Any]) -> Any:
    """A client that sends its requests where it is told, by one of the SDK's own settings."""
    match point["by"]:
        case "host":
            client = sdk.api_client.ApiClient(host=point["url"])
        case "gateway":
            client = sdk.api_client.ApiClient()
            where = (point["host"], point["protocol"], point["port"])
            client.set_gateway(*where, point["login"], point["api"])
        case "proxy":
            client = sdk.api_client.ApiClient(host=point["url"])
            sdk.configuration.proxy = point["proxy"]
        case other:
            raise ValueError(other)
    client.get_http_client().set_post_request_hook(remember)  # it is now that `proxy` is read
    sdk.configuration.proxy = None
    return client


def log_in(order: dict[str, Any]) -> dict[str, Any]:
    client = pointed(order["point"])
    client.get_client_credentials_token(order["client_id"], order["secret"])
    CLIENTS.append(client)
    return {"client": len(CLIENTS) - 1, "token": client.access_token}


def with_token(order: dict[str, Any]) -> dict[str, Any]:
    """A client that has a token already."""
    client = pointed(order["point"])
    client.access_token = order["token"]
    CLIENTS.append(client)
    return {"client": len(CLIENTS) - 1, "token": client.access_token}


def call(order: dict[str, Any]) -> dict[str, Any]:
    client = CLIENTS[order["client"]]
    api = getattr(sdk, order["api"])(client)
    found = getattr(api, order["method"])(**order["arguments"])
    return {
        "type": type(found).__name__,
        "parsed": client.sanitize_for_serialization(found),
        "raw": LAST.pop("raw", ""),
    }


def operation(order: dict[str, Any]) -> dict[str, Any]:
    """Which operation a method of the SDK calls, as its source has it."""
    source = inspect.getsource(getattr(getattr(sdk, order["api"]), order["method"]))
    (path,) = re.findall(r"resource_path = '([^']+)'", source)
    (method,) = re.findall(r"call_api\(resource_path, '(\w+)'", source)
    return {"method": method, "path": path}


DEEDS = {"operation": operation, "log-in": log_in, "with-token": with_token, "call": call}


def carried_out(order: dict[str, Any]) -> dict[str, Any]:
    try:
        return DEEDS[order["do"]](order)
    except sdk.rest.ApiException as error:
        return {
            "exception": {
                "status": error.status,
                "reason": error.reason,
                "body": error.body,
                "headers": dict(error.headers or {}),
            }
        }
    except Exception as error:  # noqa: BLE001 - whatever it is, the test is to see it
        return {"defect": f"{type(error).__name__}: {error}"}


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # what the SDK prints is no answer
    for line in sys.stdin:
        answers.write(json.dumps(carried_out(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
