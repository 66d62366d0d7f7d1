"""Each layout that people use, before and after: nothing but what is meant changes."""

from textwrap import dedent

import pytest

from policy.editing import Add, Change, Drop, EditRefused, Put, Rename, Respell, Take, edited

PERMISSIONS = ("roles", "a", "permissions")
LONG = tuple(f"UCS.Customer.somePermission{number}" for number in range(4))

CASES: dict[str, tuple[str, Change, str]] = {
    "a list in brackets": (
        "roles:\n  a: {permissions: [x, w]}  # why\n",
        Add(PERMISSIONS, ("z",)),
        "roles:\n  a: {permissions: [x, w, z]}  # why\n",
    ),
    "a list in brackets with a comma at its end": (
        "roles: {a: {permissions: [x, w, ]}}\n",
        Add(PERMISSIONS, ("z",)),
        "roles: {a: {permissions: [x, w, z, ]}}\n",
    ),
    "an empty list": (
        "roles:\n  a:\n    permissions: []  # none yet\n",
        Add(PERMISSIONS, ("x",)),
        "roles:\n  a:\n    permissions: [x]  # none yet\n",
    ),
    "a list of lines": (
        "roles:\n  a:\n    permissions:\n      - x   # one\n      # two\n    # three\n",
        Add(PERMISSIONS, ("w",)),
        "roles:\n  a:\n    permissions:\n      - x   # one\n      - w\n      # two\n    # three\n",
    ),
    "a list of lines below its key": (
        "roles:\n  a:\n    permissions:\n    - x\n\n    title: t\n",
        Add(PERMISSIONS, ("w",)),
        "roles:\n  a:\n    permissions:\n    - x\n    - w\n\n    title: t\n",
    ),
    "a last line without an end": (
        "roles:\n  a:\n    permissions:\n      - x",
        Add(PERMISSIONS, ("w",)),
        "roles:\n  a:\n    permissions:\n      - x\n      - w",
    ),
    "lines that end as on Windows": (
        "roles:\r\n  a:\r\n    permissions:\r\n      - x\r\n",
        Add(PERMISSIONS, ("w",)),
        "roles:\r\n  a:\r\n    permissions:\r\n      - x\r\n      - w\r\n",
    ),
    "a byte order mark": (
        "\ufeffroles: {a: {}}\n",
        Add(PERMISSIONS, ("w",)),
        "\ufeffroles: {a: {permissions: [w]}}\n",
    ),
    "a key that is missing": (
        "roles:\n  a:\n    title: t  # why\n\n  b: {}\n",
        Add(PERMISSIONS, ("x",)),
        "roles:\n  a:\n    title: t  # why\n    permissions: [x]\n\n  b: {}\n",
    ),
    "a key that usually stands before others": (
        "roles:\n  a:  # first\n    # only reading\n    permissions: [x]\n",
        Put(("roles", "a", "title"), "t", ("title", "permissions")),
        "roles:\n  a:  # first\n    title: t\n    # only reading\n    permissions: [x]\n",
    ),
    "a key with nothing": (
        "roles:\n  a:\n    permissions:  # soon\n",
        Add(PERMISSIONS, ("x",)),
        "roles:\n  a:\n    permissions: [x]  # soon\n",
    ),
    "an empty mapping": (
        "roles: {}  # none yet\nusers: {}\n",
        Put(("roles", "a"), {"permissions": ["x"]}),
        "roles:  # none yet\n  a:\n    permissions: [x]\nusers: {}\n",
    ),
    "a section that is missing": (
        "# assignments\nusers:\n    anna: {roles: [a]}\n# the end\n",
        Put(("groups", "g"), {"roles": ["a"]}),
        "# assignments\nusers:\n    anna: {roles: [a]}\n# the end\n\ngroups:\n    g:\n        roles: [a]\n",
    ),
    "an entry beside entries on one line": (
        "users:\n  anna: {roles: [a]}\n  bob: {roles: [a]}\n\ngroups: {}\n",
        Put(("users", "carl"), {"groups": ["g"]}),
        "users:\n  anna: {roles: [a]}\n  bob: {roles: [a]}\n  carl: {groups: [g]}\n\ngroups: {}\n",
    ),
    "an entry among empty lines": (
        "roles:\n  a:\n    permissions: [x]\n\n  b:\n    permissions: [x]\n",
        Put(("roles", "c"), {"permissions": ["x"]}),
        ("roles:\n  a:\n    permissions: [x]\n\n  b:\n    permissions: [x]\n\n"
        "  c:\n    permissions: [x]\n"),
    ),
    "an empty file": ("", Put(PERMISSIONS, ["x"]), "roles:\n  a:\n    permissions: [x]\n"),
    "a file of comments": (
        "# roles\n",
        Put(PERMISSIONS, ["x"]),
        "# roles\n\nroles:\n  a:\n    permissions: [x]\n",
    ),
    "a document with marks": (
        "---\nusers: {}\n...\n",
        Put(("claims", "c"), ["a"]),
        "---\nusers: {}\n\nclaims:\n  c: [a]\n...\n",
    ),
    "a long list": (
        "roles:\n  a:\n    title: t\n",
        Add(PERMISSIONS, LONG),
        "roles:\n  a:\n    title: t\n    permissions:\n"
        + "".join(f"      - {each}\n" for each in LONG),
    ),
    "a list in brackets that becomes too long": (
        "roles:\n  a:\n    permissions: [UCS.Customer.somePermission, UCS.Customer.otherPermission]\n",
        Add(PERMISSIONS, LONG[:2]),
        ("roles:\n  a:\n    permissions: [UCS.Customer.somePermission, UCS.Customer.otherPermission,\n"
        "                  UCS.Customer.somePermission0, UCS.Customer.somePermission1]\n"),
    ),
    "brackets over several lines": (
        "roles:\n  a:\n    permissions: [\n      x,  # one\n      w   # two\n    ]\n",
        Add(PERMISSIONS, ("z",)),
        "roles:\n  a:\n    permissions: [\n      x,  # one\n      w,   # two\n      z\n    ]\n",
    ),
    "an item taken from brackets": (
        "roles: {a: {permissions: [x, w, z]}}\n",
        Take(PERMISSIONS, ("x", "z")),
        "roles: {a: {permissions: [w]}}\n",
    ),
    "an item taken from brackets over several lines": (
        "roles:\n  a:\n    permissions: [\n      x,  # one\n      w   # two\n    ]\n",
        Take(PERMISSIONS, ("w",)),
        "roles:\n  a:\n    permissions: [\n      x  # one\n    ]\n",
    ),
    "an item taken from lines": (
        "roles:\n  a:\n    permissions:\n      # all of them\n      - x  # one\n      - w\n",
        Take(PERMISSIONS, ("x",)),
        "roles:\n  a:\n    permissions:\n      # all of them\n      - w\n",
    ),
    "the last item taken from lines": (
        "roles:\n  a:\n    permissions:  # why\n      - x\n    title: t\n",
        Take(PERMISSIONS, ("x",)),
        "roles:\n  a:\n    permissions: []  # why\n    title: t\n",
    ),
    "a title of several lines": (
        "roles:\n  a:\n    title: >-\n      long\n      words\n\n    permissions: [x]\n",
        Put(("roles", "a", "title"), "short: one"),
        'roles:\n  a:\n    title: "short: one"\n\n    permissions: [x]\n',
    ),
    "a switch": (
        "roles:\n  a:\n    enabled: false  # until May\n",
        Put(("roles", "a", "enabled"), True),
        "roles:\n  a:\n    enabled: true  # until May\n",
    ),
    "an entry with what is said of it": (
        ("roles:\n  # -- one\n\n  # about a\n  # and more\n  a:\n    permissions: [x]\n\n"
        "  # about b\n  b: {}\n"),
        Drop(("roles", "a")),
        "roles:\n  # -- one\n\n  # about b\n  b: {}\n",
    ),
    "an entry below a heading of several": (
        "users:\n  # the first floor\n  anna: {}\n  bob: {}\n",
        Drop(("users", "anna")),
        "users:\n  # the first floor\n  bob: {}\n",
    ),
    "the only entry": ("users:\n  anna: {}\n", Drop(("users", "anna")), "users: {}\n"),
    "the last entry": (
        "users:\n  a: {}\n\n  # of b\n  b: {}\n",
        Drop(("users", "b")),
        "users:\n  a: {}\n",
    ),
    "a name in quotes": (
        "users:\n  'anna': {roles: [a, \"b\"]}\n",
        Rename(("users", "anna"), "o'neil"),
        "users:\n  'o''neil': {roles: [a, \"b\"]}\n",
    ),
    "an item in quotes": (
        'users:\n  anna: {roles: [a, "b"]}\n',
        Respell(("users", "anna", "roles"), "b", "c"),
        'users:\n  anna: {roles: [a, "c"]}\n',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_nothing_but_what_is_meant_changes(name: str) -> None:
    before, change, after = CASES[name]
    assert edited(before, [change], "f") == after


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("plain", "plain"),
        ("UCS.Customer.createProfile", "UCS.Customer.createProfile"),
        ("Analytics > Queue Observation > View", "Analytics > Queue Observation > View"),
        ("été", "été"),
        ("yes", '"yes"'),
        ("Off", '"Off"'),
        ("null", '"null"'),
        ("1e3", '"1e3"'),
        ("0x1F", '"0x1F"'),
        ("2024-01-01", '"2024-01-01"'),
        ("12:30", '"12:30"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("a,b", '"a,b"'),
        ("*star", '"*star"'),
        ("&anchor", '"&anchor"'),
        ("- dash", '"- dash"'),
        ("it's", "it's"),
        ('say "so"', 'say "so"'),
        ("'quoted'", "\"'quoted'\""),
        ('"quoted": x', "'\"quoted\": x'"),
        ("back\\: slash", "'back\\: slash'"),
    ],
)
def test_a_word_is_quoted_where_some_reader_would_take_it_for_another(
    word: str, written: str
) -> None:
    assert edited("claims: {c: []}\n", [Add(("claims", "c"), (word,))], "f") == (
        f"claims: {{c: [{written}]}}\n"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("roles:\n  a: &x {permissions: [x]}\n  b: *x\n", "f:2: `&x` is an anchor"),
        ("x: &x {permissions: [x]}\nroles:\n  a: *x\n", "f:3: `*x` is an alias"),
        ("roles:\n  a: {permissions: !!set [x]}\n", "f:2: `tag:yaml.org,2002:set` is a tag"),
        ("roles:\n  a: {permissions: x}\n", "f:2: `permissions` is no list"),
        ("- roles\n", "f:1: this file is no mapping"),
        ("roles: {a: {}}\n---\nroles: {}\n", "f:2: a second document begins here"),
        ("roles: [a\n", "this is not YAML"),
    ],
)
def test_what_is_not_understood_is_not_edited(text: str, why: str) -> None:
    with pytest.raises(EditRefused) as refused:
        edited(text, [Add(PERMISSIONS, ("w",))], "f")
    assert why in str(refused.value)


def test_what_stands_beside_an_alias_can_be_edited() -> None:
    text = dedent("""\
        roles:
          a: {permissions: [x]}
          b: {permissions: *x}
        """)
    assert edited(text, [Add(PERMISSIONS, ("w",))], "f") == text.replace("[x]", "[x, w]")


def test_a_layout_that_is_not_understood_is_left_alone() -> None:
    text = "roles:\n  ? a\n  : {permissions: [x]}\n"
    with pytest.raises(EditRefused):
        edited(text, [Drop(("roles", "a"))], "f")
