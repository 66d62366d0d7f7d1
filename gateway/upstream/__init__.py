"""Talking to the servers behind the gateway: which node, which connection, and which bytes.

    from gateway.upstream import Upstream

An `Upstream` is one service as the data plane sees it: everything about it that is the same for
every request is computed once, here. `balance` chooses among its `nodes`, `places` bounds what each
gets at once, `health` asks how they are, `send` carries a request there and the reply back.
"""

from gateway.upstream.report import check_all, readings_of
from gateway.upstream.send import Transfer, send
from gateway.upstream.service import Upstream

__all__ = ["Transfer", "Upstream", "check_all", "readings_of", "send"]
