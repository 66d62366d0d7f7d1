"""The audit line as others will read it."""

import json

from gateway.audit.record import claims_of, encode, rfc3339
from policy import Missing
from tests.support.audit import a_record
from tests.support.policies import user


def test_a_line_holds_exactly_the_documented_fields_in_their_order() -> None:
    (line,) = encode([a_record()]).splitlines()

    assert list(json.loads(line)) == [
        "v", "id", "time", "target_digest", "status", "ending", "upstream_ms", "total_ms",
        "bytes_in", "bytes_out", "service", "peer", "subject", "kind", "means", "claims", "method",
        "route", "effect", "reason", "missing", "because", "conditions", "unread", "enforced",
        "policy",
        "divisions",
    ]  # fmt: skip


def test_claims_are_sorted_and_what_is_in_them_can_do_no_harm() -> None:
    caller = user("anna", claims=("b", "a\x1b[2J", "x" * 300))

    assert claims_of(caller) == ("a\\x1b[2J", "b", "x" * 255 + "…")
    assert claims_of(user("anna")) == ()


def test_of_more_than_32_claims_the_last_one_says_that_there_are_more() -> None:
    names = [f"group-{number:02}" for number in range(33)]

    assert claims_of(user("anna", claims=tuple(names[:32]))) == tuple(names[:32])
    assert claims_of(user("anna", claims=tuple(names))) == (*names[:31], "…")


def test_a_line_says_which_version_of_the_format_it_is() -> None:
    assert json.loads(encode([a_record()]))["v"] == 1


def test_what_does_not_apply_is_null_and_not_left_out() -> None:
    line = json.loads(encode([a_record(service=None, route=None, status=None, upstream_ms=None)]))

    assert (line["service"], line["route"], line["status"], line["upstream_ms"]) == (None,) * 4


def test_missing_permissions_keep_all_and_any_apart() -> None:
    missing = Missing(all_of=("A", "B"), any_of=(("C", "D"),), scopes=("s",), divisions=("d",))

    line = json.loads(encode([a_record(missing=missing)]))

    assert line["missing"] == {
        "all_of": ["A", "B"],
        "any_of": [["C", "D"]],
        "scopes": ["s"],
        "divisions": ["d"],
    }


def test_each_record_is_one_line_whatever_is_in_it() -> None:
    hostile = 'x\r\n{"id":"forged"}\x00\x1b[2J"'

    content = encode([a_record(subject=hostile), a_record("r-2")])

    first, second = content.splitlines()
    assert json.loads(first)["subject"] == hostile
    assert json.loads(second)["id"] == "r-2"
    assert b"\x1b" not in content
    assert b"\r" not in content


def test_text_that_is_not_unicode_is_escaped_in_its_own_line_only() -> None:
    first, second = encode([a_record("r-1"), a_record("r-2", subject="a\udcffb")]).splitlines()

    assert json.loads(first)["subject"] == "anna"
    assert json.loads(second)["subject"] == "a\\udcffb"


def test_a_defect_in_one_record_costs_neither_it_nor_the_others() -> None:
    first, second = encode([a_record("r-1", peer=complex(1, 2)), a_record("r-2")]).splitlines()

    assert json.loads(first)["peer"] == "(1+2j)"
    assert json.loads(second)["id"] == "r-2"


def test_times_are_utc_with_microseconds_and_of_one_width() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
    assert rfc3339(1_795_233_906.000007) == "2026-11-21T04:05:06.000007Z"


def test_a_time_rounded_up_moves_on_to_the_next_second() -> None:
    assert rfc3339(59.999_999_9) == "1970-01-01T00:01:00.000000Z"
