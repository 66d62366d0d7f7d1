"""Files made to be slow are refused or read with bounded work: nothing grows with a power.

No clock is asked. What is counted is how much is built, how many findings are told, and what a
suite's time limit would not survive.
"""

from collections.abc import Callable

import pytest

import policy
from policy import Code, DecisionTable, PolicyInvalid, Severity
from policy.analysis import (
    difference,
    lint,
    probes_of,
    prove,
    questions_of,
    rows_of,
)
from policy.analysis.probes import MOST_COMBINATIONS
from policy.editing import reach_of
from policy.holding import NOTHING_HELD
from policy.source import scan
from tests.support.policies import CATALOGUE, POLICY, codes, document, findings, only, table

MILLION = 1_000_000


def bomb(levels: int) -> str:
    """Each level names the one before it nine times: read literally it has 9**levels words."""
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def test_a_billion_laughs_are_a_few_findings() -> None:
    source, found = scan(bomb(60), "f")
    assert source is not None
    assert {finding.code for finding in found} == {Code.YAML_ALIAS}
    assert len(found) == 60 + 59 * 9


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: ", "{? [", "&a [", "!x ["])
def test_depth_is_refused_before_it_costs_anything(opening: str) -> None:
    _, found = scan(opening * 100_000, "f")
    assert {finding.code for finding in found} & {Code.YAML_TOO_DEEP, Code.YAML_SYNTAX}


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "x" * (10 * MILLION),
        "x" * (10 * MILLION) + ": a",
        'a: "' + "\\x41" * MILLION + '"',
        "a: '" + "''" * MILLION + "'",
        "#" * (10 * MILLION) + "\na: b",
        "a: b" + " " * (10 * MILLION) + "# c",
        "a: |\n" + "  line\n" * MILLION,
        "a: [" + "b, " * 200_000 + "]",
        "{" + "a, " * 20_000 + "}",
        "a: 1\n" * 20_000,
        "\n" * MILLION + "a: b",
        "a: " + "9" * MILLION,
    ],
    ids=[
        "word", "key", "escapes", "quotes", "comment", "spaces", "block", "items", "same flow key",
        "same key", "empty lines", "digits",
    ],
)  # fmt: skip
def test_long_lines_and_long_files_are_read_or_refused(text: str) -> None:
    source, found = scan(text, "f")
    assert source is not None or found
    assert all(len(finding.message) < 11 * MILLION for finding in found)


@pytest.mark.parametrize("text", ["\ta: b", "a:\tb", "a: [\tb\t]", "roles:\n\tx: {}"])
def test_tabs_end_in_values_or_in_findings(text: str) -> None:
    source, found = scan(text, "f")
    assert (source is None) == (Code.YAML_SYNTAX in {finding.code for finding in found})


@pytest.mark.parametrize("where", [0, 5, 30, 200])
@pytest.mark.parametrize("strange", ["\x00", "\x1b", "\ud800", "\ufeff", "\u2028", "\x85"])
def test_no_character_makes_a_file_anything_but_read_or_refused(strange: str, where: int) -> None:
    for text in (CATALOGUE, POLICY):
        broken = text[:where] + strange + text[where:]
        found = findings(*((broken, POLICY) if text is CATALOGUE else (CATALOGUE, broken)))
        assert all(str(finding.where) for finding in found)


def test_ten_thousand_faults_are_each_found_once() -> None:
    """Placing a finding must not cost a walk through all the entries before it."""
    roster = "users:\n" + "".join(f"  user{n}: {{roles: [nobody{n}]}}\n" for n in range(10_000))
    with pytest.raises(PolicyInvalid) as caught:
        policy.compile(policy.load(policy.Sources((), (policy.Text("p.yaml", roster),))))
    lines = [finding.where.line for finding in caught.value.diagnostics]
    assert lines == list(range(2, 10_002))


def test_every_key_given_twice_is_found_with_the_line_of_its_first() -> None:
    text = "".join(f"key{n}: 1\nkey{n // 2}: 2\n" for n in range(20_000))
    _, found = scan(text, "f")
    assert len(found) == 20_000
    assert found[-1].help == "the first one is on line 19999"


def test_a_catalogue_with_forty_conditions_on_one_operation_is_looked_at() -> None:
    """All their combinations are a million millions; each by itself is forty."""
    rules = ", ".join(f"{{when: {{query_has: [q{n}]}}, requires: detail}}" for n in range(40))
    guards = ", ".join(f"{{body_value_equals_caller: k{n}}}" for n in range(40))
    catalogue = CATALOGUE + (
        f"  many: {{request: PUT /many, requires: write, also: [{rules}], guards: [{guards}]}}\n"
    )
    given = document(catalogue, POLICY, overrides="overrides: shop\n")
    found = lint(given, policy.compile(given))
    assert codes(found) == [Code.OVERRIDE_WEAKENS, Code.TOO_MANY_COMBINATIONS]
    assert "too many conditions and guards" in found[0].message
    assert found[1].severity is Severity.WARNING
    assert str(found[1].where) == "shop.yaml:26:3"


def _asked_of(conditions: int) -> DecisionTable:
    rules = ", ".join(
        f"{{when: {{query_has: [q{n}]}}, requires: detail}}" for n in range(conditions)
    )
    return table(
        CATALOGUE + f"  many: {{request: GET /many, requires: read, also: [{rules}]}}\n", POLICY
    )


_NOBODY_WRITES = policy.Text(
    "p.yaml", "assertions: {x: {title: x, never: anyone, can: {methods: reads}}}"
)

ASKED_ABOUT_ALL: dict[str, Callable[[DecisionTable], object]] = {
    "diff": lambda many: difference(many, many),
    "matrix": lambda many: list(rows_of(many, tuple(many.roles.values()), many.operations)),
    "prove": lambda many: prove(many, [_NOBODY_WRITES], lambda _, __: ((), ())),
    "role show": lambda many: reach_of(many, NOTHING_HELD),
}


@pytest.mark.parametrize("question", ASKED_ABOUT_ALL)
def test_what_combines_in_too_many_ways_is_said_and_not_looked_through(question: str) -> None:
    ASKED_ABOUT_ALL[question](_asked_of(11))
    with pytest.raises(PolicyInvalid) as caught:
        ASKED_ABOUT_ALL[question](_asked_of(60))
    found = only(caught.value.diagnostics)
    assert (found.code, str(found.where)) == (Code.TOO_MANY_COMBINATIONS, "shop.yaml:26:3")
    assert "`many` combine in more than 4,096 ways" in found.message
    assert found.help is not None


def test_eleven_conditions_on_one_operation_are_looked_through_and_twelve_are_not() -> None:
    def probes(conditions: int) -> int:
        many = _asked_of(conditions)
        question = next(q for q in questions_of(many) if q.segments == ("many",))
        return len(probes_of(question))

    # Each with or without the others; and any that is met may also be met by a repeated name.
    assert probes(11) == 2**12 - 1 < MOST_COMBINATIONS
    with pytest.raises(PolicyInvalid):
        probes(12)
