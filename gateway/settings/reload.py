"""How changed policy files are noticed."""

from pydantic import Field

from gateway.settings.base import Section

__all__ = ["ReloadSettings"]


class ReloadSettings(Section):
    """Changed files count without a restart; with a fault in them the last good policy stays."""

    watch: bool = Field(
        default=True,
        description="take over changed policy files, catalogues and overrides by themselves, as"
        " Envoy and Traefik do, so that a changed ConfigMap needs nobody to send a signal; `false`"
        " waits for SIGHUP or `ucs-gateway policy reload`, as nginx does",
    )
    interval_seconds: float = Field(
        default=1.0,
        ge=0.05,
        le=3_600,
        allow_inf_nan=False,
        description="how often the watch looks; a change counts once it has looked the same twice",
    )
