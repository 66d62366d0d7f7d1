"""Reading what is written for Docker, compose, systemd, pip and people, as far as tests ask.

No more of each grammar than our own files use; what is not understood is an error, not skipped.
"""

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from gateway.cli import ucs_gateway

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

Instruction = tuple[str, str]


def stages(dockerfile: str) -> list[list[Instruction]]:
    """The stages of a Dockerfile, each beginning with its FROM; what stands before is left out."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    logical = re.sub(r"\\\n\s*", "", "\n".join(lines))
    result: list[list[Instruction]] = []
    for line in filter(None, logical.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            result.append([])
        if result:
            result[-1].append((word, rest.strip()))
    return result


def last(stage: Sequence[Instruction], word: str) -> str:
    return [rest for name, rest in stage if name == word][-1]


def exec_form(text: str) -> list[str]:
    """The words of a JSON array; a shell form is an error."""
    words = json.loads(text)
    assert isinstance(words, list)
    return [str(word) for word in words]


def compose() -> dict[str, Any]:
    value: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return value


def unit(text: str) -> Mapping[str, list[str]]:
    """Every key of a systemd unit with its values in order; an empty value empties the list."""
    result: defaultdict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        if not line or line[0] in "#;[":
            continue
        key, equals, value = line.partition("=")
        assert equals, line
        result[key].append(value)
    return result


def pinned(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """What a lock file pins: name to its version with marker, and its hashes."""
    plain = "\n".join(line for line in lock.splitlines() if not line.lstrip().startswith("#"))
    result = {}
    for entry in re.sub(r"\\\n\s*", "", plain).splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", entry.strip())
        name, version = requirement.split("==", 1)
        assert hashes, f"{name} has no hash"
        result[name] = (" ".join(version.split()), frozenset(hashes))
    return result


def parse(arguments: Sequence[str]) -> click.Context:
    """The context that `ucs-gateway ARGUMENTS` would run in; UsageError where it could not."""
    name, *rest = arguments
    command = ucs_gateway.commands.get(name)
    if command is None:
        raise click.UsageError(f"no such command: {name}")
    return command.make_context(name, rest)


def code_in(markdown: str) -> Iterator[str]:
    """Every line of the fenced blocks, and every span in backticks."""
    for block in re.findall(r"^ *```\w*\n(.*?)^ *```", markdown, re.DOTALL | re.MULTILINE):
        yield from re.sub(r"\\\n\s*", "", block).splitlines()
    prose = re.sub(r"^ *```\w*\n.*?^ *```", "", markdown, flags=re.DOTALL | re.MULTILINE)
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose))


def commands_in(markdown: str) -> Iterator[tuple[str, list[str]]]:
    """Each `ucs-gateway COMMAND` with the flags that follow it."""
    program = r"(?:(?<=bin/)|(?<![\w/-]))ucs-gateway(?::[\d.]+)?"
    for line in code_in(markdown):
        for name, rest in re.findall(rf"{program} ([a-z][a-z-]*)([^|&)]*)", line):
            yield name, [word for word in shlex.split(rest, comments=True) if word[:2] == "--"]


def anchors(markdown: str) -> set[str]:
    """What the headings can be linked to by."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
