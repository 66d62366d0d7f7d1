"""By what names the public port goes, and whom it believes: written in one way only."""

import pytest
from pydantic import ValidationError

from gateway.settings import Listen

HOST = "expected a name or an address such as `ucs.example.com`"
NETWORK = "expected an address such as `192.0.2.7`, a network"
EVERYBODY = "this names everybody"


def test_nobody_is_believed_and_any_name_is_right_by_default() -> None:
    """H-4: the list of proxies has no default."""
    assert (Listen().hosts, Listen().trusted_proxies) == ((), ())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ucs.example.com", "ucs.example.com"),
        ("UCS.Example.com:8443", "ucs.example.com:8443"),
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("[2001:DB8:0::1]", "[2001:db8::1]"),
        ("[::1]:8080", "[::1]:8080"),
    ],
)
def test_a_host_is_compared_in_lower_case_and_in_its_shortest_form(
    written: str, meant: str
) -> None:
    assert Listen(hosts=[written]).hosts == (meant,)


@pytest.mark.parametrize(
    "written",
    [
        "", "ucs.example.com.", "ucs.example.com.:80", "ucs:0", "ucs:65536", "ucs:http", "ucs:", "::1",
        "[::1", "[]", "http://ucs", "ucs/a", "*.example.com", "a b", "1.2.3", "ü.example",
    ],
)  # fmt: skip
def test_a_host_that_no_client_could_send_is_a_finding(written: str) -> None:
    with pytest.raises(ValidationError, match=HOST):
        Listen(hosts=[written])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("10.20.0.0/16", "10.20.0.0/16"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
        ("unix", "unix"),
    ],
)
def test_a_proxy_is_an_address_a_network_or_the_unix_socket(written: str, meant: str) -> None:
    assert Listen(trusted_proxies=[written]).trusted_proxies == (meant,)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("10.20.0.1/16", NETWORK),
        ("10.20.0.0/33", NETWORK),
        ("proxy.example.com", NETWORK),
        ("192.0.2.7:80", NETWORK),
        ("fe80::1%eth0", NETWORK),
        ("Unix", NETWORK),
        ("", NETWORK),
        ("0.0.0.0/0", EVERYBODY),
        ("::/0", EVERYBODY),
    ],
)
def test_what_names_no_proxy_is_a_finding(written: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Listen(trusted_proxies=[written])
