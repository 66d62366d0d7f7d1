"""What stands behind the gateway."""

from pathlib import Path

import pytest

from policy import ServiceSpec, UseRole


def spec(prefix: str) -> ServiceSpec:
    return ServiceSpec(name="ucs", catalogue=Path("c.yaml"), prefix=prefix)


@pytest.mark.parametrize(
    ("prefix", "segments"), [("/", ()), ("/cv", ("cv",)), ("/genesys/1/cs", ("genesys", "1", "cs"))]
)
def test_a_prefix_is_some_literal_segments(prefix: str, segments: tuple[str, ...]) -> None:
    assert spec(prefix).prefix_segments == segments


@pytest.mark.parametrize("prefix", ["", "a", "/a/", "//", "/a//b", "/..", "/a/./b", "/{id}", "/é"])
def test_what_is_no_prefix_cannot_be_held(prefix: str) -> None:
    with pytest.raises(ValueError, match="is not a prefix"):
        spec(prefix)


def test_roles_are_enforced_unless_said_otherwise() -> None:
    assert spec("/").use_role is UseRole.ENFORCE
    assert [use.value for use in UseRole] == ["true", "shadow", "false"]
