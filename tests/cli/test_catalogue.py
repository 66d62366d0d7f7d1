"""Catalogues made and renewed by command: what is said, what is written, what is refused."""

import gzip
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.cli import catalogue_source
from gateway.cli.output import Exit
from tests.cli.conftest import Ask
from tests.support.cases import CONFIG
from tests.support.descriptions import operation, swagger

VIEW = operation("getQueue", "routing:queue:view", scopes=("routing", "routing:readonly"))
EDIT = operation("putQueue", "routing:queue:edit", scopes=("routing",))
PATHS: dict[str, Any] = {
    "/queues/{queueId}": {"get": VIEW, "put": EDIT},
    "/open": {"get": operation("open", security=[])},
}
CHANGED: dict[str, Any] = {
    "/queues/{queueId}": {
        "get": operation("getQueue", "routing:queue:view", "routing:queue:edit", scopes=("routing", "routing:readonly")),
        "delete": operation("deleteQueue", "routing:queue:delete", scopes=("routing",)),
    },
}  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return written(tmp_path / "swagger.json", PATHS)


def written(path: Path, paths: dict[str, Any]) -> Path:
    path.write_text(json.dumps(swagger(paths)))
    return path


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "cloud.yaml"


def test_a_catalogue_is_made_and_then_left_as_it_is(ask: Ask, source: Path, into: Path) -> None:
    said = ask("catalogue", "import", source, "--into", into, "--name", "cloud")
    assert (said.code, said.err) == (Exit.YES, "")
    assert said.out == (
        "new: GET /open (open): nobody\n"
        "new: GET /queues/{queueId} (getQueue): routing:queue:view, scope routing or routing:readonly\n"
        "new: PUT /queues/{queueId} (putQueue): routing:queue:edit, scope routing\n"
        "operations: 3 new, 0 gone, 0 weakened, 0 strengthened, 0 changed\n"
        f"written: {into}\n"
    )
    before = into.read_bytes()
    again = ask("catalogue", "import", source, "--into", into)
    assert (again.code, again.out.splitlines()[-1]) == (Exit.YES, "nothing to change")
    assert into.read_bytes() == before


def test_what_has_changed_is_told_what_opens_first(ask: Ask, source: Path, into: Path) -> None:
    ask("catalogue", "import", source, "--into", into)
    said = ask("catalogue", "import", written(source, CHANGED), "--into", into)
    assert said.out == (
        "weakened: GET /queues/{queueId} (getQueue)\n"
        "  was routing:queue:view, scope routing or routing:readonly\n"
        "  now any of routing:queue:view, routing:queue:edit, scope routing or routing:readonly\n"
        "gone: GET /open (open): nobody\n"
        "gone: PUT /queues/{queueId} (putQueue): routing:queue:edit, scope routing\n"
        "new: DELETE /queues/{queueId} (deleteQueue): routing:queue:delete, scope routing\n"
        "1 permission is new: routing:queue:delete\n"
        "operations: 1 new, 2 gone, 1 weakened, 0 strengthened, 0 changed\n"
        f"written: {into}\n"
    )


@pytest.mark.parametrize("flag", ["--dry-run", "--check"])
def test_a_trial_writes_nothing_and_says_by_its_exit_whether_anything_would_change(
    ask: Ask, source: Path, into: Path, flag: str
) -> None:
    said = ask("catalogue", "import", source, "--into", into, flag)
    assert (said.code, into.exists()) == (Exit.DENIED_OR_DIFFERENT, False)
    assert said.out.endswith("nothing is written (--dry-run)\n")
    ask("catalogue", "import", source, "--into", into)
    assert ask("catalogue", "import", source, "--into", into, flag).code == Exit.YES


def test_programs_get_all_of_it_as_json(ask: Ask, source: Path, into: Path) -> None:
    said = json.loads(ask("catalogue", "import", source, "--into", into, "--format", "json").out)
    assert said["written"] is said["different"] is said["valid"] is True
    assert [each["operation"] for each in said["operations"]["new"]] == [
        "open",
        "getQueue",
        "putQueue",
    ]
    assert said["permissions"]["new"] == ["routing:queue:edit", "routing:queue:view"]
    assert said["roles"] is None


def test_yaml_and_tables_are_read_as_well(ask: Ask, tmp_path: Path) -> None:
    listed = tmp_path / "openapi.yaml"
    listed.write_text(yaml.safe_dump(swagger(PATHS)))
    table = tmp_path / "table.tsv"
    table.write_text("method\tpath\tmode\tpermissions\nGET\t/a\tANY\tp\n")
    for number, path in enumerate((listed, table)):
        said = ask("catalogue", "import", path, "--into", tmp_path / f"{number}.yaml")
        assert (said.code, said.err) == (Exit.YES, "")


