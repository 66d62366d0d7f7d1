"""`ucs-gateway policy try` and what follows: a candidate policy, from a first look to everybody.

try        have the running gateway ask the candidate about every request too, without effect;
           with a share, users or groups it decides for those
candidate  what it said differently so far, and whether it has reverted by itself
promote    put it in force for everybody
withdraw   try it no more
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from gateway.attempts import Finding
from gateway.candidate import Example, Tally
from gateway.cli.admin_port import asked
from gateway.cli.output import Exit, config_option, format_option, near, show_json, time_of
from gateway.rollout import Band, Plan
from gateway.trial import TrialStatus
from policy import Reason

__all__ = ["COMMANDS"]

_PATH = "/api/policy/candidate"
_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)")
_SHOWN_EXAMPLES = 10
_DEFAULT = Band()

_F = TypeVar("_F", bound=Callable[..., object])


def _share(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Between nothing and all: `10%` or `0.1`."""
    found = _SHARE.fullmatch(value.strip())
    share = -1.0 if found is None else float(found[1]) / (100 if found[2] else 1)
    if not 0.0 <= share <= 1.0:
        raise click.BadParameter("a share is between 0% and 100%: write `10%` or `0.1`")
    return share


def _share_option(name: str, default: float, words: str) -> Callable[[_F], _F]:
    return click.option(
        name, callback=_share, default=f"{100 * default:.4g}%", show_default=True,
        metavar="SHARE", help=words,
    )  # fmt: skip


class _Told(msgspec.Struct):
    """What became of a call."""

    outcome: str
    version: str = ""
    why: str = ""
    findings: tuple[Finding, ...] = ()


