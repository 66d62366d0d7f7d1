"""Every case file through the whole gateway: real sockets, real tokens, an upstream that listens.

The same promises as in `tests/cases/test_cases.py`, seen from outside: who holds exactly what a
request needs reaches the upstream, once; who lacks one permission of it gets 403, is told that
very one, and the upstream hears nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policy import Reason
from tests.support.cases import (
    CATALOGUES,
    LAYOUTS,
    NEVER_READ,
    Case,
    Setup,
    load_cases,
    permissions_of,
    specs_for,
    write_policy,
)
from tests.support.raw import RawClient, Reply, request
from tests.support.site import running_site
from tests.support.tokens import bearer
from tests.support.upstream import RecordingUpstream

_STATUS = {Reason.NO_ROUTE: 403, Reason.GUARD_FAILED: 400, Reason.UNDECIDABLE: 400}


def _groups() -> Iterator[Any]:
    """Cases that can share a gateway: the same settings, in the same layout."""
    cases = load_cases()
    for setup in dict.fromkeys(case.setup for case in cases):
        for layout in LAYOUTS:
            group = [case for case in cases if case.setup == setup and layout in case.layouts]
            switches = "+".join(setup.switches) or ("overridden" if setup.overrides else "shipped")
            yield pytest.param(setup, layout, group, id=f"{setup.service}-{switches}-{layout}")


class _Asker:
    """One client connection and the upstream behind the gateway."""

    def __init__(self, client: RawClient, upstream: RecordingUpstream, layout: str) -> None:
        self.client = client
        self.upstream = upstream
        self.layout = layout

    async def ask(self, case: Case, permissions: frozenset[str]) -> tuple[Reply, int]:
        """The reply, and how many requests reached the upstream for it."""
        before = len(self.upstream.requests)
        body = b"" if case.method in {"POST", "PUT"} else None
        if case.body is not NEVER_READ:
            body = json.dumps(case.body).encode()
        await self.client.send(
            request(
                case.method,
                case.raw_target(self.layout),
                authorization=bearer(case.subject, tuple(sorted(permissions))),
                body=body,
            )
        )
        reply = await self.client.reply(case.method)
        return reply, len(self.upstream.requests) - before

    async def check(self, case: Case) -> None:
        everything = frozenset(name for service in CATALOGUES for name in permissions_of(service))
        if case.before_policy is not None:
            reply, arrived = await self.ask(case, everything)
            assert (reply.status, arrived) == (case.before_policy, 0), case
            return
        if case.refused is not None:
            reply, arrived = await self.ask(case, everything)
            refusal = (reply.status, reply.header("x-gateway-refusal"), arrived)
            assert refusal == (_STATUS[case.refused], case.refused.value, 0), case
            return
        for sufficient in case.needs.sufficient:
            reply, arrived = await self.ask(case, sufficient)
            assert (reply.status, reply.header("x-gateway-refusal"), arrived) == (200, None, 1), (
                case
            )
        for name in case.needs.all_of:
            for held in (frozenset(case.needs.all_of) - {name}, everything - {name}):
                await self.denied(case, held, {"all_of": [name]})
        if case.needs.any_of:
            held = everything - set(case.needs.any_of)
            await self.denied(case, held, {"any_of": [sorted(case.needs.any_of)]})

    async def denied(self, case: Case, held: frozenset[str], missing: dict[str, Any]) -> None:
        reply, arrived = await self.ask(case, held)
        told = {} if case.method == "HEAD" else json.loads(reply.body)["missing"]
        if "any_of" in told:
            told["any_of"] = [sorted(group) for group in told["any_of"]]
        assert (reply.status, reply.header("x-gateway-refusal")) == (403, "permission-missing"), (
            case
        )
        assert case.method == "HEAD" or told == missing, case
        assert arrived == 0, case


@pytest.mark.parametrize(("setup", "layout", "cases"), list(_groups()))
async def test_whoever_holds_exactly_what_is_needed_gets_through_and_nobody_else(
    tmp_path: Path, upstream: RecordingUpstream, setup: Setup, layout: str, cases: list[Case]
) -> None:
    specs = specs_for(setup, layout, tmp_path)
    services = [
        {
            "name": spec.name,
            "catalogue": str(spec.catalogue),
            "prefix": spec.prefix,
            "switches": list(spec.switches),
            "upstream": {"nodes": [upstream.url]},
            "errors": spec.name,
            **({"overrides": str(spec.overrides)} if spec.overrides else {}),
        }
        for spec in specs
    ]
    policy = write_policy(tmp_path / "policy")
    async with running_site(tmp_path, services, policy=policy) as site:
        for case in cases:
            await _Asker(await site.connect(), upstream, layout).check(case)
    assert cases
