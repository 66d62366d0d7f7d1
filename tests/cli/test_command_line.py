"""What all commands have in common: help, faults in one line, exit codes that scripts can use."""

import tomllib
from pathlib import Path

import click
import pytest

from gateway.cli import main, ucs_gateway
from gateway.cli.output import Exit, near
from tests.cli.conftest import Ask
from tests.support.cases import ROOT


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"]])
def test_help_and_version_are_told_and_exit_with_0(ask: Ask, arguments: list[str]) -> None:
    said = ask(*arguments)
    assert (said.code, said.err) == (Exit.YES, "")
    assert "ucs-gateway" in said.out


def test_the_version_is_the_packages(ask: Ask) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] in ask("--version").out


@pytest.mark.parametrize("name", sorted(ucs_gateway.commands))
def test_every_command_and_every_option_explains_itself(ask: Ask, name: str) -> None:
    said = ask(name, "--help")
    assert said.code == Exit.YES
    assert f"Usage: ucs-gateway {name}" in said.out
    for option in ucs_gateway.commands[name].params:
        assert isinstance(option, click.Argument) or getattr(option, "help", None), option.name


def test_without_a_command_all_of_them_are_listed(ask: Ask) -> None:
    said = ask()
    assert said.code == Exit.COULD_NOT
    assert all(f"  {name} " in said.err for name in ucs_gateway.commands)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["start"], "error: no such command 'start'\n  help: see `ucs-gateway --help`"),
        (
            ["serve", "--settings", "x"],
            "error: no such option '--settings'\n  help: see `ucs-gateway serve --help`",
        ),
        (["explain", "GET"], "name a METHOD and a TARGET"),
        (["check", "--format", "xml"], "'xml' is not one of"),
    ],
)
def test_what_cannot_be_understood_is_no_denial(ask: Ask, arguments: list[str], says: str) -> None:
    said = ask(*arguments)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert says in said.err


def test_a_fault_is_one_line_in_lower_case(ask: Ask) -> None:
    said = ask("explain", "GET", "/profiles", "--role", "nobody")
    assert said.code == Exit.COULD_NOT
    assert said.err == "error: no policy file defines the role `nobody`\n"


def test_the_process_leaves_with_the_commands_exit_code() -> None:
    with pytest.raises(SystemExit) as left:
        main(["check", "--config", "nowhere.yaml"])
    assert left.value.code == Exit.INVALID


def test_the_exit_codes_are_the_ones_that_scripts_know() -> None:
    assert {code.name: code.value for code in Exit} == {
        "YES": 0,
        "COULD_NOT": 1,
        "DENIED_OR_DIFFERENT": 2,
        "INVALID": 3,
    }


def test_paths_below_the_current_folder_are_told_as_one_would_type_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = f"/other{tmp_path}/a.yaml:1:2"
    text = f"{tmp_path}/a.yaml:3:4: the other is at {tmp_path}/b.yaml:1:1, {elsewhere}"
    assert near(text) == f"a.yaml:3:4: the other is at b.yaml:1:1, {elsewhere}"
    monkeypatch.chdir("/")
    assert near(text) == text
