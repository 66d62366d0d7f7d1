"""The settings file as a whole."""

import os
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from gateway.settings.audit import AuditSettings, LogSettings
from gateway.settings.base import Section, at_least_one, distinct, finding, refuse
from gateway.settings.identity import Identity
from gateway.settings.limits import Limits
from gateway.settings.listen import Admin, Listen
from gateway.settings.reload import ReloadSettings
from gateway.settings.secret import ExistingFolder, FolderPath
from gateway.settings.services import ServiceSettings
from policy import ServiceSpec

__all__ = ["Settings", "settings_schema", "specs"]


def _workers(value: object) -> object:
    return len(os.sched_getaffinity(0)) if value == "auto" else value


class Settings(Section):
    """Everything that one gateway has to be told."""

    listen: Listen = Field(default=Listen(), description="the public port")
    admin: Admin = Field(default=Admin(), description="the port for probes, metrics and operators")
    workers: Annotated[
        int,
        BeforeValidator(_workers),
        Field(ge=1, le=256),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 256},
                                  {"const": "auto"}]}),
    ] = Field(
        default=1,
        description="processes that serve clients, each on one processor; `auto` for as many as"
        " this process may run on, whatever a CPU quota leaves of them; a further one supervises"
        " them and has the admin port",
    )  # fmt: skip
    services: Annotated[
        tuple[ServiceSettings, ...],
        Field(strict=False),
        at_least_one,
        distinct("name"),
    ] = Field(description="what the gateway stands in front of")
    policy: ExistingFolder = Field(
        description="folder of YAML files: roles, users, groups and claims"
    )
    candidate: FolderPath | None = Field(
        default=None,
        description="folder like `policy`, whose files `ucs-gateway policy try` tries beside those in"
        " force; it is read when it is tried, and need not be there before",
    )
    reload: ReloadSettings = Field(
        default=ReloadSettings(), description="how changed policy files are noticed"
    )
    identity: Identity = Field(description="how callers prove who they are")
    limits: Limits = Field(default=Limits(), description="what a client may cost")
    audit: AuditSettings = Field(default=AuditSettings(), description="the record of requests")
    log: LogSettings = Field(default=LogSettings(), description="the operational log")

    @model_validator(mode="after")
    def _makes_sense_as_a_whole(self) -> Self:
        faults = []
        identity, tls = self.identity, self.listen.tls
        tokens = identity.jwt or identity.introspection
        ways = (identity.basic, identity.certificates, identity.clients)
        if not tokens and all(way is None for way in ways):
            message = (
                "none of `jwt`, `introspection`, `basic`, `certificates` and `clients` is given:"
                " nobody could be let in"
            )
            faults.append(finding("identity-missing", message, "identity"))
        if identity.certificates is not None and (tls is None or tls.client_ca_file is None):
            message = "nobody's certificate could be verified: name the authorities in `{key}`"
            key = "listen.tls.client_ca_file"
            at = ("identity", "certificates")
            faults.append(finding("client-ca-missing", message, *at, key=key))
        if self.listen.address == self.admin.address and self.admin.address.port:
            message = "the admin port is the public port: give it an address of its own"
            faults.append(finding("address-shared", message, "admin"))
        refuse(faults)
        return self


def specs(settings: Settings) -> tuple[ServiceSpec, ...]:
    """What the policy compiler has to know of the services."""
    return tuple(service.spec() for service in settings.services)


def settings_schema() -> dict[str, object]:
    """The JSON Schema of the settings file, for editors and for the reference documentation."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
        "title": "ucs-gateway settings",
    }
