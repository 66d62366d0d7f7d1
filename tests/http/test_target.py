"""Every accepted target has one spelling; every ambiguous one is refused, and we know why.

The shapes come from the threat catalogue; the reason is asserted so that a shape cannot be refused
by accident (and slip through when the accident is repaired).
"""

import pytest

from gateway.errors import MalformedTarget, TargetTooLong
from gateway.http.target import Target, TargetLimits, canonicalise

LIMITS = TargetLimits()

FORM = "the target is not in origin-form"
EMPTY = "the path has an empty segment"
DOTS = "the path has a dot segment"
RAW = "a path segment has a character or an escape that is not allowed"
DECODED = "a path segment decodes to a character that is not allowed"
QUERY_RAW = "the query has a character or an escape that is not allowed"
QUERY_NAME = "a query parameter's name is empty or has a character that is not allowed"
QUERY_UTF8 = "the query is not UTF-8"
QUERY_CONTROL = "the query has a control character"
QUERY_METHOD = "the query has a parameter that overrides the method"

REFUSED_PATHS = {
    "P-1 dot segments": ([b"/public/../admin", b"/..", b"/../a", b"/a/..", b"/a/../"], DOTS),
    "P-2 encoded dots": (
        [b"/p/%2e%2e/admin", b"/p/%2E%2E/admin", b"/p/.%2e/admin", b"/p/%2e./admin", b"/%2e"],
        DOTS,
    ),
    "P-3 dots with an encoded separator": (
        [b"/p/%2e%2e%2fadmin", b"/p/..%2fadmin", b"/p/..%5cadmin", b"/p%5c..%5cadmin"],
        DECODED,
    ),
    "P-3 raw backslash": ([b"/p/..\\admin", b"/\\admin", b"/a\\"], RAW),
    "P-4 encoded slash in both cases": ([b"/a%2fb", b"/a%2Fb", b"/%2f", b"/a/%2F/b"], DECODED),
    "P-5 empty segments": (
        [b"//admin", b"/public//../admin", b"/ucs//v1/x", b"//", b"///", b"/a//", b"//evil/a"],
        EMPTY,
    ),
    "P-6 single dots": ([b"/./admin", b"/admin/.", b"/.", b"/./", b"/admin/./"], DOTS),
    "P-7 path parameters": (
        [b"/public/..;/admin", b"/;/admin", b"/admin;x=1", b"/admin;jsessionid=1/x", b"/.;/admin"],
        RAW,
    ),
    "P-8 encoded semicolon": ([b"/admin%3bx", b"/%3b/admin", b"/a%3Bx"], DECODED),
    "P-9 double encoding": (
        [b"/%252e%252e/admin", b"/admin%252fx", b"/%2561dmin", b"/a%25", b"/%25%32%65"],
        DECODED,
    ),
    "P-10 overlong or invalid UTF-8": (
        [b"/%c0%ae", b"/%c0%af", b"/%e0%80%ae", b"/%80", b"/%ff"],
        DECODED,
    ),
    "P-11 IIS escapes": ([b"/%u002e", b"/%u002f", b"/%uff0f"], RAW),
    "P-12 malformed escapes": ([b"/%", b"/%z", b"/%2", b"/%%32e", b"/a%2", b"/%zz", b"/%2/e"], RAW),
    "P-13 NUL": ([b"/%00", b"/admin%00.json", b"/.%00/x"], DECODED),
    "P-14 controls": (
        [b"/public%0a", b"/a%0d", b"/a%0d%0aX:%20y", b"/a%09", b"/a%7f", b"/a%1b"],
        DECODED,
    ),
    "P-14 spaces at either end": ([b"/admin%20", b"/%20admin", b"/%20", b"/a%20/b"], DECODED),
    "P-15 raw fragment": ([b"/admin#x", b"/public#/../admin", b"/#"], RAW),
    "P-15 encoded fragment": ([b"/admin%23x", b"/foo/secret%23/bar"], DECODED),
    "P-16 encoded question mark": ([b"/admin%3fx", b"/admin%3Fx"], DECODED),
    "P-16 encoded query": ([b"/admin%3fx=1"], RAW),
    "P-19 raw bytes above ASCII": ([b"/adm\xc4\xb1n", "/\uff0f".encode(), b"/a\xa0b"], RAW),
    "P-19 encoded characters above ASCII": (
        [b"/adm%c4%b1n", b"/%c5%bfecret", b"/%e2%84%aa", b"/%ef%bc%8f", b"/%c3%a9", b"/e%cc%81"],
        DECODED,
    ),
    "P-20 digits of another script": ([b"/profiles/%d9%a3"], DECODED),
    "P-27 other forms of the target": (
        [b"*", b"h:80", b"http://evil/a", b"https://u:p@h:1/a", b"", b"a/b", b"@evil/", b"?a=b"],
        FORM,
    ),
    "P-28 the query glued to the path": (
        [b"/profiles/contacts.phone_number=408-888-3214&extensions=contacts,purchases",
         b"/profiles/a&b", b"/profiles/a=b"],
        RAW,
    ),
    "P-28 glued with escapes": ([b"/profiles/a%3db", b"/profiles/a%26b"], DECODED),
    "D0-4 brackets, braces, quotes": (
        [b"/{id}", b"/a[1]", b'/"', b"/<a>", b"/a|b", b"/a^b", b"/a`b"],
        RAW,
    ),
    "raw controls and spaces": ([b"/a b", b"/a\x00", b"/a\n", b"/a\r\n", b"/a\x7f", b"/a\t"], RAW),
}  # fmt: skip

