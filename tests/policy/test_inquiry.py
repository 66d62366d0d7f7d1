"""What is asked of a policy."""

import pytest

from policy import ANONYMOUS, NOTHING_HELD, BodyFacts, Inquiry, Kind, folded


@pytest.mark.parametrize(
    ("key", "form"),
    [
        ("FirstName", "firstname"),
        ("customer_id", "customer_id"),
        ("", ""),
        ("Fir\u017ftName", "Fir\u017ftName"),
        ("\u212aind", "\u212aind"),
        ("ÉCOLE", "ÉCOLE"),
    ],
)
def test_keys_are_folded_as_narrowly_as_ucs_documents(key: str, form: str) -> None:
    assert folded(key) == form


def test_a_stranger_has_no_name_and_no_roles() -> None:
    assert (ANONYMOUS.subject, ANONYMOUS.kind) == ("", Kind.ANONYMOUS)
    assert not ANONYMOUS.roles
    assert not ANONYMOUS.claims


def test_a_body_that_nobody_looked_at_is_not_an_empty_one() -> None:
    asked = Inquiry(caller=ANONYMOUS, held=NOTHING_HELD, method="GET", segments=())
    assert asked.body is None
    assert asked.body != BodyFacts({})


def test_what_was_asked_cannot_be_changed() -> None:
    asked = Inquiry(caller=ANONYMOUS, held=NOTHING_HELD, method="GET", segments=())
    with pytest.raises(AttributeError):
        asked.held = 1  # type: ignore[misc]
