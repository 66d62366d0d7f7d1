"""Who a request comes from is what the socket says, or what a proxy says that was named."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.errors import HeaderRejected
from gateway.http.forwarded import Origin, Proxies

MALFORMED = "`X-Forwarded-For` is not a list of plain addresses"

NETWORKS = ["192.0.2.7/32", "10.0.0.0/8", "2001:db8:1::/48"]
PROXY = "192.0.2.7"


def origin(
    said_for: bytes | None = None,
    said_scheme: bytes | None = None,
    *,
    peer: str | None = PROXY,
    trusted: list[str] = NETWORKS,
) -> Origin:
    proxies = Proxies(trusted)
    return proxies.origin(proxies.peer(peer, b"http"), said_for, said_scheme)


def lines(for_: str, scheme: str = "http") -> bytes:
    return f"x-forwarded-for: {for_}\r\nx-forwarded-proto: {scheme}\r\n".encode()


@pytest.mark.parametrize(
    ("said", "client", "told"),
    [
        (b"198.51.100.1", "198.51.100.1", "198.51.100.1, 192.0.2.7"),
        # What stands before the first stranger is his own claim, whatever it is.
        (b"1.1.1.1, 198.51.100.1", "198.51.100.1", "198.51.100.1, 192.0.2.7"),
        (b"10.0.0.1, 198.51.100.1", "198.51.100.1", "198.51.100.1, 192.0.2.7"),
        (b'unknown, "a, b", 198.51.100.1', "198.51.100.1", "198.51.100.1, 192.0.2.7"),
        (b"\xff,198.51.100.1", "198.51.100.1", "198.51.100.1, 192.0.2.7"),
        # Trusted hops are passed through.
        (b"198.51.100.1,10.1.2.3", "198.51.100.1", "198.51.100.1, 10.1.2.3, 192.0.2.7"),
        (
            b"6.6.6.6, 2001:DB8:2:0::1 ,\t2001:db8:1::9, 10.1.2.3",
            "2001:db8:2::1",
            "2001:db8:2::1, 2001:db8:1::9, 10.1.2.3, 192.0.2.7",
        ),
        # Everybody is trusted: the first is the client.
        (b"10.9.9.9, 10.1.2.3", "10.9.9.9", "10.9.9.9, 10.1.2.3, 192.0.2.7"),
        (b"::ffff:10.1.2.3", "10.1.2.3", "10.1.2.3, 192.0.2.7"),
    ],
)
def test_the_client_is_the_first_from_the_end_that_is_no_trusted_proxy(
    said: bytes, client: str, told: str
) -> None:
    """H-5: the upstream is told the verified part and no more."""
    assert origin(said) == Origin(client, lines(told))


@pytest.mark.parametrize(
    "said",
    [
        b"", b" ", b",", b"198.51.100.1,", b"unknown", b"localhost", b"198.51.100.1:4711",
        b"[2001:db8::1]", b"[2001:db8::1]:80", b'"198.51.100.1"', b"for=198.51.100.1", b"1.2.3",
        b"1.2.3.4.5", b"1.2.3.04", b"0x7f.1", b"2130706433", b"1.2.3.4/32", b"fe80::1%eth0", b":::",
        b"198.51.100.1 198.51.100.2", b"198.51.100.1;10.1.2.3", b"\xd9\xa1.2.3.4", b"1.2.3.4\x00",
        b"198.51.100.1, , 10.1.2.3", b"1.1.1.1, bad, 10.1.2.3",
    ],
)  # fmt: skip
def test_an_address_that_is_looked_at_is_a_plain_one(said: bytes) -> None:
    with pytest.raises(HeaderRejected) as refusal:
        origin(said)
    assert refusal.value.detail == MALFORMED


def test_a_chain_of_proxies_has_an_end() -> None:
    """R-12: each link takes longer to read than a header."""
    hops = [b"10.1.2.3"] * 16
    assert origin(b",".join([b"198.51.100.1", *hops])).peer == "198.51.100.1"
    with pytest.raises(HeaderRejected) as refusal:
        origin(b",".join([b"198.51.100.1", *hops, b"10.1.2.3"]))
    assert refusal.value.detail == "`X-Forwarded-For` goes through too many proxies"


@pytest.mark.parametrize("peer", ["198.51.100.1", "192.0.2.8", "2001:db8:2::1", None])
@pytest.mark.parametrize("said", [b"203.0.113.9", b"10.1.2.3", b"nonsense", None])
def test_nobody_else_is_believed(peer: str | None, said: bytes | None) -> None:
    """H-4, H-5: dropped, well-formed or not."""
    name = peer or "local"
    assert origin(said, b"https", peer=peer) == Origin(name, lines(name))
    assert origin(said, b"https", peer=PROXY, trusted=[]) == Origin(PROXY, lines(PROXY))


def test_a_trusted_proxy_that_says_nothing_is_the_client() -> None:
    assert origin() == Origin(PROXY, lines(PROXY))


@pytest.mark.parametrize("said", [b"http", b"https", b"https "])
def test_a_trusted_proxy_says_how_its_client_came(said: bytes) -> None:
    scheme = said.strip().decode()
    assert origin(None, said) == Origin(PROXY, lines(PROXY, scheme))
    assert origin(b"198.51.100.1", said).lines == lines("198.51.100.1, 192.0.2.7", scheme)


@pytest.mark.parametrize("said", [b"", b"HTTPS", b"ftp", b"https, http", b"https,https", b"on"])
def test_there_are_two_schemes(said: bytes) -> None:
    with pytest.raises(HeaderRejected) as refusal:
        origin(b"198.51.100.1", said)
    assert refusal.value.detail == "`X-Forwarded-Proto` is neither `http` nor `https`"


def test_a_peer_of_a_unix_socket_is_trusted_by_name() -> None:
    assert origin(b"198.51.100.1", b"https", peer=None, trusted=["unix"]) == Origin(
        "198.51.100.1", lines("198.51.100.1", "https")
    )
    assert origin(peer=None, trusted=["unix"]) == Origin("local", lines("local"))
    assert origin(b"198.51.100.1", peer=PROXY, trusted=["unix"]).peer == PROXY


@pytest.mark.parametrize("peer", ["2001:db8:1::5%eth0", "::ffff:10.1.2.3"])
def test_a_trusted_peer_is_known_in_every_form_in_which_a_system_writes_it(peer: str) -> None:
    assert origin(b"198.51.100.1", peer=peer).peer == "198.51.100.1"


def test_an_interface_is_told_to_the_audit_and_not_to_the_upstream() -> None:
    assert origin(peer="fe80::1%eth0") == Origin("fe80::1%eth0", lines("fe80::1"))


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@given(
    claimed=st.binary(max_size=40), client=addresses, hops=st.lists(st.just("10.1.2.3"), max_size=9)
)
def test_no_claim_moves_what_proxies_appended(claimed: bytes, client: str, hops: list[str]) -> None:
    """Whatever a stranger wrote, the address that a trusted proxy saw is the client's."""
    assume(not client.startswith(("10.", "192.0.2.7", "2001:db8:1:", "::")))
    said = b",".join([claimed, *(each.encode() for each in (client, *hops))])
    assert origin(said).peer == client


def test_proxies_read_well_in_a_log() -> None:
    assert repr(Proxies(["10.0.0.0/8", "unix"])) == "<Proxies 10.0.0.0/8, unix>"
    assert repr(Proxies()) == "<Proxies none>"
