"""Asking servers of others: for keys, for tokens, and about tokens.

    fetch   one URL, with everything that can go wrong with an answer
    oauth   an endpoint of an authorization server whose client the gateway is

None of it is on the way of a request: what is found out is kept by whoever asked.
"""

from gateway.outbound.fetch import Fetcher, FetchFailed
from gateway.outbound.oauth import OAuthEndpoint, an_endpoint

__all__ = ["FetchFailed", "Fetcher", "OAuthEndpoint", "an_endpoint"]
