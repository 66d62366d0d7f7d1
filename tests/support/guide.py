"""The operator's guide in the README, run as it stands there.

Each part (`###`) of the guide is a story: its console blocks are typed into a shell, one after the
other, in a folder that holds a copy of `config/`. A text block right behind a console block is what
the terminal showed, and `make reference` writes it there. A line `# exits with 2` at the end of a
command says how its block ends; without one it ends with 0.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PARTS", "Story", "renewed_guide", "told"]

_ROOT = Path(__file__).resolve().parents[2]
_ISSUER_KEYS, _NOBODY = "jwks: {url: https://login.example.com/", "jwks: {url: https://127.0.0.1:9/"
_GUIDE = re.compile(r"^## Operator's guide\n(.*?)^## ", re.MULTILINE | re.DOTALL)
_PART = re.compile(r"^### ([^\n]+)\n(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(
    r"```console\n(?P<typed>.*?)```\n(?:\n```text\n(?P<shown>.*?)```\n)?", re.DOTALL
)
_EXIT = re.compile(r"\s+# exits with (\d)$", re.MULTILINE)

# What is another at each run, and means nothing to a reader: digests, ids, times, durations.
_CHANGING = (
    (re.compile(r"\b[0-9a-f]{32}\b"), "…"),
    (re.compile(r"\b[0-9a-f]{16}-[0-9a-f]+\b"), "…"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "…"),
    (re.compile(r"\b\d+(\.\d+)? ms\b"), "… ms"),
)


@dataclass(frozen=True, slots=True)
class Story:
    """One console block: what is typed, what the README shows, how it should end."""

    part: str
    typed: tuple[str, ...]
    shown: str | None
    code: int


def _parts_of(page: str) -> Iterator[tuple[str, str]]:
    """Title and text of each part of the guide."""
    found = _GUIDE.search(page)
    assert found is not None, "the README has an operator's guide, and a section behind it"
    yield from _PART.findall(found[1])


def _stories_of(part: str, text: str) -> Iterator[Story]:
    for block in _BLOCK.finditer(text):
        lines = [line[2:] for line in block["typed"].splitlines() if line.startswith("$ ")]
        code = int(found[1]) if (found := _EXIT.search(block["typed"])) else 0
        typed = tuple(_EXIT.sub("", line) for line in lines)
        yield Story(part, typed, block["shown"], code)


def told(part: str, text: str, folder: Path) -> Iterator[tuple[Story, int, str]]:
    """Each block of the part with the exit code and the output that it really has."""
    shutil.copytree(_ROOT / "config", folder / "config")
    settings = folder / "config" / "gateway.yaml"
    # The sample's issuer is made up, and what is run here asks nobody beyond this machine.
    settings.write_text(settings.read_text("utf-8").replace(_ISSUER_KEYS, _NOBODY), "utf-8")
    try:
        for story in _stories_of(part, text):
            yield _run(story, folder)
    finally:
        for running in folder.glob("*.pid"):  # where a story did not come to its end
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(running.read_text()), signal.SIGTERM)


def _run(story: Story, folder: Path) -> tuple[Story, int, str]:
    run = subprocess.run(
        ["/bin/sh", "-c", "\n".join(story.typed)],
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(_ROOT),
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    output = run.stdout.replace(f"{folder}/", "")
    for changing, instead in _CHANGING:
        output = changing.sub(instead, output)
    return story, run.returncode, output


def renewed_guide(page: str, folder: Path) -> str:
    """The page with every text block as it really is."""
    for number, (part, text) in enumerate(_parts_of(page)):
        new = text
        for story, _, output in told(part, text, folder / str(number)):
            if story.shown is not None:
                shown = f"```text\n{story.shown}```\n"
                assert new.count(shown) >= 1
                new = new.replace(shown, f"```text\n{output}```\n", 1)
        page = page.replace(text, new, 1)
    return page


PARTS = tuple(_parts_of((_ROOT / "README.md").read_text("utf-8")))
