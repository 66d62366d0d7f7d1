"""What a catalogue says besides of scopes, divisions and permissions that open nothing."""

import pytest

from policy import Code
from policy.catalogue import Catalogue, assemble
from policy.entries import DivisionEntry
from tests.support.policies import document, findings, only

CLOUD = """\
catalogue: cloud
permissions: {"queue:view": View Queues, "queue:edit": Edit Queues}
interface_only: {"tab:view": See the Tab}
scopes: [routing, "routing:readonly"]
division_aware: ["queue:view"]
overlaps: literal-first
operations:
  read-queue:
    request: GET /queues/{id}
    requires: queue:view
    scopes: [routing, "routing:readonly"]
    division: {path: id}
  edit-queue: {request: "PUT /queues/{id}", requires: "queue:edit"}
  read-all: {request: GET /queues/all, requires: nobody}
"""
GRANTS = 'roles: {all: {permissions: ["queue:view", "queue:edit", "tab:view"]}}'


def in_force(overrides: str | None = None) -> Catalogue:
    assembled, found = assemble(document(CLOUD, GRANTS, overrides=overrides).services[0])
    assert not found
    return assembled


def test_a_catalogue_says_which_scopes_and_divisions_there_are() -> None:
    catalogue = in_force()
    assert catalogue.scopes == ("routing", "routing:readonly")
    assert catalogue.division_aware == {"queue:view"}
    assert catalogue.literal_first
    read, edit, closed = catalogue.operations
    assert (read.scopes, read.division) == (catalogue.scopes, DivisionEntry(path="id"))
    assert (edit.scopes, edit.division) == ((), None)
    assert closed.requires == "nobody"


def test_a_permission_that_no_operation_asks_for_may_be_granted() -> None:
    assert findings(CLOUD, GRANTS) == ()
    assert in_force().permissions["tab:view"] == "See the Tab"
    assert in_force().interface_only == {"tab:view"}


def test_a_catalogue_without_any_of_it_asks_for_nothing_of_it() -> None:
    assembled, _ = assemble(document().services[0])
    assert (assembled.scopes, assembled.division_aware) == ((), frozenset())
    assert not assembled.literal_first
    assert {(each.scopes, each.division) for each in assembled.operations} == {((), None)}


def test_overrides_change_it() -> None:
    catalogue = in_force("""\
overrides: cloud
scopes: {add: [queues], remove: ["routing:readonly"]}
division_aware: {add: ["queue:edit"], remove: ["queue:view"]}
interface_only: {"page:view": See the Page}
operations:
  read-queue: {scopes: [routing], division: {query: divisionId}}
""")
    assert catalogue.scopes == ("routing", "queues")
    assert catalogue.division_aware == {"queue:edit"}
    assert list(catalogue.permissions)[2:] == ["tab:view", "page:view"]
    read = catalogue.operations[0]
    assert (read.scopes, read.division) == (("routing",), DivisionEntry(query="divisionId"))
    assert read.scopes_place.where(0).file == "local.yaml"


def test_overrides_may_take_the_scopes_of_an_operation_away() -> None:
    changes = "overrides: cloud\noperations: {read-queue: {scopes: []}}"
    assert in_force(changes).operations[0].scopes == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "said", "advice"),
    [
        ('    scopes: [routing, "', '    scopes: [rooting, "', Code.UNKNOWN_SCOPE, "the catalogue has no scope `rooting`", "did you mean `routing`?"),
        ('    scopes: [routing, "', '    scopes: [users, "', Code.UNKNOWN_SCOPE, "the catalogue has no scope `users`", "list it under `scopes`"),
        ('    scopes: [routing, "routing:readonly"]', "    scopes: []", Code.EMPTY_VALUE, "`scopes` must not be empty", None),
        ('aware: ["queue:view"]', 'aware: ["queue:veiw"]', Code.UNKNOWN_PERMISSION, "no catalogue knows the permission `queue:veiw`", "did you mean `queue:view`?"),
        ("{path: id}", "{path: di}", Code.UNKNOWN_PARAMETER, "`/queues/{id}` has no parameter `di`", "did you mean `id`?"),
        ("{path: id}", "{path: id, query: id}", Code.BAD_VALUE, "a division stands in exactly one place", None),
        ("{path: id}", "{}", Code.BAD_VALUE, "a division stands in exactly one place", None),
        ("{path: id}", "{header: 'X Division'}", Code.BAD_VALUE, "`header` is not of the form `^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$`", None),
        ('"tab:view": See', '"queue:edit": See', Code.DUPLICATE_NAME, "`queue:edit` stands under `permissions` too", None),
        ('"tab:view": See', '"tab:*": See', Code.RESERVED_NAME, "`tab:*` is a pattern, and no permission is called by one", None),
        ("requires: queue:view", "requires: tab:view", Code.RESERVED_NAME, "`tab:view` stands under `interface_only`, and here it is asked for", "move it to `permissions`"),
        ("literal-first", "refused", Code.UNKNOWN_VALUE, "`overlaps` must be `refuse` or `literal-first`", "did you mean `refuse`?"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_found(
    old: str, new: str, code: Code, said: str, advice: str | None
) -> None:
    assert old in CLOUD
    grants = 'roles: {all: {permissions: ["queue:view", "queue:edit"]}}'
    found = only(findings(CLOUD.replace(old, new, 1), grants))
    assert (found.code, found.message, found.help) == (code, said, advice)


@pytest.mark.parametrize("section", ["scopes", "division_aware"])
def test_what_overrides_take_away_must_be_there(section: str) -> None:
    changes = f'overrides: cloud\n{section}: {{remove: ["queue:veiw"]}}'
    found = only(findings(CLOUD, GRANTS, overrides=changes))
    assert found.code is Code.UNKNOWN_LIST_ENTRY
    assert found.where.file == "local.yaml"
