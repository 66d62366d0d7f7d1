"""Run one fuzz target under atheris, which is not among the project's dependencies."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

__all__ = ["fuzz"]


def fuzz(check: Callable[[bytes], None]) -> None:
    """Hand `check` ever new bytes until it raises; libFuzzer's options are taken from argv."""
    if find_spec("atheris") is None:
        sys.exit(
            "atheris is not installed: `pip install atheris`, or run the same target under"
            " hypothesis with `python -m pytest tests/fuzz`"
        )
    atheris = import_module("atheris")
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
