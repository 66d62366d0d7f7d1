"""Commands as they are typed: their exit code, and what they said on either stream."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli import run
from tests.support.cases import ROOT


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Ask = Callable[..., Said]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Run `ucs-gateway ARGUMENTS` in this process, from the root of the project."""
    monkeypatch.chdir(ROOT)

    def run_it(*arguments: str | Path) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run_it
