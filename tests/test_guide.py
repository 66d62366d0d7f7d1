"""The operator's guide of the README is run, and shows what really happens."""

from pathlib import Path

import pytest

from tests.support.guide import PARTS, told


@pytest.mark.parametrize(("part", "text"), PARTS, ids=[title for title, _ in PARTS])
def test_the_guide_shows_what_the_commands_print(part: str, text: str, tmp_path: Path) -> None:
    for story, code, output in told(part, text, tmp_path / "here"):
        assert code == story.code, output
        if story.shown is not None:
            assert output == story.shown, "run `make reference`"
