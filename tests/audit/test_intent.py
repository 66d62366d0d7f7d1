"""What is noted of a request before it is forwarded, and the line that a lost one becomes."""

import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import Composer, record_of
from gateway.audit.intent import lost
from gateway.audit.journal import MOST_NOTE_BYTES
from gateway.audit.record import encode
from gateway.exchange import Ending, Exchange
from policy import Caller, Kind, Means, Missing
from tests.support.audit import an_exchange
from tests.support.clock import FakeClock

KEY = b"k" * 32
COMPOSER = Composer(KEY)


def caller(subject: str) -> Caller:
    return Caller(subject=subject, kind=Kind.USER, means=Means.JWT)


def ended() -> dict[str, object]:
    """How the same request ends, three seconds later, when nobody is killed."""
    return {"ended_at": 1_002.0, "wall": 1_800_000_002.0, "status": 200}


def test_a_lost_request_is_told_as_it_would_have_been_but_for_its_end() -> None:
    note = COMPOSER.note(an_exchange())
    clock = FakeClock(wall=1_800_000_002.0, monotonic=1_002.0)

    line = msgspec.to_builtins(lost(note, clock))

    exchange = an_exchange(**ended(), ending=Ending.COMPLETE)
    whole = msgspec.to_builtins(record_of(exchange, KEY))
    assert whole | {"ending": "worker-lost", "status": None} == line


def test_its_time_is_when_it_began_and_its_duration_goes_on_until_the_loss_was_noticed() -> None:
    note = COMPOSER.note(an_exchange())
    clock = FakeClock(wall=1_800_000_061.5, monotonic=1_060.5)

    line = lost(note, clock)

    assert line.time == "2027-01-15T08:00:00.000000Z"
    assert line.total_ms == 61_500.0


def test_the_line_of_a_request_that_was_noted_uses_the_digest_of_its_note() -> None:
    exchange = an_exchange(**ended())
    COMPOSER.note(exchange)

    expected = hashlib.blake2b(b"/records/1", digest_size=8, key=KEY).hexdigest()
    assert exchange.target_digest == expected
    assert json.loads(Composer(b"not asked for").line(exchange))["target_digest"] == expected


def test_a_lost_request_that_was_only_shadowed_says_so() -> None:
    line = lost(COMPOSER.note(an_exchange(enforced=False)), FakeClock())

    assert not line.enforced


@pytest.mark.parametrize("subject", ["anna" * 500, "\U0001f600" * 500, "\udcff" * 500, '"' * 500])
def test_a_note_fits_whatever_the_caller_is_called(subject: str) -> None:
    note = COMPOSER.note(an_exchange(caller=caller(subject)))

    assert len(note) <= MOST_NOTE_BYTES
    assert lost(note, FakeClock()).id == "r-1"


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=600), st.text(max_size=300))
def test_a_note_always_fits(subject: str, words: str) -> None:
    exchange = an_exchange(caller=caller(subject))
    exchange.decision = msgspec.structs.replace(exchange.decision, because=(words, words))

    note = COMPOSER.note(exchange)

    assert len(note) <= MOST_NOTE_BYTES
    assert encode([lost(note, FakeClock())]).count(b"\n") == 1


def test_a_note_that_is_too_long_keeps_what_is_short() -> None:
    exchange = an_exchange(caller=caller("\U0001f600" * 256))

    line = lost(COMPOSER.note(exchange), FakeClock())

    assert (line.service, line.route, line.method) == ("shop", "read-record", "GET")
    assert line.subject == "\U0001f600" * 63 + "…"
    assert (line.because, line.conditions) == (("…",), ("…",))
    assert line.target_digest == exchange.target_digest


def test_a_note_without_room_for_all_claims_keeps_what_shaped_the_decision() -> None:
    claims = frozenset(f"cn=group {number},ou=somewhere,dc=example" for number in range(30))
    exchange = an_exchange(caller=msgspec.structs.replace(caller("anna"), claims=claims))
    exchange.decision = msgspec.structs.replace(exchange.decision, conditions=("c",))

    line = lost(COMPOSER.note(exchange), FakeClock())

    assert (line.claims, line.conditions, line.subject) == (("…",), ("c",), "anna")
    assert len(record_of(exchange_that_ended(exchange), KEY).claims) == 30


def exchange_that_ended(exchange: Exchange) -> Exchange:
    for name, value in ended().items():
        setattr(exchange, name, value)
    return exchange


def test_what_a_shadowed_caller_lacks_is_noted_unless_it_is_too_long() -> None:
    exchange = an_exchange(enforced=False)
    for count, noted in ((3, True), (300, False)):
        missing = Missing(all_of=tuple(f"permission-{number}" for number in range(count)))
        exchange.decision = msgspec.structs.replace(exchange.decision, missing=missing)

        line = lost(COMPOSER.note(exchange), FakeClock())

        assert line.missing == (missing if noted else None)


def test_what_was_turned_away_undecided_is_told_with_the_reason_of_its_error() -> None:
    changes = {"decision": None, "error_code": "overloaded"}

    line = msgspec.to_builtins(
        lost(COMPOSER.note(an_exchange(**changes)), FakeClock(1_800_000_002.0, 1_002.0))
    )

    whole = msgspec.to_builtins(record_of(an_exchange(**changes, **ended()), KEY))
    assert line["reason"] == "overloaded"
    assert whole | {"ending": "worker-lost", "status": None} == line


def test_words_that_cannot_be_encoded_do_not_keep_a_request_from_being_noted() -> None:
    exchange = an_exchange(peer="a\udcffb")

    assert lost(COMPOSER.note(exchange), FakeClock()).peer == "a\\udcffb"
