"""A key verifies what it was bound to, and is chosen only if it alone can be meant."""

import pytest

from gateway.authn.keys import FixedKeys, KeySet, VerificationKey, algorithms_of
from gateway.errors import CredentialsRefused
from tests.support.issuer import private_key


def key(kid: str | None, *algorithms: str, material: bytes = b"") -> VerificationKey:
    return VerificationKey(kid, frozenset(algorithms), material or (kid or "?").encode())


@pytest.mark.parametrize(
    ("name", "algorithms"),
    [
        ("rsa", {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ("rsa-1024", set()),
        ("p256", {"ES256"}),
        ("p384", {"ES384"}),
        ("p521", {"ES512"}),
        ("p256k1", set()),
        ("ed25519", {"EdDSA"}),
    ],
)
def test_a_public_key_is_bound_to_its_own_algorithms(name: str, algorithms: set[str]) -> None:
    assert algorithms_of(private_key(name).public_key()) == algorithms


def test_no_public_key_is_a_shared_secret() -> None:
    assert algorithms_of(b"-----BEGIN PUBLIC KEY-----") == frozenset()


@pytest.mark.parametrize(
    ("kid", "algorithm", "chosen"),
    [
        ("a", "RS256", "a"),
        ("a", "ES256", None),  # right name, wrong algorithm
        ("b", "ES256", "b"),
        ("c", "RS256", None),  # unknown
        ("A", "RS256", None),  # exact
        ("a ", "RS256", None),
        ("../../a", "RS256", None),
        (None, "ES256", "b"),  # no name, one candidate
        (None, "RS256", "a"),
        (None, "EdDSA", None),
    ],
)
def test_a_key_is_chosen_by_name_and_algorithm(
    kid: str | None, algorithm: str, chosen: str | None
) -> None:
    keys = KeySet([key("a", "RS256"), key("b", "ES256")])
    found = keys.choose(kid, algorithm)
    assert (found.kid if found else None) == chosen


def test_a_token_without_kid_gets_no_key_if_several_fit() -> None:
    keys = KeySet([key("a", "RS256"), key("b", "RS256")])
    assert keys.choose(None, "RS256") is None


def test_two_keys_of_one_name_are_nobodys_key() -> None:
    keys = KeySet([key("a", "RS256"), key("a", "RS256", material=b"other")])
    assert keys.choose("a", "RS256") is None


def test_keys_of_one_name_and_different_algorithms_are_told_apart() -> None:
    keys = KeySet([key("a", "RS256"), key("a", "ES256")])
    found = keys.choose("a", "ES256")
    assert found is not None
    assert found.algorithms == {"ES256"}


def test_a_key_without_name_is_meant_by_a_kid_that_nobody_else_has() -> None:
    keys = KeySet([key(None, "RS256"), key("a", "RS256")])
    unnamed, named = keys.choose("x", "RS256"), keys.choose("a", "RS256")
    assert unnamed is not None
    assert unnamed.kid is None
    assert named is not None
    assert named.kid == "a"


def test_a_withdrawn_key_is_noticed() -> None:
    both, one = KeySet([key("a", "RS256"), key("b", "RS256")]), KeySet([key("a", "RS256")])
    assert one.lacks_any_of(both)
    assert not both.lacks_any_of(one)
    assert KeySet([key("a", "RS256", material=b"new")]).lacks_any_of(one)


@pytest.mark.parametrize("kid", [None, "anything"])
async def test_a_single_fixed_key_is_meant_whatever_it_is_called(kid: str | None) -> None:
    keys = FixedKeys(KeySet([key("ours", "RS256")]))
    await keys.start(lambda: None)
    assert (await keys.find(kid, "RS256")).material == b"ours"
    await keys.close()


async def test_fixed_keys_that_do_not_fit_refuse_for_good() -> None:
    keys = FixedKeys(KeySet([key("a", "RS256"), key("b", "RS256")]))
    with pytest.raises(CredentialsRefused, match="no single key") as refusal:
        await keys.find("c", "RS256")
    assert type(refusal.value) is CredentialsRefused
    assert keys.ready() == (True, "2 from a file")


def test_the_repr_shows_no_key() -> None:
    keys = FixedKeys(KeySet([key("a", "HS256", material=b"topsecret"), key("b", "HS256")]))
    assert "topsecret" not in repr(keys)
    assert "VerificationKey('a', HS256)" in repr(keys)
