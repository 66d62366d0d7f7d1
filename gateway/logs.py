"""The operational log: what happened to the gateway, on standard error, one entry a line.

The audit does not go through here, and nothing a request sent does either, except what an error's
`detail` repeats of it. So every text is escaped where it could end a line or steer a terminal
(threat A-5), and a field whose name says secret is never shown (threat A-6). Entries of the
standard library's loggers (asyncio, aiohttp) come out in the same form.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

__all__ = ["always_say", "configure", "get"]

Entry = MutableMapping[str, Any]

_SECRET_WORDS = ("authorization", "cookie", "credential", "password", "secret", "token")
_MULTI_LINE = frozenset({"exception", "stack"})


def configure(
    format: Literal["json", "console"] = "json",  # noqa: A002 - the setting's name
    level: str = "info",
    *,
    stream: TextIO | None = None,
) -> None:
    """Set up logging for the whole process; the last call counts."""
    console = format == "console"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _hide_secrets,
    ]
    renderer: Any = structlog.processors.JSONRenderer(default=repr)
    if console:
        shared.append(_escape)
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    for old in [
        h for h in root.handlers if isinstance(h.formatter, structlog.stdlib.ProcessorFormatter)
    ]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def always_say(**words: object) -> None:
    """From now on every entry of this process says these words too."""
    structlog.contextvars.bind_contextvars(**words)


def get(name: str) -> Any:
    """The logger called `name`, before or after `configure`."""
    return structlog.get_logger(name)


def _hide_secrets(_logger: object, _method: str, entry: Entry) -> Entry:
    for name in entry:
        if any(word in name.lower() for word in _SECRET_WORDS):
            entry[name] = "(hidden)"
    return entry


def _escape(_logger: object, _method: str, entry: Entry) -> Entry:
    """JSON escapes by itself; the console would print what it is given."""
    for name, value in entry.items():
        if isinstance(value, str):
            lines = value.split("\n") if name in _MULTI_LINE else [value]
            entry[name] = "\n".join(map(_printable, lines))
    return entry


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
