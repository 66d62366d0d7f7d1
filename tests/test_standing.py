"""Who sent a header section: its own credentials, or else the connection's certificate."""

import sys

import pytest

from gateway.authn.chain import Authenticator
from gateway.errors import CredentialsRefused
from gateway.exchange import PeerCertificate, Section
from gateway.http.forwarded import Origin
from gateway.http.headers import read_headers
from gateway.standing import Standing
from policy import ANONYMOUS, Caller, Kind, Means
from tests.support.clock import FakeClock
from tests.support.policies import CATALOGUE, POLICY, table


def section(certificate: PeerCertificate | None, authorization: bytes | None = None) -> Section:
    fields = [(b"host", b"h")]
    if authorization is not None:
        fields.append((b"authorization", authorization))
    return Section(read_headers(fields, frozenset()), Origin("local", b""), certificate)


def holder(expires_at: float) -> PeerCertificate:
    return PeerCertificate(
        Caller(subject="job", kind=Kind.SERVICE, means=Means.CERTIFICATE, expires_at=expires_at)
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def standing(clock: FakeClock) -> Standing:
    return Standing(Authenticator([], clock=clock, cache_entries=10, realm="R"), clock)


def test_without_credentials_and_certificate_nobody_calls(standing: Standing) -> None:
    assert standing.caller_of(section(None)) is ANONYMOUS


def test_without_credentials_the_certificate_says_who_calls(
    standing: Standing, clock: FakeClock
) -> None:
    certificate = holder(clock.wall() + 10)
    assert standing.caller_of(section(certificate)) is certificate.caller


def test_credentials_leave_the_certificate_no_say(standing: Standing, clock: FakeClock) -> None:
    certificate = holder(clock.wall() + 10)
    assert standing.caller_of(section(certificate, b"Bearer unknown")) is None


def test_a_certificate_stops_naming_its_holder_the_moment_it_expires(
    standing: Standing, clock: FakeClock
) -> None:
    ours = section(certificate := holder(clock.wall() + 10))
    assert certificate.caller is not None
    for seconds in (0, 3.25, 3.25, 3.25):
        clock.advance(seconds)
        ours.caller = standing.caller_of(ours)  # as `held_by` does
        assert ours.caller is certificate.caller
    clock.advance(0.25)  # less than what a caller is remembered for
    with pytest.raises(CredentialsRefused, match="expired"):
        standing.caller_of(ours)


def test_a_certificate_that_names_nobody_is_refused_with_its_reason(standing: Standing) -> None:
    ours = section(PeerCertificate(None, "two names"))
    refusals = []
    for _ in range(2):
        with pytest.raises(CredentialsRefused, match="two names") as refused:
            standing.caller_of(ours)
        refusals.append(refused.value)
    assert refusals[0] is not refusals[1]  # each traceback is its own


@pytest.mark.parametrize("credential", [None, b"digest of a token"])
def test_what_a_caller_holds_under_one_table_is_never_used_with_another(
    standing: Standing, credential: bytes | None
) -> None:
    caller = Caller(subject="ann", kind=Kind.USER, means=Means.BASIC)
    ours = section(None, b"Basic x")
    ours.credential = credential
    # The bits stand in another order too, so that those of one table mean something else in the other.
    granted = table(CATALOGUE, POLICY)
    taken = table(
        CATALOGUE.replace("{read: Read Records, write: Write Records,", "{write: W, read: R,"),
        POLICY.replace("ann: {roles: [writer]}", "ann: {roles: [reader]}"),
    )
    for each in (granted, taken, granted, taken):
        assert standing.held_by(caller, ours, each) == each.held_by(caller)
    assert granted.names_of(standing.held_by(caller, ours, granted).anywhere) == ("read", "write")
    assert taken.names_of(standing.held_by(caller, ours, taken).anywhere) == ("read",)


def test_a_connection_that_rests_keeps_no_table(standing: Standing) -> None:
    caller = Caller(subject="ann", kind=Kind.USER, means=Means.BASIC)
    ours, old = section(None, b"Basic x"), table()
    users = sys.getrefcount(old)
    standing.held_by(caller, ours, old)
    assert sys.getrefcount(old) == users
