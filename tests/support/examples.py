"""The examples of the README: what they show is what really happens.

The README tells a story, and it is run as one, step by step in a copy of the sample: Carl is
denied, the role is changed, `check` finds the word that is misspelt, Carl is allowed. What each
step prints stands in the README between markers; `tests.support.reference_pages` writes it there,
`tests/test_examples.py` holds it to the truth.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = [
    "Command",
    "Outcome",
    "Sample",
    "commands_of",
    "demo",
    "policy_change_of",
    "section_of",
    "shown",
    "told",
]

ROOT = Path(__file__).resolve().parents[2]

CHANGED, MISSPELT = "createProfileExtension]", "createProfileExtention]"

# Digests change with every edit of a catalogue, and mean nothing to a reader.
_DIGEST = re.compile(r"\b[0-9a-f]{32}\b")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a console block: what stands behind its `$`, without the comment."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and everything that it said, as the terminal shows it."""

    code: int
    text: str


def commands_of(page: str) -> Iterator[Command]:
    """Every command of the console blocks, in order."""
    inside = False
    for number, line in enumerate(page.splitlines(), start=1):
        bare = line.strip()
        if bare.startswith("```"):
            inside = bare == "```console"
        elif inside and bare.startswith("$ "):
            yield Command(number, re.sub(r"\s{2,}#.*", "", bare[2:]).strip())


def shown(page: str, name: str) -> str:
    """What stands between the markers `name`."""
    found = re.search(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", page, re.DOTALL)
    assert found is not None, f"README.md has no place for `{name}`"
    return found[1]


def section_of(page: str, heading: str) -> str:
    """The text from a heading to the next of its level."""
    level = heading.split(" ", 1)[0]
    parts = re.split(rf"^(?={level} )", page, flags=re.MULTILINE)
    (found,) = [part for part in parts if part.startswith(f"{heading}\n")]
    return found


def policy_change_of(page: str) -> str:
    """The role as the README has it written anew."""
    (block,) = re.findall(
        r"```yaml\n(.*?)```", section_of(page, "## A first policy change"), re.DOTALL
    )
    return str(block)


class Sample:
    """A fresh clone as far as examples need it, in `folder`.

    The policy's digest becomes `…`, and what an example writes below /tmp stays in `folder`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "config", folder / "config")
        (folder / "tmp").mkdir()
        (folder / ".venv").symlink_to(sys.prefix)
        self.roles = folder / "config" / "policy" / "roles.yaml"

    def run(self, command: str, *, typed: str = "") -> Outcome:
        """Run a line of the README as a shell would."""
        script = command.replace("/tmp/", "tmp/")
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=self.folder, env=_environment(), input=typed, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100,
        )  # fmt: skip
        return Outcome(done.returncode, _DIGEST.sub("…", done.stdout))

    def change_role(self, block: str) -> None:
        """Do what an editor does: put `block` where the role of that name stands."""
        name = block.partition(":")[0]
        old = rf"^{name}:\n(?:    .*\n)+"
        text, times = re.subn(old, lambda _: block, self.roles.read_text(), flags=re.MULTILINE)
        assert times == 1, f"roles.yaml has no `{name.strip()}`"
        self.roles.write_text(text)


def told(page: str, folder: Path) -> Mapping[str, Outcome]:
    """The README's policy change from its first step to its last: marker to outcome."""
    sample = Sample(folder)
    change = policy_change_of(page)
    prepare, explain, check, again = [
        command.text for command in commands_of(section_of(page, "## A first policy change"))
    ]
    assert explain == again
    assert sample.run(prepare) == Outcome(0, "")
    outcomes = {"explain-denied": sample.run(explain)}
    sample.change_role(change.replace(CHANGED, MISSPELT))
    outcomes["check-broken"] = sample.run(check)
    sample.roles.write_text(sample.roles.read_text().replace(MISSPELT, CHANGED))
    outcomes["check-changed"] = sample.run(check)
    outcomes["explain-allowed"] = sample.run(again)
    return outcomes


@cache
def demo() -> Outcome:
    """What `make demo ARGS=--once` prints, below the line that make itself prints."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "demo", "--once"],
        cwd=ROOT, env=_environment(), text=True, check=False, timeout=100,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout)


def _environment() -> dict[str, str]:
    """A terminal of 200 columns without colours, whoever runs us."""
    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"}
