"""The fuzz targets under hypothesis, a short run of each; atheris runs the same functions longer."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import body, framing, headers, target
from tests.support.corpus import load_corpus
from tests.support.held_site import CREDENTIALS
from tests.support.strategies import (
    hostile_chunks,
    hostile_heads,
    hostile_targets,
    json_objects,
    near_targets,
)

ROOT = Path(__file__).resolve().parents[2]

# What the corpus holds behind its heads, and its header sections: a good place to start from.
_RAWS = [shape.raw for case in load_corpus() for shape in case.spelt(CREDENTIALS)]
_SECTIONS = st.sampled_from([raw.partition(b"\r\n")[2].partition(b"\r\n\r\n")[0] for raw in _RAWS])
_BODIES = st.sampled_from([raw.partition(b"\r\n\r\n")[2][:5000] for raw in _RAWS])
_LINES = st.sampled_from([raw.partition(b"\r\n")[0] for raw in _RAWS])
_REPLIES = st.sampled_from(
    [case.upstream.encode("latin-1") for case in load_corpus() if case.upstream]
)


def _spoilt(whole: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Mostly with something put in somewhere, or something left out."""
    return st.builds(
        lambda raw, place, piece, left_out: raw[:place] + piece + raw[place + left_out :],
        whole, st.integers(0, 300), st.just(b"") | st.binary(max_size=3), st.integers(0, 3),
    )  # fmt: skip


@settings(max_examples=500)
@given(data=hostile_targets | near_targets() | st.binary())
def test_target(data: bytes) -> None:
    target.check(data)


@settings(max_examples=500)
@given(data=hostile_heads | _spoilt(_SECTIONS) | st.binary())
def test_headers(data: bytes) -> None:
    headers.check(data)


@settings(max_examples=500)
@given(data=hostile_chunks | _spoilt(_BODIES) | _spoilt(_LINES) | _spoilt(_REPLIES) | st.binary())
def test_framing(data: bytes) -> None:
    framing.check(data)


@settings(max_examples=500)
@given(
    data=_spoilt(_BODIES)
    | _spoilt(json_objects.map(lambda value: json.dumps(value).encode()))
    | st.binary()
)
def test_body(data: bytes) -> None:
    body.check(data)


@pytest.mark.skipif(find_spec("atheris") is not None, reason="it would run for ever")
@pytest.mark.parametrize("name", ["target", "headers", "framing", "body"])
def test_without_atheris_a_target_says_what_is_missing(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.fuzz.{name}"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "atheris is not installed" in done.stderr
