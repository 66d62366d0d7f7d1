"""What the SDK is told of each call of a table: let through, or refused with a code it can read."""

from collections.abc import Iterable

from tests.sdk.rows import Row, arguments_of
from tests.support.sdk import Refused, SdkClient

__all__ = ["Verdict", "verdict_of", "verdicts_of"]

Verdict = tuple[str, str]
"""The code of the refusal and what it lists, or twice nothing."""

THROUGH: Verdict = ("", "")


async def verdict_of(client: SdkClient, method: str) -> Verdict:
    api, arguments = arguments_of(method)
    try:
        await client.call(api, method, **arguments)
    except Refused as refused:
        return read(refused)
    return THROUGH


def read(refused: Refused) -> Verdict:
    """What a user of the SDK can make of its exception."""
    if refused.status == 404:  # it was let through, and there is no such thing any more
        return THROUGH
    assert refused.status == 403, refused
    error = refused.error
    assert error["contextId"] == refused.headers["inin-correlation-id"]
    assert error["status"] == refused.status
    listed = error["messageParams"]
    named = listed.get("permissions") or listed.get("permission") or listed["scopes"]
    assert named in error["message"]
    return refused.code, named


async def verdicts_of(client: SdkClient, rows: Iterable[Row]) -> dict[str, Verdict]:
    return {row.method: await verdict_of(client, row.method) for row in rows}
