"""The stand-ins' own clock, and how Genesys writes what it says.

The stand-ins know nothing of the gateway, so they read the time here; whoever needs it to stand
still passes a clock of his own.
"""

from datetime import UTC, datetime

__all__ = ["stamp", "utc_now"]


def utc_now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """ISO 8601 as the manuals write it: `yyyy-MM-ddTHH:mm:ss.SSSZ`."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
