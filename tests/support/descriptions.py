"""Descriptions of a small API, in the manner of Genesys Cloud's own."""

from typing import Any

import policy
from policy import DecisionTable, ServiceSources, ServiceSpec, Sources, Text, parse_yaml, read_model
from policy.entries import CatalogueFile
from policy.importing import Description, read_openapi
from tests.support.policies import spec

__all__ = ["OAUTH", "compiled", "described", "entries_of", "operation", "swagger"]

OAUTH = "PureCloud OAuth"


def operation(
    name: str = "",
    *permissions: str,
    mode: str = "ANY",
    scopes: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """One operation that takes an OAuth token; without permissions it names none."""
    said: dict[str, Any] = {"security": [{OAUTH: list(scopes)}]}
    if name:
        said["operationId"] = name
    if permissions:
        said["x-inin-requires-permissions"] = {"type": mode, "permissions": list(permissions)}
    return said | more


def swagger(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "swagger": "2.0",
        "info": {"title": "Platform API", "version": "v2"},
        "securityDefinitions": {
            OAUTH: {"type": "oauth2", "scopes": {"declared": "Declared only"}},
            "Guest Chat JWT": {"type": "apiKey", "in": "header", "name": "Authorization"},
        },
        "paths": paths,
    } | more


def described(paths: dict[str, Any], **more: Any) -> Description:
    return read_openapi(swagger(paths, **more), "swagger.json")


def entries_of(text: str) -> CatalogueFile:
    return read_model(CatalogueFile, parse_yaml(text, "cloud.yaml"))


def compiled(text: str, *policies: str, service: ServiceSpec | None = None) -> DecisionTable:
    """The catalogue in force; a policy that is not given names nothing."""
    sources = ServiceSources(service or spec("cloud"), Text("cloud.yaml", text))
    files = tuple(Text(f"policy-{n}.yaml", each) for n, each in enumerate(policies, 1))
    return policy.compile(policy.load(Sources((sources,), files)))
