"""Policy files as people lay them out: random values in random layouts, full of comments.

Every comment is another one (`#c1`, `#c2` …), so that a test can tell which of them are left.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from hypothesis import strategies as st

__all__ = ["NAMES", "files"]

NAMES = (
    "reader", "b-c", "UCS.Customer.createProfile", "yes", "1e3", "Analytics > Queue > View",
    "a: b", "x #y", "*star", "été 😀", "- dash", "it's", 'the "boss"', "[x]", "{", "a,b", "null",
    "back\\slash", "on", "0x1", "2024-01-01", "?", "x:y", "a?", "---",
)  # fmt: skip
_BARE = re.compile(r"[a-z][A-Za-z0-9.-]*( > [A-Za-z]+)*|été 😀|it's|a\?")
_BARE_OUTSIDE = re.compile(r"a,b|x:y|back\\slash|the \"boss\"")

Pick = Callable[[int], int]


class _Pen:
    """Writes values, choosing among the ways to write each."""

    def __init__(self, pick: Pick) -> None:
        self._pick = pick
        self._number = count(1)
        self.step = (2, 2, 4, 1)[pick(4)]

    def _one_in(self, many: int) -> bool:
        return self._pick(many) == many - 1

    def comment(self) -> str:
        return f"#c{next(self._number)}"

    def behind(self) -> str:
        """What stands at the end of a line."""
        if self._one_in(4):
            return f"  {self.comment()}"
        return " " if self._one_in(10) else ""

    def between(self, column: int) -> Iterator[str]:
        """Lines that mean nothing."""
        for _ in range(3):
            if not self._one_in(4):
                return
            if self._one_in(2):
                yield ""
            else:
                yield " " * (column if self._one_in(2) else self._pick(6)) + self.comment()

    def word(self, text: str, *, in_flow: bool) -> str:
        bare = _BARE.fullmatch(text) or (not in_flow and _BARE_OUTSIDE.fullmatch(text))
        if text == "null" or (in_flow and text == "a?"):
            bare = None
        if bare and not self._one_in(4):
            return text
        if self._one_in(2):
            return "'" + text.replace("'", "''") + "'"
        return json.dumps(text, ensure_ascii=False)

    def flow(self, value: Any, column: int) -> str:
        """In brackets, on one line or on several."""
        if isinstance(value, bool):
            return json.dumps(value)
        if isinstance(value, str):
            return self.word(value, in_flow=True)
        if isinstance(value, dict):
            items = [
                f"{self.word(key, in_flow=True)}: {self.flow(each, column)}"
                for key, each in value.items()
            ]
        else:
            items = [self.word(each, in_flow=True) for each in value]
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        comma = "," if items and self._one_in(4) else ""
        if self._one_in(2):
            gap = " " if self._one_in(4) else ""
            return f"{opening}{gap}{', '.join(items)}{comma}{gap}{closing}"
        lines = [opening + self.behind()]
        for number, item in enumerate(items, start=1):
            lines += [line for line in self.between(column) if line.strip()]
            mark = "," if number < len(items) else comma
            if lines[-1].endswith((",", ", ")) and self._one_in(4):
                lines[-1] = f"{lines[-1].rstrip()} {item}{mark}{self.behind()}"
            else:
                lines.append(" " * column + item + mark + self.behind())
        return "\n".join([*lines, " " * column + closing])

    def entry(self, key: str, value: Any, column: int, *, depth: int = 0) -> Iterator[str]:
        """`key: value`, with what stands above it."""
        yield from self.between(column)
        head = f"{' ' * column}{self.word(key, in_flow=False)}:"
        inner = column + self.step
        if isinstance(value, bool | str):
            word = json.dumps(value) if isinstance(value, bool) else self.word(value, in_flow=False)
            yield f"{head} {word}{self.behind()}"
        elif not value or (depth and self._one_in(2)):
            yield f"{head} {self.flow(value, inner + 2)}{self.behind()}"
        elif isinstance(value, dict):
            yield head + self.behind()
            for name, each in value.items():
                yield from self.entry(name, each, inner, depth=depth + 1)
        else:
            yield head + self.behind()
            dashes = column if self._one_in(3) else inner
            for each in value:
                yield from self.between(dashes)
                gap = "   " if self._one_in(5) else " "
                yield f"{' ' * dashes}-{gap}{self.word(each, in_flow=False)}{self.behind()}"


def _names(least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(NAMES), min_size=least, max_size=most, unique=True)


_lists = _names(0, 4)
_roles = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(NAMES),
        "enabled": st.booleans(),
        "includes": _lists,
        "permissions": _lists,
    },
)
_sections = st.fixed_dictionaries(
    {},
    optional={
        "roles": st.dictionaries(st.sampled_from(NAMES), _roles, max_size=4),
        "users": st.dictionaries(
            st.sampled_from(NAMES),
            st.fixed_dictionaries({}, optional={"roles": _lists, "groups": _lists}),
            max_size=4,
        ),
        "groups": st.dictionaries(
            st.sampled_from(NAMES), st.fixed_dictionaries({"roles": _lists}), max_size=3
        ),
        "claims": st.dictionaries(st.sampled_from(NAMES), _lists, max_size=3),
    },
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """The text of a policy file, and what it says."""
    value = draw(_sections)
    picks = iter(draw(st.binary(min_size=160, max_size=160)))
    pen = _Pen(lambda many: next(picks, 0) % many)
    lines = list(pen.between(0))
    if value and draw(st.integers(0, 9)) == 0:
        lines.append(pen.flow(value, 2))
    else:
        for section, below in value.items():
            lines += pen.entry(section, below, 0, depth=0)
    lines += pen.between(0)
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = newline.join("\n".join(lines).split("\n"))
    text += draw(st.sampled_from([newline, newline, ""])) if text else ""
    return draw(st.sampled_from(["", "", "\ufeff"])) + text, value
