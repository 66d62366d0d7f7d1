"""The policy in force, over the admin port: what it is, take what the files say now, go back.

    GET  /api/policy            version per worker and since when, the last attempt, the last error
    POST /api/policy/reload     take over changed files at once; 409 where they were refused
    POST /api/policy/rollback   the version before, at once, in every worker; 409 without one

Whoever reaches this port may look; for the rest see `gateway.admin.operator`.
"""

from aiohttp import web

from gateway.admin.answers import answer
from gateway.admin.operator import OperatorToken, from_a_page
from gateway.attempts import Attempt
from gateway.reload import PolicyChanges

__all__ = ["PolicyCalls", "told_of"]


class PolicyCalls:
    """The calls about the policy in force."""

    def __init__(self, changes: PolicyChanges, operator: OperatorToken) -> None:
        self._changes = changes
        self._operator = operator

    def __repr__(self) -> str:
        return f"<PolicyCalls with {self._operator!r}>"

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/policy", self._status)
        router.add_post("/api/policy/reload", self._reload)
        router.add_post("/api/policy/rollback", self._roll_back)

    async def _status(self, request: web.Request) -> web.Response:
        if "Origin" in request.headers:
            return from_a_page()
        return answer(200, await self._changes.status())

    async def _reload(self, request: web.Request) -> web.Response:
        return await self._operator.refused_bare(request) or told_of(
            await self._changes.reload("api")
        )

    async def _roll_back(self, request: web.Request) -> web.Response:
        return await self._operator.refused_bare(request) or told_of(
            await self._changes.roll_back()
        )


def told_of(attempt: Attempt) -> web.Response:
    """What became of an attempt."""
    return answer(409 if attempt.outcome == "kept" else 200, attempt)
