"""Every threat has its row in THREATS.md, every row its proof, and every proof exists."""

import re

import pytest
import yaml

from tests.support.corpus import load_corpus, read_plainly
from tests.support.reference_pages import renewed
from tests.support.threats import PAGE, ROOT, Threat, load_threats, table

_COUNTS = {"D0": 18, "P": 28, "Q": 10, "M": 5, "H": 17, "F": 12, "B": 18, "R": 12, "J": 18}
EVERY_ID = {f"{family}-{n}" for family, most in _COUNTS.items() for n in range(1, most + 1)} | {
    "D0-15b"
}

THREATS = load_threats()


def test_the_table_is_fresh() -> None:
    text = PAGE.read_text("utf-8")
    assert renewed(text, {"threats": table()}) == text, "run `make reference`"


def test_every_threat_is_in_the_table_exactly_once() -> None:
    rows = re.findall(r"^\| ([A-Z]\d?-\d+b?) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(EVERY_ID)


def test_every_id_of_the_corpus_is_in_the_table() -> None:
    assert {threat for case in load_corpus() for threat in case.threats} <= EVERY_ID


def test_every_case_says_what_it_is_about() -> None:
    assert [str(case) for case in load_corpus() if not case.threats] == []


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: threat.id)
def test_a_threat_is_met_and_shown_or_does_not_apply(threat: Threat) -> None:
    assert bool(threat.does) is not bool(threat.not_applicable)
    shown = threat.tests or [case for case in load_corpus() if threat.id in case.threats]
    assert shown or threat.not_applicable


@pytest.mark.parametrize("test", sorted({test for threat in THREATS for test in threat.tests}))
def test_a_test_that_the_table_names_exists(test: str) -> None:
    path, _, name = test.partition("::")
    source = (ROOT / path).read_text("utf-8")
    assert not name or re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE)


def test_a_case_that_hides_another_is_an_error() -> None:
    with pytest.raises(yaml.YAMLError, match="`a` stands twice"):
        read_plainly("a: {b: 1}\na: {c: 2}")
