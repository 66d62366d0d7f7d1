"""The operational log: one entry a line, no control characters, no secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog

from gateway import logs

HOSTILE = "a\r\nb\x1b[31mc\x9b2Jd\u202ee"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the process's logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def written(
    format_: Literal["json", "console"] = "json",
    level: str = "info",
    *,
    event: str = "hello",
    **fields: Any,
) -> str:
    stream = io.StringIO()
    logs.configure(format_, level, stream=stream)
    logs.get("gateway.test").warning(event, **fields)
    return stream.getvalue()


def test_an_entry_is_one_json_object_with_time_level_and_logger() -> None:
    entry = json.loads(written(answer=42))

    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "hello", "level": "warning", "logger": "gateway.test", "answer": 42}


@pytest.mark.parametrize("format_", ["json", "console"])
def test_no_text_can_end_a_line_or_steer_a_terminal(format_: Literal["json", "console"]) -> None:
    line = written(format_, event=HOSTILE, subject=HOSTILE, nested={"inner": HOSTILE}, raw=b"\x1b[")

    assert line.endswith("\n")
    assert line[:-1].isprintable()


def test_json_gives_back_what_was_said() -> None:
    assert json.loads(written(subject=HOSTILE))["subject"] == HOSTILE


@pytest.mark.parametrize(
    "name",
    ["authorization", "Authorization", "cookie", "password", "client_secret", "access_token"],
)
@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_field_that_is_named_like_a_secret_is_hidden(
    format_: Literal["json", "console"], name: str
) -> None:
    line = written(format_, **{name: "hunter2"})

    assert "hunter2" not in line
    assert "(hidden)" in line


def test_what_is_below_the_level_is_not_written() -> None:
    stream = io.StringIO()
    logs.configure("json", "warning", stream=stream)

    logs.get("gateway.test").info("quiet")
    logging.getLogger("asyncio").info("quiet")

    assert stream.getvalue() == ""


def test_the_standard_librarys_entries_take_the_same_form() -> None:
    stream = io.StringIO()
    logs.configure("json", stream=stream)

    logging.getLogger("asyncio").error("task %s was destroyed", "x\ny")

    entry = json.loads(stream.getvalue())
    assert (entry["event"], entry["logger"]) == ("task x\ny was destroyed", "asyncio")


def test_an_exception_is_written_with_its_traceback_on_the_same_line() -> None:
    stream = io.StringIO()
    logs.configure("json", stream=stream)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logs.get("gateway.test").exception("it broke")

    (line,) = stream.getvalue().splitlines()
    assert "ValueError" in json.loads(line)["exception"]


def test_a_traceback_on_the_console_has_lines_but_no_control_characters() -> None:
    stream = io.StringIO()
    logs.configure("console", stream=stream)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logs.get("gateway.test").exception("it broke")

    assert "ValueError" in stream.getvalue()
    assert stream.getvalue().replace("\n", "").isprintable()


def test_configuring_again_replaces_and_does_not_double() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.configure("json", stream=first)
    logs.configure("json", stream=second)

    logs.get("gateway.test").warning("once")

    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


def test_a_logger_made_before_the_configuration_follows_it() -> None:
    early = logs.get("gateway.early")
    stream = io.StringIO()
    logs.configure("json", stream=stream)

    early.warning("hello")

    assert json.loads(stream.getvalue())["logger"] == "gateway.early"


def test_something_that_json_does_not_know_is_shown_by_its_repr() -> None:
    assert json.loads(written(thing={1, 2}))["thing"] == "{1, 2}"
