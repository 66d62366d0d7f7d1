"""Where the audit goes, and how much of it may wait."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from gateway.settings.base import Section
from gateway.settings.secret import AuditPath, Secret, SecretFile

__all__ = ["AuditSettings", "LogSettings"]

_MIN_KEY_BYTES, _MAX_KEY_BYTES = 16, 64  # 128 bits; the longest key that BLAKE2b takes


class AuditSettings(Section):
    """One line for every request."""

    file: AuditPath | None = Field(
        default=Path("-"),
        description="file to append to, `-` for standard output, or `null` for no audit at all",
    )
    queue_bytes: int = Field(
        default=67_108_864,
        ge=1_048_576,
        le=1 << 36,
        description="shared memory of each worker for lines that are under way or waiting for the disk, taken only"
        " as it is used; beyond it requests are refused with 503, because what cannot be recorded is"
        " not carried out; 64 MiB hold some 20,000 requests under way, or 100,000 lines",
    )
    flush_seconds: float = Field(
        default=0.05,
        gt=0,
        le=60,
        description="how long a line may wait to be written together with others; what the end of"
        " all processes at once can lose, the kill of a single one does not",
    )
    digest_key_file: SecretFile | None = Field(
        default=None,
        description="key of the digests that stand for request targets; without it a new key is"
        " drawn at every start, and digests of two runs cannot be compared",
    )

    @field_validator("digest_key_file")
    @classmethod
    def _key_is_long_enough(cls, key: Secret | None) -> Secret | None:
        if key is not None and not _MIN_KEY_BYTES <= len(key.value) <= _MAX_KEY_BYTES:
            raise PydanticCustomError(
                "key-length",
                "the key has {length} bytes, expected 16 to 64: try `openssl rand -hex 32`",
                {"length": len(key.value)},
            )
        return key


class LogSettings(Section):
    """The operational log, on standard error. The audit does not go through it."""

    format: Literal["json", "console"] = Field(
        default="json",
        description="`json` for one object a line, `console` for reading along",
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="the least severe entries to write",
    )
