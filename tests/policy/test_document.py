"""A policy as its authors wrote it."""

from policy import UseRole
from tests.support.policies import CATALOGUE, POLICY, document, spec, table


def test_a_document_knows_where_everything_stands() -> None:
    written = document(CATALOGUE, "roles:\n  reader: {permissions: [read]}\n").policies[0]
    assert str(written.place.where("roles", "reader", key=True)) == "policy-1.yaml:2:3"
    assert written.keys("roles") == ("reader",)
    assert written.keys("users") == ()


def test_a_document_bears_the_digest_of_its_sources() -> None:
    assert document().version == document().version
    assert document().version != document(CATALOGUE + "#").version


def test_half_of_a_version_is_the_same_wherever_the_services_and_catalogues_are() -> None:
    one, other = table(), table(CATALOGUE, POLICY.replace("[read, write", "[write"))
    assert (one.rules, one.version == other.version) == (other.rules, False)
    assert table(CATALOGUE + "#").rules != one.rules
    assert table(service=spec(use_role=UseRole.SHADOW)).rules != one.rules
    assert one.version.startswith(one.rules)
