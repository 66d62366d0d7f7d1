"""The settings of rewriting: what clients call the gateway, and what an upstream calls itself."""

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import SettingsInvalid
from gateway.settings import ServiceSettings, load_settings
from tests.support.site import ucs, write_settings

NODE = "http://127.0.0.1:8081"


def service(folder: Path, **changes: Any) -> ServiceSettings:
    settings = load_settings(write_settings(folder, [ucs(NODE, **changes)]), {})
    return settings.services[0]


def findings(folder: Path, **changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(SettingsInvalid) as invalid:
        service(folder, **changes)
    return [(found.code.value, found.message) for found in invalid.value.diagnostics]


def test_without_a_word_nothing_is_rewritten(tmp_path: Path) -> None:
    assert (service(tmp_path).public_url, service(tmp_path).rewrite_from) == (None, ())


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("https://gateway.example.com", "https://gateway.example.com"),
        ("https://gateway.example.com:443/", "https://gateway.example.com"),
        ("https://gateway.example.com:8443", "https://gateway.example.com:8443"),
        ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
        ("http://gateway", "http://gateway"),
        ("https://[fd00::1]", "https://[fd00::1]"),
    ],
)
def test_either_is_a_scheme_a_host_and_perhaps_a_port(
    tmp_path: Path, written: str, means: str
) -> None:
    settings = service(tmp_path, public_url=written, rewrite_from=[written])
    assert (str(settings.public_url), *map(str, settings.rewrite_from)) == (means, means)


@pytest.mark.parametrize(
    "written",
    ["gateway.example.com", "https://", "https://a/b", "https://a?b", "https://a#b", "ftp://a",
     "https://u:p@a", "https://a:0", "https://a:b", "//a", "https://a b", 'https://a"', 7],
)  # fmt: skip
def test_anything_else_is_told_with_its_key(tmp_path: Path, written: object) -> None:
    expected = "expected `https://host`, `http://host:port` or the like, and nothing behind it"
    assert findings(tmp_path, public_url=written, rewrite_from=[written]) == [
        ("bad-value", f"`public_url`: {expected}"),
        ("bad-value", f"an entry of `rewrite_from`: {expected}"),
    ]


def test_names_to_rewrite_from_need_one_to_rewrite_to(tmp_path: Path) -> None:
    assert findings(tmp_path, rewrite_from=["http://ucs"]) == [
        ("bad-value", "`rewrite_from`: nothing is rewritten where `public_url` is not given")
    ]


def test_a_name_is_not_called_pointless_because_the_url_is_at_fault(tmp_path: Path) -> None:
    [(_, message)] = findings(tmp_path, public_url="gateway", rewrite_from=["http://ucs"])
    assert message.startswith("`public_url`: expected")