REFUSED_QUERIES = {
    "Q-2 controls in a name": ([b"extensions%00=", b"a%0a=1", b"%7f=1"], QUERY_CONTROL),
    "Q-2 names of nothing": ([b"=1", b"%20=1", b"+=1", b"=", b"a=1&&b=2", b"&", b"a=1&"], QUERY_NAME),
    "Q-2 names that need a second decoding": ([b"%2565xtensions=b", b"a%3db=1", b"a%26b=1"], QUERY_NAME),
    "Q-2 names above ASCII": ([b"%c3%a9=1", b"%e2%84%aa=1", b"%d9%a3=1"], QUERY_NAME),
    "Q-3 semicolons between parameters": ([b"a=1;extensions=b", b";", b"a;b"], QUERY_RAW),
    "Q-3 an encoded semicolon in a name": ([b"a%3bb=1"], QUERY_NAME),
    "Q-7 method overrides": (
        [b"_method=DELETE", b"method=DELETE", b"x-http-method-override=PUT", b"X-Method-Override=PUT",
         b"%5fmethod=PUT", b"+_METHOD+=PUT", b"x-http-method=PUT", b"a=1&_method=", b"_method",
         b"x_http_method_override=PUT", b"X.HTTP.Method=PUT", b"http_method=PUT"],
        QUERY_METHOD,
    ),
    "P-15 a fragment": ([b"a=1#x", b"#"], QUERY_RAW),
    "P-12 malformed escapes": ([b"a=%", b"a=%2", b"a=%zz", b"%=1", b"a=%u0041"], QUERY_RAW),
    "P-10 invalid UTF-8": ([b"a=%ff", b"a=%c0%ae", b"a=%ed%a0%80", b"a=%c3"], QUERY_UTF8),
    "D10 controls in a value": (
        [b"a=%00", b"a=%0d%0aX:y", b"a=%1b", b"a=%7f", b"a=%c2%85", b"a=%e2%80%a8"],
        QUERY_CONTROL,
    ),
    "D0-4 characters that servers rewrite": (
        [b'a="', b"a=<b>", b"a=b|c", b"a={}", b"a=\\", b"a=^", b"a=`", b"a[]=1", b"a=\xff", b"a= b"],
        QUERY_RAW,
    ),
}  # fmt: skip


def _rows(table: dict[str, tuple[list[bytes], str]]) -> list[object]:
    return [
        pytest.param(raw, detail, id=f"{threat}: {raw!r}")
        for threat, (raws, detail) in table.items()
        for raw in raws
    ]


@pytest.mark.parametrize(("raw", "detail"), _rows(REFUSED_PATHS))
def test_an_ambiguous_path_is_refused_for_its_own_reason(raw: bytes, detail: str) -> None:
    with pytest.raises(MalformedTarget) as refusal:
        canonicalise(raw, LIMITS)
    assert refusal.value.detail == detail


@pytest.mark.parametrize(("raw", "detail"), _rows(REFUSED_PATHS))
def test_an_honest_query_does_not_save_an_ambiguous_path(raw: bytes, detail: str) -> None:
    with pytest.raises(MalformedTarget) as refusal:
        canonicalise(raw.partition(b"?")[0] + b"?a=1", LIMITS)
    assert refusal.value.detail == detail


@pytest.mark.parametrize(("raw", "detail"), _rows(REFUSED_QUERIES))
@pytest.mark.parametrize("path", [b"/profiles", b"/", b"/pro%66iles/"])
def test_an_ambiguous_query_is_refused_for_its_own_reason(
    path: bytes, raw: bytes, detail: str
) -> None:
    with pytest.raises(MalformedTarget) as refusal:
        canonicalise(path + b"?" + raw, LIMITS)
    assert refusal.value.detail == detail


ACCEPTED = {
    b"/": ("/", ()),
    b"/?": ("/", ()),
    b"/profiles": ("/profiles", ("profiles",)),
    b"/profiles/": ("/profiles", ("profiles",)),  # P-17: the same decision for both
    b"/profiles?": ("/profiles", ("profiles",)),
    b"/ucs/v1/profiles/0003Fa8Q": ("/ucs/v1/profiles/0003Fa8Q", ("ucs", "v1", "profiles", "0003Fa8Q")),
    b"/%61dmin": ("/admin", ("admin",)),
    b"/ADMIN": ("/ADMIN", ("ADMIN",)),  # P-18: case is kept, and policy compares exactly
    b"/admin.json": ("/admin.json", ("admin.json",)),  # P-21: another segment, not a suffix
    b"/admin~": ("/admin~", ("admin~",)),
    b"/...": ("/...", ("...",)),
    b"/.well-known": ("/.well-known", (".well-known",)),
    b"/a..b": ("/a..b", ("a..b",)),
    b"/%2e%2e%2e": ("/...", ("...",)),
    b"/a%20b": ("/a%20b", ("a b",)),
    b"/a+b": ("/a%2Bb", ("a+b",)),  # `+` is no space in a path
    b"/a%2bb": ("/a%2Bb", ("a+b",)),
    b"/a:b@c": ("/a%3Ab%40c", ("a:b@c",)),
    b"/!$'()*,": ("/%21%24%27%28%29%2A%2C", ("!$'()*,",)),
    b"/01/00/1_0": ("/01/00/1_0", ("01", "00", "1_0")),  # P-20, P-25: text, never numbers
}  # fmt: skip


