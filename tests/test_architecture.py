"""What ARCHITECTURE.md and the house style say of the code, held by reading the code."""

import ast
import re
import subprocess
import sysconfig
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("gateway", "policy")
EVERYTHING = (*PACKAGES, "tests", "benchmarks")

MOST_LINES = 350
"""Blank ones not counted. Most ideas take 60 to 250."""


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> Iterator[None]:
    """A million nodes are not to be there for the collector while other modules are tested."""
    yield
    tree.cache_clear()


def offences(
    wrong: Callable[[ast.AST], bool], *folders: str, except_: tuple[str, ...] = ()
) -> list[str]:
    """`file:line` of everything in `folders` that is wrong, outside files that `except_` names."""
    return [
        f"{name}:{node.lineno}"
        for path in files(*folders)
        if not (name := path.relative_to(ROOT).as_posix()).startswith(except_ or ("\0",))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.expr | ast.stmt) and wrong(node)
    ]


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute; what stands before the last two may be anything."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else "…"


def last_two(node: ast.AST) -> str:
    return ".".join(dotted(node).split(".")[-2:])


def imported(node: ast.AST, module: str) -> set[str]:
    """What `from module import …` takes."""
    if isinstance(node, ast.ImportFrom) and node.module == module:
        return {alias.name for alias in node.names}
    return set()


def test_the_import_contracts_hold() -> None:
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run(
        [program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert " 0 broken." in done.stdout


def test_the_layer_table_is_the_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (layers,) = [
        each["layers"] for each in project["tool"]["importlinter"]["contracts"] if "layers" in each
    ]
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("| layer | what is there |")[1]
    rows = re.findall(r"^\| (`.*?) \|", page.split("\n\n")[0], re.MULTILINE)
    told = [{Path(name).stem for name in re.findall(r"`([^`]+)`", row)} for row in rows]
    assert told == [{name.split(".")[-1] for name in layer.split(" | ")} for layer in layers]


def test_every_file_begins_with_why() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in files(*EVERYTHING)
        if path.read_text("utf-8").strip() and ast.get_docstring(tree(path)) is None
    ]
    assert silent == []


def test_only_a_package_without_content_has_nothing_to_say() -> None:
    assert [path for path in files(*EVERYTHING) if path.stat().st_size == 0] == [
        ROOT / "gateway" / "__init__.py"
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_one_idea_fits_one_file(package: str) -> None:
    for path in files(package):
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        assert len(lines) <= MOST_LINES, path.relative_to(ROOT)


# --- time --------------------------------------------------------------------------------------

_CLOCKS = {
    *(f"time.{name}{suffix}" for name in ("time", "monotonic", "perf_counter", "process_time",
                                          "clock_gettime", "thread_time") for suffix in ("", "_ns")),
    *(f"{kind}.{name}" for kind in ("datetime", "date") for name in ("now", "utcnow", "today")),
    "time.localtime", "time.gmtime", "time.ctime", "time.strftime",
}  # fmt: skip


def reads_time(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return last_two(node) in _CLOCKS
    return bool(imported(node, "time") - {"struct_time", "sleep"})


def test_time_is_read_in_one_place() -> None:
    exceptions = (
        "gateway/clock.py",  # the place
        "gateway/standin/moment.py",  # knows nothing of the gateway; what uses it takes a clock as well
    )
    assert offences(reads_time, *PACKAGES, except_=exceptions) == []


def test_tests_read_the_time_only_where_others_will_compare_it_with_their_own() -> None:
    exceptions = (
        "tests/test_clock.py",  # what it tests is the reading
        "tests/support/tokens.py",  # `exp` of tokens for a gateway with the real clock
    )
    assert offences(reads_time, "tests", except_=exceptions) == []


def test_a_loop_is_asked_for_its_time_only_where_deadlines_are_kept() -> None:
    def asks(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and last_two(node.func) in {"loop.time", "_loop.time"}

    assert offences(asks, *PACKAGES, except_=("gateway/wire/",)) == []


def test_no_test_sleeps() -> None:
    def sleeps(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call) or dotted(node.func).split(".")[-1] != "sleep":
            return False
        duration = node.args[0] if node.args else None
        return not (isinstance(duration, ast.Constant) and duration.value == 0)

    assert offences(sleeps, "tests") == []


# --- tasks and output --------------------------------------------------------------------------

_STARTERS = {"create_task", "ensure_future", "TaskGroup", "run_coroutine_threadsafe"}


def test_tasks_are_started_in_one_place() -> None:
    def starts(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr in _STARTERS
        return bool(imported(node, "asyncio") & _STARTERS)

    assert offences(starts, *PACKAGES, except_=("gateway/tasks.py",)) == []


def test_only_the_command_line_and_the_benchmarks_print() -> None:
    def prints(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        return dotted(node.func) in {"print", "sys.stdout.write", "click.echo", "click.secho"}

    assert offences(prints, *PACKAGES, "tests", except_=("gateway/cli/",)) == []


# --- machines ----------------------------------------------------------------------------------

_NOT_OURS = re.compile(
    r"\.(?!ci$|gitignore$|dockerignore$)|venv$|build$|dist$|.*\.(?:jsonl|egg-info)$"
)
_HOMES = re.compile(r"(?<![\w.:/-])/(?:work|root|(?:home|Users)/\w+)(?![\w-])")
_TEMPORARY = re.compile(r"(?<![\w.:/-])/tmp(?![\w-])")


def texts() -> Iterator[tuple[str, str]]:
    """Every file that we have written, this one aside: name and content."""
    ours = [path for path in ROOT.iterdir() if not _NOT_OURS.match(path.name)]
    for top in sorted(ours):
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.suffix != ".pyc" and path != Path(__file__):
                yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8", errors="replace")


def test_no_file_knows_the_machine_that_it_was_written_on() -> None:
    assert [name for name, text in texts() if _HOMES.search(text)] == []


def test_only_the_readme_uses_a_fixed_name_for_a_temporary_file() -> None:
    knows_of_it = {"README.md", "tests/support/examples.py"}
    assert {name for name, text in texts() if _TEMPORARY.search(text)} <= knows_of_it


# --- the tests above can fail ------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    ["time.time()", "x.time.monotonic", "datetime.now(UTC)", "datetime.datetime.utcnow()",
     "from time import monotonic", "date.today()"],
)  # fmt: skip
def test_a_reading_of_the_time_would_be_noticed(line: str) -> None:
    assert any(map(reads_time, ast.walk(ast.parse(line))))


@pytest.mark.parametrize("path", [f"{at}x" for at in ("/work/", "(/root/", '"/home/', "/Users/")])
def test_a_path_of_somebodys_machine_would_be_noticed(path: str) -> None:
    assert _HOMES.search(f"see {path}")


@pytest.mark.parametrize("path", ["config/work/x", "https://x/work", "/workers", "/homepage"])
def test_other_paths_are_not_taken_for_one(path: str) -> None:
    assert not _HOMES.search(f"see {path}")
