"""Steps as plain functions: which file they concern, and what they take a word for."""

import pytest

from policy.editing import (
    EditRefused,
    PolicyFiles,
    assign,
    create_role,
    delete_role,
    grant,
    rename_role,
    revoke,
)
from tests.support.policies import CATALOGUE, POLICY, sources

TITLES = {
    "read": "Read Records",
    "write": "Write Records",
    "observe": "Analytics > Queue Observation > View",
    "one": "The Same",
    "two": "The Same",
}


def files(*texts: str, new_file: str | None = None) -> PolicyFiles:
    return PolicyFiles(sources(CATALOGUE, *(texts or (POLICY,))), TITLES, new_file)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("read", "read"),
        ("Read Records", "read"),
        ("read  records", "read"),
        ("Analytics > Queue Observation > View", "observe"),
        ("analytics>Queue Observation >View", "observe"),
    ],
)
def test_a_permission_is_meant_by_name_or_by_what_people_see(said: str, meant: str) -> None:
    made = create_role(files(), "new", permissions=[said])
    assert made.said[-1] == f"role `new` now grants `{meant}` ({TITLES[meant]})"


def test_a_name_that_people_see_of_two_permissions_is_not_guessed() -> None:
    with pytest.raises(EditRefused, match="is what people see of `one`, `two`"):
        grant(files(), "reader", ["the same"])


def test_a_display_name_with_a_slip_is_suggested() -> None:
    with pytest.raises(EditRefused, match="did you mean `Write Records`"):
        grant(files(), "reader", ["Wirte Records"])


def test_the_file_that_defines_the_name_is_edited() -> None:
    several = files("users:\n  a: {}\n", POLICY)
    assert [*grant(several, "reader", ["write"]).changes] == ["policy-2.yaml"]
    assert [*assign(several, "users", "a", ["reader"]).changes] == ["policy-1.yaml"]


def test_a_new_name_goes_to_the_file_with_most_of_its_kind() -> None:
    several = files("users:\n  a: {}\n  b: {}\n  c: {}\n", POLICY)
    assert [*assign(several, "users", "d", ["reader"]).changes] == ["policy-1.yaml"]
    assert [*create_role(several, "new").changes] == ["policy-2.yaml"]
    wanted = files(POLICY, new_file="new.yaml")
    step = create_role(wanted, "new", file=wanted.new_file)
    assert wanted.edited(step) == {"new.yaml": "roles:\n  new:\n    permissions: []\n"}


def test_a_new_name_goes_to_a_file_that_holds_nothing_yet() -> None:
    step = create_role(only := files("# roles\n"), "new", permissions=["read"])
    assert only.edited(step) == {
        "policy-1.yaml": "# roles\n\nroles:\n  new:\n    permissions: [read]\n"
    }


def test_a_name_that_is_defined_twice_is_not_edited() -> None:
    with pytest.raises(EditRefused, match=r"defined in policy-1.yaml and in policy-2.yaml"):
        grant(files(POLICY, "roles: {reader: {}}\n"), "reader", ["write"])


def test_a_role_is_renamed_in_every_file_and_kind() -> None:
    several = files(POLICY, "users: {eve: {roles: [reader]}}\nclaims: {c: [reader, reader]}\n")
    made = several.edited(rename_role(several, "reader", "viewer"))
    assert [*made] == ["policy-1.yaml", "policy-2.yaml"]
    assert made["policy-1.yaml"] == POLICY.replace("reader", "viewer")
    assert made["policy-2.yaml"].count("viewer") == 3


def test_a_role_that_includes_itself_can_be_deleted() -> None:
    only = files("roles:\n  a: {includes: [a]}\n  b: {}\n")
    assert only.edited(delete_role(only, "a")) == {"policy-1.yaml": "roles:\n  b: {}\n"}


def test_a_user_who_is_new_is_told_with_whom_it_may_be() -> None:
    step = assign(files(), "users", "anm", ["reader"])
    assert step.said[0] == "user `anm` is new, in policy-1.yaml"
    assert step.notes == ["no policy file named the user `anm` before: did you mean `ann`?"]


@pytest.mark.parametrize("text", ["roles: [a", "roles: {a: \x07}", b"\xff"])
def test_a_file_that_cannot_be_read_is_told_and_left_alone(text: str | bytes) -> None:
    with pytest.raises(EditRefused, match="policy-1"):
        PolicyFiles(sources(CATALOGUE, text), TITLES)


CLOUD = {
    "telephony:station:view": "Telephony > Station > View",
    "telephony:station:edit": "Telephony > Station > Edit",
    "routing:queue:view": "Queues",
}
VSM = """\
roles:
  vsm: {permissions: [Routing > Queue > View, "telephony:station:*"]}
"""


def cloud_files(text: str = VSM) -> PolicyFiles:
    return PolicyFiles(sources(CATALOGUE, text), CLOUD)


def test_a_pattern_is_granted_in_short_notation_and_says_how_much_it_is() -> None:
    made = create_role(cloud_files(), "new", permissions=["Telephony > Station > All Permissions"])
    assert made.said[-1] == (
        "role `new` now grants `telephony:station:*` (2 permissions today, and those that come)"
    )


@pytest.mark.parametrize("said", ["routing:queue:view", "Routing > Queue > View"])
def test_a_permission_is_taken_back_in_either_notation(said: str) -> None:
    step = revoke(cloud_files(), "vsm", [said])
    assert "Routing > Queue > View" not in cloud_files().edited(step)["policy-1.yaml"]
    assert grant(cloud_files(), "vsm", [said]).notes == [
        "role `vsm` grants `routing:queue:view` already"
    ]


def test_a_permission_that_comes_by_a_pattern_is_not_taken_back_by_itself() -> None:
    with pytest.raises(EditRefused, match="has `telephony:station:view` by `telephony:station:"):
        revoke(cloud_files(), "vsm", ["telephony:station:view"])
