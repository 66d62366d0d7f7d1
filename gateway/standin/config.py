"""What kind of UCS the stand-in plays: where it keeps its data, under which paths, for whom.

Core attributes are part of the configuration and not of the data: in a real deployment they are
Business Attributes of Configuration Server, which no call of this API can change.
"""

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["CORE_ATTRIBUTES", "Credentials", "StandinConfig"]

# The names that Genesys's own samples use for core attributes.
CORE_ATTRIBUTES = ("FirstName", "LastName", "Title", "DOB", "PhoneNumber", "EmailAddress")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The one account that may call, when the `authentication` section is switched on."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinConfig:
    """`strict_modes` refuses schema changes and imports outside maintenance mode, as UCS 8.1 did.

    `own_address` is the `http://host:port` that it calls itself in its replies, as UCS's option
    `base_url` has it; without one, the address by which a caller came.
    `import_folder` is the only folder from which `/profiles/import` reads; without it, none.
    `record_limit` bounds how many requests are remembered; the oldest go first.
    """

    database: str = ":memory:"
    base_path: str = "/"
    own_address: str = ""
    gms_prefix: str = "/genesys/1/cs"
    credentials: Credentials | None = None
    seed: bool = True
    import_folder: Path | None = None
    core_attributes: tuple[str, ...] = CORE_ATTRIBUTES
    strict_modes: bool = False
    record_limit: int = 10_000
    max_body_bytes: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        for name, prefix in (("base_path", self.base_path), ("gms_prefix", self.gms_prefix)):
            if not prefix.startswith("/") or (prefix != "/" and prefix.endswith("/")):
                raise ValueError(
                    f"`{name}` is `{prefix}`; write `/`, or a path that begins with `/` "
                    "and does not end with one"
                )
            if "{" in prefix or "}" in prefix:
                raise ValueError(f"`{name}` is `{prefix}`; a prefix has no braces")

    @property
    def ucs_root(self) -> str:
        """The base path as it is put before a path."""
        return "" if self.base_path == "/" else self.base_path

    @property
    def gms_root(self) -> str:
        return "" if self.gms_prefix == "/" else self.gms_prefix

    @property
    def shared_root(self) -> bool:
        """Both servers behind one prefix, as a proxy in front of 8.5 often has it."""
        return self.ucs_root == self.gms_root