@pytest.mark.parametrize("raw", ACCEPTED, ids=repr)
def test_an_accepted_path_has_one_spelling(raw: bytes) -> None:
    path, segments = ACCEPTED[raw]
    assert canonicalise(raw, LIMITS) == Target(path, segments)


ACCEPTED_QUERIES = {
    b"a=b": ("a=b", (("a", "b"),)),
    b"a": ("a=", (("a", ""),)),
    b"a=": ("a=", (("a", ""),)),
    b"a=b=c": ("a=b%3Dc", (("a", "b=c"),)),
    b"a=b&a=c": ("a=b&a=c", (("a", "b"), ("a", "c"))),  # both are seen, policy refuses
    b"%65xtensions=b": ("extensions=b", (("extensions", "b"),)),
    b"Extensions=b": ("Extensions=b", (("Extensions", "b"),)),
    b"+extensions=b": ("%20extensions=b", ((" extensions", "b"),)),
    b"extensions%5B%5D=b": ("extensions%5B%5D=b", (("extensions[]", "b"),)),
    b"a=b+c": ("a=b%20c", (("a", "b c"),)),
    b"a=b%20c": ("a=b%20c", (("a", "b c"),)),
    b"a=b%2bc": ("a=b%2Bc", (("a", "b+c"),)),
    b"extensions=contacts,purchases": (
        "extensions=contacts%2Cpurchases", (("extensions", "contacts,purchases"),)),
    b"extensions=a%2cb": ("extensions=a%2Cb", (("extensions", "a,b"),)),
    b"ext.attr=1": ("ext.attr=1", (("ext.attr", "1"),)),
    b"a=/x/?y": ("a=%2Fx%2F%3Fy", (("a", "/x/?y"),)),  # P-16: the query is no path
    b"a=/../admin": ("a=%2F..%2Fadmin", (("a", "/../admin"),)),
    b"a=%2541": ("a=%2541", (("a", "%41"),)),  # decoded once, sent encoded once
    b"a=%26b%3Dc%3Bd": ("a=%26b%3Dc%3Bd", (("a", "&b=c;d"),)),
    b"name=%C3%A9": ("name=%C3%A9", (("name", "é"),)),
    b"methods=a": ("methods=a", (("methods", "a"),)),
}  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/profiles"])
@pytest.mark.parametrize("raw", ACCEPTED_QUERIES, ids=repr)
def test_an_accepted_query_has_one_spelling(raw: bytes, path: str) -> None:
    text, query = ACCEPTED_QUERIES[raw]
    target = canonicalise(path.encode() + b"?" + raw, LIMITS)
    assert (target.query_text, target.query) == (text, query)
    assert str(target) == f"{path}?{text}"


def test_a_target_without_a_query_reads_as_its_path() -> None:
    assert str(canonicalise(b"/a/b/", LIMITS)) == "/a/b"


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"/" + b"a" * 8192, "the target is longer than max_target_bytes"),
        (b"/a?b=" + b"c" * 8188, "the target is longer than max_target_bytes"),
        (b"/a" * 33, "the path has more segments than max_segments"),
        (b"/%61" * 33, "the path has more segments than max_segments"),
        (b"/?" + b"&".join([b"a=1"] * 101), "the query has more parameters than max_query_parameters"),
        (b"/?" + b"&".join([b"%61"] * 101), "the query has more parameters than max_query_parameters"),
        (b"/" + b"/" * 10_000, "the target is longer than max_target_bytes"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)  # fmt: skip
def test_a_target_over_a_limit_is_too_long(raw: bytes, detail: str) -> None:
    """P-26, Q-8."""
    with pytest.raises(TargetTooLong) as refusal:
        canonicalise(raw, LIMITS)
    assert refusal.value.detail == detail


@pytest.mark.parametrize(
    "raw",
    [
        b"/" + b"a" * 8191,
        b"/a" * 32 + b"/",
        b"/%61" * 32,
        b"/?" + b"&".join([b"a=1"] * 100),
    ],
    ids=["bytes", "segments", "escaped segments", "parameters"],
)
def test_a_target_at_a_limit_is_accepted(raw: bytes) -> None:
    canonicalise(raw, LIMITS)


def test_what_is_sent_keeps_to_the_limit_as_well() -> None:
    """Escaping may treble a target; one that no longer fits could not be canonicalised again."""
    with pytest.raises(TargetTooLong):
        canonicalise(b"/a?b=" + b"," * 8000, LIMITS)
