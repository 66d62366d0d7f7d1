"""The gateway's settings: one YAML file, typed, frozen, complete before anything starts.

    load_settings(path, environ)   the file to `Settings`, or `SettingsInvalid` with every finding
    specs(settings)                what the policy compiler has to know of the services
    settings_schema()              the JSON Schema, made from the same models

One file per concern: `listen`, `services`, `upstream`, `identity`, `limits`, `audit`; `root` puts
them together. The description of every field is the reference documentation, and the only one.
Secrets come from files and the environment only, and show in no `repr`.
"""

from gateway.settings.audit import AuditSettings, LogSettings
from gateway.settings.base import Surroundings
from gateway.settings.clients import ClientsSettings
from gateway.settings.credential import BasicCredential, BearerCredential, Credential
from gateway.settings.identity import (
    BasicSettings,
    CertificateNames,
    Identity,
    Jwks,
    JwtIssuer,
)
from gateway.settings.introspection import IntrospectionServer
from gateway.settings.limits import Limits
from gateway.settings.listen import Admin, Listen
from gateway.settings.load import load_admin, load_settings
from gateway.settings.oauth import OAuthClient, OAuthCredential
from gateway.settings.root import Settings, settings_schema, specs
from gateway.settings.secret import Secret
from gateway.settings.services import ServiceSettings
from gateway.settings.tls import TlsSettings
from gateway.settings.upstream import HealthSettings, UpstreamSettings
from gateway.settings.upstream_tls import UpstreamTls
from gateway.settings.values import Address, Url

__all__ = [
    "load_admin", "load_settings", "settings_schema", "specs",
    "Settings", "Listen", "TlsSettings", "Admin", "Limits", "AuditSettings", "LogSettings",
    "ServiceSettings", "UpstreamSettings", "HealthSettings", "UpstreamTls",
    "Credential", "BasicCredential", "BearerCredential", "OAuthClient", "OAuthCredential",
    "Identity", "IntrospectionServer", "Jwks", "JwtIssuer", "BasicSettings", "CertificateNames",
    "ClientsSettings",
    "Address", "Url", "Secret", "Surroundings",
]  # fmt: skip
