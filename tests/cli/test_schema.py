"""`schema` prints, writes and compares the JSON Schemas of every file."""

import json
from pathlib import Path

from gateway.cli.output import Exit
from tests.cli.conftest import Ask

NAMES = {
    "catalogue",
    "clients",
    "expectations",
    "gateway",
    "overrides",
    "policy",
    "proofs",
    "users",
}


def test_all_schemas_are_printed_as_one_object(ask: Ask) -> None:
    said = ask("schema")
    assert (said.code, said.err) == (Exit.YES, "")
    schemas = json.loads(said.out)
    assert schemas.keys() == NAMES
    assert {schema["$schema"] for schema in schemas.values()} == {
        "https://json-schema.org/draft/2020-12/schema"
    }


def test_what_was_written_is_what_is_verified(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "schema"
    assert ask("schema", "--folder", folder) == ask("schema", "--folder", folder, "--verify")
    printed = json.loads(ask("schema").out)
    written = {file.name: json.loads(file.read_text()) for file in folder.iterdir()}
    assert written == {f"{name}.schema.json": schema for name, schema in printed.items()}


def test_a_stale_file_and_a_missing_one_are_named_and_left_as_they_are(
    ask: Ask, tmp_path: Path
) -> None:
    ask("schema", "--folder", tmp_path)
    (tmp_path / "users.schema.json").write_text("{}\n")
    (tmp_path / "policy.schema.json").unlink()
    said = ask("schema", "--folder", tmp_path, "--verify")
    assert (said.code, said.out) == (Exit.DENIED_OR_DIFFERENT, "")
    stale = {line.split(" is stale: ")[0] for line in said.err.splitlines()}
    assert stale == {f"{tmp_path}/{name}.schema.json" for name in ("users", "policy")}
    assert f"run `ucs-gateway schema --folder {tmp_path}`" in said.err
    assert (tmp_path / "users.schema.json").read_text() == "{}\n"


def test_nothing_can_be_verified_without_a_folder(ask: Ask) -> None:
    said = ask("schema", "--verify")
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert "name it with `--folder`" in said.err
