"""Roles given in divisions, to whomever, and scopes to clients: as edits of the text."""

import textwrap

import pytest

from policy import Sources, Text, parse_yaml
from policy.editing import (
    EditRefused,
    PolicyFiles,
    Step,
    assign,
    authorize,
    delete_role,
    remove,
    rename_role,
    unauthorize,
)

FILE = "policy.yaml"
SCOPES = ("users", "routing:readonly", "analytics:readonly", "users:readonly")
BASE = """\
roles:
  viewer: {permissions: []}
  editor: {permissions: []}
"""
VSM = """\
clients:
  # The monitoring.
  vsm:
    roles:
      - viewer  # since March
      - {role: editor, divisions: [north, south]}
    scopes: [analytics:readonly, "users:readonly"]
"""


def files(text: str) -> PolicyFiles:
    return PolicyFiles(Sources((), (Text(FILE, textwrap.dedent(text)),)), {}, scopes=SCOPES)


def made(text: str, step: Step) -> str:
    """What stands below the roles after it."""
    return files(text).edited(step).get(FILE, text).removeprefix(BASE)


def given(text: str, *roles: str, divisions: tuple[str, ...] = ()) -> str:
    whole = BASE + text
    return made(whole, assign(files(whole), "clients", "vsm", roles, divisions=divisions))


def taken(text: str, *roles: str, divisions: tuple[str, ...] = ()) -> str:
    whole = BASE + text
    return made(whole, remove(files(whole), "clients", "vsm", roles, divisions=divisions))


def test_a_new_client_gets_a_role_everywhere() -> None:
    assert given("", "viewer").strip() == "clients:\n  vsm:\n    roles: [viewer]"


def test_a_new_client_gets_a_role_in_divisions() -> None:
    after = given("", "viewer", divisions=("north", "south"))
    value = parse_yaml(after, FILE).value
    assert value == {
        "clients": {"vsm": {"roles": [{"role": "viewer", "divisions": ["north", "south"]}]}}
    }


def test_a_division_is_added_and_all_else_stays_to_the_letter() -> None:
    assert given(VSM, "editor", divisions=("west",)) == VSM.replace(
        "[north, south]", "[north, south, west]"
    )


def test_a_role_in_divisions_becomes_one_everywhere() -> None:
    assert given(VSM, "editor") == VSM.replace(
        "{role: editor, divisions: [north, south]}", "editor"
    )


def test_what_is_held_already_changes_nothing() -> None:
    for roles, divisions in (
        (("viewer",), ()), (("viewer",), ("north",)), (("editor",), ("south",)),
    ):  # fmt: skip
        whole = BASE + VSM
        step = assign(files(whole), "clients", "vsm", roles, divisions=divisions)
        assert not step.changes
        assert "already" in step.notes[0]


def test_a_role_is_taken_wherever_it_was_given() -> None:
    assert taken(VSM, "editor") == VSM.replace(
        "      - {role: editor, divisions: [north, south]}\n", ""
    )
    assert taken(VSM, "viewer") == VSM.replace("      - viewer  # since March\n", "")


def test_a_role_is_taken_in_one_division() -> None:
    assert taken(VSM, "editor", divisions=("north",)) == VSM.replace("[north, south]", "[south]")
    assert taken(VSM, "editor", divisions=("south", "north")) == taken(VSM, "editor")


def test_a_role_everywhere_cannot_be_taken_in_one_division() -> None:
    with pytest.raises(EditRefused, match="in all divisions"):
        taken(VSM, "viewer", divisions=("north",))


def test_a_star_means_everywhere() -> None:
    text = VSM.replace("[north, south]", '["*"]')
    whole = BASE + text
    assert not assign(files(whole), "clients", "vsm", ("editor",), divisions=("x",)).changes


@pytest.mark.parametrize("section", ["users", "groups", "claims"])
def test_others_get_roles_in_divisions_as_well(section: str) -> None:
    whole = f"{BASE}{section}:\n  a: {'[viewer]' if section == 'claims' else '{roles: [viewer]}'}\n"
    after = made(whole, assign(files(whole), section, "a", ["editor"], divisions=["north"]))
    assert "[viewer, {role: editor, divisions: [north]}]" in after
    again = BASE + after
    assert made(again, remove(files(again), section, "a", ["editor"])) == whole.removeprefix(BASE)


def test_renaming_and_deleting_a_role_reaches_grants_in_divisions() -> None:
    whole = BASE + VSM
    renamed = files(whole).edited(rename_role(files(whole), "editor", "author"))[FILE]
    assert "{role: author, divisions: [north, south]}" in renamed
    assert "  author: {permissions: []}" in renamed
    with pytest.raises(EditRefused, match="client `vsm`"):
        delete_role(files(whole), "editor")
    gone = files(whole).edited(delete_role(files(whole), "editor", unassign=True))[FILE]
    assert "editor" not in gone
    assert "# since March" in gone


# --- scopes --------------------------------------------------------------------------------------


def test_a_client_is_authorized_for_scopes() -> None:
    whole = BASE + VSM
    step = authorize(files(whole), "vsm", ["routing:readonly", "analytics:readonly"])
    assert made(whole, step) == VSM.replace(
        '"users:readonly"]', '"users:readonly", "routing:readonly"]'
    )
    assert step.notes == ["client `vsm` is authorized for `analytics:readonly` already"]


def test_a_client_that_is_new_may_be_authorized_first() -> None:
    step = authorize(files(BASE), "vsm", ["users"])
    assert parse_yaml(made(BASE, step), FILE).value == {"clients": {"vsm": {"scopes": ["users"]}}}


def test_a_scope_that_no_catalogue_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(EditRefused, match="did you mean `routing:readonly`"):
        authorize(files(BASE + VSM), "vsm", ["rooting:readonly"])


def test_scopes_are_taken_one_by_one_or_all() -> None:
    whole = BASE + VSM
    step = unauthorize(files(whole), "vsm", ["analytics:readonly", "x"])
    assert made(whole, step) == VSM.replace("analytics:readonly, ", "")
    assert step.notes == ["client `vsm` is not authorized for `x`"]
    assert made(whole, unauthorize(files(whole), "vsm", [])).endswith("scopes: []\n")
