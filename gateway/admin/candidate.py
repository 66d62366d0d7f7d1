"""A candidate policy, over the admin port: try it, see what it says, put it in force or drop it.

    GET  /api/policy/candidate            what is tried, how, and what it has shown; 404 if nothing
    POST /api/policy/candidate            try what its files say now, by the plan in the body
    POST /api/policy/candidate/promote    put it in force everywhere
    POST /api/policy/candidate/withdraw   try nothing any more

What it has shown names callers, so looking needs the operator's token too.
"""

import msgspec
from aiohttp import web

from gateway.admin.answers import answer, refusal
from gateway.admin.operator import OperatorToken
from gateway.admin.policy import told_of
from gateway.attempts import Finding, Refused
from gateway.rollout import Plan
from gateway.trial import NO_CANDIDATE, Trials

__all__ = ["CandidateCalls"]

_PATH = "/api/policy/candidate"


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing was changed."""

    why: str
    findings: tuple[Finding, ...] = ()
    outcome: str = "kept"


class CandidateCalls:
    """The calls about the candidate."""

    def __init__(self, trials: Trials, operator: OperatorToken) -> None:
        self._trials = trials
        self._operator = operator

    def __repr__(self) -> str:
        return f"<CandidateCalls with {self._operator!r}>"

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get(_PATH, self._status)
        router.add_post(_PATH, self._try_out)
        router.add_post(f"{_PATH}/promote", self._promote)
        router.add_post(f"{_PATH}/withdraw", self._withdraw)

    async def _status(self, request: web.Request) -> web.Response:
        why = self._operator.refused(request)
        if why is not None:
            return why
        status = await self._trials.status()
        if status is None:
            return refusal(404, "no-candidate", NO_CANDIDATE)
        return answer(200, status)

    async def _try_out(self, request: web.Request) -> web.Response:
        brought = await self._operator.arguments(request)
        if isinstance(brought, web.Response):
            return brought
        try:
            plan = msgspec.json.decode(brought, type=Plan)
        except msgspec.ValidationError as error:
            return refusal(400, "bad-plan", f"the plan cannot be followed: {error}")
        try:
            return answer(200, await self._trials.start(plan))
        except Refused as refused:
            return _kept(refused)

    async def _promote(self, request: web.Request) -> web.Response:
        why = await self._operator.refused_bare(request)
        if why is not None:
            return why
        try:
            return told_of(await self._trials.promote())
        except Refused as refused:
            return _kept(refused)

    async def _withdraw(self, request: web.Request) -> web.Response:
        why = await self._operator.refused_bare(request)
        if why is not None:
            return why
        try:
            return answer(200, {"outcome": "withdrawn", "why": await self._trials.withdraw()})
        except Refused as refused:
            return _kept(refused)


def _kept(refused: Refused) -> web.Response:
    return answer(409, _Kept(why=str(refused), findings=refused.findings))
