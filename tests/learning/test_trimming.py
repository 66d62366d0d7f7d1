"""Permissions go, comments stay, and the rest means what it meant."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policy
from gateway.learning import trimmed
from policy import DecisionTable, Sources
from tests.support.policies import CATALOGUE, sources

FLOW = """\
# who may do what
roles:
  chief: {permissions: [read, write,  detail, admin]}  # all of it
  other: {permissions: ["write", 'detail']}
"""
BLOCK = """\
roles:
  chief:
    # what a chief needs
    permissions:  # in this order
      # first of all
      - read
      - write  # rarely
      # and then
      - detail
      - "admin"
    title: Chief
"""
LONG = """\
roles:
  chief:
    permissions: [
      read,  # always
      write,
      detail ]
"""


def made(text: str) -> tuple[Sources, DecisionTable]:
    given_sources = sources(CATALOGUE, text)
    return given_sources, policy.compile(policy.load(given_sources))


def without(text: str, role: str, *names: str) -> tuple[str, str]:
    """The file afterwards, as `patch` makes it of the diff; and the diff."""
    given_sources, table = made(text)
    result = trimmed(
        given_sources, table, {role: table.permissions.mask_of(names)}, str, lambda _: True
    )
    assert result.left_alone == ()
    return patched(text, result.diff), result.diff


def patched(text: str, diff: str) -> str:
    """A plain reading of a unified diff."""
    lines, result, at = text.splitlines(keepends=True), [], 0
    for line in diff.splitlines(keepends=True)[2:]:
        if line.startswith("@@"):
            start = int(line.split()[1].removeprefix("-").split(",")[0]) - 1
            result += lines[at:start]
            at = start
        elif line.startswith("+"):
            result.append(line[1:])
        elif not line.startswith("\\"):
            assert lines[at] == line[1:]
            result += [] if line.startswith("-") else [lines[at]]
            at += 1
    return "".join([*result, *lines[at:]])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["write"], "[read, detail, admin]"),
        (["read"], "[write,  detail, admin]"),
        (["admin"], "[read, write,  detail]"),
        (["write", "admin"], "[read, detail]"),
        (["read", "write", "detail", "admin"], "[]"),
    ],
)
def test_a_list_on_one_line_loses_its_words(names: list[str], expected: str) -> None:
    assert without(FLOW, "chief", *names)[0] == FLOW.replace(
        "[read, write,  detail, admin]", expected
    )


def test_quoted_words_go_with_their_quotes() -> None:
    after, _ = without(FLOW, "other", "write")
    assert "other: {permissions: ['detail']}" in after


def test_a_list_of_lines_loses_lines_and_no_comment_between_them() -> None:
    after, diff = without(BLOCK, "chief", "read", "admin")
    assert after == BLOCK.replace("      - read\n", "").replace('      - "admin"\n', "")
    assert "# first of all\n" in after
    assert diff.startswith("--- a/policy-1.yaml\n+++ b/policy-1.yaml\n@@")


def test_a_list_that_loses_everything_is_an_empty_list() -> None:
    after, _ = without(BLOCK, "chief", "read", "write", "detail", "admin")
    assert "    permissions: []  # in this order\n" in after
    assert "# first of all\n" in after
    assert "# and then\n" in after


def test_a_list_over_several_lines_keeps_its_comments() -> None:
    after, _ = without(LONG, "chief", "write", "detail")
    assert "read,  # always" in after
    assert "write" not in after


def test_lines_that_end_in_the_way_of_another_system_stay_so() -> None:
    given_sources, table = made(BLOCK.replace("\n", "\r\n"))
    bits = {"chief": table.permissions.mask_of(["write"])}
    result = trimmed(given_sources, table, bits, str, lambda _: True)
    assert "-      - write  # rarely\r\n" in result.diff
    assert result.diff.count("\n+") == 1  # the header's


def test_a_file_that_would_not_mean_what_is_intended_is_left_alone() -> None:
    given_sources, table = made('roles:\n  chief: {permissions: ["re\\u0061d", write]}\n')
    bits = {"chief": table.permissions.mask_of(["read"])}
    result = trimmed(given_sources, table, bits, str, lambda _: True)
    assert (result.diff, result.left_alone) == ("", ("policy-1.yaml",))


def test_what_somebody_would_miss_is_not_proposed() -> None:
    given_sources, table = made(FLOW)
    bits = {"chief": table.permissions.mask_of(["read"])}
    result = trimmed(given_sources, table, bits, str, lambda _: False)
    assert (result.diff, result.left_alone) == ("", ("policy-1.yaml",))


def test_the_last_line_may_lack_its_end() -> None:
    given_sources, table = made("roles:\n  chief: {permissions: [read, write]}")
    bits = {"chief": table.permissions.mask_of(["read"])}
    result = trimmed(given_sources, table, bits, str, lambda _: True)
    end = "\n\\ No newline at end of file\n"
    assert result.diff.endswith(
        f"-  chief: {{permissions: [read, write]}}{end}+  chief: {{permissions: [write]}}{end}"
    )


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs patch")
def test_patch_takes_it(tmp_path: Path) -> None:
    _, diff = without(BLOCK, "chief", "read", "write", "detail", "admin")
    (tmp_path / "policy-1.yaml").write_text(BLOCK)
    ran = subprocess.run(
        ["patch", "-p1"], cwd=tmp_path, input=f"# a comment\n{diff}", text=True, check=False
    )
    assert ran.returncode == 0
    assert "permissions: []" in (tmp_path / "policy-1.yaml").read_text()


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(
        [FLOW, BLOCK, LONG, FLOW + BLOCK.removeprefix("roles:\n").replace("chief", "x")]
    ),
    st.data(),
)
def test_roles_lose_exactly_what_was_asked_for(text: str, data: st.DataObject) -> None:
    given_sources, table = made(text)
    removals = {
        name: data.draw(st.integers(0, 15)) & role.own for name, role in table.roles.items()
    }
    result = trimmed(given_sources, table, removals, str, lambda _: True)
    assert result.left_alone == ()
    _, after = made(patched(text, result.diff))
    assert {name: role.own for name, role in after.roles.items()} == {
        name: role.own & ~removals[name] for name, role in table.roles.items()
    }
