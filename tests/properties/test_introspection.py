"""Whatever a server says of a token: a caller, a refusal or a doubt, by rules that fit on a page."""

import asyncio
import math
from typing import Any

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from gateway.authn.base import CannotTell
from gateway.authn.claims import ClaimRules
from gateway.authn.introspection import IntrospectionVerifier, Introspector
from gateway.authn.names import is_plain
from gateway.errors import CredentialsRefused
from policy import Means
from tests.support.clock import FakeClock

NOW = 1_800_000_000.0

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=5
)  # fmt: skip


def mostly(*usual: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(usual) | ANYTHING


def often(good: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.one_of(*[st.just(good)] * 6, mostly(*others))


OFTEN_TRUE = often(True, False, "true", 1)

ANSWERS = st.fixed_dictionaries(
    {
        "active": OFTEN_TRUE,
        "sub": often("anna", " anna", "an\u200bna", ""),
        "iss": often("https://login/", "https://login"),
        "aud": often("us", ["us", "them"], "them"),
    },
    optional={
        "exp": mostly(NOW + 60, NOW - 60, NOW - 10, "soon"),
        "nbf": mostly(NOW - 60, NOW + 60),
        "scope": mostly("a b", "", ["a"], "a\tb"),
        "roles": mostly(["editor"], "editor", ["editor", 7]),
        "token_type": mostly("Bearer", "refresh_token"),
        "typ": mostly("Bearer", "Refresh"),
        "cnf": mostly({"jkt": "x"}),
        "client_id": mostly("vsm"),
    },
)


class SaysSo:
    """An endpoint with one answer to everything."""

    url = "https://login/introspect"

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer

    async def ask(self, _form: dict[str, str]) -> dict[str, Any]:
        return self._answer

    async def close(self) -> None:
        """Nothing to let go."""


def naively(answer: dict[str, Any]) -> str:
    """What should become of it, in the order in which nothing is let in by mistake."""
    if not isinstance(answer["active"], bool):
        return "cannot tell"
    if not answer["active"]:
        return "not its own"

    def number(name: str) -> float | None:
        value = answer[name]
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return value if fits and 0 <= value <= 253_402_300_799 else None

    def texts(name: str) -> bool:
        value = answer.get(name)
        listed = value if isinstance(value, list) else [value]
        return value is None or all(isinstance(each, str) for each in listed)

    def kind_is(name: str, kinds: set[str]) -> bool:
        value = answer.get(name)
        return value is None or (isinstance(value, str) and value.lower() in kinds)

    subject, scope = answer.get("sub"), answer.get("scope")
    words = [each for each in scope.split(" ") if each] if isinstance(scope, str) else scope
    audience = answer.get("aud")
    good = [
        kind_is("token_type", {"bearer", "access_token"}),
        kind_is("typ", {"bearer", "jwt", "at+jwt"}),
        answer.get("cnf") is None,
        "exp" not in answer or (number("exp") or -math.inf) > NOW - 30,
        "nbf" not in answer or (number("nbf") is not None and (number("nbf") or 0) - 30 <= NOW),
        answer.get("iss") == "https://login/",
        texts("aud") and "us" in (audience if isinstance(audience, list) else [audience]),
        isinstance(subject, str) and is_plain(subject),
        texts("roles"),
        words is None
        or (
            isinstance(words, list)
            and all(
                isinstance(each, str)
                and 0 < len(each) <= 256
                and all("!" <= letter <= "~" and letter not in '"\\' for letter in each)
                for each in words
            )
        ),
    ]
    return "a caller" if all(good) else "refused"


async def outcome(answer: dict[str, Any]) -> str:
    clock = FakeClock(wall=NOW)
    introspector = Introspector(
        SaysSo(answer),  # type: ignore[arg-type]
        clock=clock,
        parallel=1,
        patience_seconds=5.0,
        cooldown_seconds=5.0,
    )
    rules = ClaimRules(
        issuer="https://login/",
        audience="us",
        means=Means.INTROSPECTION,
        has_to_end=False,
        scopes_claim="scope",
    )
    verifier = IntrospectionVerifier(
        introspector, rules, clock=clock, realm="r", cache_seconds=30.0
    )
    try:
        caller = await verifier.verify(b"some-token")
    except CannotTell:
        return "cannot tell"
    except CredentialsRefused:
        return "refused"
    if caller is None:
        return "not its own"
    assert caller.means is Means.INTROSPECTION
    assert caller.scopes is not None
    return "a caller"


@given(ANSWERS)
def test_any_answer_ends_as_a_naive_reading_says(answer: dict[str, Any]) -> None:
    assert asyncio.run(outcome(answer)) == naively(answer)


@pytest.mark.parametrize("end", ["a caller", "refused", "not its own", "cannot tell"])
def test_every_end_is_among_them(end: str) -> None:
    answer = find(ANSWERS, lambda answer: naively(answer) == end)
    assert asyncio.run(outcome(answer)) == end
