"""The absolute form of a target: taken where it says what `Host` says, and nowhere else."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.http.absolute import origin_form
from gateway.http.host import Host
from tests.support.strategies import hostile_targets

CLOUD = Host("api.cloud.example")


@pytest.mark.parametrize(
    ("raw", "host", "meant"),
    [
        (b"http://api.cloud.example/api/v2/users?id=x", CLOUD, b"/api/v2/users?id=x"),
        (b"http://API.Cloud.example/", CLOUD, b"/"),
        (b"http://api.cloud.example:8080/a", Host("api.cloud.example", 8080), b"/a"),
        (b"http://[2001:DB8::1]/a", Host("2001:db8::1"), b"/a"),
        (b"http://api.cloud.example//evil/a", CLOUD, b"//evil/a"),
        (b"http://api.cloud.example/http://evil/a", CLOUD, b"/http://evil/a"),
    ],
)
def test_what_names_the_host_is_its_path_and_query(raw: bytes, host: Host, meant: bytes) -> None:
    """RFC 9112 section 3.2.2. What is odd in the path is left for whoever reads paths."""
    assert origin_form(raw, host) == meant


@pytest.mark.parametrize(
    "raw",
    [
        b"/api/v2/users",
        b"*",
        b"http://evil.example/api/v2/users",
        b"http://api.cloud.example.evil/a",
        b"http://api.cloud.example:80/a",
        b"http://u:p@api.cloud.example/a",
        b"http://api.cloud.example@evil/a",
        b"http://evil@api.cloud.example/a",
        b"http://api.cloud.example",
        b"http://api.cloud.example?a=b",
        b"http://api.cloud.example#/a",
        b"http://api.cloud.example./a",
        b"http://api%2ecloud.example/a",
        b"http:///a",
        b"http:/api.cloud.example/a",
        b"HTTP://api.cloud.example/a",
        b"https://api.cloud.example/a",
        b"ftp://api.cloud.example/a",
        b"//api.cloud.example/a",
        b"api.cloud.example:80",
    ],
)
def test_any_other_target_stays_as_it_is(raw: bytes) -> None:
    """D0-5, P-27: and is refused as no target, where it is none."""
    assert origin_form(raw, CLOUD) == raw


def test_without_a_host_no_name_is_the_same() -> None:
    raw = b"http://api.cloud.example/a"
    assert origin_form(raw, None) == raw


@given(
    raw=hostile_targets
    | st.builds(
        lambda scheme, name, rest: scheme + name + rest,
        st.sampled_from([b"http://", b"https://", b"http:", b"//"]),
        st.sampled_from([b"api.cloud.example", b"evil", b"api.cloud.example@evil", b"", b"[::1]"]),
        hostile_targets,
    )
)
@example(raw=b"http://api.cloud.example/\n")
def test_what_changes_is_the_front_alone_and_every_reader_sees_the_same_host(raw: bytes) -> None:
    meant = origin_form(raw, CLOUD)
    if meant != raw:
        assert meant.startswith(b"/")
        assert raw == b"http://api.cloud.example" + meant
        assert urlsplit(raw.decode("latin-1")).hostname == CLOUD.name
