"""The services behind the gateway: what each can do, where it is, how it is spoken to."""

import re
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from gateway.settings.base import Section, finding, refuse
from gateway.settings.header_names import complaint
from gateway.settings.origin import OriginField
from gateway.settings.secret import ExistingFile
from gateway.settings.upstream import UpstreamSettings
from gateway.settings.values import BasePath, FrozenMapping, Name, Url
from policy import Code, ServiceSpec, UseRole

__all__ = ["ServiceSettings"]

# RFC 9110 section 5.5 without obs-text: spaces inside only.
_HEADER_VALUE = re.compile(r"[!-~](?:[ !-~]{0,1022}[!-~])?")


def _use_role(value: object) -> UseRole:
    """YAML's own `true` and `false` beside the word `shadow`."""
    if isinstance(value, bool):
        return UseRole.ENFORCE if value else UseRole.OFF
    if isinstance(value, UseRole):
        return value
    if value == UseRole.SHADOW.value:
        return UseRole.SHADOW
    raise PydanticCustomError(Code.UNKNOWN_VALUE, "`use_role` must be `true`, `shadow` or `false`")


class ServiceSettings(Section):
    """One service: a catalogue of operations and the server that carries them out."""

    name: Name = Field(description="what metrics, audit and messages call it")
    catalogue: ExistingFile = Field(description="YAML file of the service's operations")
    overrides: ExistingFile | None = Field(
        default=None, description="this deployment's changes to the catalogue"
    )
    switches: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="stricter readings that the catalogue offers, turned on by name"
    )
    prefix: BasePath = Field(default="/", description="path under which clients see the service")
    upstream: UpstreamSettings = Field(description="the server behind")
    use_role: Annotated[
        UseRole, BeforeValidator(_use_role), WithJsonSchema({"enum": [True, "shadow", False]})
    ] = Field(
        default=UseRole.ENFORCE,
        description="`true` enforces roles, `shadow` decides and records but lets through,"
        " `false` only authenticates; in every mode strangers and unknown operations are refused",
    )
    use_scopes: bool = Field(
        default=True,
        description="ask for a scope where an operation names scopes; if not, roles alone decide",
    )
    home_division: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        description="division that is meant where a request names none; without one, division-aware"
        " permissions then count only where they are granted in all divisions",
    )
    pin_header: str | None = Field(
        default=None,
        description="header that says the division (tenant, contact center) of every request, as"
        " `X-Genesys-TenantId`: set from the caller's grants, refused where it contradicts them",
    )
    errors: Literal["problem", "ucs", "gms", "genesys-cloud"] = Field(
        default="problem",
        description="dialect of refusals: RFC 9457 `problem`, or what the service's own clients"
        " can read: `ucs`, `gms`, or `genesys-cloud` for the Platform API's SDKs",
    )
    reveal_missing: bool = Field(
        default=True,
        description="name the missing permissions to an authenticated caller who is denied",
    )
    caller_header: str = Field(
        default="X-Gateway-Caller",
        description="header that tells the upstream the caller's name; a client's own is dropped",
    )
    forward_headers: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="client headers to forward besides the usual ones"
    )
    set_headers: FrozenMapping = Field(
        default={}, description="headers with a fixed value for every upstream request"
    )
    token_info: bool = Field(
        default=False,
        description="answer `GET`, `HEAD` and `DELETE /api/v2/tokens/me` of Genesys Cloud here, by"
        " what is known of the caller's token, instead of asking upstream, where they would be"
        " about the gateway's own; the catalogue has to know them",
    )
    public_url: OriginField | None = Field(
        default=None,
        description="what clients call this gateway, as `https://gateway.example.com`: URLs of the"
        " upstream in `Location`, `Content-Location` and JSON replies are rewritten to it, as"
        " nginx's `proxy_redirect` and `sub_filter` do; nothing is touched if left out",
    )
    rewrite_from: Annotated[tuple[OriginField, ...], Field(strict=False)] = Field(
        default=(),
        description="what the upstream calls itself in its replies besides the addresses of its"
        " `nodes`, as `http://ucs.example.com:8080`; `base_path` follows",
    )

    @field_validator("rewrite_from")
    @classmethod
    def _rewritten_to_something(
        cls, value: tuple[Url, ...], info: ValidationInfo
    ) -> tuple[Url, ...]:
        if value and info.data.get("public_url", ...) is None:
            raise PydanticCustomError(
                "rewrite-pointless", "nothing is rewritten where `public_url` is not given"
            )
        return value

    @model_validator(mode="after")
    def _headers_are_ours_to_name(self) -> Self:
        """Each header has one owner: a client must not be able to send what the gateway sets."""
        named: list[tuple[tuple[str | int, ...], str]] = [
            (("caller_header",), self.caller_header),
            *((("pin_header",), name) for name in (self.pin_header,) if name is not None),
            *((("set_headers", name), name) for name in self.set_headers),
            *(
                (("forward_headers", index), name)
                for index, name in enumerate(self.forward_headers)
            ),
        ]
        faults: list[InitErrorDetails] = []
        owners: dict[str, tuple[str | int, ...]] = {}
        for at, name in named:
            owner = owners.setdefault(name.lower(), at)
            if (why := complaint(name)) is not None:
                message = "no setting may name the header `{name}`: {why}"
                faults.append(finding("header-reserved", message, *at, name=name, why=why))
            elif owner is not at:
                message = "the header `{name}` is already named by `{owner}`"
                dotted = ".".join(map(str, owner))
                faults.append(finding("header-named-twice", message, *at, name=name, owner=dotted))
        faults += (
            finding("header-value", "expected visible ASCII characters", "set_headers", name)
            for name, value in self.set_headers.items()
            if not _HEADER_VALUE.fullmatch(value)
        )
        refuse(faults)
        return self

    def spec(self) -> ServiceSpec:
        """What the policy compiler has to know of it."""
        return ServiceSpec(
            name=self.name,
            prefix=self.prefix,
            catalogue=self.catalogue,
            overrides=self.overrides,
            use_role=self.use_role,
            switches=self.switches,
            use_scopes=self.use_scopes,
            home_division=self.home_division,
            pin_header=self.pin_header,
        )
