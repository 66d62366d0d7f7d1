"""What stands behind the gateway, as far as a policy must know it.

A service is a catalogue of operations, seen by clients under a prefix, with the switches its
operators turned on. Upstream addresses, credentials and time-outs are the gateway's business.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

__all__ = ["ServiceSpec", "UseRole"]

_PREFIX = re.compile(r"/|(?:/(?!\.\.?(?:/|\Z))[A-Za-z0-9._~:@-]+)+")


class UseRole(StrEnum):
    """Whether roles are obeyed. The values are those that operators know from UCS."""

    ENFORCE = "true"
    SHADOW = "shadow"
    OFF = "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """One service: `prefix` is where clients see it, `/` or `/genesys/1/cs`.

    `use_scopes` says whether the scopes that operations name are asked for. Division-aware
    permissions count in `home_division` where a request names none. With a `pin_header` that header
    says the division of every request, and all permissions of the service are division aware.
    """

    name: str
    catalogue: Path
    prefix: str = "/"
    overrides: Path | None = None
    use_role: UseRole = UseRole.ENFORCE
    switches: tuple[str, ...] = ()
    use_scopes: bool = True
    home_division: str | None = None
    pin_header: str | None = None
    prefix_segments: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            msg = (
                f"`{self.prefix}` is not a prefix: write `/` or `/a/b`, without a slash at the end"
            )
            raise ValueError(msg)
        segments = tuple(segment for segment in self.prefix.split("/") if segment)
        object.__setattr__(self, "prefix_segments", segments)
