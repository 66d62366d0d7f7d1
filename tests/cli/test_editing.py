"""The administrators' steps as commands: what they change, what they say, what they refuse."""

import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest

from gateway.cli.output import Exit
from gateway.cli.replacing import locked, replace_files
from policy import parse_yaml
from tests.cli.conftest import Ask, Said
from tests.support.cases import CONFIG

READ = "UCS.Customer.readCustomerProfile"


class Site:
    """A copy of the shipped configuration, and commands that edit it."""

    def __init__(self, folder: Path, ask: Ask) -> None:
        self.folder = Path(shutil.copytree(CONFIG, folder / "config"))
        self.roles = self.folder / "policy" / "roles.yaml"
        self.assignments = self.folder / "policy" / "assignments.yaml"
        self._ask = ask

    def __call__(self, *arguments: str | Path) -> Said:
        return self._ask(*arguments, "--config", self.folder / "gateway.yaml")

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self(*arguments, "--format", "json").out)

    def say(self, section: str, name: str) -> Any:
        """What the files say of a name."""
        for path in sorted((self.folder / "policy").glob("*.yaml")):
            value: Any = parse_yaml(path.read_bytes(), str(path)).value
            if name in value.get(section, {}):
                return value[section][name]
        return None

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        def content() -> dict[Path, bytes]:
            return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}

        before = content()
        yield
        assert content() == before


@pytest.fixture
def site(tmp_path: Path, ask: Ask) -> Site:
    return Site(tmp_path, ask)


# --- the story of the administrators' documents ------------------------------------------------


def test_a_role_is_created_given_permissions_assigned_and_removed_again(site: Site) -> None:
    before = site.assignments.read_text()
    said = site("role", "create", "VSM Role", "--title", "VSM Role for Genesys")
    assert (said.code, site.say("roles", "VSM Role")) == (
        Exit.YES,
        {"title": "VSM Role for Genesys", "permissions": []},
    )
    assert "role-grants-nothing" in said.err
    said = site("role", "grant", "VSM Role", "create customer profile", READ)
    assert (said.code, "`VSM Role` grants exactly what `profile-creator`" in said.err) == (0, True)
    assert site.say("roles", "VSM Role")["permissions"] == ["UCS.Customer.createProfile", READ]
    said = site("user", "assign", "sam", "VSM Role")
    assert site.say("users", "sam") == {"groups": ["tier-1"], "roles": ["VSM Role"]}
    assert "opens 1 operation (1 write) for 1 user (`sam`)\n  POST /profiles (" in said.out
    said = site("user", "remove", "sam", "VSM Role")
    assert "closes 1 operation (1 write) for 1 user (`sam`)\n" in said.out
    assert site.say("users", "sam") == {"groups": ["tier-1"], "roles": []}
    assert len(site.assignments.read_text().splitlines()) == len(before.splitlines())


def test_a_role_is_switched_on_and_off(site: Site) -> None:
    said = site("role", "enable", "migration")
    assert site.say("roles", "migration")["enabled"] is True
    assert "for 1 user (`mona`)" in said.out
    said = site("role", "disable", "importer")
    assert site.say("roles", "importer")["enabled"] is False
    assert said.out.startswith("role `importer` is switched off\ncloses ")


def test_groups_and_claims_are_given_roles_as_users_are(site: Site) -> None:
    assert site("group", "assign", "night", "importer").code == Exit.YES
    assert site.say("groups", "night") == {"roles": ["importer"]}
    assert site("claim", "assign", "contact-center-schema", "importer").code == Exit.YES
    assert site.say("claims", "contact-center-schema") == ["schema-admin", "importer"]
    assert site("claim", "remove", "contact-center-schema", "--all").code == Exit.YES
    assert site.say("claims", "contact-center-schema") is None
    assert site("user", "assign", "new", "--group", "night").code == Exit.YES
    assert site.say("users", "new") == {"groups": ["night"]}


def test_a_role_is_renamed_wherever_it_is_named(site: Site) -> None:
    tests = site.folder / "policy" / "tests"
    tests.mkdir(exist_ok=True)
    (tests / "a.yaml").write_text("callers:\n  reader: {roles: [profile-reader]}\n")
    said = site("role", "rename", "profile-reader", "reader")
    assert "tests/a.yaml names `profile-reader` as well, on line 2" in said.err
    assert "nobody may call more or less than before\n" in said.out
    for path in (site.roles, site.assignments):
        assert "profile-reader" not in path.read_text()
    assert site.say("groups", "supervisors")["roles"][0] == "reader"


