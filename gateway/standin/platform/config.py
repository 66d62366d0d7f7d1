"""What kind of organization the stand-in plays: for which clients, under which paths."""

from dataclasses import dataclass, field
from uuid import UUID, uuid5

__all__ = ["NAMESPACE", "OAuthClient", "PlatformConfig"]

# Every id of the stand-in is made from this and a name, so that a run can be repeated.
NAMESPACE = UUID("6d1a5a4e-6c0e-4c53-9f6d-3f2b8f6a7c10")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """A client that may log in with its own credentials. Its id is a GUID, as Genesys's are."""

    client_id: str = str(uuid5(NAMESPACE, "client"))
    secret: str = field(default="stand-in-secret", repr=False)
    name: str = "Stand-in client"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformConfig:
    """`token_seconds` is how long a token is good for; Genesys allows 300 to 172800.

    `login_prefix` and `api_prefix` are put before `/oauth/token` and `/api/v2`, as an SDK's gateway
    setting does; by default both live at the root of one host.
    `record_limit` bounds the requests remembered, `token_limit` the tokens, `entity_limit` the
    entities of one kind and `stored_bytes_limit` all of them together.
    """

    clients: tuple[OAuthClient, ...] = (OAuthClient(),)
    token_seconds: int = 86_400
    login_prefix: str = ""
    api_prefix: str = ""
    record_limit: int = 10_000
    token_limit: int = 1_000
    entity_limit: int = 10_000
    stored_bytes_limit: int = 64 * 1024 * 1024
    max_body_bytes: int = 1024 * 1024

    def __post_init__(self) -> None:
        prefixes = (("login_prefix", self.login_prefix), ("api_prefix", self.api_prefix))
        for name, prefix in prefixes:
            if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
                raise ValueError(
                    f"`{name}` is `{prefix}`; write nothing, or a path that begins with `/` and "
                    "does not end with one"
                )
            if "{" in prefix or "}" in prefix:
                raise ValueError(f"`{name}` is `{prefix}`; a prefix has no braces")
        if not self.clients:
            raise ValueError("`clients` is empty; nobody could ever log in")
        if self.token_seconds <= 0:
            raise ValueError(f"`token_seconds` is {self.token_seconds}; write a number above zero")
