"""What the README shows is what happens: its commands are run, its output is compared."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from gateway.cli import run
from gateway.cli.output import Exit
from tests.support.cases import ROOT
from tests.support.examples import (
    CHANGED,
    MISSPELT,
    Outcome,
    Sample,
    commands_of,
    demo,
    policy_change_of,
    section_of,
    shown,
    told,
)

PAGE = (ROOT / "README.md").read_text("utf-8")
MARKERS = ("explain-denied", "check-broken", "check-changed", "explain-allowed")

# Those of the story are run as one; the others are run here, or say why they cannot be.
APART = ("make demo", "make test", ".venv/bin/ucs-gateway hash-secret")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    return told(PAGE, tmp_path_factory.mktemp("clone"))


def test_the_demo_prints_what_the_readme_shows() -> None:
    assert demo().code == Exit.YES
    assert shown(PAGE, "demo") == f"```text\n{demo().text}```\n"


@pytest.mark.parametrize("marker", MARKERS)
def test_every_step_of_the_policy_change_prints_what_the_readme_shows(
    story: Mapping[str, Outcome], marker: str
) -> None:
    assert shown(PAGE, marker) == f"```text\n{story[marker].text}```\n"


def test_the_policy_change_turns_a_denial_into_a_permission(story: Mapping[str, Outcome]) -> None:
    assert {marker: outcome.code for marker, outcome in story.items()} == {
        "explain-denied": Exit.DENIED_OR_DIFFERENT,
        "check-broken": Exit.INVALID,
        "check-changed": Exit.YES,
        "explain-allowed": Exit.YES,
    }
    assert "verdict: deny: permission-missing" in story["explain-denied"].text
    assert "verdict: allow: permitted" in story["explain-allowed"].text


def test_the_misspelt_task_is_found_in_its_line_and_column(
    story: Mapping[str, Outcome], tmp_path: Path
) -> None:
    sample = Sample(tmp_path)
    sample.change_role(policy_change_of(PAGE).replace(CHANGED, MISSPELT))
    word = f"UCS.Customer.{MISSPELT.rstrip(']')}"
    (place,) = [
        f"config/policy/roles.yaml:{number}:{line.index(word) + 1}"
        for number, line in enumerate(sample.roles.read_text().splitlines(), start=1)
        if word in line
    ]
    first, *_, last = story["check-broken"].text.splitlines()
    assert first.startswith(f"error: {place}: unknown-permission: ")
    assert last == "1 error, 0 warnings"


def test_the_readme_names_the_word_that_was_misspelt() -> None:
    assert f"`{MISSPELT.rstrip(']')}`" in section_of(PAGE, "## A first policy change")


def test_places_are_told_from_the_folder_in_which_one_stands(
    story: Mapping[str, Outcome],
) -> None:
    for outcome in story.values():
        places = re.findall(r"[^\s(]+(?=:\d+:\d+)", outcome.text)
        assert [place for place in places if place.startswith("/")] == []


def test_the_password_of_the_example_becomes_a_hash_and_nothing_else(tmp_path: Path) -> None:
    guide = {each.text for each in commands_of(section_of(PAGE, "## Operator's guide"))}
    (command,) = {each.text for each in commands_of(PAGE) if "hash-secret" in each.text} - guide
    outcome = Sample(tmp_path).run(command, typed="s3cret\n")
    assert outcome.code == Exit.YES
    assert re.fullmatch(r"\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$\S+\n", outcome.text)


def test_no_command_of_the_readme_is_left_untried() -> None:
    story = {each.text for each in commands_of(section_of(PAGE, "## A first policy change"))}
    guide = {each.text for each in commands_of(section_of(PAGE, "## Operator's guide"))}
    others = {each.text for each in commands_of(PAGE)} - story - guide
    assert others == set(APART)


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_runs_what_the_readme_promises(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(rf"^{target}: \$\(STAMP\)\n\t(.*)$", makefile, re.MULTILINE)
    runs = {"demo": "$(BIN)/ucs-gateway demo $(ARGS)", "test": "$(BIN)/python -m pytest $(ARGS)"}
    assert recipe is not None
    assert recipe[1] == runs[target]


# --- the files that the README shows -----------------------------------------------------------


def blocks(heading: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", section_of(PAGE, heading), re.DOTALL)


def checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    code = run(["check", "--config", str(folder / "config" / "gateway.yaml")])
    captured = capsys.readouterr()
    assert code == Exit.YES, captured.err
    return captured.err


def test_the_overrides_of_the_readme_fit_the_shipped_catalogue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = blocks("## How a request is decided")
    named = re.match(r"# config/(\S+), named by the service's `overrides`\n", block)
    assert named is not None
    Sample(tmp_path)
    file = tmp_path / "config" / named[1]
    file.parent.mkdir()
    file.write_text(block)
    settings = tmp_path / "config" / "gateway.yaml"
    text = settings.read_text()
    assert f"    # overrides: {named[1]}\n" in text
    settings.write_text(text.replace("    # overrides:", "    overrides:"))
    # That a list grows is what it is there for, and that it opens something is said.
    said = checked(tmp_path, capsys)
    assert said.endswith("0 errors, 1 warning\n")
    assert f"{named[1]}:4:3: override-weakens: " in said


def test_the_policy_file_of_the_readme_is_a_policy_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = [each for each in blocks("## Reference") if each.startswith("roles:")]
    Sample(tmp_path)
    folder = tmp_path / "config" / "policy"
    for file in folder.glob("*.yaml"):
        file.unlink()
    # What the example leaves out, so that it includes nothing unknown.
    reader = {"roles": {"profile-reader": {"permissions": ["UCS.Customer.readCustomerProfile"]}}}
    (folder / "example.yaml").write_text(block)
    (folder / "reader.yaml").write_text(yaml.safe_dump(reader))
    assert "error" not in checked(tmp_path, capsys).replace("0 errors", "")
