"""`ucs-gateway mine`: what of all that is granted was used, and the least that would have done."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

import policy
from gateway.audit import safe_text
from gateway.cli.audit_log import (
    audit_log,
    audit_options,
    counted,
    oddities,
    oddities_in_words,
    requests,
    span,
)
from gateway.cli.output import Exit, config_option, format_option, near, show_json, why
from gateway.learning import AuditLog, Lack, Trimmed, Usage, trimmed
from gateway.learning.usage import CallerUse
from gateway.settings import load_settings, specs
from policy import DecisionTable, Sources
from policy.analysis import Demand, least_of, smallest_role

__all__ = ["command"]

_SHORT_DAYS = 30
_MOST_SHOWN = 20
_MOST_NAMES = 6


@click.command("mine")
@audit_options
@click.option(
    "--patch",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to write a diff that takes unused permissions out of the role files.",
)
@config_option
@format_option
def command(
    logs: tuple[str, ...], since: str, until: str, patch: Path | None, config: Path, format_: str
) -> int:
    """Tell which permissions were never used, and the smallest role that would have done.

    A permission is used where an allowed request demanded it. The diff of --patch is never applied
    by itself. Exits with 1 when no line shows an allowed request.
    """
    settings = load_settings(config, os.environ)
    sources = policy.read(specs(settings), settings.policy)
    table = policy.compile(policy.load(sources))
    usage = Usage(table)
    log = audit_log(logs, since, until)
    for line in log:
        usage.add(line)
    result = None if patch is None else _write_patch(patch, sources, table, usage)
    if format_ == "json":
        show_json(_report(log, table, usage))
    else:
        for text in _told(log, table, usage):
            click.echo(near(text))
    if patch is not None and result is not None:
        for text in _about_patch(patch, result):
            click.echo(near(text), err=format_ == "json")
    return Exit.YES if usage.allowed.count else Exit.COULD_NOT


# --- text --------------------------------------------------------------------------------------


def _told(log: AuditLog, table: DecisionTable, usage: Usage) -> Iterator[str]:
    allowed, callers = usage.allowed, len(usage.callers)
    yield (
        f"{requests(allowed.count)} allowed to {counted(callers, 'caller')}"
        f"{span(allowed.first, allowed.last)}, {usage.denied.count} denied for want of a permission"
    )
    if not allowed.count:
        yield "no line shows an allowed request: nothing can be said of what is used"
    elif allowed.days < _SHORT_DAYS:
        yield (
            f"CAUTION: this rests on {_days(allowed.days)}; what is needed once a month or once a"
            " year is not in it"
        )
    if usage.unknown_operations:
        yield f"left out: {requests(usage.unknown_operations)} for operations that are gone"
    if usage.undecided:
        yield f"left out: {requests(usage.undecided)} that ended in an error before any decision"
    yield from oddities_in_words(log)
    used = [name for name, use in usage.roles.items() if use.used | use.perhaps]
    yield from _section("roles that were used", (_role(table, usage, name) for name in used))
    yield from _section("callers", (_caller(table, use) for use in _by_excess(usage)))
    yield from _section(
        "callers that lacked one permission",
        (_lack(table, usage, lack, count) for lack, count in usage.lacks.most_common()),
    )
    if not allowed.count:
        return
    unused = (f"`{name}` ({table.roles[name].where})" for name in _never_used(table, usage))
    yield from _section("roles that nobody used", ([text] for text in unused))
    unseen = (f"`{name}` ({table.users[name].where})" for name in _never_seen(table, usage))
    yield from _section("users never seen", ([text] for text in unseen))


def _section(title: str, entries: Iterable[Iterable[str]]) -> Iterator[str]:
    left = 0
    for number, entry in enumerate(entries):
        if not number:
            yield f"{title}:"
        if number < _MOST_SHOWN:
            first, *others = entry
            yield f"  {first}"
            yield from (f"    {other}" for other in others)
        else:
            left += 1
    if left:
        yield f"  and {left} more; --format json has all"


def _role(table: DecisionTable, usage: Usage, name: str) -> Iterator[str]:
    role, use = table.roles[name], usage.roles[name]
    used = (use.used & role.mask).bit_count()
    yield f"`{name}`: {used} of {role.mask.bit_count()} permissions used by {counted(use.callers, 'caller')}"
    if unused := usage.unused(name):
        yield f"never used: {_names(table, unused)}"
        if maybe := use.perhaps & ~use.used:
            yield f"perhaps used, where nobody looked into the body: {_names(table, maybe)}"
        yield from _enough(table, use.demands, role.mask, name)


def _caller(table: DecisionTable, use: CallerUse) -> Iterator[str]:
    used = use.used
    unused = use.held & ~used
    who = _who(use.subject, use.claims)
    yield f"{who}: {used.bit_count()} of {use.held.bit_count()} permissions used in {requests(use.span.count)}"
    if unused:
        yield f"never used: {_names(table, unused)}"
        own = {role.name for role in table.roles_of(use.caller)}
        demands = [demanded.at_most for demanded in use.demands]
        yield from _enough(table, demands, use.held, next(iter(own)) if len(own) == 1 else "")


def _enough(table: DecisionTable, demands: Iterable[Demand], held: int, own: str) -> Iterator[str]:
    demands = list(demands)
    least = least_of(demands, held)
    if not least:
        yield "would have done: nothing but to be known"
        return
    role = smallest_role(table, demands, held)
    text = f"would have done: {_names(table, least)}"
    if role is None:
        text += "; no role has all of them"
    elif role.name != own:
        text += f"; the smallest role with that is `{role.name}`, of {role.mask.bit_count()}"
    yield text


def _lack(table: DecisionTable, usage: Usage, lack: Lack, count: int) -> Iterator[str]:
    names = " or ".join(map(safe_text, lack.permissions))
    yield f"{_who(lack.subject, lack.claims)}: {names}, {requests(count)}"
    role = _supplier(table, lack)
    there = f"; the smallest role with it is `{role}`" if role else ""
    example = safe_text(usage.lack_examples[lack])
    yield f"for {safe_text(lack.operation)}, such as {example}{there}"


def _about_patch(patch: Path, result: Trimmed) -> Iterator[str]:
    for file in result.left_alone:
        yield f"note: {file} is not in the patch, and has to be edited by hand"
    if result.diff:
        yield f"{patch} holds a diff to review; `patch -p1 < {patch}` applies it"
    else:
        yield f"{patch} holds no diff: there is nothing to take out"


# --- the patch ---------------------------------------------------------------------------------


def _write_patch(patch: Path, sources: Sources, table: DecisionTable, usage: Usage) -> Trimmed:
    result = trimmed(sources, table, usage.removable(), _from_here, usage.still_met_by)
    allowed = usage.allowed
    rests_on = f"{requests(allowed.count)}{span(allowed.first, allowed.last)}"
    comments = [
        f"# Permissions that no allowed request used. This rests on {rests_on}.",
        "# Everybody who was seen can still do all that they did. Review before you apply it.",
        *_doubts(usage),
    ]
    try:
        patch.write_text("\n".join([*comments, result.diff]), "utf-8")
    except OSError as error:
        raise click.ClickException(f"{patch} cannot be written: {why(error)}") from error
    return result


def _doubts(usage: Usage) -> Iterator[str]:
    if usage.allowed.days < _SHORT_DAYS:
        yield f"# CAUTION: that is {_days(usage.allowed.days)}."
    for name in usage.removable():
        if users := usage.unseen_users_with(name):
            shown = ", ".join(f"`{user}`" for user in users[:_MOST_NAMES])
            yield f"# CAUTION: the role `{name}` is also held by users never seen: {shown}."


def _from_here(file: str) -> str:
    path = Path(file).absolute()
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix().lstrip("/")


# --- what follows from it ----------------------------------------------------------------------


def _never_used(table: DecisionTable, usage: Usage) -> list[str]:
    return [
        name
        for name, use in usage.roles.items()
        if table.roles[name].mask and not use.used | use.perhaps
    ]


def _never_seen(table: DecisionTable, usage: Usage) -> list[str]:
    return [name for name in table.users if name not in usage.seen_users]


def _by_excess(usage: Usage) -> list[CallerUse]:
    """Who has most that was never used first."""
    return sorted(
        usage.callers.values(),
        key=lambda use: (-(use.held & ~use.used).bit_count(), use.subject, use.claims),
    )


def _supplier(table: DecisionTable, lack: Lack) -> str | None:
    known = [name for name in lack.permissions if name in table.permissions]
    role = smallest_role(table, [Demand(0, (table.permissions.mask_of(known),))]) if known else None
    return None if role is None else role.name


def _report(log: AuditLog, table: DecisionTable, usage: Usage) -> dict[str, object]:
    allowed = usage.allowed
    return {
        "allowed": allowed.count,
        "denied": usage.denied.count,
        "first": allowed.first or None,
        "last": allowed.last or None,
        "days": round(allowed.days, 3),
        "is_short": allowed.days < _SHORT_DAYS,
        "undecided": usage.undecided,
        "unknown_operations": usage.unknown_operations,
        "callers_left_out": usage.callers_left_out,
        **oddities(log),
        "roles": [_role_report(table, usage, name) for name in usage.roles],
        "callers": [_caller_report(table, use) for use in _by_excess(usage)],
        "lacked_one": [
            {
                "caller": lack.subject,
                "claims": lack.claims,
                "any_of": lack.permissions,
                "operation": lack.operation,
                "count": count,
                "example": usage.lack_examples[lack],
                "smallest_role": _supplier(table, lack),
            }
            for lack, count in usage.lacks.most_common()
        ],
        "roles_never_used": _never_used(table, usage),
        "users_never_seen": _never_seen(table, usage),
        "claims_never_seen": [name for name in table.claims if name not in usage.seen_claims],
    }


def _role_report(table: DecisionTable, usage: Usage, name: str) -> dict[str, object]:
    use, names_of = usage.roles[name], table.names_of
    mask = table.roles[name].mask
    role = smallest_role(table, use.demands, mask) if use.demands else None
    return {
        "role": name,
        "callers": use.callers,
        "granted": names_of(mask),
        "used": names_of(use.used),
        "perhaps_used": names_of(use.perhaps & ~use.used),
        "never_used": names_of(usage.unused(name)),
        "least": names_of(least_of(use.demands, mask)),
        "smallest_role": None if role is None else role.name,
    }


def _caller_report(table: DecisionTable, use: CallerUse) -> dict[str, object]:
    demands = [demanded.at_most for demanded in use.demands]
    role = smallest_role(table, demands, use.held)
    return {
        "caller": use.subject,
        "claims": use.claims,
        "requests": use.span.count,
        "first": use.span.first,
        "last": use.span.last,
        "roles": [role.name for role in table.roles_of(use.caller)],
        "never_used": table.names_of(use.held & ~use.used),
        "least": table.names_of(least_of(demands, use.held)),
        "smallest_role": None if role is None else role.name,
    }


# --- words -------------------------------------------------------------------------------------


def _names(table: DecisionTable, bits: int) -> str:
    names = table.names_of(bits)
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown


def _who(subject: str, claims: tuple[str, ...]) -> str:
    shown = f" ({', '.join(map(safe_text, claims))})" if claims else ""
    return f"{safe_text(subject)}{shown}"


def _days(days: float) -> str:
    return "less than a day" if days < 1 else f"{days:.0f} days"
