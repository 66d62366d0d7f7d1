"""What the pages for operators and contributors say exists: commands, files, settings, metrics."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.cli import ucs_gateway
from gateway.errors import GatewayError
from gateway.metrics import METRICS
from gateway.settings import settings_schema
from policy import Reason
from tests.support.deployment import DEPLOY, ROOT, anchors, code_in, commands_in

PAGES = [DEPLOY / "README.md", ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md"]

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@every_page
def test_every_command_on_a_page_exists_with_its_flags(page: Path) -> None:
    for name, flags in commands_in(page.read_text()):
        command = ucs_gateway.commands.get(name)
        assert command is not None, name
        known = {flag for option in command.params for flag in option.opts}
        assert set(flags) <= known, name


@every_page
def test_every_file_on_a_page_exists(page: Path) -> None:
    text = page.read_text()
    ours = re.compile(r"(?:deploy|config|gateway|policy|tests|\.ci)/[\w./-]*|[A-Z]+\.md")
    for code in code_in(text):
        if ours.fullmatch(code):
            base = DEPLOY if (DEPLOY / code).exists() else ROOT
            assert (base / code).exists(), code
    for link in re.findall(r"\]\(([^)]+)\)", text):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


@every_page
def test_every_make_target_on_a_page_exists(page: Path) -> None:
    targets = re.findall(r"^([\w.$()/-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for code in code_in(page.read_text()):
        if found := re.search(r"(?:^|\$ )make ([a-z]+)", code):
            assert found[1] in targets, code


@pytest.mark.parametrize("page", PAGES[:2], ids=lambda page: page.name)
def test_every_setting_on_a_page_exists(page: Path) -> None:
    keys = set(keys_of(settings_schema()))
    known = keys | {metric.name for metric in METRICS} | {"core_attributes"}
    for code in code_in(page.read_text()):
        if re.fullmatch(r"[a-z]+(?:_[a-z]+)+|[a-z_]+(?:\.[a-z_]+)+(?<!\.yaml)", code):
            assert set(code.split(".")) <= known, code


@every_page
def test_every_metric_reason_and_code_on_a_page_exists(page: Path) -> None:
    text = page.read_text()
    metrics = {metric.name for metric in METRICS}
    codes = {error.code for error in children(GatewayError) if hasattr(error, "code")}

    assert set(re.findall(r"\bgateway_[a-z_]+", text)) <= metrics
    for pattern in re.findall(r'code=~?"([^"]+)"', text):
        assert set(pattern.split("|")) <= codes
    for reason in re.findall(r'reason=~?"([^"]+)"', text):
        assert set(reason.split("|")) <= set(Reason)


def test_every_alert_has_an_expression() -> None:
    [block] = re.findall(r"```yaml\n(groups:.*?)```", PAGES[0].read_text(), re.DOTALL)
    rules = yaml.safe_load(block)["groups"][0]["rules"]

    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert all(rule["expr"] for rule in rules)


def test_nginx_is_shown_passing_the_path_on_as_it_came() -> None:
    [block] = re.findall(r"```nginx\n(.*?)```", PAGES[0].read_text(), re.DOTALL)
    directives = [line.strip() for line in block.splitlines() if not line.strip().startswith("#")]

    assert [line for line in directives if line.startswith("proxy_pass")] == [
        "proxy_pass http://ucs_gateway;"
    ]
    assert not any(line.startswith(("rewrite", "proxy_redirect")) for line in directives)


def keys_of(schema: Any) -> list[str]:
    """Every property name in a JSON Schema."""
    if isinstance(schema, dict):
        own = list(schema.get("properties", {}))
        return own + [key for value in schema.values() for key in keys_of(value)]
    return [key for value in schema for key in keys_of(value)] if isinstance(schema, list) else []


def children(kind: type[GatewayError]) -> list[type[GatewayError]]:
    return [kind, *(child for each in kind.__subclasses__() for child in children(each))]
