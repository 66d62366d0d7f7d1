"""What is typed by mistake is told with the way out, alike by all commands that tell."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway.cli import ucs_gateway
from gateway.cli.output import Exit
from tests.cli.conftest import Ask
from tests.support.cases import CASES, CONFIG

BROKEN = CASES / "broken" / "gateway.yaml"
POLICY = CONFIG / "policy"
MEANT = "  help: did you mean `profile-reader`?\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("explain GET /profiles/1 --role profile-raeder", MEANT),
        ("matrix --role profile-raeder", MEANT),
        ("role show profile-raeder", MEANT),
        ("role grant profile-raeder Supervisor", MEANT),
        ("user assign sam profile-raeder --dry-run", MEANT),
        (
            "claim show contact-center-agent",
            "maps the claim `contact-center-agent`\n  help: did you",
        ),
        (
            "claim remove contact-center-agent --all",
            "maps the claim `contact-center-agent`\n  help:",
        ),
        ("explain GET /profiles/1 --role -x", "no policy file defines the role `-x`\n"),
        ("explain GET /profiles/1 --as=", "the name after --as is empty"),
        ("role create -x", "help: a name that begins with `-` goes last, behind `--`"),
        (
            "who-can GET",
            "error: missing argument 'TARGET'\n  help: see `ucs-gateway who-can --help`",
        ),
        (
            "prove --against none",
            "path 'none' does not exist\n  help: see `ucs-gateway prove --help`",
        ),
        ("replay none --against config/policy", "none cannot be read: no such file or directory"),
        ("mine config", "config cannot be read: is a directory"),
        ("mine README.md --since 2026-02-01 --until 2026-01-01", "--since is not before --until"),
        ("schema --folder /proc/none", "/proc/none cannot be written: no such file or directory"),
        ("explain --id x --audit config", "config is no file\n  help: `--audit` names another one"),
        ("test config/schema", "config/schema holds no expectations (`*.yaml`)"),
        ("diff config/policy config/policy/roles.yaml", "folder of the policy: config/policy\n"),
        (
            "prove --against config/policy/roles.yaml",
            "is one file of a policy, and no settings file",
        ),
    ],
)
def test_a_slip_is_no_traceback_and_says_the_way_out(ask: Ask, arguments: str, says: str) -> None:
    said = ask(*arguments.split())
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err.startswith("error: ")
    assert says in said.err


@pytest.mark.parametrize("name", ["prove", "test"])
def test_a_policy_without_tables_beside_it_is_told_where_they_would_lie(
    ask: Ask, tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    for beside in ("proofs", "tests"):
        shutil.rmtree(folder / "policy" / beside)
    said = ask(name, "--config", folder / "gateway.yaml")
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err.startswith(f"error: there is no {folder}/policy/")
    assert "\n  help: write " in said.err


LOOKING = [
    *("check", "test", "explain GET /profiles/1", "who-can GET /profiles/1", "matrix", "prove"),
    *("role list", "role show x", "user list", "group show x", "claim list", "role create x"),
    *("user assign x y", f"diff {POLICY} {POLICY}", "mine README.md"),
    f"replay README.md --against {POLICY}",
]


@pytest.mark.parametrize("arguments", LOOKING)
def test_of_a_broken_policy_programs_get_the_findings_too(ask: Ask, arguments: str) -> None:
    text = ask(*arguments.split(), "--config", BROKEN)
    assert (text.code, text.out) == (Exit.INVALID, "")
    said = ask(*arguments.split(), "--config", BROKEN, "--format", "json")
    assert said.code == Exit.INVALID
    findings = json.loads(said.out)["findings"]
    assert "duplicate-key" in {each["code"] for each in findings}
    assert all(each["where"]["line"] and each["severity"] for each in findings)


@pytest.mark.parametrize("arguments", [each for each in LOOKING if "diff" not in each])
def test_a_policy_that_may_not_be_read_is_told_by_its_name(
    ask: Ask, shut: Path, arguments: str
) -> None:
    said = ask(*arguments.split(), "--config", shut / "gateway.yaml")
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err == f"error: {shut}/policy/roles.yaml: permission denied\n"


@pytest.fixture
def shut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the configuration of which nobody may read the roles, whoever runs the tests."""
    folder = Path(shutil.copytree(CONFIG, tmp_path_factory.mktemp("shut") / "config"))
    for above in (folder.parent, folder.parent.parent, folder.parent.parent.parent):
        above.chmod(0o755)
    (folder / "policy" / "roles.yaml").chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    yield folder
    if is_root:
        os.seteuid(0)


def _every(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _every(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


EVERY = dict(_every(ucs_gateway))


@pytest.mark.parametrize("name", EVERY)
def test_an_option_of_one_name_means_the_same_everywhere(name: str) -> None:
    options = {option.opts[0]: option for option in EVERY[name].params}
    if (format_ := options.get("--format")) is not None:
        assert isinstance(format_.type, click.Choice)
        assert next(iter(format_.type.choices)) == "text" == format_.default
        assert "json" in format_.type.choices
    # A catalogue can be made without a gateway, so there none is meant if none is named.
    if (config := options.get("--config")) is not None and name != "catalogue import":
        assert config.default == Path("config/gateway.yaml")
    assert "--names" not in options


def test_a_role_that_begins_with_a_dash_or_has_blanks_can_be_made_and_asked_about(
    ask: Ask, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    config = ("--config", folder / "gateway.yaml")
    for name in ("-x", "front desk"):
        assert ask("role", "create", *config, "--", name).code == Exit.YES
        assert ask("role", "show", *config, "--", name).out.startswith(f"role `{name}` (")
        assert ask("explain", "GET", "/profiles/1", "--role", name, *config).code == 2
        assert ask("matrix", "--role", name, "--service", "gms", *config).code == Exit.YES


def test_what_cannot_be_done_notes_nothing_to_be_done_by_hand(ask: Ask, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    config = ("--config", folder / "gateway.yaml")
    for arguments in (("rename", "profile-reader", "importer"), ("delete", "profile-reader")):
        said = ask("role", *arguments, *config)
        assert (said.code, "by hand" in said.err) == (Exit.COULD_NOT, False)
    said = ask("role", "rename", "profile-reader", "reader", "--format", "json", *config)
    notes = json.loads(said.out)["notes"]
    assert [
        note for note in notes if "schema.yaml names `profile-reader` as well, on line 5" in note
    ]


def test_of_an_audit_without_an_allowed_request_nothing_is_said_to_be_unused(
    ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "audit.jsonl").write_text("")
    said = ask("mine", tmp_path / "audit.jsonl")
    assert said.code == Exit.COULD_NOT
    assert "nothing can be said of what is used" in said.out
    assert "nobody used" not in said.out


def test_what_writes_is_counted_alike_by_all_commands(ask: Ask) -> None:
    """A POST that is called a query reads."""
    counted = json.loads(ask("check", "--format", "json").out)["roles"]
    for name in ("administrator", "service-supervisor", "profile-reader"):
        shown = json.loads(ask("role", "show", name, "--format", "json").out)
        opened = len(shown["operations"]) + len(shown["operations_partly"])
        assert counted[name] == {"operations": opened, "writes": shown["writes"]}, name
    assert counted["service-supervisor"]["writes"] == 0
