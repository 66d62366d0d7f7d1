"""A warning that somebody means to keep is accepted where it stands, and nothing else with it."""

import pytest

import policy
from policy import Code, Diagnostic, Location, PolicyInvalid, Severity, Sources, Text
from policy.analysis import Accepted, accepted_of, lint
from tests.support.policies import CATALOGUE, POLICY, only, sources

NIGHT = POLICY.replace("users:", "  night: {permissions: [read]}\nusers:").replace(
    "[writer]", "[writer, night]"
)
LINE = "  night: {permissions: [read]}"


def looked_at(
    roster: str = NIGHT, *, overrides: str | None = None
) -> tuple[tuple[Diagnostic, ...], tuple[Accepted, ...]]:
    given = sources(CATALOGUE, roster, overrides=overrides)
    document = policy.load(given)
    return accepted_of(lint(document, policy.compile(document)), given)


def test_without_a_comment_every_warning_is_left() -> None:
    left, accepted = looked_at()
    assert (only(left).code, accepted) == (Code.ROLE_DUPLICATE, ())


@pytest.mark.parametrize(
    "written",
    [
        f"{LINE}  # accepted: role-duplicate: on trial until May",
        f"{LINE}\t# accepted:role-duplicate:  on trial until May  ",
        f"  # accepted: role-duplicate: on trial until May\n{LINE}",
        f"  # accepted: role-duplicate: on trial until May\n  # More.\n# Still more.\n{LINE}",
        f"  # What it is for. # accepted: role-duplicate: on trial until May\n{LINE}",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_comment_at_the_line_or_right_above_accepts_its_warning(
    written: str, line_end: str
) -> None:
    left, accepted = looked_at(NIGHT.replace(LINE, written).replace("\n", line_end))
    assert left == ()
    (one,) = accepted
    assert (one.finding.code, one.reason) == (Code.ROLE_DUPLICATE, "on trial until May")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (f"{LINE}  # accepted: role-unassigned: no", "line 5 has no warning `role-unassigned`"),
        (f"{LINE}  # accepted: role-dup: no", "line 5 has no warning `role-dup`"),
        (f"{LINE}  # accepted: role-duplicate", "no code of a warning, or no reason"),
        (f"{LINE}  # accepted: role-duplicate:", "no code of a warning, or no reason"),
        (f"{LINE}  # accepted: role-duplicate:  ", "no code of a warning, or no reason"),
        (f"{LINE}  # accepted:", "no code of a warning, or no reason"),
        (f"  # accepted: role-duplicate: no\n\n{LINE}", "line 6 has no warning `role-duplicate`"),
        (f"{LINE}\n  # accepted: role-duplicate: no", "line 7 has no warning `role-duplicate`"),
    ],
)
def test_what_accepts_nothing_is_told_and_accepts_nothing(written: str, says: str) -> None:
    left, accepted = looked_at(NIGHT.replace(LINE, written))
    assert accepted == ()
    assert {each.code for each in left} == {Code.ROLE_DUPLICATE, Code.ACCEPTED_NOTHING}
    (idle,) = (each for each in left if each.code is Code.ACCEPTED_NOTHING)
    assert says in idle.message
    assert (idle.severity, "# accepted: CODE: reason" in str(idle.help)) == (Severity.WARNING, True)


def test_what_is_said_twice_is_once_in_vain() -> None:
    twice = f"  # accepted: role-duplicate: one\n{LINE}  # accepted: role-duplicate: two"
    left, accepted = looked_at(NIGHT.replace(LINE, twice))
    assert [each.reason for each in accepted] == ["two"]
    assert (only(left).code, only(left).where.line) == (Code.ACCEPTED_NOTHING, 5)


def test_an_override_that_weakens_is_accepted_in_its_own_file() -> None:
    overrides = "overrides: shop\nlists: {core: {add: [Card]}}"
    left, _ = looked_at(POLICY, overrides=overrides)
    assert only(left).code is Code.OVERRIDE_WEAKENS
    note = "# accepted: override-weakens: the card is ours"
    left, accepted = looked_at(POLICY, overrides=f"{overrides} {note}")
    assert (left, [each.reason for each in accepted]) == ((), ["the card is ours"])
    left, accepted = looked_at(POLICY.replace("users:", f"users: {note}"), overrides=overrides)
    assert accepted == ()
    assert {each.code for each in left} == {Code.OVERRIDE_WEAKENS, Code.ACCEPTED_NOTHING}


def test_an_error_cannot_be_accepted() -> None:
    where = Location("p.yaml", 1, 1)
    error = Diagnostic(where, Code.UNKNOWN_ROLE, "no policy file defines the role `x`")
    text = Text("p.yaml", "roles: {} # accepted: unknown-role: later")
    left, accepted = accepted_of([error], Sources((), (text,)))
    assert accepted == ()
    assert [each.code for each in left] == [Code.UNKNOWN_ROLE, Code.ACCEPTED_NOTHING]
    wrong = POLICY.replace("[writer]", "[writter] # accepted: unknown-role: later")
    with pytest.raises(PolicyInvalid):
        policy.compile(policy.load(sources(CATALOGUE, wrong)))
