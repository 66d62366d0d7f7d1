"""`matrix` shows every role against every operation, in four forms."""

import csv
import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.output import Exit
from gateway.cli.sheets import MOST_CELLS, Sheet, as_page, as_records, as_rows, as_text
from gateway.cli.sheets.page import _CLASSES, _SYMBOLS
from policy import DecisionTable
from policy.analysis import State, rows_of
from tests.cli.conftest import Ask
from tests.support.cases import CONFIG
from tests.support.policies import CATALOGUE, POLICY, table

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'onmouseover='alert(1)",
    "=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "</title></style>", "a & b", "--><!--", "\uff1d1",
)  # fmt: skip


def sheet_of(of: DecisionTable, *names: str) -> Sheet:
    roles = tuple(of.roles[name] for name in names or of.roles)
    return Sheet(of, roles, tuple(rows_of(of, roles, of.operations)))


def hostile() -> Sheet:
    """Roles whose names and titles would do harm if they were taken for anything but names."""
    roles = {name: {"title": name, "permissions": ["read"]} for name in HOSTILE}
    return sheet_of(table(CATALOGUE, json.dumps({"roles": roles})))


def csv_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


# --- the table ---------------------------------------------------------------------------------


def test_the_table_has_a_line_for_each_operation_and_a_column_for_each_role() -> None:
    lines = list(as_text(sheet_of(table()), 80))
    assert lines[4:7] == ["1  reader", "2  writer", "3  chief"]
    assert lines[7:18] == [
        "",
        "shop at /, enforced",
        "                                         1 2 3",
        "find-records   GET /records              ~ ~ +",
        "read-record    GET /records/{id}         + + +",
        "change-record  PUT /records/{id}         · ~ +",
        "own-record     PUT /records/{id}/owner   · + +",
        "sweep          POST /sweep               · + +",
        "whoami        °GET /whoami               + + +",
        "health        *GET /health               + + +",
        "  ~ find-records: query has `details`: needs detail too",
    ]
    assert "  ! own-record: for everybody, body `id` must be the path's `id`" in lines


@pytest.mark.parametrize("width", [40, 60, 100, 250])
def test_the_table_fits_its_width_in_blocks_that_have_every_role(width: int) -> None:
    roles = {f"role-{n}": {"permissions": ["read"]} for n in range(1, 31)}
    lines = list(as_text(sheet_of(table(CATALOGUE, json.dumps({"roles": roles}))), width))
    rows = [line for line in lines if line.startswith("read-record")]
    assert all(len(line) <= width for line in rows)
    assert sum(line.count("+") for line in rows) == 30
    heads = [line for line in lines if re.fullmatch(r"[ \d]+", line)]
    assert " ".join(heads).split() == [str(n) for n in range(1, 31)]


def test_a_role_that_is_off_is_marked_in_every_form() -> None:
    sheet = sheet_of(table(CATALOGUE, POLICY.replace("chief: {", "chief: {enabled: false, ")))
    assert "3  chief  (off: grants nothing)" in as_text(sheet, 80)
    assert "chief (off)" in csv_of("".join(as_rows(sheet)))[0]
    records: Any = as_records(sheet)
    assert [role["enabled"] for role in records["roles"]] == [True, True, False]
    assert "<span>chief (off)</span>" in as_page(sheet)


def test_a_title_cannot_send_commands_to_a_terminal() -> None:
    roles = json.dumps({"roles": {"r": {"title": "a\x1b[2Jb\u202ec", "permissions": ["read"]}}})
    text = "\n".join(as_text(sheet_of(table(CATALOGUE, roles)), 80))
    assert "a\\x1b[2Jb" in text
    assert not {"\x1b", "\u202e"} & set(text)


# --- CSV and JSON ------------------------------------------------------------------------------


def test_every_form_says_the_same_of_every_cell() -> None:
    sheet = sheet_of(table())
    rows = {row["operation"]: row for row in csv_of("".join(as_rows(sheet)))}
    records: Any = as_records(sheet)
    for operation in records["operations"]:
        for cell in operation["cells"]:
            for role in cell["roles"]:
                written = rows[operation["id"]][role]
                assert written.split()[0] == cell["state"].replace("conditional", "allowed")
                assert (" unless " in written) is (cell["state"] == "conditional")
    assert rows["change-record"]["writer"] == (
        "allowed unless body has keys outside `core`: lacks detail"
    )
    assert rows["sweep"]["needs"] == "write or admin"


def test_no_cell_of_the_csv_begins_like_a_formula() -> None:
    text = "".join(as_rows(hostile()))
    (head, *_) = csv.reader(StringIO(text))
    assert head[9:] == [
        f"'{name}" if name.startswith(("=", "+", "-", "@", "\uff1d")) else name for name in HOSTILE
    ]
    for cells in csv.reader(StringIO(text)):
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_json_names_each_role_once_for_each_operation() -> None:
    records: Any = as_records(sheet_of(table()))
    for operation in records["operations"]:
        named = [role for cell in operation["cells"] for role in cell["roles"]]
        assert sorted(named) == ["chief", "reader", "writer"]


