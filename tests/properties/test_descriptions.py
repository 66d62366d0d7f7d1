"""Whatever a description says, it is a sound catalogue or refused in words, and opens no more."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli.catalogue_source import description_of
from policy import Access, PolicyInvalid
from policy.importing import NotDescribed, catalogue_text
from tests.support.descriptions import OAUTH, compiled, operation, swagger

usual = settings(max_examples=300, deadline=None)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["a:b:c", "a:b:*", "admin", "public", "nobody", "two words", "", "x\n", "é"]
)
SECURITY = st.one_of(
    JSON,
    st.just([]),
    st.lists(st.dictionaries(st.sampled_from([OAUTH, "Guest Chat JWT", "?"]), st.one_of(st.lists(WORDS, max_size=2), JSON), max_size=2), max_size=2),
)  # fmt: skip
REQUIRED = st.one_of(
    JSON,
    st.fixed_dictionaries({
        "type": st.one_of(st.sampled_from(["ANY", "ALL", "NONE"]), JSON),
        "permissions": st.one_of(st.lists(WORDS, max_size=3), JSON),
    }),
)  # fmt: skip
OPERATION = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {},
        optional={
            "operationId": st.one_of(st.sampled_from(["x", "x y", "y"]), JSON),
            "summary": JSON,
            "security": SECURITY,
            "x-inin-requires-permissions": REQUIRED,
        },
    ),
)
PIECE = st.sampled_from(
    ["/", "a", "{b}", "{}", "{b", "b}", "{b-c}", "{é}", "$", "..", " ", "?", "A.b", "{b}{c}"]
)
PATH = st.one_of(
    st.lists(PIECE, max_size=5).map("".join),
    st.lists(PIECE, max_size=4).map(lambda parts: "/" + "/".join(parts)),
)
METHODS = st.sampled_from(
    ["get", "head", "post", "put", "delete", "trace", "parameters", "$ref", "GET"]
)
PATHS = st.dictionaries(
    PATH, st.one_of(JSON, st.dictionaries(METHODS, OPERATION, max_size=3)), max_size=5
)
DOCUMENTS = st.one_of(
    JSON,
    PATHS.map(swagger),
    st.builds(lambda paths, more: swagger(paths, **more), PATHS, st.dictionaries(st.sampled_from(["security", "info", "securityDefinitions"]), JSON)),
)  # fmt: skip


@usual
@given(DOCUMENTS)
def test_every_description_is_a_sound_catalogue_or_refused(document: Any) -> None:
    try:
        description = description_of(json.dumps(document).encode(), "x.json")
    except (NotDescribed, PolicyInvalid):
        return
    text = catalogue_text(description).text
    table = compiled(text)
    assert len(table.operations) == len(description.operations)
    assert not any(route.requirement.access is Access.PUBLIC for route in table.operations)
    assert catalogue_text(description, text).text == text


@usual
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(str.encode),
        st.text("{}[]:\t\n\"',-#&*a1", max_size=40).map(str.encode),
    )
)
def test_no_bytes_are_more_than_a_refusal(content: bytes) -> None:
    with suppress(NotDescribed, PolicyInvalid):
        assert description_of(content, "x").operations


@usual
@given(
    st.lists(st.sampled_from("pqr"), unique=True),
    st.sampled_from(["ANY", "ALL"]),
    st.sets(st.sampled_from("pqr")),
)
def test_whoever_is_let_through_has_what_is_published(
    permissions: list[str], mode: str, held: set[str]
) -> None:
    said = operation("x", *permissions, mode=mode)
    document = swagger({"/a": {"get": said}})
    description = description_of(json.dumps(document).encode(), "x.json")
    table = compiled(catalogue_text(description).text)
    mask = table.permissions.mask_of(held & set(permissions))
    (route,) = table.operations
    wanted = set(permissions)
    meets = not wanted or (wanted <= held if mode == "ALL" else bool(wanted & held))
    assert route.requirement.demand.met_by(mask) == meets