def test_a_role_is_included_and_excluded(site: Site) -> None:
    assert site("role", "include", "importer", "schema-reader").code == Exit.YES
    assert site.say("roles", "importer")["includes"] == ["schema-reader"]
    assert site("role", "exclude", "importer", "schema-reader").code == Exit.YES
    assert site.say("roles", "importer")["includes"] == []


def test_a_role_that_somebody_has_is_deleted_only_with_a_word(site: Site) -> None:
    with site.unchanged():
        said = site("role", "delete", "importer")
    assert said.code == Exit.COULD_NOT
    assert "in use: role `administrator`, user `nightly-import`" in said.err
    said = site("role", "delete", "importer", "--unassign")
    assert said.code == Exit.YES
    assert "user `nightly-import` no longer has it\n" in said.out
    assert "importer" not in site.say("roles", "administrator")["includes"]


# --- where, and how ----------------------------------------------------------------------------


def test_a_new_name_goes_where_most_of_its_kind_are_or_where_it_is_wanted(site: Site) -> None:
    assert f"`one` is new, in {site.assignments}" in site("group", "assign", "one", "importer").out
    said = site("role", "create", "two", "--include", "importer", "--file", "more.yaml")
    assert said.code == Exit.YES
    more = site.folder / "policy" / "more.yaml"
    assert more.read_text() == "roles:\n  two:\n    includes: [importer]\n"
    assert stat.S_IMODE(more.stat().st_mode) == stat.S_IMODE(site.roles.stat().st_mode)
    assert site("role", "create", "three", "--file", "../x.yaml").code == Exit.COULD_NOT


def test_a_dry_run_shows_the_difference_and_writes_nothing(site: Site) -> None:
    with site.unchanged():
        said = site("role", "grant", "profile-reader", "Read Profile Extension", "--dry-run")
    assert said.code == Exit.YES
    assert f"--- {site.roles}\n+++ {site.roles}\n@@ " in said.out
    assert f"\n+    permissions: [{READ}, UCS.Customer.readProfileExtension]\n" in said.out
    assert said.out.endswith("nothing is written (--dry-run)\n")


def test_windows_line_ends_and_a_byte_order_mark_stay(site: Site) -> None:
    content = "\ufeff" + site.roles.read_text()
    site.roles.write_bytes(content.replace("\n", "\r\n").encode())
    assert site("role", "grant", "importer", READ).code == Exit.YES
    new = site.roles.read_bytes()
    assert new.startswith(b"\xef\xbb\xbf# Roles")
    assert new.count(b"\r\n") == new.count(b"\n") == content.count("\n") + 1


def test_mode_and_links_stay(site: Site) -> None:
    real = site.folder / "elsewhere.yaml"
    site.roles.rename(real)
    real.chmod(0o640)
    site.roles.symlink_to(real)
    assert site("role", "grant", "importer", READ).code == Exit.YES
    assert site.roles.is_symlink()
    assert READ in real.read_text().partition("importer:")[2].partition("schema")[0]
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert not [path for path in real.parent.iterdir() if path.name.startswith(".")]


