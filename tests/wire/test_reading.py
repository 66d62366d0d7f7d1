"""For which hosts requests are taken."""

import pytest

from gateway.errors import GatewayError, HeaderRejected, Misdirected
from tests.support.wire import Client, a_client, a_reading, head_of


def asks(
    *lines: bytes, version: bytes = b"1.1", hosts: tuple[str, ...] = ("ucs.example",)
) -> Client:
    section = b"".join(line + b"\r\n" for line in lines)
    raw = b"GET / HTTP/%b\r\n%b\r\n" % (version, section)
    return a_client(pieces=[raw], reading=a_reading(hosts=hosts))


@pytest.mark.parametrize("host", [b"ucs.example", b"UCS.example:8443"])
def test_a_request_for_a_name_of_ours_is_taken(host: bytes) -> None:
    assert head_of(asks(b"Host: " + host)).headers.host is not None


@pytest.mark.parametrize(
    ("lines", "version", "kind", "detail"),
    [
        ([b"Host: evil.example"], b"1.1", Misdirected, "`Host` is none of listen.hosts"),
        ([b"Host: evil.example"], b"1.0", Misdirected, "`Host` is none of listen.hosts"),
        ([], b"1.0", Misdirected, "HTTP/1.0 without `Host`, and there is listen.hosts"),
        ([], b"1.1", HeaderRejected, "HTTP/1.1 without `Host`"),
        (
            [b"Host: ucs.example."],
            b"1.1",
            HeaderRejected,
            "`Host` is not a host with an optional port",
        ),
        (
            [b"Host: ucs.example", b"Host: evil"],
            b"1.1",
            HeaderRejected,
            "a header that may stand once is repeated",
        ),
    ],
)
def test_any_other_is_refused(
    lines: list[bytes], version: bytes, kind: type[GatewayError], detail: str
) -> None:
    """H-7."""
    with pytest.raises(GatewayError) as refusal:
        head_of(asks(*lines, version=version))
    assert (type(refusal.value), refusal.value.detail) == (kind, detail)


def test_without_a_list_a_request_for_any_host_is_taken() -> None:
    assert head_of(asks(b"Host: any.example", hosts=()))
    assert head_of(asks(version=b"1.0", hosts=()))


@pytest.mark.parametrize(
    ("target", "hosts", "meant"),
    [
        (b"http://ucs.example/a?b=c", ("ucs.example",), b"/a?b=c"),
        (b"http://ucs.example/a", (), b"http://ucs.example/a"),
        (b"http://evil.example/a", ("ucs.example", "evil.example"), b"http://evil.example/a"),
    ],
)
def test_a_target_in_absolute_form_is_taken_for_a_named_host_alone(
    target: bytes, hosts: tuple[str, ...], meant: bytes
) -> None:
    """P-27: where anybody's name would do, and where `Host` says another, it stays what it is."""
    raw = b"GET %b HTTP/1.1\r\nHost: ucs.example\r\n\r\n" % target
    assert head_of(a_client(pieces=[raw], reading=a_reading(hosts=hosts))).target == meant
