"""Which replies have their bodies rewritten, and what their heads say then."""

import pytest

from gateway.http.framing import BodyKind
from gateway.http.head import ReplyHead, read_reply_head
from gateway.http.reply import passed_on
from gateway.http.rewrite import RewriteRules
from gateway.http.rewritten import begun
from gateway.settings import Url

RULES = RewriteRules.of(
    public_url=Url("https", "gw.example", 443),
    prefix="/cs",
    base_path="/cv",
    origins=[Url("http", "ucs", 8080)],
)
BODY = b'{"text":"http://ucs:8080/cv/a"}'
REWRITTEN = b'{"text":"https://gw.example/cs/a"}'
JSON = "Content-Type: application/json\r\n"


def head(status: int = 200, fields: str = JSON, *, length: int | None = len(BODY)) -> ReplyHead:
    framing = "" if length is None else f"Content-Length: {length}\r\n"
    raw = f"HTTP/1.1 {status} Why\r\n{fields}{framing}\r\n"
    return read_reply_head(raw.encode(), max_headers=20)


def fields_of(head: ReplyHead) -> list[str]:
    return head.start.decode().split("\r\n")[1:-1]


def is_rewritten(head: ReplyHead) -> bool:
    return begun(RULES, head, BodyKind.LENGTH, BODY, whole=True).piece == REWRITTEN


@pytest.mark.parametrize(
    ("fields", "rewritten"),
    [
        (JSON, True),
        ("CONTENT-TYPE: Application/JSON;charset=UTF-8\r\n", True),
        ("Content-Type: application/hal+json ; x=y\r\n", True),
        (JSON + "Content-Encoding: identity\r\n", True),
        ("", False),
        ("Content-Type: text/plain\r\n", False),
        ("Content-Type: application/jsonp\r\n", False),
        ("Content-Type: application/json-seq\r\n", False),
        (JSON + "Content-Type: text/plain\r\n", False),
        (JSON + "Content-Encoding: gzip\r\n", False),
        (JSON + "Content-Encoding: identity\r\nContent-Encoding: br\r\n", False),
    ],
)
def test_a_body_is_rewritten_if_it_is_json_that_can_be_read(fields: str, rewritten: bool) -> None:
    assert is_rewritten(head(fields=fields)) is rewritten


@pytest.mark.parametrize(
    ("status", "rewritten"),
    [(200, True), (201, True), (203, True), (206, False), (302, False), (404, False), (500, False)],
)
def test_a_body_is_rewritten_if_it_is_a_whole_and_a_success(status: int, rewritten: bool) -> None:
    assert is_rewritten(head(status)) is rewritten


def test_a_body_that_is_here_whole_has_its_new_length_told() -> None:
    for kind in (BodyKind.LENGTH, BodyKind.CHUNKED):
        begin = begun(RULES, head(), kind, BODY, whole=True)
        assert begin == (begin.head, BodyKind.LENGTH, REWRITTEN, None)
        assert begin.head.length == len(REWRITTEN)


def test_a_body_that_goes_on_goes_out_in_chunks() -> None:
    begin = begun(RULES, head(), BodyKind.LENGTH, BODY[:15], whole=False)
    assert (begin.kind, begin.piece) == (BodyKind.CHUNKED, b'{"text":')
    assert begin.head.length is None
    assert begin.rewriter is not None
    assert begin.rewriter.feed(BODY[15:]) + begin.rewriter.finish() == REWRITTEN[8:]


def test_a_body_that_has_not_begun_is_waited_for() -> None:
    begin = begun(RULES, head(), BodyKind.CLOSE, None, whole=False)
    assert (begin.kind, begin.piece) == (BodyKind.CHUNKED, b"")
    assert begin.rewriter is not None


def test_a_body_that_stays_keeps_its_framing() -> None:
    plain = head(fields="Content-Type: text/plain\r\n")
    for whole in (True, False):
        begin = begun(RULES, plain, BodyKind.LENGTH, BODY, whole=whole)
        assert begin == (plain, BodyKind.LENGTH, BODY, None)


