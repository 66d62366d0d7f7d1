"""A sample with a fault of every common kind: all of them are found at once, each at its line.

Every faulty line of `broken/` ends with `# fault: code`. Nothing else may be found, and nothing
may be missed because something else is wrong as well.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import policy
from gateway.settings import load_settings, specs
from policy import Code, PolicyInvalid
from tests.support.cases import CASES

FOLDER = CASES / "broken"

Found = tuple[str, int, str]

_MARK = re.compile(r"# fault: ([a-z-]+)$")


def planted() -> Iterator[Found]:
    for file in FOLDER.rglob("*.yaml"):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            if mark := _MARK.search(line):
                yield file.relative_to(FOLDER).as_posix(), number, mark[1]


@pytest.fixture(scope="module")
def invalid() -> PolicyInvalid:
    settings = load_settings(FOLDER / "gateway.yaml", {})
    with pytest.raises(PolicyInvalid) as caught:
        policy.compile(policy.load(policy.read(specs(settings), settings.policy)))
    return caught.value


def test_every_planted_fault_is_found_at_its_line_and_nothing_else(invalid: PolicyInvalid) -> None:
    found = [
        (Path(finding.where.file).relative_to(FOLDER).as_posix(), finding.where.line, finding.code)
        for finding in invalid.diagnostics
    ]
    assert sorted(found) == sorted(planted())


def test_the_sample_shows_many_kinds_of_faults() -> None:
    codes = {code for _, _, code in planted()}
    assert len(codes) >= 20
    assert codes <= set(Code)


def test_findings_come_by_file_and_line(invalid: PolicyInvalid) -> None:
    places = [finding.where for finding in invalid.diagnostics]
    assert places == sorted(places)


def test_every_finding_names_its_place_and_says_it_in_lower_case(invalid: PolicyInvalid) -> None:
    for finding in invalid.diagnostics:
        first = str(finding).splitlines()[0]
        assert first.startswith(f"{finding.where}: {finding.code}: ")
        assert finding.message[0] == "`" or finding.message[0].islower(), first
        assert not finding.message.endswith("."), first


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Shop.raedOrder", "Shop.readOrder"),
        ("Read Order", "Shop.readOrder"),
        ("core_feilds", "core_fields"),
        ("carefull", "careful"),
        ("raeder", "reader"),
        ("lsit-orders", "list-orders"),
        ("opperations", "operations"),
        ("tier-1", "tier-2"),
    ],
)
def test_a_misspelt_word_gets_the_one_that_was_meant(
    invalid: PolicyInvalid, word: str, meant: str
) -> None:
    (finding,) = [found for found in invalid.diagnostics if f"`{word}`" in found.message]
    assert finding.help is not None
    assert f"`{meant}`" in finding.help
