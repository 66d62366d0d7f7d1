"""A catalogue file that is made of a description, and made again of the next one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import PolicyInvalid
from policy.editing import EditRefused
from policy.importing import Kind, catalogue_text, changes_between, read_table
from policy.importing.rendering import label_of
from policy.permission_names import GrantedNames
from tests.support.descriptions import compiled, described, entries_of, operation
from tests.support.operations_table import TABLE, operations

VIEW = operation("getQueue", "routing:queue:view", scopes=("routing", "routing:readonly"), summary="Get a queue")  # fmt: skip
EDIT = operation("putQueue", "routing:queue:edit", "routing:queue:manage", scopes=("routing",))
OPEN = operation("getCallback", security=[])
PATHS = {
    "/queues/{queueId}": {"get": VIEW, "put": EDIT},
    "/callback": {"get": OPEN},
    "/names/{name}": {"get": operation("getName", "routing:queue:view", "admin", mode="ALL")},
}
WRITTEN = """\
# Ours, and kept.

catalogue: cloud  # the name
title: Our Cloud
source: somewhere else
overlaps: literal-first

permissions:
  # Read by everybody.
  routing:queue:view: See queues   # a title of ours
  old:thing:gone: Gone
  routing:queue:edit: Edit queues

# Only these two.
division_aware: [old:thing:gone, routing:queue:view]

interface_only:
  routing:queue:manage: Manage
  page:page:view: A page

parameters:
  queueId: {alphabet: digits}
  gone: {alphabet: digits}

lists: {core: [id]}

operations:
  # ---------------------------------------- queues

  # Of one division.
  change-queue:
    title: Change it
    # as the manual says
    request: PUT /queues/{id}
    requires: routing:queue:view  # too little
    division: {path: id}
    also:
      - {when: {body_has_keys_outside: core}, requires: "routing:queue:edit"}
  goneForGood: {request: GET /gone, requires: "old:thing:gone"}
  getQueue: {title: Look, request: "GET /queues/{queueId}", requires: "routing:queue:edit", division: {path: queueId}}
  read-name:
    request: GET /names/{name}
    requires: [admin, "routing:queue:view"]
    guards: []
# The end.
"""


def made(previous: str | None = None, paths: dict[str, Any] = PATHS, **more: Any) -> str:
    return catalogue_text(described(paths), previous, **more).text


def test_a_new_catalogue_says_what_is_described() -> None:
    entries = entries_of(made(name="cloud", title="Cloud"))
    assert (entries.catalogue, entries.title, entries.overlaps) == (
        "cloud",
        "Cloud",
        "literal-first",
    )
    assert entries.source == "Platform API v2, swagger.json"
    assert entries.permissions["routing:queue:view"] == "Routing > Queue > View"
    assert entries.scopes == ("declared", "routing", "routing:readonly")
    queue = entries.operations["getQueue"]
    assert (queue.request, queue.title) == ("GET /queues/{queueId}", "Get a queue")
    assert queue.scopes == ("routing", "routing:readonly")
    assert entries.operations["getCallback"].requires == "nobody"
    assert list(entries.parameters) == ["name"]


def test_it_can_be_used_at_once() -> None:
    table = compiled(made())
    assert {route.id for route in table.operations} == {
        "getQueue",
        "putQueue",
        "getCallback",
        "getName",
    }


def test_the_same_again_changes_no_letter() -> None:
    assert made(made()) == made()
    assert made(made(WRITTEN)) == made(WRITTEN)


def test_what_people_wrote_is_kept_and_what_is_described_is_renewed() -> None:
    assert (
        made(WRITTEN)
        == """\
# Ours, and kept.

catalogue: cloud  # the name
title: Our Cloud
source: Platform API v2, swagger.json
overlaps: literal-first

permissions:
  admin: Admin
  # Read by everybody.
  routing:queue:view: See queues   # a title of ours
  routing:queue:edit: Edit queues
  routing:queue:manage: Routing > Queue > Manage

# Only these two.
division_aware:
  - routing:queue:view

interface_only:
  page:page:view: A page

parameters:
  queueId: {alphabet: digits}

lists: {core: [id]}

scopes:
  - declared
  - routing
  - routing:readonly

operations:
  getCallback:
    request: GET /callback
    requires: nobody
  # ---------------------------------------- queues

  # Of one division.
  change-queue:
    title: Change it
    # as the manual says
    request: PUT /queues/{id}
    requires: {any: ["routing:queue:edit", "routing:queue:manage"]}
    scopes: [routing]
    division: {path: id}
    also:
      - {when: {body_has_keys_outside: core}, requires: "routing:queue:edit"}
  getQueue:
    request: GET /queues/{queueId}
    title: Look
    requires: {any: ["routing:queue:view"]}
    scopes: [routing, "routing:readonly"]
    division: {path: queueId}
  read-name:
    request: GET /names/{name}
    requires: [admin, "routing:queue:view"]
    guards: []
