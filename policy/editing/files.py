"""The files of a policy as they are edited: which of them defines a name, and where a new one goes.

What is wrong in a file is not judged here: a policy with faults may be edited, to mend it too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from policy.diagnostics import visible
from policy.editing.changes import Change
from policy.editing.errors import EditRefused
from policy.editing.rewriting import edited
from policy.loader import Sources, Text
from policy.names import flaw_of
from policy.source import scan
from policy.suggest import Suggestions

__all__ = ["KINDS", "PolicyFiles", "Step", "name_for", "suggestion", "title_for"]

KINDS = {
    "roles": "role", "users": "user", "groups": "group", "clients": "client", "claims": "claim",
}  # fmt: skip


class Step(msgspec.Struct):
    """What an administrator's step changes in each file, and what is to be said of it."""

    changes: dict[str, list[Change]] = {}
    said: list[str] = []
    notes: list[str] = []

    def change(self, file: str, *changes: Change) -> None:
        self.changes.setdefault(file, []).extend(changes)


class PolicyFiles:
    """The texts of all policy files, what they say, and what the catalogues know: permissions with
    their display names, and scopes.

    `new_file` is the file that is wanted for new names, where one is; it need not be there yet.
    """

    def __init__(
        self,
        sources: Sources,
        titles: Mapping[str, str],
        new_file: str | None = None,
        scopes: Sequence[str] = (),
    ) -> None:
        self.texts = {text.file: _decoded(text) for text in sources.policies}
        if new_file is not None:
            self.texts.setdefault(new_file, "")
        self.titles = titles
        self.scopes = tuple(scopes)
        self.new_file = new_file
        self._values = {file: _read(file, text) for file, text in self.texts.items()}

    def names(self, section: str) -> tuple[str, ...]:
        """Every name of a section, in the order of the files."""
        every = (name for file in self._values for name in self._section(file, section))
        return tuple(dict.fromkeys(every))

    def where(self, section: str, name: str) -> str | None:
        """The file that defines the name, or None; raises EditRefused if several do."""
        found = [file for file in self._values if name in self._section(file, section)]
        if len(found) > 1:
            said = f"the {KINDS[section]} `{visible(name)}` is defined in {' and in '.join(found)}"
            raise EditRefused(said, "take one of them away first")
        return found[0] if found else None

    def known(self, section: str, name: str) -> str:
        """The file that defines the name; raises EditRefused with a suggestion if none does."""
        if (file := self.where(section, name)) is None:
            does = "maps" if section == "claims" else "defines"
            said = f"no policy file {does} the {KINDS[section]} `{visible(name)}`"
            raise EditRefused(said, Suggestions(self.names(section)).help_for(name))
        return file

    def entry(self, section: str, name: str) -> Any:
        """What a file says of the name; nothing if no file names it."""
        for file in self._values:
            if name in self._section(file, section):
                return self._section(file, section)[name]
        return None

    def listed(self, section: str, name: str, key: str | None = None) -> tuple[str, ...]:
        """The names in a list of an entry, or in the entry if it is one itself."""
        items = self.items(section, name, key)
        return tuple(str(each.get("role") if isinstance(each, dict) else each) for each in items)

    def items(self, section: str, name: str, key: str | None = None) -> tuple[Any, ...]:
        """The items of such a list: names, and grants in some divisions only."""
        entry = self.entry(section, name)
        found = entry.get(key) if key is not None and isinstance(entry, dict) else entry
        return tuple(found) if isinstance(found, list) else ()

    def home(self, section: str, wanted: str | None) -> str:
        """The file for a new name: the `wanted` one, or the one that has most of its kind."""
        if wanted is not None:
            return wanted
        akin = [section] if section == "roles" else ["users", "groups", "clients", "claims"]

        def has(file: str, sections: Iterable[str]) -> int:
            return sum(len(self._section(file, each)) for each in sections)

        order = sorted(
            self._values,
            key=lambda file: (-has(file, [section]), -has(file, akin), -has(file, KINDS)),
        )
        return order[0]

    def edited(self, step: Step) -> dict[str, str]:
        """The new text of each file that the step changes. Raises EditRefused."""
        made = {
            file: edited(self.texts[file], changes, file) for file, changes in step.changes.items()
        }
        return {file: text for file, text in made.items() if text != self.texts[file]}

    def _section(self, file: str, section: str) -> dict[str, Any]:
        found = self._values[file].get(section)
        return found if isinstance(found, dict) else {}


def suggestion(name: str, names: Iterable[str]) -> str | None:
    """`did you mean …?`, if any of `names` comes near."""
    return Suggestions(names).help_for(name)


def name_for(kind: str, name: str) -> str:
    """`name`, if it may be one; raises EditRefused."""
    if flaw := flaw_of(name):
        raise EditRefused(f"this cannot be the name of a {kind}: {flaw}")
    return name


def title_for(title: str) -> str:
    """`title`, if people can read it; raises EditRefused."""
    if not title.strip() or not title.isprintable():
        raise EditRefused("a title must be text that can be seen, on one line")
    return title


def _decoded(text: Text) -> str:
    if isinstance(text.content, str):
        return text.content
    try:
        return text.content.decode()
    except UnicodeDecodeError:
        raise EditRefused(f"{text.file}: this is not UTF-8", "correct the file first") from None


def _read(file: str, text: str) -> dict[str, Any]:
    source, findings = scan(text.removeprefix("\ufeff"), file)
    if source is None and not re.search(r"^\s*[^#\s]", text.removeprefix("\ufeff"), re.MULTILINE):
        return {}
    if source is None:
        said = "\n".join(map(str, findings))
        raise EditRefused(said, "correct the file by hand first")
    return source.value if isinstance(source.value, dict) else {}
