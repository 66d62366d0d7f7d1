"""Any edit of any policy file: what is meant is what is said afterwards, and the rest stays.

Files are random values in random layouts; what an edit means is worked out here, naively, on the
values alone.
"""

import copy
import re
from collections import Counter
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from policy.editing import Add, Drop, EditRefused, Put, Rename, Respell, Take, edited
from policy.source import scan
from tests.properties.test_garbage import texts
from tests.support.laid_out import NAMES, files

Keys = tuple[str, ...]
names = st.sampled_from(NAMES)
some_names = st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
LISTS = {"roles": ["includes", "permissions"], "users": ["roles", "groups"], "groups": ["roles"]}


def said(text: str) -> Any:
    """What a text says, also if that is nothing."""
    source, _ = scan(text.encode(), "f")
    return {} if source is None else source.value


def lists_of(value: dict[str, Any]) -> list[Keys]:
    """Where a file has lists."""
    return [
        (section, name, *rest)
        for section, entries in value.items()
        for name, entry in entries.items()
        for rest in ([()] if section == "claims" else [(key,) for key in entry])
        if isinstance(at(value, (section, name, *rest)), list)
    ]


def at(value: Any, path: Keys) -> Any:
    for step in path:
        value = value[step]
    return value


def comments(text: str) -> list[str]:
    return re.findall(r"#c\d+", text)


def around(text: str, path: Keys) -> tuple[str, str]:
    """The lines above an entry's key, and those from the next key on, of whatever kind it is."""
    source, _ = scan(text.encode(), "f")
    assert source is not None
    lines = text.splitlines(keepends=True)
    keys = [(section,) for section in source.value]  # type: ignore[union-attr]
    keys += [(section, name) for section, below in source.value.items() for name in below]  # type: ignore[union-attr]
    places = sorted((source.where(key, key=True).line, key) for key in keys)
    own = source.where(path[:2], key=True).line
    later = [line for line, _ in places if line > own]
    return "".join(lines[: own - 1]), "".join(lines[later[0] - 1 :]) if later else ""


def is_in_brackets(text: str) -> bool:
    return re.match(r"(\ufeff|\s|#.*)*\{", text) is not None


def assert_only_inside(old: str, new: str, path: Keys) -> None:
    above, below = around(old, path)
    if is_in_brackets(old):
        return  # a file that is one mapping in brackets has no lines of its own for anything
    assert new.startswith(above)
    assert new.endswith(below)


def test_an_edit_that_changes_nothing_is_the_same_text() -> None:
    assert edited("a: [b] # c\r\n", [], "f") == "a: [b] # c\r\n"


@given(files(), st.data())
def test_items_are_added_where_a_list_is(file: tuple[str, Any], data: st.DataObject) -> None:
    text, value = file
    assume(lists_of(value))
    path = data.draw(st.sampled_from(lists_of(value)))
    items = data.draw(some_names)
    new = edited(text, [Add(path, items)], "f")
    expected = copy.deepcopy(value)
    at(expected, path).extend(items)
    assert said(new) == expected
    assert comments(new) == comments(text)
    assert_only_inside(text, new, path)
    taken_again = edited(new, [Take(path, tuple({*items} - {*at(value, path)}))], "f")
    assert set(at(said(taken_again), path)) == set(at(value, path))


@given(files(), st.data())
def test_items_are_taken_with_their_own_comments_only(
    file: tuple[str, Any], data: st.DataObject
) -> None:
    text, value = file
    full = [path for path in lists_of(value) if at(value, path)]
    assume(full)
    path = data.draw(st.sampled_from(full))
    gone = data.draw(st.lists(st.sampled_from(at(value, path)), min_size=1, unique=True))
    new = edited(text, [Take(path, tuple(gone))], "f")
    expected = copy.deepcopy(value)
    at(expected, path)[:] = [each for each in at(value, path) if each not in gone]
    assert said(new) == expected
    assert_only_inside(text, new, path)
    # Whole lines of comments stay; of the others at most one goes with each item.
    whole = re.findall(r"^\s*(#c\d+)\s*$", text, re.MULTILINE)
    assert set(whole) <= set(comments(new))
    assert len(comments(text)) - len(comments(new)) <= len(gone)
    restored = edited(new, [Add(path, tuple(gone))], "f")
    assert set(at(said(restored), path)) == set(at(value, path))


