"""`Host` has one reading, and is compared with the names the gateway goes by."""

import pytest

from gateway.errors import HeaderRejected
from gateway.http.host import Host, Hosts, read_host

MALFORMED = "`Host` is not a host with an optional port"
NO_SUCH_PORT = "`Host` has a port that does not exist"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"h", ("h", None)),
        (b"UCS.Example.COM:8080", ("ucs.example.com", 8080)),
        (b"10.0.0.1:1", ("10.0.0.1", 1)),
        (b"a_b.c-d", ("a_b.c-d", None)),
        (b"h:0", ("h", 0)),
        (b"h:65535", ("h", 65535)),
        (b"[::1]", ("::1", None)),
        (b"[2001:DB8:0:0::1]:443", ("2001:db8::1", 443)),
    ],
)
def test_a_host_is_lower_case_and_has_a_port_or_none(
    value: bytes, expected: tuple[str, int | None]
) -> None:
    assert read_host(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        b"", b".", b"h.", b"h.:80", b".h", b"a..b", b"h evil", b"h:80@evil", b"u@h", b"a,b", b"h:",
        b"h:+80", b"h: 80", b"h:080", b"h:123456", b"h:8080:80", b"h/a", b"h?a", b"h#a", b"h%61",
        b"http://h", b"::1", b"[::1", b"::1]", b"[]", b"[::1]x", b"[::1]:", b"[1.2.3.4]", b"[::g]",
        b"a" * 260, b"[1:2]", b"[fe80::1%25eth0]", b"h\xc3\xa9", b"h\n", b"h\x00", b"h\\a", b"*",
    ],
)  # fmt: skip
def test_any_other_host_is_refused(value: bytes) -> None:
    """H-7, D0-11; a dot at the end is another spelling of the same name."""
    with pytest.raises(HeaderRejected) as refusal:
        read_host(value)
    assert refusal.value.detail == MALFORMED


def test_a_port_beyond_the_last_is_refused() -> None:
    with pytest.raises(HeaderRejected) as refusal:
        read_host(b"h:65536")
    assert refusal.value.detail == NO_SUCH_PORT


def test_without_a_list_any_host_is_right() -> None:
    assert not Hosts()
    assert Host("anything", 1) in Hosts()


LISTED = Hosts(["ucs.example.com", "ucs.example.com:8443", "other.example.com:8443", "[::1]:80"])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"ucs.example.com", True),
        (b"UCS.Example.com:8443", True),
        (b"ucs.example.com:9", True),
        (b"other.example.com:8443", True),
        (b"[0:0::1]:80", True),
        (b"other.example.com", False),
        (b"other.example.com:8080", False),
        (b"[::1]", False),
        (b"[::1]:443", False),
        (b"example.com", False),
        (b"a.ucs.example.com", False),
        (b"ucs.example.com.evil", False),
        (b"evil", False),
    ],
)
def test_a_name_with_a_port_is_right_on_that_port_and_one_without_on_any(
    host: bytes, expected: bool
) -> None:
    assert LISTED
    assert (read_host(host) in LISTED) is expected
