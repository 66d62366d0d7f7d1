"""The catalogues against the public page they were written from, read by a program.

The page is not ours to ship. Where a saved copy of its text is not beside this checkout, these
tests are skipped and say so; the case files hold the same table in our own words.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import policy
from tests.support.cases import (
    CATALOGUES,
    ROOT,
    Setup,
    permissions_of,
    specs_for,
    write_policy,
)

_FOLDER = ROOT.parent / "shared" / "domain" / "seeds"
_PAGES = sorted(_FOLDER.glob("004_*.txt")) if _FOLDER.is_dir() else []

pytestmark = pytest.mark.skipif(
    not _PAGES, reason="no saved copy of the public RBAC page is beside this checkout"
)

# Where the catalogue deliberately says something else than the page, and why.
DEVIATIONS = {
    # The page prints the path of the update; two rows then share one path.
    ("Delete Record From Profile Extension", "PUT"): "UCS.Customer.updateProfileExtension",
    # The task cell is empty: one cell that spanned two rows.
    ("Query Profile Extension Schema", "GET"): "UCS.SchemaMgt.readProfileExtensionSchema",
}

_REQUEST = re.compile(r"^(GET|PUT|POST|DELETE) (?:\$\{contenttype\}\} )?(/\S*)$")
_TASK = re.compile(r"UCS\.[A-Za-z]+\.[A-Za-z]+")
_HEADINGS = {"Profile Operations", "Schema Operations", "Interaction Operations"}


@dataclass(frozen=True)
class Row:
    title: str
    requests: tuple[tuple[str, str], ...]
    tasks: frozenset[str]


def _page() -> str:
    return _PAGES[0].read_text("utf-8").replace("\xa0", " ")


def _rows() -> tuple[Row, ...]:
    """The table: a title, then requests, then tasks."""
    table = _page().partition("Operation Genesys Administrator Tasks")[2]
    lines = [line.strip() for line in table.partition("This page was last edited")[0].splitlines()]
    rows: list[Row] = []
    for line in filter(None, lines):
        if request := _REQUEST.match(line):
            last = rows[-1]
            rows[-1] = Row(last.title, (*last.requests, (request[1], request[2])), last.tasks)
        elif tasks := _TASK.findall(line):
            last = rows[-1]
            rows[-1] = Row(last.title, last.requests, last.tasks.union(tasks))
        elif line not in _HEADINGS:
            rows.append(Row(line, (), frozenset()))
    return tuple(rows)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> policy.DecisionTable:
    folder = tmp_path_factory.mktemp("rbac")
    specs = specs_for(Setup("ucs"), "apart", folder)
    roles = write_policy(folder / "policy")
    return policy.compile(policy.load(policy.read(specs, roles)))


def _operation(table: policy.DecisionTable, method: str, path: str) -> str | None:
    segments = re.sub(r"\$\{[^}]*\}", "X1", path).strip("/").split("/")
    route = table.routes.find(method, tuple(segments))
    return None if route is None else route.id


def _tasks_of(operation: str) -> frozenset[str]:
    """What an operation may ask for, all conditions met and no switch on."""
    entry = yaml.safe_load(CATALOGUES["ucs"].read_text("utf-8"))["operations"][operation]
    rules = [rule["requires"] for rule in entry.get("also", ()) if "switch" not in rule]
    return frozenset(_TASK.findall(str([entry["requires"], *rules])))


def test_the_page_has_22_rows_and_24_requests() -> None:
    rows = _rows()
    assert len(rows) == 22
    assert sum(len(row.requests) for row in rows) == 24


def test_the_catalogue_has_the_page_s_19_tasks_and_no_other() -> None:
    on_page = set(_TASK.findall(_page()))
    assert len(on_page) == 19
    assert set(permissions_of("ucs")) == on_page


def test_every_request_of_the_page_is_routed(table: policy.DecisionTable) -> None:
    requests = [request for row in _rows() for request in row.requests]
    assert [request for request in requests if _operation(table, *request) is None] == []


@pytest.mark.parametrize("row", _rows() if _PAGES else [], ids=lambda row: row.title)
def test_every_request_asks_for_the_tasks_of_its_row(table: policy.DecisionTable, row: Row) -> None:
    for method, path in row.requests:
        operation = _operation(table, method, path)
        assert operation is not None
        deviation = DEVIATIONS.get((row.title, method))
        assert _tasks_of(operation) == (row.tasks if deviation is None else {deviation})


def test_every_row_has_its_case_file() -> None:
    of_files = {
        yaml.safe_load(file.read_text("utf-8")).get("row")
        for file in (Path(__file__).parent / "ucs").glob("*.yaml")
    }
    assert of_files - {None} == {row.title for row in _rows()}


def test_gms_asks_for_the_privilege_that_the_page_gives_the_method() -> None:
    rows = dict(re.findall(r"^(PUT|POST|GET|DELETE) ([A-Z][A-Za-z ]+)$", _page(), re.MULTILINE))
    assert set(rows) == {"PUT", "POST", "GET", "DELETE"}
    for entry in yaml.safe_load(CATALOGUES["gms"].read_text("utf-8"))["operations"].values():
        privileges = rows[entry["request"].partition(" ")[0]].split(" or ")
        asked = entry["requires"]
        assert (asked["any"] if isinstance(asked, dict) else [asked]) == privileges