def test_what_is_there_already_is_not_written_again(site: Site) -> None:
    for step in (
        ("role", "grant", "profile-reader", READ),
        ("role", "revoke", "importer", READ),
        ("role", "disable", "migration"),
        ("role", "include", "profile-editor", "profile-reader"),
        ("user", "assign", "anna", "profile-editor"),
        ("user", "remove", "anna", "importer"),
    ):
        with site.unchanged():
            said = site(*step)
        assert said.code == Exit.YES
        assert said.out.startswith("note: ")
        assert said.out.endswith("nothing to change\n")


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (("role", "grant", "profile-raeder", READ), "did you mean `profile-reader`?"),
        (("role", "grant", "importer", "UCS.Customer.raedCustomerProfile"), f"did you mean `{READ}`?"),
        (("role", "grant", "importer", "UCS.*"), "patterns are not read"),
        (("role", "revoke", "profile-editor", READ), "from role `profile-reader`, which it includes"),
        (("role", "create", "importer"), "is there already"),
        (("role", "create", " x"), "begins or ends with a space"),
        (("role", "create", "a\u200bb"), "holds invisible characters"),
        (("role", "create", "x", "--title", "\x1b[31m"), "a title must be text that can be seen"),
        (("role", "rename", "importer", "migration"), "is there already"),
        (("role", "show", "imorter"), "did you mean `importer`?"),
        (("user", "assign", "sam", "imorter"), "did you mean `importer`?"),
        (("user", "assign", "sam", "--group", "tier-3"), "did you mean `tier-1`?"),
        (("user", "remove", "sam", "profile-reader"), "through group `tier-1`"),
        (("user", "remove", "sma", "--all"), "did you mean `sam`?"),
        (("user", "show", "sma"), "did you mean `sam`?"),
        (("user", "assign", "sam"), "name what to assign"),
        (("group", "remove", "tier-1", "--all"), "still has members: `sam`"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_why_and_changes_nothing(
    site: Site, step: tuple[str, ...], says: str
) -> None:
    with site.unchanged():
        said = site(*step)
    assert (said.code, said.out) == (Exit.COULD_NOT, "")
    assert says in said.err


def test_what_would_break_the_policy_is_shown_and_not_written(site: Site) -> None:
    with site.unchanged():
        said = site("role", "include", "profile-reader", "administrator")
    assert (said.code, said.out) == (Exit.INVALID, "")
    assert "role-cycle: roles include each other: " in said.err
    assert said.err.endswith("nothing is written: the policy would have these errors\n")


def test_a_policy_with_errors_can_be_mended(site: Site) -> None:
    site.roles.write_text(site.roles.read_text().replace("[Supervisor]", "[Supervisor, Supervsor]"))
    assert site("check").code == Exit.INVALID
    said = site("role", "disable", "importer")
    assert said.code == Exit.YES
    assert "note: the policy had errors before, and still has" in said.err
    assert site("role", "revoke", "service-supervisor", "Supervsor").code == Exit.YES
    assert site("check").code == Exit.YES


def test_a_warning_that_is_new_is_told(site: Site) -> None:
    assert "look-alike-name" not in site("role", "create", "r0le-o", "--permission", READ).err
    said = site("role", "create", "role-0", "--permission", READ)
    assert said.code == Exit.YES
    assert "look-alike-name: the role `role-0` looks like the role `r0le-o`" in said.err


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_what_is_hardly_meant_is_told_when_an_edit_brings_it_and_only_then(
    site: Site, dry_run: tuple[str, ...]
) -> None:
    site("user", "assign", "mona", "importer")
    said = site("role", "grant", "profile-reader", "Delete Customer Profile", *dry_run)
    assert said.code == Exit.YES
    assert said.err.startswith(f"warning: {site.roles}:17:3: role-broader-than-title: ")
    assert said.err.endswith("0 errors, 1 warning\n")
    assert ("Delete" in site("role", "show", "profile-reader").out) is not bool(dry_run)
    if not dry_run:
        assert site("user", "assign", "mona", "schema-reader").err == ""


def test_an_operation_that_cannot_be_looked_through_keeps_nobody_from_editing(site: Site) -> None:
    catalogue = site.folder / "catalogues" / "ucs-customer-profiles.yaml"
    rules = "".join(
        f"      - {{when: {{query_has: [q{n}]}}, requires: UCS.Customer.readProfileExtension}}\n"
        for n in range(60)
    )
    lines = f"  many:\n    request: GET /many\n    requires: {READ}\n    also:\n{rules}"
    catalogue.write_text(
        catalogue.read_text().replace("\noperations:\n", f"\noperations:\n{lines}")
    )
    said = site("user", "assign", "mona", "importer")
    assert said.code == Exit.YES
    assert "what this opens and closes cannot be told:" in said.out
    assert "too-many-combinations: the conditions and guards of `many`" in said.out
    assert site.say("users", "mona") == {"roles": ["migration", "importer"]}
    checked = site("check")
    assert checked.code == Exit.YES
    assert "warning: " in checked.err
    assert "too-many-combinations" in checked.err
    for command in (
        ("matrix",),
        ("prove",),
        ("diff", site.folder / "policy", site.folder / "policy"),
    ):
        asked = site(*command)
        assert (asked.code, asked.out) == (Exit.INVALID, "")
        assert "too-many-combinations: the conditions and guards of `many`" in asked.err


def test_a_file_with_an_alias_is_edited_beside_it_only(site: Site) -> None:
    site.assignments.write_text(
        "users:\n  anna: &a {roles: [importer]}\n  bob: *a\n  carl: {roles: [importer]}\n"
    )
    said = site("user", "assign", "anna", "migration")
    assert said.code == Exit.COULD_NOT
    assert "assignments.yaml:2: `&a` is an anchor: this cannot be edited" in said.err
    assert "write the value out first" in said.err


def test_a_mounted_config_map_is_not_written(site: Site) -> None:
    data = site.roles.parent / "..2026_11_21"
    data.mkdir()
    for path in (site.roles, site.assignments):
        path.rename(data / path.name)
    (site.roles.parent / "..data").symlink_to(data.name)
    for path in (site.roles, site.assignments):
        path.symlink_to(Path("..data") / path.name)
    with site.unchanged():
        said = site("role", "disable", "importer")
    assert said.code == Exit.COULD_NOT
    assert "mounted by Kubernetes" in said.err
    assert site("role", "disable", "importer", "--dry-run").code == Exit.YES


# --- while others write ------------------------------------------------------------------------


def test_a_file_that_changed_in_the_meantime_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    file.write_text("old")
    with pytest.raises(click.ClickException, match="changed by somebody else in the meantime"):
        replace_files({file: b"new"}, lambda: False)
    assert [path.name for path in tmp_path.iterdir()] == ["roles.yaml"]
    assert file.read_text() == "old"


def test_files_are_compared_when_all_is_ready_to_be_renamed(tmp_path: Path) -> None:
    files = {tmp_path / name: b"new" for name in ("a.yaml", "b.yaml")}
    for file in files:
        file.write_text("old")
    seen: list[int] = []

    def unchanged() -> bool:
        seen.append(len([*tmp_path.iterdir()]))
        assert [file.read_text() for file in files] == ["old", "old"]
        return True

    replace_files(files, unchanged)
    assert seen == [4]
    assert [file.read_bytes() for file in files] == [b"new", b"new"]
    assert len([*tmp_path.iterdir()]) == 2


def test_one_command_waits_for_another(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with locked(tmp_path), pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


@pytest.fixture
def as_somebody() -> Iterator[Callable[[], None]]:
    """Become somebody who is not root, until the test ends."""
    yield lambda: os.seteuid(65534) if os.geteuid() == 0 else None
    if os.getuid() == 0:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_named(as_somebody: Callable[[], None]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "roles.yaml"
        file.write_text("old")
        folder.chmod(0o555)
        as_somebody()
        with pytest.raises(click.ClickException, match="no file can be written here: permission"):
            replace_files({file: b"new"}, lambda: True)
        assert file.read_text() == "old"
        if os.getuid() == 0:
            os.seteuid(0)
        folder.chmod(0o755)


# --- looking -----------------------------------------------------------------------------------


def test_a_role_is_shown_with_all_that_it_means(site: Site) -> None:
    said = site("role", "show", "profile-editor")
    assert said.code == Exit.YES
    for line in (
        "title: Edit customer profiles",
        "includes: profile-reader",
        "included by: profile-admin",
        "users: anna, vera",
        "groups: tier-2",
        "  UCS.Customer.updateCustomerProfile (Update Customer Profile)",
        f"  {READ} (Read Customer Profile)",
        "opens 3 operations (1 write):",
        "  PUT /profiles/{customer_id}, some requests",
    ):
        assert f"\n{line}\n" in said.out
    report = site.json("role", "show", "profile-editor")
    assert report["inherited"] == {READ: "Read Customer Profile"}
    assert report["writes"] == 1


def test_a_user_is_shown_with_where_everything_is_from(site: Site) -> None:
    said = site("user", "show", "vera")
    assert "roles: extension-editor\ngroups: tier-2\n" in said.out
    way = "user `vera` → group `tier-2` → role `profile-editor`"
    assert f"    {way} ({site.roles}:" in said.out
    (read,) = [
        e for e in site.json("user", "show", "vera")["permissions"] if e["permission"] == READ
    ]
    assert len(read["origins"]) == 2
    assert site.json("group", "show", "tier-2")["members"] == ["vera"]
    assert site.json("claim", "show", "contact-center-schema")["roles"] == ["schema-admin"]


def test_everything_is_listed(site: Site) -> None:
    assert "\nmigration (off) " in site("role", "list").out
    assert "\nvera            extension-editor, group tier-2\n" in site("user", "list").out
    assert [each["name"] for each in site.json("group", "list")] == [
        "tier-1", "tier-2", "supervisors",
    ]  # fmt: skip
    assert site.json("role", "list")[0]["name"] == "profile-reader"
    assert "contact-center-admins" in site("claim", "list").out


def test_programs_are_told_what_changed_and_what_it_means(site: Site) -> None:
    report = site.json("role", "grant", "profile-reader", "Delete Customer Profile")
    assert (report["written"], report["valid"]) == (True, True)
    assert [each["operation"] for each in report["opened"]] == ["delete-customer-profile"]
    assert {"kind": "user", "name": "sam"} in report["gaining"]
    assert report["closed"] == report["losing"] == []
    assert [each["code"] for each in report["findings"]] == ["role-broader-than-title"]
    assert report["files"][0]["diff"].startswith(f"--- {site.roles}\n")
    again = site.json("role", "grant", "profile-reader", "Delete Customer Profile")
    assert (again["written"], again["files"]) == (False, [])
