"""Whatever a user can meet is in the README, and whatever the README names is there."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, get_args, get_origin

import click
import pytest
import yaml
from pydantic import BaseModel

from gateway.audit import Record
from gateway.cli import run, ucs_gateway
from gateway.cli.output import Exit
from gateway.errors import GatewayError, SettingsInvalid
from gateway.exchange import Ending
from gateway.http.headers import FORWARDED
from gateway.http.problem import Dialect, Problem, render
from gateway.metrics import METRICS
from gateway.settings import Settings, load_settings
from gateway.upstream.balance import STRATEGIES
from policy import Code, Missing, Reason, UseRole
from tests.support.cases import CATALOGUES, CONFIG, ROOT
from tests.support.deployment import anchors, code_in, commands_in
from tests.support.examples import section_of, shown
from tests.support.reference_pages import renewed, tables

README = ROOT / "README.md"
PAGE = README.read_text("utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "deploy").glob("*.md"))]

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def rows(marker: str) -> set[str]:
    """The names in the first column of a generated table."""
    names = re.findall(r"^\| \**`([^`]+)`\** \|", shown(PAGE, marker), re.MULTILINE)
    assert len(names) == len(set(names)), "a name stands in the table twice"
    return set(names)


# --- nothing is left out -----------------------------------------------------------------------


def test_the_tables_are_fresh() -> None:
    assert renewed(PAGE, tables()) == PAGE, "run `make reference`"


@pytest.mark.parametrize("marker", sorted(tables().keys() - {"audit"}))
def test_every_row_of_a_table_has_as_many_cells_as_its_head(marker: str) -> None:
    lines = shown(PAGE, marker).splitlines()
    assert len(lines) > 2
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_a_table_that_has_no_place_is_an_error() -> None:
    with pytest.raises(SystemExit, match="has no place for `findings`"):
        renewed("<!-- findings: begin -->", {"findings": "| |"})


def test_every_command_is_in_the_readme() -> None:
    assert rows("commands") == {f"ucs-gateway {name}" for name in ucs_gateway.commands}


def test_every_reason_is_in_the_readme() -> None:
    assert rows("reasons") == set(Reason)


def test_every_error_code_is_in_the_readme() -> None:
    def codes(kind: type[GatewayError]) -> Iterator[str]:
        for child in kind.__subclasses__():
            if hasattr(child, "code"):
                yield child.code
            yield from codes(child)

    assert rows("codes") == set(codes(GatewayError))


def test_every_finding_is_in_the_readme() -> None:
    assert rows("findings") == set(Code)


def test_every_metric_is_in_the_readme_with_its_labels() -> None:
    assert rows("metrics") == {metric.name for metric in METRICS}
    for metric in METRICS:
        (row,) = re.findall(rf"^\| `{metric.name}` .*", shown(PAGE, "metrics"), re.MULTILINE)
        assert all(f"`{label}`" in row for label in metric.labels)


def test_every_audit_field_is_in_the_readme_in_the_order_of_the_line() -> None:
    assert re.findall(r"`(\w+)`", shown(PAGE, "audit")) == list(Record.__struct_fields__)


def test_every_switch_of_the_shipped_catalogues_is_in_the_readme() -> None:
    declared = {
        name
        for file in CATALOGUES.values()
        for name in yaml.safe_load(file.read_text("utf-8")).get("switches", {})
    }
    assert rows("switches") == declared != set()


def test_every_setting_is_in_the_readme_and_has_a_description() -> None:
    keys = dict(keys_of(Settings))
    assert rows("settings") == keys.keys()
    assert [key for key, description in keys.items() if not description] == []


def keys_of(section: type[BaseModel], path: str = "") -> Iterator[tuple[str, str | None]]:
    """Every key that the models read, found without their JSON Schema."""
    for name, field in section.model_fields.items():
        yield f"{path}{name}", field.description
        for model, is_list in sections_in(field.annotation):
            yield from keys_of(model, f"{path}{name}{'[]' if is_list else ''}.")


def sections_in(annotation: Any, *, is_list: bool = False) -> Iterator[tuple[Any, bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, is_list
    is_list = is_list or get_origin(annotation) is tuple
    for inner in get_args(annotation):
        yield from sections_in(inner, is_list=is_list)


@pytest.mark.parametrize(
    "heading",
    ["## Nodes and failover", "## TLS", "## Proxies and hosts", "## What comes back"],
)
def test_every_setting_of_an_example_exists(heading: str) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", section_of(PAGE, heading), re.DOTALL)
    given = {key for each in examples for key in paths_in(yaml.safe_load(each))}
    assert given != set()
    assert given <= rows("settings")


def paths_in(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from paths_in(each, f"{path}[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (where := f"{path}.{key}".lstrip("."))
            yield from paths_in(inner, where)


def test_every_way_a_request_can_end_is_in_the_readme() -> None:
    audit = section_of(PAGE, "### Audit")
    assert re.findall(r"^\| `([a-z-]+)` \|", audit, re.MULTILINE) == ["ending", *Ending]


def test_every_signal_that_is_heeded_is_in_the_readme() -> None:
    heeded = set(
        re.findall(
            r"\bsignal\.(SIG[A-Z]+)", (ROOT / "gateway" / "app" / "serve.py").read_text("utf-8")
        )
    )
    told = re.findall(r"^\| (SIG[A-Z, ]+) \|", section_of(PAGE, "## Running it"), re.MULTILINE)
    assert heeded - {"SIGCHLD"} == {name for row in told for name in row.split(", ")}


def test_every_way_to_choose_a_node_is_in_the_readme() -> None:
    assert all(f"`{name}`" in section_of(PAGE, "## Nodes and failover") for name in STRATEGIES)


def test_every_answer_to_a_limit_is_a_documented_one() -> None:
    section = section_of(PAGE, "## Limits and overload")
    named = set(re.findall(r"\d{3}, `([a-z-]+)`", section))
    assert {"overloaded", "upstream-busy", "audit-unavailable"} <= named <= rows("codes")


def test_every_benchmark_is_described() -> None:
    text = (ROOT / "benchmarks" / "__main__.py").read_text("utf-8")
    there = re.findall(r'^    "(\w+)": ', text, re.MULTILINE)
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", section_of(page, "## Benchmarks"), re.MULTILINE)
    assert sorted(listed) == sorted(there) != []
    asked = re.findall(r'make bench ARGS="([\w ]+)"', PAGE + page)
    assert {name for names in asked for name in names.split()} <= set(there)


def test_every_exit_code_is_in_the_readme() -> None:
    (line,) = re.findall(r"^Exit codes: (.*)\. `--help`", PAGE, re.MULTILINE)
    assert [int(number) for number in re.findall(r"\d", line)] == [*map(int, Exit)]


def test_every_header_that_is_passed_on_is_in_the_readme() -> None:
    section = section_of(PAGE, "### What reaches UCS")
    (listed,) = re.findall(r"ones of the client \(([^)]+)\)", section)
    patterns = [name.lower() for name in re.findall(r"`([^`]+)`", listed)]
    forwarded = {name.decode() for name in FORWARDED}
    assert {
        name for name in forwarded if not any(fnmatch(name, each) for each in patterns)
    } == set()
    for pattern in patterns:
        assert any(fnmatch(name, pattern) for name in forwarded), pattern


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_the_readme_lists_the_members_of_each_error_dialect(dialect: Any) -> None:
    problem = Problem(
        status=403, code="no-route", message="no", request_id="1", missing=Missing(("A",), ())
    )
    (row,) = re.findall(rf"^\| `{dialect}` \| (.*) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == list(json.loads(render(problem, dialect)[1]))


def test_every_mode_of_use_role_is_explained_beside_the_setting() -> None:
    (row,) = re.findall(r"^\| `services\[\]\.use_role` .*", PAGE, re.MULTILINE)
    assert all(f"`{mode}`" in row for mode in UseRole)


def test_whatever_is_wrong_with_settings_is_told_by_a_documented_code(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("""\
listen: {address: "127.0.0.1:9090"}
admin: {adress: "127.0.0.1:9090"}
services:
  - name: UCS!
    catalogue: nowhere.yaml
    prefix: profiles
    upstream: {nodes: ["https://ucs", "http://ucs/path"], credential: {basic: {username: "a:b"}}}
    use_role: perhaps
    forward_headers: [Authorization, X-One, x-one]
    set_headers: {X-Two: "ümlaut"}
