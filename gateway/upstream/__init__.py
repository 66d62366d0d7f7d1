"""Talking to the servers behind the gateway: which connection, and which bytes.

    from gateway.upstream import Upstream

An `Upstream` is one service as the data plane sees it: everything about it that is the same for
every request is computed once, here.
"""

from gateway.upstream.pool import Pool
from gateway.upstream.send import Transfer, send
from gateway.upstream.service import Upstream

__all__ = ["Pool", "Transfer", "Upstream", "send"]
