"""The stand-in knows nothing of the gateway: a witness must not share code with the accused."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway.standin

FILES = sorted(Path(gateway.standin.__file__).parent.rglob("*.py"))


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module or ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_file_imports_the_gateway_or_the_policy(file: Path) -> None:
    own = {"gateway.standin"}
    foreign = [
        name
        for name in imported(file)
        if name.split(".")[0] in {"gateway", "policy"} and ".".join(name.split(".")[:2]) not in own
    ]
    assert foreign == []
