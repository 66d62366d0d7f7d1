"""What an import changed, for people and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import msgspec

from gateway.cli.catalogue_roles import Affected
from gateway.cli.output import near
from policy.importing import Change, Changes, Kind, Made

__all__ = ["Report"]

# What closes or opens something is told whole; what is only new is many at first.
_MOST_NEW = 20
_MOST_NOTES = 20
_MOST_NAMES = 8
_IN_ORDER = (Kind.WEAKENED, Kind.CHANGED, Kind.STRENGTHENED, Kind.GONE, Kind.NEW)


@dataclass(slots=True)
class Report:
    """An import, from its file to the roles that it touches."""

    file: Path
    made: Made
    changes: Changes
    previous: str | None
    affected: Affected | None = field(default=None)
    is_written: bool = False

    @property
    def is_different(self) -> bool:
        return self.made.text != self.previous

    @property
    def is_sound(self) -> bool:
        return self.affected is None or not self.affected.findings

    def show(self, *, dry_run: bool) -> None:
        for line in self._lines(dry_run=dry_run):
            click.echo(near(line))
        for note in self.made.notes[:_MOST_NOTES]:
            click.echo(f"note: {note}", err=True)
        if (more := len(self.made.notes) - _MOST_NOTES) > 0:
            click.echo(f"note: and {more} more; `--format json` has them all", err=True)
        if not self.is_sound:
            click.echo("nothing is written: the policy would have these errors", err=True)

    def as_json(self) -> dict[str, object]:
        affected = self.affected
        return {
            "file": str(self.file),
            "written": self.is_written,
            "valid": self.is_sound,
            "different": self.is_different,
            "operations": {kind.value: list(map(_plain, self.changes.of(kind))) for kind in Kind},
            "permissions": {
                "new": self.changes.new_permissions,
                "gone": self.changes.gone_permissions,
            },
            "scopes": {"new": self.changes.new_scopes, "gone": self.changes.gone_scopes},
            "roles": None if affected is None else msgspec.to_builtins(affected.roles),
            "findings": []
            if affected is None
            else [msgspec.to_builtins(found) for found in affected.findings],
            "notes": self.made.notes,
        }

    def _lines(self, *, dry_run: bool) -> Iterator[str]:
        for kind in _IN_ORDER:
            yield from _operations(kind, self.changes.of(kind))
        for what, new, gone in (
            ("permission", self.changes.new_permissions, self.changes.gone_permissions),
            ("scope", self.changes.new_scopes, self.changes.gone_scopes),
        ):
            if new and self.previous is not None:
                yield f"{_counted(new, what)} {_be(new)} new: {_some(new)}"
            if gone:
                yield f"{_counted(gone, what)} {_be(gone)} gone: {_some(gone)}"
        yield from self._roles()
        counts = ", ".join(f"{len(self.changes.of(kind))} {kind.value}" for kind in Kind)
        yield f"operations: {counts}"
        if not self.is_different:
            yield "nothing to change"
        elif self.is_written:
            yield f"written: {self.file}"
        elif dry_run:
            yield "nothing is written (--dry-run)"

    def _roles(self) -> Iterator[str]:
        if self.affected is None:
            return
        for change in self.affected.roles:
            if change.opens:
                yield f"role `{change.role}` opens {len(change.opens)} more: {_some(change.opens)}"
            if change.closes:
                yield (
                    f"role `{change.role}` no longer opens {len(change.closes)}:"
                    f" {_some(change.closes)}"
                )
        if not self.affected.roles and self.is_sound:
            yield "no role opens more or less than before"


def _operations(kind: Kind, changes: Sequence[Change]) -> Iterator[str]:
    shown = changes[:_MOST_NEW] if kind is Kind.NEW else changes
    for change in shown:
        asked = f": {change.now or change.was}" if not (change.was and change.now) else ""
        yield f"{kind.value}: {change.request} ({change.operation}){asked}"
        if change.was and change.now:
            yield f"  was {change.was}"
            yield f"  now {change.now}"
        if change.taken_by:
            yield f"  its requests are now answered by {change.taken_by}"
    if len(changes) > len(shown):
        yield f"{kind.value}: and {len(changes) - len(shown)} more"


def _plain(change: Change) -> dict[str, str]:
    fields: dict[str, str] = msgspec.to_builtins(change)
    return {name: value for name, value in fields.items() if value and name != "kind"}


def _counted(names: Sequence[str], word: str) -> str:
    return f"{len(names)} {word}{'' if len(names) == 1 else 's'}"


def _be(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _some(names: Sequence[str]) -> str:
    more = "" if len(names) <= _MOST_NAMES else f" and {len(names) - _MOST_NAMES} more"
    return ", ".join(names[:_MOST_NAMES]) + more