@given(files(), st.data(), names, some_names)
def test_what_is_not_there_is_made(
    file: tuple[str, Any], data: st.DataObject, name: str, items: Keys
) -> None:
    text, value = file
    section = data.draw(st.sampled_from([*LISTS]))
    path = (section, name, data.draw(st.sampled_from(LISTS[section])))
    assume(path[2] not in value.get(section, {}).get(name, {}))
    new = edited(text, [Add(path, items, ("title", "enabled", "includes", "permissions"))], "f")
    expected = copy.deepcopy(value)
    expected.setdefault(section, {}).setdefault(name, {})[path[2]] = list(items)
    assert said(new) == expected
    assert comments(new) == comments(text)
    if not is_in_brackets(text):
        # At most the lines of an empty mapping, or of the brackets to which something was added.
        assert (Counter(text.splitlines()) - Counter(new.splitlines())).total() <= 3
    emptied = edited(new, [Take(path, items)], "f")
    assert at(said(emptied), path) == []


@given(files(), st.data(), st.one_of(names, st.booleans()))
def test_a_single_value_is_put(
    file: tuple[str, Any], data: st.DataObject, new_value: str | bool
) -> None:
    text, value = file
    assume(value.get("roles"))
    name = data.draw(st.sampled_from([*value["roles"]]))
    path = ("roles", name, "enabled" if isinstance(new_value, bool) else "title")
    new = edited(text, [Put(path, new_value, ("title", "enabled", "includes"))], "f")
    expected = copy.deepcopy(value)
    expected["roles"][name][path[2]] = new_value
    assert said(new) == expected
    assert comments(new) == comments(text)
    assert_only_inside(text, new, path)


@given(files(), st.data(), names)
def test_a_name_is_changed_wherever_it_stands(
    file: tuple[str, Any], data: st.DataObject, name: str
) -> None:
    text, value = file
    assume(value.get("roles") and name not in value["roles"])
    old = data.draw(st.sampled_from([*value["roles"]]))
    paths = [path for path in lists_of(value) if old in at(value, path)]
    respelt = [Respell(path, old, name) for path in paths]
    new = edited(text, [*respelt, Rename(("roles", old), name)], "f")
    expected = copy.deepcopy(value)
    for path in paths:
        at(expected, path)[:] = [name if each == old else each for each in at(value, path)]
    expected["roles"][name] = expected["roles"].pop(old)
    assert said(new) == expected
    assert comments(new) == comments(text)
    assert len(new.splitlines()) == len(text.splitlines())
    assert re.findall(r"\r?\n", new) == re.findall(r"\r?\n", text)


@given(files(), st.data())
def test_an_entry_goes_with_nothing_but_what_is_said_of_it(
    file: tuple[str, Any], data: st.DataObject
) -> None:
    text, value = file
    entries = [(section, name) for section in value for name in value[section]]
    assume(entries)
    path = data.draw(st.sampled_from(entries))
    new = edited(text, [Drop(path)], "f")
    expected = copy.deepcopy(value)
    del expected[path[0]][path[1]]
    assert said(new) == expected
    if is_in_brackets(text):
        return
    _, below = around(text, path)
    assert new.endswith(below.lstrip("\r\n")) or len(expected[path[0]]) == 0
    # Of what stands above, only comments that end right there are gone, and only as a whole.
    others = [each for each in entries if each != path]
    for other in others:
        assert other[1] in said(new)[other[0]]
    rest = iter(text.splitlines())
    assert all(line in rest for line in new.splitlines() if "{}" not in line.replace(" ", ""))


@given(files(), st.data())
def test_a_mark_at_the_beginning_and_line_ends_stay(
    file: tuple[str, Any], data: st.DataObject
) -> None:
    text, _ = file
    new = edited(text, [Put(("users", "somebody new"), {"roles": ["reader"]})], "f")
    assert new.startswith("\ufeff") == text.startswith("\ufeff")
    if "\n" in text:
        assert ("\r\n" in text) == ("\r\n" in new)
        assert not re.search(r"(?<!\r)\n", new) or "\r\n" not in text


@given(texts, names, some_names)
def test_any_text_is_edited_or_refused(text: str | bytes, name: str, items: Keys) -> None:
    whole = text.decode(errors="replace") if isinstance(text, bytes) else text
    for change in (
        Add(("roles", name, "permissions"), items),
        Take(("roles", name), items),
        Put(("users", name, "title"), "x"),
        Respell(("claims", name), name, "x"),
        Rename(("roles", name), "x"),
        Drop(("roles", name)),
    ):
        try:
            new = edited(whole, [change], "any.yaml")
        except EditRefused as refused:
            assert str(refused)  # noqa: PT017 - both ends are right
            continue
        assert said(new) != said(whole) or new == whole
