"""Path templates, and which of two is closer."""

import pytest

from policy.template import (
    Closeness,
    Grammar,
    Parameter,
    Template,
    TemplateError,
    closeness,
    grammar_closeness,
)

GRAMMARS = {
    "digits": Grammar("digits", 64),
    "short": Grammar("identifier", 8),
    "dotted": Grammar("dotted", 64),
    "text": Grammar("text", 64),
    "service": Grammar("identifier", 64, frozenset({"anonymous", "start"})),
}


def template(text: str) -> Template:
    return Template.parse(text, GRAMMARS)


@pytest.mark.parametrize("text", ["/", "/a", "/a/{b}", "/a/{b}/c.d/{e-f}", "/{a}", "/~a/b:c@d"])
def test_a_template_reads_back_as_it_was_written(text: str) -> None:
    assert str(template(text)) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a", "does not begin with `/`"),
        ("", "does not begin with `/`"),
        ("/a/", "ends with `/`"),
        ("/a//b", "a segment is empty"),
        ("/a{b}", "is not a parameter"),
        ("/{b}c", "is not a parameter"),
        ("/{}", "is not a parameter"),
        ("/{1a}", "is not a parameter"),
        ("/a?b", "is not a literal"),
        ("/a%20b", "is not a literal"),
        ("/é", "is not a literal"),
        ("/..", "is not a literal"),
        ("/./a", "is not a literal"),
        ("/a/{b}/{b}", "occurs more than once"),
    ],
)
def test_what_is_no_template_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why.replace("{", r"\{")):
        template(text)


def test_a_parameter_that_nobody_describes_is_an_identifier() -> None:
    assert template("/{other}").segments == (Parameter("other", Grammar("identifier", 64)),)


def test_positions_and_names_count_from_the_prefix() -> None:
    assert template("/a/{b}/{c}").below(("x", "y")).parameters == ((3, "b"), (4, "c"))


@pytest.mark.parametrize(
    ("grammar", "fits", "refused"),
    [
        (Grammar("digits", 3), ["1", "007"], ["", "1234", "a", "1\n", "\u0661"]),
        (Grammar("identifier", 4), ["a", "A-_1"], ["", "abcde", "a.b", "é", "a b", "a=b", "a\n"]),
        (Grammar("dotted", 4), ["a.b", "...", "a"], [".", "..", "a/b", ""]),
        (Grammar("text", 4), ["é =&", "a.b"], ["a/b", "a\\b", "a\n", "\x00", "\x7f", ".", "..", ""]),
        (Grammar("identifier", 9, frozenset({"start"})), ["starts", "Start"], ["start"]),
        (Grammar("dotted", 9, frozenset({"a.b"})), ["axb"], ["a.b"]),
    ],
)  # fmt: skip
def test_a_grammar_accepts_whole_segments(
    grammar: Grammar, fits: list[str], refused: list[str]
) -> None:
    assert all(grammar.fits(segment) for segment in fits)
    assert not any(grammar.fits(segment) for segment in refused)


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("/a", "/a", Closeness.SAME),
        ("/a", "/b", Closeness.APART),
        ("/a", "/a/b", Closeness.APART),
        ("/", "/", Closeness.SAME),
        ("/a/{x}", "/a/{y}", Closeness.SAME),
        ("/a/b", "/a/{x}", Closeness.CLOSER),
        ("/a/{x}", "/a/b", Closeness.FURTHER),
        ("/a/b.c", "/a/{x}", Closeness.APART),
        ("/a/{x}", "/a/b.c", Closeness.APART),
        ("/{digits}", "/{x}", Closeness.CLOSER),
        ("/{text}", "/{dotted}", Closeness.FURTHER),
        ("/{digits}", "/{short}", Closeness.CROSSING),
        ("/{service}", "/{x}", Closeness.CLOSER),
        ("/{x}", "/{service}", Closeness.FURTHER),
        ("/a/{x}", "/{y}/b", Closeness.CROSSING),
        ("/a/{x}/c", "/{y}/b/d", Closeness.APART),
        ("/s/{service}/x", "/s/anonymous/{y}", Closeness.APART),
        ("/s/{plain}/x", "/s/anonymous/{y}", Closeness.CROSSING),
        ("/a/b/{x}", "/{y}/b/{digits}", Closeness.CROSSING),
        ("/a/b/{digits}", "/{y}/b/{x}", Closeness.CLOSER),
    ],
)
def test_closer_is_in_no_segment_further(one: str, other: str, how: Closeness) -> None:
    assert closeness(template(one), template(other)) is how


def test_an_exclusion_that_the_other_never_accepts_makes_no_difference() -> None:
    dotted = Grammar("dotted", 64, frozenset({"a.b"}))
    assert grammar_closeness(Grammar("identifier", 64), dotted) is Closeness.CLOSER


def test_the_order_of_grammars_puts_the_narrow_before_the_wide() -> None:
    grammars = [*GRAMMARS.values(), Grammar()]
    for one in grammars:
        for other in grammars:
            if grammar_closeness(one, other) is Closeness.CLOSER:
                assert one.order < other.order
