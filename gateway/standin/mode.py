"""The server's own state: production or maintenance, and a status page.

In maintenance, customers and interactions are not served (503). The other way round, UCS 8.1
refused schema changes and imports outside maintenance and 8.5 no longer did; `strict_modes` plays
the older one.
"""

from gateway.standin.call import Call, Mode, Reply, Route
from gateway.standin.errors import bad_request, unavailable
from gateway.standin.store import Store

__all__ = ["ROUTES", "check_mode", "current_mode"]


def current_mode(store: Store) -> Mode:
    return Mode(store.fact("mode", Mode.PRODUCTION))


def check_mode(call: Call, needed: Mode | None) -> None:
    """503 where this operation is not served just now."""
    current = current_mode(call.store)
    relaxed = needed is Mode.MAINTENANCE and not call.config.strict_modes
    if needed is not None and needed is not current and not relaxed:
        raise unavailable(f"the server is in {current} mode and this needs {needed} mode")


def set_mode(call: Call) -> Reply:
    wanted = call.json_object().get("mode")
    folded = wanted.lower() if isinstance(wanted, str) else ""
    if folded not in set(Mode):
        raise bad_request("`mode` is `production` or `maintenance`")
    call.store.set_fact("mode", folded)
    return Reply(value={"mode": folded})


def status(call: Call) -> Reply:
    return Reply(
        value={
            "mode": current_mode(call.store),
            "status": "running",
            "version": "8.5 stand-in",
            "time": call.timestamp,
        }
    )


ROUTES = (
    Route("POST", "/server/mode", set_mode),
    Route("GET", "/server/status", status),
)