# --- the page ----------------------------------------------------------------------------------


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and the text of style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"style": [], "script": [], "span": []}
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = tag
        if tag in self.texts:
            self.texts[tag].append("")

    def handle_data(self, data: str) -> None:
        if self._inside in self.texts:
            self.texts[self._inside][-1] += data

    def handle_endtag(self, tag: str) -> None:
        assert tag
        self._inside = ""


def test_the_page_lets_nothing_in_but_its_own_style_and_script() -> None:
    page = Elements(as_page(sheet_of(table())))
    (policy,) = [
        attributes["content"] or ""
        for tag, attributes in page.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for kind in ("style", "script"):
        (text,) = page.texts[kind]
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"


def test_no_name_becomes_anything_but_text() -> None:
    titled = table(CATALOGUE, POLICY.replace("reader: {", "reader: {title: Reads, "))
    page, sound = Elements(as_page(hostile())), Elements(as_page(sheet_of(titled)))
    assert {tag for tag, _ in page.found} <= {tag for tag, _ in sound.found}
    assert [tag for tag, _ in page.found].count("script") == 1
    every = {name for _, attributes in page.found for name in attributes}
    assert every == {name for _, attributes in sound.found for name in attributes}
    assert not {"src", "href", "style", "onerror", "onmouseover"} & every
    for name in HOSTILE:
        assert name in page.texts["span"], "the name is there to read"


def test_every_cell_of_the_page_has_colour_symbol_and_words() -> None:
    sheet = sheet_of(table())
    page = as_page(sheet)
    for row in sheet.rows:
        for role, kind in zip(sheet.roles, row.cells, strict=True):
            state = row.kinds[kind].state
            begins = f'<td class="{_CLASSES[state]}" title="{role.name}: {row.route.method} '
            assert begins in page
    assert f">{_SYMBOLS[State.CONDITIONAL]}</td>" in page
    assert (
        'title="writer: PUT /records/{id}\nallowed unless body has keys outside `core`: lacks detail"'
        in page
    )
    assert "policy-1.yaml:2:3" in page
    assert sheet.table.version in page


# --- the command -------------------------------------------------------------------------------


def test_the_sample_is_shown_as_a_table(ask: Ask) -> None:
    said = ask("matrix", "--width", "100")
    assert (said.code, said.err) == (Exit.YES, "")
    (line,) = [line for line in said.out.splitlines() if line.startswith("delete-customer-profile")]
    assert line.split()[-13:] == ["·"] * 4 + ["+"] + ["·"] * 6 + ["+", "·"]


def test_service_and_role_choose(ask: Ask) -> None:
    chosen = ("--service", "gms", "--role", "importer", "--role", "service-supervisor")
    report = json.loads(ask("matrix", "--format", "json", *chosen).out)
    assert {operation["service"] for operation in report["operations"]} == {"gms"}
    assert [role["name"] for role in report["roles"]] == ["importer", "service-supervisor"]


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--service", "the settings have no service `x`"),
        ("--role", "no policy file defines the role `x`"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(ask: Ask, option: str, says: str) -> None:
    said = ask("matrix", option, "x")
    assert (said.code, said.out, said.err) == (Exit.COULD_NOT, "", f"error: {says}\n")


@pytest.mark.parametrize("format_", ["text", "csv", "json", "html"])
def test_a_file_has_what_the_terminal_would_get(ask: Ask, tmp_path: Path, format_: str) -> None:
    out = tmp_path / "matrix"
    said = ask("matrix", "--format", format_, "--width", "90", "--out", out)
    assert (said.code, said.out, said.err) == (Exit.YES, "", f"wrote {out}\n")
    assert out.read_bytes().decode() == ask("matrix", "--format", format_, "--width", "90").out


def test_a_file_that_cannot_be_written_is_told(ask: Ask, tmp_path: Path) -> None:
    said = ask("matrix", "--out", tmp_path / "none" / "matrix")
    assert said.code == Exit.COULD_NOT
    assert "cannot be written: no such file or directory" in said.err


def test_a_page_that_nobody_could_read_is_refused(ask: Ask, tmp_path: Path) -> None:
    config = _with_roles(tmp_path, MOST_CELLS // 62 + 1)
    said = ask("matrix", "--format", "html", "--config", config)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert "cells are too many for a page that can be read" in said.err
    assert "choose with --service and --role, or take csv or json" in said.err
    assert ask("matrix", "--format", "html", "--config", config, "--role", "r1").code == Exit.YES


def _with_roles(folder: Path, count: int) -> Path:
    """Settings like the sample's, with that many roles."""
    (folder / "policy").mkdir()
    roles = "".join(f"  r{n}: {{permissions: [Supervisor]}}\n" for n in range(count))
    (folder / "policy" / "roles.yaml").write_text(f"roles:\n{roles}", "utf-8")
    text = (CONFIG / "gateway.yaml").read_text("utf-8")
    text = text.replace("catalogues/", f"{CONFIG}/catalogues/")
    settings = folder / "gateway.yaml"
    settings.write_text(text.replace("users.yaml", f"{CONFIG}/users.yaml"), "utf-8")
    return settings


def test_a_broken_policy_exits_with_3(ask: Ask) -> None:
    config = CONFIG.parent / "tests" / "cases" / "broken" / "gateway.yaml"
    said = ask("matrix", "--config", config)
    assert (said.code, said.out) == (Exit.INVALID, "")