def test_what_needs_no_token_may_be_offered_to_everybody(
    ask: Ask, source: Path, into: Path
) -> None:
    ask("catalogue", "import", source, "--into", into, "--public", "open")
    assert "requires: public" in into.read_text()
    said = ask("catalogue", "import", source, "--into", into, "--public", "opne")
    assert said.code == Exit.COULD_NOT
    assert "`opne` is no operation that needs no token; did you mean `open`?" in said.err


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", Exit.INVALID, "the file holds nothing"),
        (b"{", Exit.INVALID, "this is not JSON"),
        (b'{"paths": {}, "paths": {}}', Exit.INVALID, "this is not JSON"),
        (b"[" * 100_000, Exit.INVALID, "nested"),
        (b'{"a":' * 100_000, Exit.INVALID, "this is not JSON"),
        (b"\xff\xfe", Exit.INVALID, "it is not UTF-8"),
        (b"a: [", Exit.INVALID, "this is not YAML"),
        (b"hello", Exit.INVALID, "no Swagger or OpenAPI"),
        (b'{"swagger": "2.0", "paths": {"/a": 1}}', Exit.INVALID, "describes no operation"),
        (b"a\tb\n", Exit.INVALID, "has no column `method`"),
    ],
)
def test_what_is_no_description_is_refused_in_words(
    ask: Ask, tmp_path: Path, into: Path, content: bytes, code: int, words: str
) -> None:
    (tmp_path / "bad").write_bytes(content)
    said = ask("catalogue", "import", tmp_path / "bad", "--into", into)
    assert (said.code, into.exists()) == (code, False)
    assert words in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "source", ["missing.json", "ftp://example.com/x", ".", "http://[", "http://127.0.0.1:1/"]
)
def test_what_cannot_be_had_is_told(ask: Ask, into: Path, source: str) -> None:
    said = ask("catalogue", "import", source, "--into", into)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert said.err.startswith("error: ")


def test_a_file_that_is_no_catalogue_is_left_alone(ask: Ask, source: Path, into: Path) -> None:
    into.write_text("roles: {}\n")
    said = ask("catalogue", "import", source, "--into", into)
    assert said.code == Exit.INVALID
    assert into.read_text() == "roles: {}\n"


# -- what it means for a gateway -------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, ask: Ask, source: Path) -> Path:
    folder = Path(shutil.copytree(CONFIG / "genesys-cloud", tmp_path / "genesys-cloud"))
    shutil.copy(CONFIG / "users.yaml", tmp_path)
    (tmp_path / "catalogues").mkdir()
    ask("catalogue", "import", source, "--into", tmp_path / "catalogues" / "genesys-cloud.yaml")
    for file in (folder / "policy").glob("*.yaml"):
        file.unlink()
    (folder / "policy" / "roles.yaml").write_text(
        "roles:\n"
        "  viewer: {permissions: ['routing:queue:view']}\n"
        "  editor: {permissions: ['routing:queue:edit']}\n"
        "  all: {permissions: ['routing:queue:*']}\n"
    )
    return folder / "gateway.yaml"


def test_it_is_told_which_roles_open_more_or_less(ask: Ask, site: Path, source: Path) -> None:
    catalogue = site.parent.parent / "catalogues" / "genesys-cloud.yaml"
    said = ask(
        "catalogue", "import", written(source, CHANGED), "--into", catalogue, "--config", site
    )  # fmt: skip
    assert said.code == Exit.YES
    roles = [line for line in said.out.splitlines() if line.startswith("role ")]
    assert roles == [
        "role `editor` opens 1 more: getQueue",
        "role `editor` no longer opens 1: putQueue",
        "role `all` opens 1 more: deleteQueue",
        "role `all` no longer opens 1: putQueue",
    ]


def test_what_would_break_the_policy_is_not_written(ask: Ask, site: Path, source: Path) -> None:
    catalogue = site.parent.parent / "catalogues" / "genesys-cloud.yaml"
    before = catalogue.read_bytes()
    only = {"/queues/{queueId}": {"get": VIEW}}
    said = ask("catalogue", "import", written(source, only), "--into", catalogue, "--config", site)
    assert said.code == Exit.INVALID
    assert "no catalogue knows the permission `routing:queue:edit`" in said.err
    assert "nothing is written: the policy would have these errors" in said.err
    assert catalogue.read_bytes() == before


def test_a_catalogue_that_the_gateway_does_not_use_is_told(
    ask: Ask, site: Path, source: Path, into: Path
) -> None:
    said = ask("catalogue", "import", source, "--into", into, "--config", site)
    assert said.code == Exit.COULD_NOT
    assert "uses the catalogue" in said.err


# -- what is fetched -------------------------------------------------------------------------------