def test_an_empty_body_stays_empty() -> None:
    empty = head(length=0)
    begin = begun(RULES, empty, empty.kind, b"", whole=True)
    assert begin == (empty, BodyKind.NONE, b"", None)


def test_a_head_request_is_not_told_the_length_of_another_body() -> None:
    """RFC 9110 section 8.6: no length, or the one that GET would have."""
    begin = begun(RULES, head(), BodyKind.NONE, b"", whole=True)
    raw, _ = passed_on(begin.head, begin.kind, request_id="r-1", is_1_1=True, keep=True)
    assert b"content-length" not in raw
    assert (begin.piece, begin.rewriter) == (b"", None)


OF_THE_BYTES = (
    'ETag: "v1"\r\nContent-MD5: x\r\nDigest: x\r\nContent-Digest: x\r\nRepr-Digest: x\r\n'
    "Accept-Ranges: bytes\r\nLast-Modified: x\r\nX-Other: W\r\n"
)
GONE = ['ETag: W/"v1"', "Last-Modified: x", "X-Other: W"]
KEPT = OF_THE_BYTES.split("\r\n")[:-1]


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (200, JSON, GONE),
        # Stands for a 200 that was rewritten, or may have been.
        (304, "", GONE),
        (304, JSON, GONE),
        (304, "Content-Type: application/pdf\r\n", KEPT),
        # The bytes are the upstream's own.
        (200, "Content-Type: application/pdf\r\n", KEPT),
        (200, JSON + "Content-Encoding: gzip\r\n", KEPT),
        (206, JSON, KEPT),
        (204, "", KEPT),
    ],
)
def test_what_the_upstream_said_of_bytes_that_change_is_not_said_of_ours(
    status: int, fields: str, expected: list[str]
) -> None:
    """RFC 9110 section 8.8.1: a strong validator is for the same bytes."""
    begin = begun(RULES, head(status, fields + OF_THE_BYTES), BodyKind.NONE, b"", whole=True)
    assert fields_of(begin.head)[fields.count("\r\n") :] == expected


@pytest.mark.parametrize("tag", ['W/"v1"', '""', "v1", ""])
def test_a_tag_is_made_weak_once(tag: str) -> None:
    begin = begun(RULES, head(fields=f"{JSON}ETag: {tag}\r\n"), BodyKind.NONE, b"", whole=True)
    weak = f"W/{tag}" if tag == '""' else tag
    assert fields_of(begin.head)[1] == f"ETag: {weak}"


@pytest.mark.parametrize("status", [200, 201, 206, 302, 404])
def test_references_in_the_head_are_rewritten_whatever_the_body(status: int) -> None:
    fields = (
        "LOCATION: http://ucs:8080/cv/a\r\nServer: http://ucs:8080/cv/a\r\n"
        "Content-Location: /cv/a: b\r\nContent-Type: text/plain\r\nX-Empty:\r\n"
    )
    begin = begun(RULES, head(status, fields), BodyKind.LENGTH, BODY, whole=True)
    assert begin.head.start.startswith(b"HTTP/1.1 %d Why\r\n" % status)
    assert fields_of(begin.head) == [
        "LOCATION: https://gw.example/cs/a",
        "Server: http://ucs:8080/cv/a",
        "Content-Location: /cs/a: b",
        "Content-Type: text/plain",
        "X-Empty: ",
    ]


def test_a_head_that_comes_again_is_not_gone_through_again() -> None:
    first = begun(RULES, head(), BodyKind.NONE, b"", whole=True)
    second = begun(RULES, head(), BodyKind.NONE, b"", whole=True)
    assert second.head is first.head


def test_heads_are_remembered_for_the_rules_they_were_read_with() -> None:
    other = RewriteRules.of(
        public_url=Url("http", "other.example", 80),
        prefix="/",
        base_path="/cv",
        origins=[Url("http", "ucs", 8080)],
    )
    moved = head(201, "Location: /cv/a\r\n")
    starts = [begun(r, moved, BodyKind.NONE, b"", whole=True).head.start for r in (RULES, other)]
    assert [start.split()[-1] for start in starts] == [b"/cs/a", b"/a"]