policy: nowhere
identity:
  jwt: [{issuer: "", audience: us, algorithms: [none], pem_file: nowhere.pem, secret_file: no}]
  basic: {users: nowhere.yaml, realm: 'U"CS'}
limits: {max_headers: 0, shutdown_seconds: soon}
audit: {file: nowhere/audit.jsonl, digest_key_file: nowhere}
log: {level: loud}
""")
    with pytest.raises(SettingsInvalid) as invalid:
        load_settings(file, {})
    codes = {finding.code for finding in invalid.value.diagnostics}
    assert len(invalid.value.diagnostics) >= 15
    assert codes <= rows("findings")


# --- what is said is there ---------------------------------------------------------------------


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text("utf-8")), link


@every_page
def test_every_command_that_is_written_down_exists_with_its_flags(page: Path) -> None:
    for name, flags in commands_in(page.read_text("utf-8")):
        command = ucs_gateway.commands.get(name)
        assert command is not None, name
        inner = command.commands.values() if isinstance(command, click.Group) else ()
        params = [option for each in (command, *inner) for option in each.params]
        assert set(flags) <= {flag for option in params for flag in option.opts} | {"--help"}


@every_page
def test_every_make_target_that_is_written_down_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for code in code_in(page.read_text("utf-8")):
        if found := re.match(r"(?:\$ )?make ([a-z]+)", code.strip()):
            assert found[1] in targets, code


def test_every_folder_and_file_of_the_layer_table_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    for path in re.findall(r"`((?:gateway|policy|tests|config)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path


def test_the_change_log_says_what_is_not_released_yet() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## \[?Unreleased\]?$", text, re.MULTILINE)


# --- the files beside the pages ----------------------------------------------------------------


def test_the_schemas_for_editors_are_fresh() -> None:
    folder = CONFIG / "schema"
    assert run(["schema", "--folder", str(folder), "--verify"]) == Exit.YES
    names = {name.name.removesuffix(".schema.json") for name in folder.iterdir()}
    assert names == {
        "catalogue",
        "clients",
        "expectations",
        "gateway",
        "overrides",
        "policy",
        "proofs",
        "users",
    }


def test_every_key_of_the_sample_settings_has_a_sentence_above_it() -> None:
    lines = (CONFIG / "gateway.yaml").read_text("utf-8").splitlines()
    bare = [
        line
        for above, line in zip(["", *lines], lines, strict=False)
        if re.match(r"\s*(?:- )?\w+:", line) and not above.lstrip().startswith(("#", "- #"))
    ]
    assert bare == []