class _Answers(BaseHTTPRequestHandler):
    """`/ok` describes; the others do what a server must not do to us."""

    other_port = 0

    def do_GET(self) -> None:
        body = json.dumps(swagger(PATHS)).encode()
        match self.path.partition("?")[0]:
            case "/ok":
                self._say(200, body)
            case "/moved":
                self._say(302, b"", Location="/ok")
            case "/away":
                self._say(302, b"", Location=f"http://localhost:{self.other_port}/ok")
            case "/round":
                self._say(302, b"", Location="/round")
            case "/nowhere":
                self._say(302, b"", Location="http://[")
            case "/zipped":
                self._say(200, gzip.compress(body), **{"Content-Encoding": "gzip"})
            case "/large":
                self._say(200, b" " * 300_000)
            case _:
                self._say(404, b"")

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        port = _Answers.other_port = listening.server_address[1]
        yield f"http://127.0.0.1:{port}"
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/ok", "/ok?secret=s3cr3t", "/moved"])
def test_a_description_is_fetched_from_where_it_is_served(
    ask: Ask, server: str, into: Path, path: str
) -> None:
    said = ask("catalogue", "import", server + path, "--into", into)
    assert said.code == Exit.YES
    assert f"source: Platform API v2, {server}{path.partition('?')[0]}\n" in into.read_text()
    assert "s3cr3t" not in into.read_text()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/away", "it sends us to another host, http://localhost:"),
        ("/round", "it redirects more than 5 times"),
        ("/nowhere", "the connection failed"),
        ("/missing", "the answer's status is 404, expected 200"),
        ("/zipped", "the answer is compressed"),
        ("/large", "the answer is larger than"),
    ],
)
def test_a_server_that_is_not_polite_is_not_followed(
    ask: Ask, server: str, into: Path, monkeypatch: pytest.MonkeyPatch, path: str, words: str
) -> None:
    monkeypatch.setattr(catalogue_source, "MAX_SOURCE_BYTES", 200_000)
    said = ask("catalogue", "import", server + path, "--into", into)
    assert (said.code, into.exists()) == (Exit.COULD_NOT, False)
    assert words in said.err


def test_a_server_that_never_answers_is_not_waited_for(ask: Ask, into: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as silent:  # accepts, and nobody serves
        address = f"http://127.0.0.1:{silent.server_address[1]}/ok"
        said = ask("catalogue", "import", address, "--into", into, "--timeout", "0.05")
    assert said.code == Exit.COULD_NOT
    assert "no answer within 0.05 seconds" in said.err


# -- overlaps --------------------------------------------------------------------------------------

CROSSING: dict[str, Any] = {
    "/c/{id}/recordings": {"get": operation("recordings", "a:b:c")},
    "/c/calls/{id}": {"get": operation("call")},
    "/c/{id}/same": {"get": operation("same")},
}


def test_overlaps_are_told_with_what_each_asks(ask: Ask, source: Path, into: Path) -> None:
    ask("catalogue", "import", written(source, CROSSING), "--into", into)
    said = ask("catalogue", "overlaps", into)
    assert (said.code, said.out) == (
        Exit.YES,
        (
            "GET /c/calls/recordings (crossing)\n"
            "  means call (/c/calls/{id}): authenticated\n"
            "  not   recordings (/c/{id}/recordings): a:b:c\n"
            "2 pairs of operations answer a request in common; 1 ask for different things, of which 1 cross\n"
        ),
    )
    shown = json.loads(ask("catalogue", "overlaps", into, "--all", "--format", "json").out)
    assert [each["means"] for each in shown["shown"]] == ["call", "call"]


def test_overlaps_of_no_catalogue_are_none(ask: Ask, tmp_path: Path) -> None:
    assert ask("catalogue", "overlaps", tmp_path / "none.yaml").code == Exit.COULD_NOT
    (tmp_path / "bad.yaml").write_text("roles: {}\n")
    assert ask("catalogue", "overlaps", tmp_path / "bad.yaml").code == Exit.INVALID


# -- the sample ------------------------------------------------------------------------------------


def test_the_sample_s_tables_are_as_expected(ask: Ask) -> None:
    """All 50 lines of what VSM calls and all 12 of Mindful Feedback, and a few more."""
    said = ask("test", "--config", CONFIG / "genesys-cloud" / "gateway.yaml")
    assert (said.code, said.out) == (Exit.YES, "158 expectations in 2 files: all as expected\n")


def test_the_sample_is_sound_and_told_to_be_broad_where_it_is(ask: Ask) -> None:
    said = ask("check", "--config", CONFIG / "genesys-cloud" / "gateway.yaml")
    assert said.code == Exit.YES
    assert (
        "broad-permission: `Telephony > Plugin > All` opens 112 operations, 51 of them writes"
        " (2 of these only read)\n"
    ) in said.err
    assert (
        "wildcard-permission: `Telephony > Station > All Permissions` stands for 2 permissions today"
    ) in said.err
    assert said.err.endswith("0 errors, 6 warnings\n")
