"""A decision that depends on the request's body: read it whole, strictly, and ask again.

The body that was inspected is the body that is sent (threats B-1 to B-3, B-16).
"""

import asyncio
from functools import partial

from msgspec.structs import replace

from gateway.errors import BodyTooLarge, BodyTypeRefused, BodyUnreadable
from gateway.exchange import RequestHead
from gateway.http.body import check_body_type, read_facts
from gateway.settings import Limits
from gateway.wire.client import ClientConnection
from policy import BodyFacts, Decision, DecisionTable, Inquiry, NeedsBody, Reason, UseRole, decide

__all__ = ["Inspection"]

_SMALL_BODY_BYTES = 64 * 1024


class Inspection:
    """How much of a body is read, and how deep."""

    __slots__ = ("_limits",)

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def decide(
        self,
        client: ClientConnection,
        head: RequestHead,
        table: DecisionTable,
        inquiry: Inquiry,
        question: NeedsBody,
    ) -> tuple[bytes | None, Inquiry, Decision | NeedsBody]:
        """Read the whole body and ask again with its facts; the body, the question, the answer.

        A service that only shadows its policy lets a body through that nobody can judge, as long
        as it is still whole: None then means that it was not read.
        """
        route = question.route
        if route.body_optional and not head.headers.has_body:
            inquiry = replace(inquiry, body=BodyFacts({}))
            return b"", inquiry, decide(table, inquiry)
        body = None
        taken_before = client.bytes_taken
        try:
            body = await self._read_body(client, head)
            facts = await self._read_facts(body)
        except (BodyTypeRefused, BodyTooLarge, BodyUnreadable) as error:
            is_whole = body is not None or client.bytes_taken == taken_before
            if route.use_role is not UseRole.SHADOW or not is_whole:
                raise
            return (
                body,
                inquiry,
                Decision(
                    reason=Reason.UNDECIDABLE,
                    policy=table.version,
                    route=route,
                    because=(error.code,),
                    divisions=question.divisions,
                ),
            )
        inquiry = replace(inquiry, body=facts)
        return body, inquiry, decide(table, inquiry)

    async def _read_body(self, client: ClientConnection, head: RequestHead) -> bytes:
        check_body_type(head.headers)
        limit = self._limits.max_inspected_body_bytes
        if (head.headers.content_length or 0) > limit:
            raise BodyTooLarge("`Content-Length` is over max_inspected_body_bytes")
        return await client.whole_body(limit)

    async def _read_facts(self, body: bytes) -> BodyFacts:
        read = partial(
            read_facts,
            body,
            max_depth=self._limits.max_body_depth,
            max_keys=self._limits.max_body_keys,
        )
        # A large body takes milliseconds to read, for which everybody else would wait.
        return read() if len(body) <= _SMALL_BODY_BYTES else await asyncio.to_thread(read)