# The end.
"""
    )


def test_it_is_told_what_was_taken_out() -> None:
    notes = catalogue_text(described(PATHS), WRITTEN).notes
    assert sorted(notes) == [
        "`old:thing:gone` is no longer division_aware: no operation asks for it",
        "`routing:queue:manage` is no longer interface_only: operations ask for it",
        "no template has the parameter `gone` any more",
    ]


def test_what_needs_no_token_is_offered_only_where_that_is_said_and_stays_so() -> None:
    offered = made(public=["getCallback"])
    assert entries_of(offered).operations["getCallback"].requires == "public"
    assert made(offered) == offered


@pytest.mark.parametrize("name", ["getQueue", "getCalback"])
def test_only_what_needs_no_token_upstream_can_be_offered_to_everybody(name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}` is no operation that needs no token"):
        made(public=[name])


def test_an_operation_that_moved_keeps_its_entry() -> None:
    moved = {"/v3/queues/{queueId}": {"get": VIEW}, "/queues/{id}/x": {"put": EDIT}}
    text = made(made().replace("title: Get a queue", "title: Ours"), moved)
    assert entries_of(text).operations["getQueue"].title == "Ours"
    assert entries_of(text).operations["getQueue"].request == "GET /v3/queues/{queueId}"


@pytest.mark.parametrize(
    "text", ["", "a: [", "catalogue: x\n", "- a\n", "catalogue: cloud\noperations: {}\n"]
)
def test_a_file_that_is_no_catalogue_is_not_overwritten(text: str) -> None:
    with pytest.raises((PolicyInvalid, EditRefused)):
        made(text)


def test_line_ends_and_brackets_of_all_kinds_are_read() -> None:
    brackets = (
        "{catalogue: cloud, permissions: {}, operations: {x: {request: GET /x, requires: public}}}"
    )
    with pytest.raises(EditRefused, match="unusual way"):
        made(brackets)
    windows = made(WRITTEN.replace("\n", "\r\n"))
    assert changes_between(entries_of(made(WRITTEN)), entries_of(windows)).operations == ()


def test_labels_lead_back_to_the_permissions_they_are_made_of() -> None:
    rows = operations()
    names = sorted({name for row in rows for name in row.permissions})
    titles = {name: label_of(name) for name in names}
    known = GrantedNames(titles)
    assert [name for name in names if ":" in name and known.names_of(titles[name]) != (name,)] == []
    assert titles["analytics:conversationDetail:view"] == "Analytics > Conversation Detail > View"


def test_the_published_table_makes_a_sound_catalogue_and_stays_the_same() -> None:
    operations()
    description = read_table(TABLE.read_text(encoding="utf-8"), TABLE.name, with_removed=True)
    text = catalogue_text(description).text
    assert len(compiled(text).operations) == 3321
    assert catalogue_text(description, text).text == text


DEMAND = st.one_of(
    st.just(()),
    st.lists(st.sampled_from(["a:b:c", "a:b:d", "e"]), min_size=1, unique=True).map(tuple),
)
OPERATIONS = st.builds(
    lambda name, permissions, mode, scopes, summary, open_: operation(
        name, *permissions, mode=mode, scopes=tuple(scopes), summary=summary,
        **({"security": []} if open_ else {}),
    ),
    st.sampled_from(["x", "y", "z", ""]),
    DEMAND,
    st.sampled_from(["ANY", "ALL"]),
    st.lists(st.sampled_from(["s", "s:readonly", "t"]), unique=True),
    st.text(max_size=12),
    st.booleans(),
)  # fmt: skip
DESCRIPTIONS = st.dictionaries(
    st.sampled_from(["/a", "/a/{x}", "/a/b", "/{x}/b", "/c/{name}", "/a/{y}"]),
    st.dictionaries(st.sampled_from(["get", "put", "head"]), OPERATIONS, min_size=1),
    min_size=1,
)


@given(st.lists(DESCRIPTIONS, min_size=1, max_size=3))
def test_whatever_came_before_the_facts_are_those_of_the_last_description(
    several: list[dict[str, Any]],
) -> None:
    text: str | None = None
    for paths in several:
        text = catalogue_text(described(paths), text).text
    assert text is not None
    alone = entries_of(catalogue_text(described(several[-1])).text)
    changes = changes_between(alone, entries_of(text))
    assert changes.operations == ()
    assert changes.new_scopes == changes.gone_scopes == ()
    assert set(entries_of(text).permissions) == set(alone.permissions)
    assert catalogue_text(described(several[-1]), text).text == text
    assert list(changes.of(Kind.NEW)) == []
