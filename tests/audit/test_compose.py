"""The quick way to a line and the plain one come to the same bytes."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import Composer, record_of
from gateway.audit.record import MOST_LINE_BYTES, encode
from gateway.exchange import Ending, Exchange
from policy import ANONYMOUS, Caller, Decision, Kind, Means, Missing, Reason
from tests.support.audit import an_exchange
from tests.support.policies import table

KEY = b"k" * 32
ROUTES = (None, *table().operations)

texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=20)
seconds = st.floats(0, 1e6)
callers = st.one_of(
    st.just(ANONYMOUS),
    st.builds(
        lambda subject, claims: Caller(
            subject=subject, kind=Kind.SERVICE, means=Means.JWT, claims=claims
        ),
        texts,
        st.frozensets(texts, max_size=40),
    ),
)
decisions = st.fixed_dictionaries({
    "reason": st.sampled_from(Reason),
    "policy": st.text("0123456789abcdef", min_size=1),
    "route": st.sampled_from(ROUTES),
    "missing": st.lists(texts, max_size=3).map(lambda names: Missing(all_of=tuple(names))),
    "because": st.lists(texts, max_size=3).map(tuple),
    "conditions": st.lists(texts, max_size=3).map(tuple),
    "unread": st.lists(texts, max_size=3).map(tuple),
}).map(lambda fields: Decision(**fields))  # fmt: skip
changes = st.fixed_dictionaries({
    "caller": callers,
    "decision": st.one_of(st.none(), decisions),
    "enforced": st.booleans(),
    "error_code": st.sampled_from(["", "malformed-target"]),
    "status": st.one_of(st.none(), st.integers(200, 599)),
    "ending": st.sampled_from(Ending),
    "sent_at": st.one_of(st.none(), seconds),
    "replied_at": st.one_of(st.none(), seconds),
    "ended_at": seconds,
    "wall": st.floats(1e6, 4e9),
    "bytes_in": st.integers(0, 2**50),
    "bytes_out": st.integers(0, 2**50),
    "peer": texts,
})  # fmt: skip


@given(st.lists(changes, min_size=1, max_size=4), st.booleans())
def test_a_line_is_the_record_encoded(stories: list[dict[str, Any]], noted: bool) -> None:
    composer = Composer(KEY)
    for story in stories * 2:  # the second time from what was kept
        exchange = an_exchange(**story)
        if noted and exchange.decision is not None:
            composer.note(exchange)

        assert composer.line(exchange) == encode([record_of(exchange, KEY)])


def ended(**how: Any) -> Exchange:
    return an_exchange(**({"ended_at": 1_002.0, "wall": 1_800_000_002.0, "status": 200} | how))


def test_a_head_that_could_not_be_read_has_a_line() -> None:
    exchange = ended(head=None, decision=None, error_code="header-rejected")

    record = msgspec.json.decode(Composer(KEY).line(exchange))

    assert (record["reason"], record["method"], record["target_digest"]) == (
        "header-rejected", "", "",
    )  # fmt: skip


def test_callers_with_the_same_words_for_different_things_are_kept_apart() -> None:
    composer = Composer(KEY)
    seen = set()
    for number in range(5_000):  # their places in memory are used again and again
        caller = Caller(subject=f"s-{number}", kind=Kind.USER, means=Means.JWT)
        line = msgspec.json.decode(composer.line(ended(caller=caller)))
        assert line["subject"] == f"s-{number}"
        seen.add(line["subject"])

    assert len(seen) == 5_000
    assert repr(composer) == f"Composer({5_000 % 2_048} kept)"


def test_a_line_that_could_never_fit_is_shortened_and_says_so() -> None:
    missing = Missing(all_of=tuple(f"{number:0>97}" for number in range(1_000)))
    decision = msgspec.structs.replace(an_exchange().decision, missing=missing)

    line = Composer(KEY).line(ended(decision=decision))

    record = msgspec.json.decode(line)
    assert (record["id"], record["missing"], record["because"]) == ("r-1", None, ["…"])
    assert (record["conditions"], record["claims"]) == (["…"], ["…"])
    assert len(line) < 1_000 < MOST_LINE_BYTES
