"""A policy as its authors wrote it."""

from tests.support.policies import CATALOGUE, document


def test_a_document_knows_where_everything_stands() -> None:
    written = document(CATALOGUE, "roles:\n  reader: {permissions: [read]}\n").policies[0]
    assert str(written.place.where("roles", "reader", key=True)) == "policy-1.yaml:2:3"
    assert written.keys("roles") == ("reader",)
    assert written.keys("users") == ()


def test_a_document_bears_the_digest_of_its_sources() -> None:
    assert document().version == document().version
    assert document().version != document(CATALOGUE + "#").version
