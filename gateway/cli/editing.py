"""What the commands that edit the policy have in common: read, plan, check, write, tell.

The edited files are checked together with all others, as `ucs-gateway check` would, before any of
them is written. A policy that has errors already may be edited, so that it can be mended by
command; it must not get new ones. New warnings are shown, and keep nobody from writing.
"""

import difflib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec

import policy
from gateway.app import load_table
from gateway.cli.output import Exit, config_option, format_option, near, show_findings, show_json
from gateway.cli.replacing import locked, replace_files
from gateway.settings import Settings, load_settings, specs
from policy import DecisionTable, Diagnostic, PolicyInvalid, Severity, Sources, Text
from policy.analysis import WhoKind, accepted_of, lint
from policy.editing import (
    EditRefused,
    Effect,
    PolicyFiles,
    Reach,
    Step,
    effect_of,
    of_kind,
)

__all__ = ["Plan", "edit_options", "edits", "file_option", "settings_and_table", "show_options"]

_MOST_NAMES = 6
_KINDS = (
    (WhoKind.USER, "user"), (WhoKind.CLIENT, "client"), (WhoKind.CLAIM, "claim value"),
)  # fmt: skip

Plan = Callable[[PolicyFiles], Step]
"""Works out, from the files as they are, what is to change in them."""


def edits(command: Callable[..., Plan]) -> Callable[..., int]:
    """A command that edits: it says what to change, and gets the options of all such commands."""

    @wraps(command)
    def edit_by(
        *, config: Path, dry_run: bool, format_: str, file: Path | None = None, **names: Any
    ) -> int:
        return _edit(command(**names), config=config, dry_run=dry_run, format_=format_, file=file)

    return edit_options(edit_by)


def edit_options(command: Callable[..., int]) -> Callable[..., int]:
    """The options of every command that edits files."""
    dry_run = click.option(
        "--dry-run", is_flag=True, help="Show what would change in the files, and write nothing."
    )
    return config_option(format_option(dry_run(command)))