@click.command("try")
@config_option
@_share_option("--share", 0.0, "enforce it for this share of all callers")
@click.option("--user", "users", multiple=True, help="and for this user; repeatable")
@click.option("--group", "groups", multiple=True, help="and for this group's users; repeatable")
@_share_option("--more", _DEFAULT.above, "revert by itself when it denies so much more")
@_share_option("--fewer", _DEFAULT.below, "revert by itself when it denies so much less")
@click.option(
    "--after", type=click.IntRange(min=1), default=_DEFAULT.minimum, show_default=True,
    help="requests to see first, in any one worker",
)  # fmt: skip
@click.option(
    "--window", type=click.IntRange(min=1), default=_DEFAULT.window, show_default=True,
    help="requests that are looked back on",
)  # fmt: skip
@format_option
def try_out(
    config: Path,
    *,
    share: float,
    users: tuple[str, ...],
    groups: tuple[str, ...],
    more: float,
    fewer: float,
    after: int,
    window: int,
    format_: str,
) -> int:
    """Try the policy of the folder `candidate` beside the one in force.

    Every request is put to both; for whom the candidate is not enforced it changes nothing. Called
    again with another share, it goes on with that, and counts anew. Exits with 3 when the
    candidate's files were refused.
    """
    try:
        plan = Plan(
            share=share,
            users=frozenset(users),
            groups=frozenset(groups),
            band=Band(above=more, below=fewer, minimum=after, window=window),
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    arguments: dict[str, object] = msgspec.to_builtins(plan)
    code, answer = asked(config, "POST", _PATH, arguments, expected=frozenset({200, 409}))
    if code == 409:
        return _refused(answer, format_)
    if format_ == "json":
        show_json(answer)
    else:
        status = msgspec.convert(answer, TrialStatus)
        click.echo(f"tried: version {status.version} beside {status.beside}")
        click.echo(f"it decides for {_whom(status.plan)}")
        _show_faults(status)
    return Exit.COULD_NOT if answer["faults"] else Exit.YES


@click.command("candidate")
@config_option
@format_option
def candidate(config: Path, format_: str) -> int:
    """Tell what the candidate said differently so far.

    Exits with 2 when it did, or has reverted.
    """
    _, answer = asked(config, "GET", _PATH)
    status = msgspec.convert(answer, TrialStatus)
    if format_ == "json":
        show_json(answer)
    else:
        for line in _described(status):
            click.echo(near(line))
        _show_faults(status)
    differs = status.tally.changes or status.tally.reverted
    return Exit.DENIED_OR_DIFFERENT if differs else Exit.YES


@click.command("promote")
@config_option
@format_option
def promote(config: Path, format_: str) -> int:
    """Put the candidate in force for everybody, as it was tried.

    Copy its files over those of `policy` afterwards: until then a restart brings the old policy
    back. `policy rollback` undoes it. Exits with 3 when it was refused.
    """
    code, answer = asked(config, "POST", f"{_PATH}/promote", {}, expected=frozenset({200, 409}))
    if code == 409:
        return _refused(answer, format_)
    if format_ == "json":
        show_json(answer)
    else:
        told = msgspec.convert(answer, _Told)
        click.echo(f"promoted: version {told.version} is in force")
        if told.why:
            click.echo(near(f"  {told.why}"))
    return Exit.COULD_NOT if answer["why"] else Exit.YES


@click.command("withdraw")
@config_option
@format_option
def withdraw(config: Path, format_: str) -> int:
    """Try the candidate no more; the policy in force decides for everybody at once."""
    code, answer = asked(config, "POST", f"{_PATH}/withdraw", {}, expected=frozenset({200, 409}))
    if code == 409:
        raise click.ClickException(answer["why"])
    if format_ == "json":
        show_json(answer)
    else:
        click.echo("withdrawn: no candidate is tried any more")
        if answer["why"]:
            click.echo(near(f"  {answer['why']}"))
    return Exit.COULD_NOT if answer["why"] else Exit.YES


COMMANDS = (try_out, candidate, promote, withdraw)


def _refused(answer: Any, format_: str) -> int:
    if format_ == "json":
        show_json(answer)
        return Exit.INVALID
    told = msgspec.convert(answer, _Told)
    click.echo("refused: everything stays as it was")
    for found in told.findings:
        click.echo(near(f"  {found}"))
        if found.help is not None:
            click.echo(near(f"    help: {found.help}"))
    if not told.findings:
        click.echo(near(f"  {told.why}"))
    return Exit.INVALID


def _show_faults(status: TrialStatus) -> None:
    if status.faults:
        click.echo(near(f"NOT tried everywhere: {status.faults}"))


def _whom(plan: Plan) -> str:
    """For whom the candidate decides, in words."""
    parts = [f"{100 * plan.share:.4g} % of all callers"] if plan.share else []
    for kind, names in (("user", plan.users), ("group", plan.groups)):
        if names:
            plural = "s" if len(names) > 1 else ""
            parts.append(f"the {kind}{plural} {', '.join(sorted(names))}")
    return ", ".join(parts) or "nobody: it is only compared"


def _described(status: TrialStatus) -> Iterator[str]:
    tally = status.tally
    yield f"candidate: {status.version}, tried beside {status.beside} since {time_of(status.since)}"
    if tally.reverted is None:
        yield f"it decides for {_whom(status.plan)}"
    else:
        yield f"REVERTED by itself at request {tally.reverted.id}: {tally.reverted.why}"
        yield f"it decides for nobody any more (it was for {_whom(status.plan)})"
    seen = tally.compared + tally.undetermined
    yield f"requests: {seen:,} seen, {tally.enforced:,} of them decided by it"
    yield from _changes(tally)


def _changes(tally: Tally) -> Iterator[str]:
    if not tally.changes:
        yield "no difference so far"
        return
    yield "differences, as requests: in force → candidate"
    for change, count in tally.changes:
        what = f"{change.route} of {change.service}" if change.route else "unknown operations"
        yield f"  {count:>7,}  {what}: {_said(change.active)} → {_said(change.candidate)}"
    if tally.other:
        yield f"  {tally.other:>7,}  of other operations"
    yield "for example, the last of each caller"
    for example in tally.examples[-_SHOWN_EXAMPLES:]:
        yield f"  {_example(example)}"


def _example(example: Example) -> str:
    missing = [*example.candidate_missing.all_of]
    missing += [" or ".join(group) for group in example.candidate_missing.any_of]
    lacking = f", lacking {', '.join(missing)}" if missing else ""
    decided = "decided by it" if example.enforced else "compared"
    change = example.change
    return (
        f"{example.id} {example.subject or 'a stranger'}: {change.route or 'unknown operation'},"
        f" {_said(change.candidate)}{lacking} ({decided})"
    )


def _said(reason: Reason | None) -> str:
    return "would ask for the body" if reason is None else reason.label
