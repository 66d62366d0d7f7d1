"""Verdicts on expectations, as people read them: what was expected, what is, and who tells more."""

import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from gateway.cli.output import near
from gateway.cli.requests import content_of
from gateway.cli.sentences import lacking
from policy import Decision, Diagnostic, Kind, Means, Missing, NeedsBody, visible
from policy.analysis import (
    UNNAMED,
    Allowed,
    Answer,
    AnsweredBy,
    Coverage,
    Denied,
    Expectation,
    Expected,
    Refusal,
    Verdict,
)

__all__ = ["Report", "as_text", "explaining", "outcome", "surprise"]

_DEFAULT_CONFIG = Path("config/gateway.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run of all expectations of some files has come to."""

    config: Path
    policy: str
    files: tuple[str, ...]
    findings: tuple[Diagnostic, ...]
    verdicts: tuple[Verdict, ...]
    coverage: Coverage | None

    @property
    def surprises(self) -> tuple[Verdict, ...]:
        """The verdicts that are not as expected."""
        return tuple(verdict for verdict in self.verdicts if not verdict.as_expected)


def as_text(report: Report) -> str:
    """Each surprise with all that there is to say, then how many there are, then the coverage."""
    parts = [f"{surprise(verdict, report.config)}\n" for verdict in report.surprises]
    parts.append(_summary(report))
    if report.coverage is not None:
        parts.append(f"\n{_covered(report.coverage)}")
    return near("\n".join(parts))


def _summary(report: Report) -> str:
    surprises, all_of_them = len(report.surprises), len(report.verdicts)
    counted = f"{_counted(all_of_them, 'expectation')} in {_counted(len(report.files), 'file')}"
    return f"{counted}: {f'{surprises} not' if surprises else 'all'} as expected"


def surprise(verdict: Verdict, config: Path) -> str:
    """All there is to say of a verdict that is not as expected."""
    expectation = verdict.expectation
    named = f": {visible(expectation.name)}" if expectation.name else ""
    return "\n".join((
        f"{expectation.where}: not as expected{named}",
        *(f"  {word:<9} {text}" for word, text in _told(verdict, config)),
    ))  # fmt: skip


def _told(verdict: Verdict, config: Path) -> list[tuple[str, str]]:
    expectation = verdict.expectation
    expected, actual = outcome(verdict)
    told = [("request", _request(expectation))]
    if expectation.who:
        told.append(("caller", _caller(expectation)))
    told += [("expected", expected), ("actual", actual)]
    if isinstance(verdict.answer, NeedsBody):
        told.append(("help", "give the line a `body`"))
    return [*told, ("more", explaining(expectation, config))]


def _request(expectation: Expectation) -> str:
    content = content_of(expectation)
    if content is None:
        return visible(expectation.request)
    body = textwrap.shorten(content.decode(), 60, placeholder=" …")
    return visible(f"{expectation.request} with {body or 'an empty body'}")


def _caller(expectation: Expectation) -> str:
    caller = expectation.caller
    if caller.kind is Kind.ANONYMOUS:
        return f"{expectation.who} (no credentials)"
    kind = "client" if caller.means is Means.CLIENT_CREDENTIALS else "user"
    what = [] if caller.subject in {UNNAMED, expectation.who} else [f"{kind} `{caller.subject}`"]
    what += [f"role `{role}`" for role in sorted(caller.roles)]
    what += [f"only in `{division}`" for division in sorted(caller.divisions or ())]
    what += [f"claim `{claim}`" for claim in sorted(caller.claims)]
    if not what:
        what = ["no role" if caller.subject == UNNAMED else "known by that name"]
    return f"{expectation.who} ({', '.join(what)})"


def outcome(verdict: Verdict) -> tuple[str, str]:
    """What was expected, and what is, in words."""
    expected = verdict.expectation.expected
    wants_route = isinstance(expected, AnsweredBy)
    actual = _operation(verdict.answer) if wants_route else _actual(verdict.answer)
    return visible(_expected(expected)), visible(actual)


def _expected(expected: Expected) -> str:
    match expected:
        case Allowed(because):
            return f"allow{_because(because)}"
        case Denied(reason, missing, because):
            return f"deny: {reason}{_missing(missing)}{_because(because)}"
        case AnsweredBy(route):
            return f"answered by `{route}`"
        case _ as never:
            assert_never(never)


def _actual(answer: Answer) -> str:
    match answer:
        case Decision():
            missing = answer.missing or None
            because = answer.because if missing is None and answer.because else None
            return f"{answer.effect}: {answer.reason}{_missing(missing)}{_because(because)}"
        case NeedsBody():
            return "it depends on the body, and there is none"
        case Refusal(status, code, detail):
            return f"refused with {status}: {code}, {detail}"
        case _ as never:
            assert_never(never)


def _operation(answer: Answer) -> str:
    if isinstance(answer, Refusal):
        return _actual(answer)
    return "answered by no operation" if answer.route is None else f"answered by {answer.route}"


def _missing(missing: Missing | None) -> str:
    if missing is None:
        return ""
    return f", missing {' and '.join(lacking(missing))}"


def _because(because: tuple[str, ...] | None) -> str:
    if because is None:
        return ""
    return f", because {' and '.join(because)}" if because else ", and no condition came true"


def explaining(expectation: Expectation, config: Path) -> str:
    """The command line that tells why the answer is what it is."""
    caller = expectation.caller
    words = ["ucs-gateway", "explain", *expectation.request.split(" ")]
    if caller.kind is not Kind.ANONYMOUS and not (
        caller.subject == UNNAMED and (caller.roles or caller.claims)
    ):
        is_client = caller.means is Means.CLIENT_CREDENTIALS
        words += ["--client" if is_client else "--as", caller.subject]
    words += [word for role in sorted(caller.roles) for word in ("--role", role)]
    words += [word for claim in sorted(caller.claims) for word in ("--claim", claim)]
    words += [word for name in sorted(caller.divisions or ()) for word in ("--in", name)]
    words += [word for name in expectation.scopes or () for word in ("--scope", name)]
    if expectation.scopes == ():
        words += ["--scope", ""]
    words += [
        word
        for name, value in expectation.headers.items()
        for word in ("--header", f"{name}: {value}")
    ]
    if config != _DEFAULT_CONFIG:
        words += ["--config", str(config)]
    content = content_of(expectation)
    if content is None:
        return visible(shlex.join(words))
    # A line break within quotes is typed as it is.
    sent = "\n".join(map(visible, content.decode().split("\n")))
    return f"printf %s {shlex.quote(sent)} | {visible(shlex.join(words))} --body /dev/stdin"


def _covered(coverage: Coverage) -> str:
    """The numbers first, because the gaps may be many."""
    lines = [
        f"{dimension.title:<12} {dimension.percent:>3} %  {dimension.covered} of {dimension.total}"
        for dimension in coverage.dimensions
    ]
    for dimension in coverage.dimensions:
        if dimension.gaps:
            lines += [f"\n{_HINTS[dimension.title]}", *(f"  {gap}" for gap in dimension.gaps)]
    return "\n".join(lines)


_HINTS = {
    "operations": "operations that no expectation asks for:",
    "conditions": "conditions seen in one way only, or not at all:",
    "guards": "guards seen in one way only, or not at all:",
    "roles": "roles that no caller has:",
    "permissions": "permissions for want of which nobody is denied:",
}


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