def show_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that only looks."""
    return config_option(format_option(command))


file_option = click.option(
    "--file",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The policy file for a new name, within the policy folder.",
)


def settings_and_table(config: Path) -> tuple[Settings, DecisionTable]:
    settings = load_settings(config, os.environ)
    return settings, load_table(settings)


def _edit(plan: Plan, *, config: Path, dry_run: bool, format_: str, file: Path | None) -> int:
    """Make the edit that `plan` works out; the exit code of the command."""
    settings = load_settings(config, os.environ)
    with nullcontext() if dry_run else locked(settings.policy):
        sources = policy.read(specs(settings), settings.policy)
        known = _of_catalogues(sources).permissions
        titles = {name: known.title_of(name) for name in known}
        new_file = None if file is None else str(_within(settings.policy, file))
        try:
            files = PolicyFiles(sources, titles, new_file, known.scopes)
            step = plan(files)
            texts = files.edited(step)
        except EditRefused as refused:
            raise click.ClickException(str(refused)) from None
        old = _Checked(sources)
        new = _Checked(_with_texts(sources, texts)) if texts else old
        fresh = _fresh(old, new)
        report = _Report(step, texts, files.texts, old.table, new.table, fresh)
        is_sound = not any(found.severity is Severity.ERROR for found in fresh)
        if is_sound and texts and not dry_run:
            contents = {Path(name): text.encode() for name, text in texts.items()}
            replace_files(contents, lambda: _is_same(settings, sources))
            report.is_written = True
    if format_ == "json":
        show_json(report.as_json())
    else:
        report.show(dry_run=dry_run)
        if is_sound and new.table is None:
            click.echo("note: the policy had errors before, and still has: see `check`", err=True)
    return Exit.YES if is_sound else Exit.INVALID


class _Report:
    """What an edit changes, and what that means."""

    def __init__(
        self,
        step: Step,
        texts: Mapping[str, str],
        old_texts: Mapping[str, str],
        old: DecisionTable | None,
        new: DecisionTable | None,
        fresh: Sequence[Diagnostic],
    ) -> None:
        self._step = step
        self._texts = texts
        self._old_texts = old_texts
        self._fresh = fresh
        self._effect: Effect | None = None
        self._why_no_effect: PolicyInvalid | None = None
        self.is_written = False
        if old is not None and new is not None:
            try:
                self._effect = effect_of(old, new)
            except PolicyInvalid as too_many:
                self._why_no_effect = too_many

    @property
    def _is_refused(self) -> bool:
        return any(found.severity is Severity.ERROR for found in self._fresh)

    def show(self, *, dry_run: bool) -> None:
        if dry_run:
            for file in self._texts:
                click.echo(near(self._diff(file)), nl=False)
        show_findings(self._fresh)
        if self._is_refused:
            click.echo("nothing is written: the policy would have these errors", err=True)
            return
        for line in self._said():
            click.echo(near(line))
        for note in self._step.notes:
            click.echo(f"note: {near(note)}", err=bool(self._step.said))
        if not self._texts:
            click.echo("nothing to change")
        elif dry_run:
            click.echo("nothing is written (--dry-run)")
        else:
            click.echo(near(f"written: {', '.join(self._texts)}"))

    def _said(self) -> Iterator[str]:
        """What is done, and what that means."""
        yield from self._step.said
        if self._step.said and self._effect is not None:
            yield from _in_words(self._effect)
        elif self._step.said and self._why_no_effect is not None:
            yield f"what this opens and closes cannot be told:\n  {self._why_no_effect}"

    def as_json(self) -> dict[str, object]:
        effect = self._effect
        return {
            "written": self.is_written,
            "valid": not self._is_refused,
            "said": self._step.said,
            "notes": self._step.notes,
            "files": [{"file": file, "diff": self._diff(file)} for file in self._texts],
            "opened": None if effect is None else _operations(effect.opened),
            "closed": None if effect is None else _operations(effect.closed),
            "gaining": None if effect is None else effect.gaining,
            "losing": None if effect is None else effect.losing,
            "findings": [msgspec.to_builtins(found) for found in self._fresh],
        }

    def _diff(self, file: str) -> str:
        old, new = self._old_texts[file], self._texts[file]
        lines = difflib.unified_diff(
            old.splitlines(keepends=True), new.splitlines(keepends=True), file, file
        )
        ends = "\n\\ No newline at end of file\n"
        return "".join(line if line.endswith("\n") else line + ends for line in lines)


def _in_words(effect: Effect) -> Iterable[str]:
    """What callers gain and lose, each in a line."""
    if not effect.opened and not effect.closed:
        yield "nobody may call more or less than before"
    for verb, reach, some, part in (
        ("open", effect.opened, effect.gaining, "more of its requests"),
        ("close", effect.closed, effect.losing, "some of its requests"),
    ):
        if not reach:
            continue
        whom = [_counted(of_kind(some, kind), word) for kind, word in _KINDS]
        if any(whom):
            yield f"{verb}s {reach} for {' and '.join(filter(None, whom))}"
        else:
            yield f"would {verb} {reach}; no user, no client and no claim value has it"
        for route in reach.whole:
            yield f"  {route.method} {route.template} ({route.id})"
        for route in reach.partly:
            yield f"  {route.method} {route.template} ({route.id}), {part}"


def _counted(names: Sequence[str], word: str) -> str:
    if not names:
        return ""
    some = ", ".join(f"`{name}`" for name in names[:_MOST_NAMES])
    more = "" if len(names) <= _MOST_NAMES else ", …"
    return f"{len(names)} {word}{'' if len(names) == 1 else 's'} ({some}{more})"


def _operations(reach: Reach) -> list[dict[str, object]]:
    return [
        {
            "operation": route.id, "service": route.service, "method": route.method,
            "template": route.template, "partly": partly,
        }
        for partly, routes in ((False, reach.whole), (True, reach.partly))
        for route in routes
    ]  # fmt: skip


def _of_catalogues(sources: Sources) -> DecisionTable:
    """What the catalogues alone say, whatever is wrong with the policy files."""
    return policy.compile(policy.load(Sources(sources.services, ())))


class _Checked:
    """A policy as `check` sees it; `table` is None if it has errors."""

    def __init__(self, sources: Sources) -> None:
        self.table: DecisionTable | None = None
        try:
            self._document = policy.load(sources)
            self.table = policy.compile(self._document)
            self.findings = self.table.findings
            self._sources = sources
        except PolicyInvalid as invalid:
            self.findings = invalid.diagnostics

    def linted(self) -> tuple[Diagnostic, ...]:
        """Everything there is to say and nobody has accepted, where there are no errors."""
        if self.table is None:
            return self.findings
        return accepted_of(lint(self._document, self.table), self._sources)[0]


def _with_texts(sources: Sources, texts: Mapping[str, str]) -> Sources:
    changed = dict(texts)
    policies = [
        Text(text.file, changed.pop(text.file).encode() if text.file in changed else text.content)
        for text in sources.policies
    ]
    policies += [Text(file, text.encode()) for file, text in changed.items()]
    policies.sort(key=lambda text: text.file)
    return Sources(sources.services, tuple(policies))


def _fresh(old: _Checked, new: _Checked) -> list[Diagnostic]:
    """The findings that were not there before, wherever they stood.

    What is hardly meant is told of a sound policy only, and compared with what was one before.
    """
    if old is new:
        return []
    can_compare = old.table is not None and new.table is not None
    before, after = (each.linted() if can_compare else each.findings for each in (old, new))
    known = Counter((found.where.file, found.code, found.message) for found in before)
    fresh = []
    for found in after:
        same = (found.where.file, found.code, found.message)
        if known[same]:
            known[same] -= 1
        else:
            fresh.append(found)
    return fresh


def _is_same(settings: Settings, sources: Sources) -> bool:
    """Whether everything that was read still is what it was."""
    try:
        return policy.read(specs(settings), settings.policy).digest == sources.digest
    except policy.PolicyUnreadable:
        return False


def _within(folder: Path, file: Path) -> Path:
    """The policy file that is meant: by its name in the folder, or by a path to it."""
    meant = folder / file if len(file.parts) == 1 else file.absolute()
    if meant.parent.resolve() != folder.resolve():
        raise click.ClickException(f"{file} is not in the policy folder {folder}")
    if meant.suffix not in {".yaml", ".yml"} or meant.name.startswith("."):
        raise click.ClickException(f"{file}: a policy file is called `*.yaml`")
    return folder / meant.name
