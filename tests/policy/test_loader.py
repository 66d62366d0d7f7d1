"""Files to one document, with every complaint at once."""

from pathlib import Path

import pytest

import policy
from policy import Code, PolicyInvalid, PolicyUnreadable, ServiceSpec, Sources, UseRole
from policy.source import MAX_BYTES
from tests.support.policies import CATALOGUE, POLICY, codes, findings, only, sources, spec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(CATALOGUE)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "roles.yaml").write_text(POLICY)
    return tmp_path


def service(folder: Path, **more: object) -> ServiceSpec:
    return ServiceSpec(name="shop", catalogue=folder / "shop.yaml", **more)  # type: ignore[arg-type]


def test_a_folder_becomes_a_policy(folder: Path) -> None:
    document = policy.load(policy.read([service(folder)], folder / "policy"))
    assert set(document.policies[0].entries.roles) == {"reader", "writer", "chief"}
    assert document.services[0].catalogue.entries.catalogue == "shop"
    assert document.services[0].overrides is None


def test_overrides_are_read_with_their_catalogue(folder: Path) -> None:
    (folder / "local.yaml").write_text("overrides: shop\nlists: {core: {add: [Tier]}}")
    given = policy.read([service(folder, overrides=folder / "local.yaml")], folder / "policy")
    overrides = policy.load(given).services[0].overrides
    assert overrides is not None
    assert overrides.entries.lists["core"].add == ("Tier",)


def test_every_yaml_file_directly_in_the_folder_counts_and_nothing_else(folder: Path) -> None:
    policies = folder / "policy"
    (policies / "more.yml").write_text("roles: {extra: {permissions: [read]}}")
    (policies / ".hidden.yaml").write_text("not: read")
    (policies / "notes.txt").write_text("not read")
    (policies / "tests").mkdir()
    (policies / "tests" / "cases.yaml").write_text("not: read")
    (policies / "folder.yaml").mkdir()
    given = policy.read([service(folder)], policies)
    assert [Path(text.file).name for text in given.policies] == ["more.yml", "roles.yaml"]


def test_every_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = ServiceSpec(
        name="a", catalogue=tmp_path / "none.yaml", overrides=tmp_path / "neither.yaml"
    )
    with pytest.raises(PolicyUnreadable) as caught:
        policy.read([missing], tmp_path / "nowhere")
    assert [(Path(path).name, why) for path, why in caught.value.problems] == [
        ("none.yaml", "no such file or directory"),
        ("neither.yaml", "no such file or directory"),
        ("nowhere", "no such file or directory"),
    ]


def test_a_folder_without_policies_is_not_an_empty_policy(folder: Path) -> None:
    (folder / "policy" / "roles.yaml").unlink()
    with pytest.raises(PolicyUnreadable, match="holds no policy file"):
        policy.read([service(folder)], folder / "policy")


def test_a_file_that_is_too_large_is_not_read_whole(folder: Path) -> None:
    with (folder / "policy" / "roles.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 100)
    given = policy.read([service(folder)], folder / "policy")
    assert len(given.policies[0].content) == MAX_BYTES + 1
    with pytest.raises(PolicyInvalid) as caught:
        policy.load(given)
    assert codes(caught.value.diagnostics) == [Code.YAML_TOO_LARGE]


@pytest.mark.parametrize("half", ["", "roles:", "roles:\n  reader:", "roles:\n  reader: {perm"])
def test_a_file_that_was_read_half_written_is_refused(half: str) -> None:
    assert findings(CATALOGUE, half)


def test_findings_of_all_files_and_of_all_stages_come_together() -> None:
    found = findings(
        CATALOGUE.replace("requires: authenticated", "requires: raed"),
        "roles: {a: {permissions: [raed]}}\nusers: {u: {roles: [nobody], rolls: []}}",
        "roles: {b: [}",
        "roles: {a: {permissions: [read]}, a: {}}",
        overrides="overrides: shop\noperations: {nothing: {requires: read}}\nlists: 3",
    )
    assert [(found.where.file, found.code) for found in found] == [
        ("local.yaml", Code.UNKNOWN_OPERATION),
        ("local.yaml", Code.WRONG_TYPE),
        ("policy-1.yaml", Code.UNKNOWN_PERMISSION),
        ("policy-1.yaml", Code.UNKNOWN_KEY),
        ("policy-2.yaml", Code.YAML_SYNTAX),
        ("policy-3.yaml", Code.DUPLICATE_NAME),
        ("policy-3.yaml", Code.DUPLICATE_KEY),
        ("shop.yaml", Code.UNKNOWN_PERMISSION),
    ]


def test_a_name_is_not_unknown_because_its_entry_is_wrong() -> None:
    found = findings(
        CATALOGUE.replace("admin: Administer", "admin: 1").replace("core: [id, Name]", "core: 3"),
        "roles: {a: 3, b: {permissions: [admin]}}\nusers: {u: {roles: [a]}}",
    )
    assert codes(found) == [Code.WRONG_TYPE, Code.WRONG_TYPE, Code.WRONG_TYPE]


def test_names_are_not_unknown_because_their_file_cannot_be_understood() -> None:
    broken_policy = findings(CATALOGUE, "users: {u: {roles: [reader]}}", "roles: {reader: [")
    assert codes(broken_policy) == [Code.YAML_SYNTAX]
    broken_catalogue = findings("catalogue: [", "roles: {a: {permissions: [read]}}")
    assert codes(broken_catalogue) == [Code.YAML_SYNTAX]
    broken_overrides = findings(
        CATALOGUE, "roles: {a: {permissions: [extra]}}", overrides="permissions: ["
    )
    assert codes(broken_overrides) == [Code.YAML_SYNTAX]


def test_overrides_without_the_name_of_their_catalogue_are_refused() -> None:
    found = only(findings(CATALOGUE, POLICY, overrides="lists: {core: {add: [Tier]}}"))
    assert (found.code, found.message) == (Code.MISSING_KEY, "`overrides` is missing")


def test_equal_sources_have_equal_digests() -> None:
    assert sources().digest == sources().digest
    assert sources(CATALOGUE.encode(), POLICY.encode()).digest == sources().digest
    assert len(sources().digest) == 32


def different() -> list[Sources]:
    return [
        sources(CATALOGUE + "#"),
        sources(CATALOGUE, POLICY + "#"),
        sources(CATALOGUE, POLICY, POLICY),
        sources(CATALOGUE, POLICY, overrides="overrides: shop"),
        sources(CATALOGUE, POLICY, overrides=""),
        sources(service=spec(prefix="/x")),
        sources(service=spec(name="other")),
        sources(service=spec(use_role=UseRole.SHADOW)),
        sources(service=spec(switches=("careful",))),
        sources(CATALOGUE + POLICY, ""),
    ]


def test_whatever_can_change_an_answer_changes_the_digest() -> None:
    digests = {each.digest for each in (sources(), *different()[:4], *different()[5:])}
    assert len(digests) == len(different())


def test_only_the_name_of_a_policy_file_counts_and_not_its_folder(folder: Path) -> None:
    here = policy.read([service(folder)], folder / "policy")
    (folder / "policy").rename(folder / "elsewhere")
    there = policy.read([service(folder)], folder / "elsewhere")
    assert here.digest == there.digest
