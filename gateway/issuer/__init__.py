"""The gateway's own OAuth 2.0 token endpoint: programs get their tokens here.

    clients       the clients file                 keys         what signs, and what is published
    form          a body as OAuth sends it         requests     who a client says it is
    secrets       whether its secret is right      failures     how often it may be wrong
    tokens        what our tokens say              revocations  those that were ended
    issuer        the files, kept up with          verifier     our tokens, verified like others
    endpoints     token, revoke, introspect …      token_info   Genesys Cloud's `tokens/me`

A token says which client it was issued to and nothing of what that client may do: roles and scopes
are the policy's, under the client's name. Whatever here is only a function of its arguments is
written so; `issuer` alone keeps state, and a process has one of it.
"""

from gateway.issuer.answers import Result
from gateway.issuer.clients import Clients
from gateway.issuer.endpoints import Authorization, AuthorizationOf, Endpoints
from gateway.issuer.issuer import Issuer, read_held
from gateway.issuer.token_info import TOKEN_INFO_PATH, TokenInfo
from gateway.issuer.verifier import OwnTokens

__all__ = [
    "TOKEN_INFO_PATH",
    "Authorization",
    "AuthorizationOf",
    "Clients",
    "Endpoints",
    "Issuer",
    "OwnTokens",
    "Result",
    "TokenInfo",
    "read_held",
]
