"""Which URLs of an upstream become the gateway's, and that nothing else does."""

import pytest

from gateway.http.rewrite import RewriteRules
from gateway.settings import Url

GATEWAY = Url("https", "gateway.example.com", 443)
NODE = Url("http", "10.20.0.7", 8080)
NAME = Url("http", "UCS.example.com", 80)
SIX = Url("https", "fd00::7", 443)


def rules(prefix: str = "/genesys/1/cs", base_path: str = "/cv") -> RewriteRules:
    return RewriteRules.of(
        public_url=GATEWAY, prefix=prefix, base_path=base_path, origins=[NODE, NAME, SIX]
    )


HERE = "https://gateway.example.com/genesys/1/cs"

ABSOLUTE = {
    "http://10.20.0.7:8080/cv/profiles/1": HERE + "/profiles/1",
    "http://10.20.0.7:8080/cv": HERE,
    "http://10.20.0.7:8080/cv/": HERE + "/",
    "http://10.20.0.7:8080/cv?a=b": HERE + "?a=b",
    "http://10.20.0.7:8080/cv#a": HERE + "#a",
    # Scheme and host are compared without case (RFC 3986 section 6.2.2.1), the path is not.
    "HTTP://10.20.0.7:8080/cv/A": HERE + "/A",
    "http://ucs.EXAMPLE.com/cv/a": HERE + "/a",
    "http://ucs.example.com/CV/a": None,
    # The scheme's own port is written or not.
    "http://ucs.example.com:80/cv/a": HERE + "/a",
    "https://[FD00::7]/cv/a": HERE + "/a",
    "https://[fd00::7]:443/cv/a": HERE + "/a",
    "http://10.20.0.7/cv/a": None,
    # Only where a segment ends.
    "http://10.20.0.7:8080/cvx/a": None,
    "http://10.20.0.7:8080/cv%2Fa": None,
    "http://10.20.0.7:80801/cv/a": None,
    "http://ucs.example.com.evil.test/cv/a": None,
    "http://ucs.example.com@evil.test/cv/a": None,
    # Other schemes, other places, other servers.
    "https://10.20.0.7:8080/cv/a": None,
    "http://10.20.0.7:8080/": None,
    "http://10.20.0.7:8080/other/a": None,
    "http://gms.example.com/cv/a": None,
    "http://10x20.0.7:8080/cv/a": None,
    "https://gateway.example.com/cv/a": None,
    " http://10.20.0.7:8080/cv/a": None,
    "see http://10.20.0.7:8080/cv/a": None,
}

absolute = pytest.mark.parametrize(("url", "becomes"), ABSOLUTE.items())


@absolute
def test_an_address_of_the_upstream_in_a_header_becomes_the_gateways(
    url: str, becomes: str | None
) -> None:
    assert rules().header(url.encode()).decode() == (becomes or url)


@absolute
def test_an_address_of_the_upstream_in_json_becomes_the_gateways(
    url: str, becomes: str | None
) -> None:
    document = f'{{"text": "{url}", "{url}": ["{url}"]}}'
    assert whole(rules(), document) == document.replace(url, becomes or url)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        # Scheme-relative (RFC 3986 section 4.2).
        ("//10.20.0.7:8080/cv/a", HERE + "/a"),
        ("//ucs.example.com/cv", HERE),
        ("//evil.test/cv/a", None),
        # A path that begins where the service does.
        ("/cv/profiles/1", "/genesys/1/cs/profiles/1"),
        ("/cv", "/genesys/1/cs"),
        ("/cv?a", "/genesys/1/cs?a"),
        ("/cvx", None),
        # As the manual prints it, `/profiles/{customer_id}` starts from the root of the API.
        ("/profiles/1", None),
        # Relative to the request's own address, which the gateway did not shorten.
        ("profiles/1", None),
        ("../cv/1", None),
        ("?a", None),
        ("", None),
    ],
)
def test_a_reference_without_a_scheme_is_understood_in_a_header(
    value: str, becomes: str | None
) -> None:
    assert rules().header(value.encode()).decode() == (value if becomes is None else becomes)


@pytest.mark.parametrize(
    ("prefix", "base_path", "value", "becomes"),
    [
        ("/", "/cv", "/cv/a", "/a"),
        ("/", "/cv", "/cv", "/"),
        ("/", "/cv", "/cv?a", "/?a"),
        ("/cs", "/", "/a", "/cs/a"),
        ("/cs", "/", "/", "/cs/"),
        ("/cs", "/", "//evil.test/a", "//evil.test/a"),
        ("/cs", "/", "", ""),
        ("/cs", "/", "?a", "?a"),
        ("/cs", "/cs", "/cs/a", "/cs/a"),
        ("/", "/", "/a", "/a"),
        ("/", "/", "http://10.20.0.7:8080", "https://gateway.example.com"),
        ("/", "/", "http://10.20.0.7:8080/a", "https://gateway.example.com/a"),
        ("/cs", "/", "http://10.20.0.7:8080", "https://gateway.example.com/cs"),
        ("/cs", "/", "http://10.20.0.7:8080?a", "https://gateway.example.com/cs?a"),
    ],
)
def test_base_path_and_prefix_may_each_be_the_root(
    prefix: str, base_path: str, value: str, becomes: str
) -> None:
    assert rules(prefix, base_path).header(value.encode()).decode() == becomes


# Each as it is written in the document.
SPELLINGS = {
    r"http://10.20.0.7:8080/cv/a": "https://gateway.example.com/genesys/1/cs/a",
    r"http:\/\/10.20.0.7:8080\/cv\/a": r"https:\/\/gateway.example.com\/genesys\/1\/cs\/a",
    r"http:\/\/10.20.0.7:8080\/cv": r"https:\/\/gateway.example.com\/genesys\/1\/cs",
    r"\u0068ttp:/\u002F10.20.0.7:8080/c\u0076/a": "https://gateway.example.com/genesys/1/cs/a",
    r"http://ucs.e\u0058ample.com/cv\u003fa": r"https://gateway.example.com/genesys/1/cs\u003fa",
    r"http://10.20.0.7:8080/cv\u0023": r"https://gateway.example.com/genesys/1/cs\u0023",
    r"http://10.20.0.7:8080/cv\"": None,
    r"http://10.20.0.7:8080/cv\u0022": None,
    r"http://10.20.0.7:8080/c\u0056/a": None,
    r"http:\u005c/10.20.0.7:8080/cv/a": None,
    r"http://10.20.0.7:8080/c\\u0076/a": None,
    r"\"http://10.20.0.7:8080/cv/a\"": None,
    r"\\\"http://10.20.0.7:8080/cv/a\"": None,
    r"\\": None,
}

spellings = pytest.mark.parametrize(("written", "becomes"), SPELLINGS.items())


@spellings
def test_an_address_is_found_however_it_is_escaped_and_its_slashes_stay_as_they_were(
    written: str, becomes: str | None
) -> None:
    document = '["%s","" , "%s"]'
    assert whole(rules(), document % (written, written)) == document % ((becomes or written,) * 2)


@spellings
def test_where_a_body_is_cut_does_not_matter(written: str, becomes: str | None) -> None:
    document, expected = (
        b'{"a\\\\":"%b"}' % text.encode() for text in (written, becomes or written)
    )
    for first in range(len(document) + 1):
        for second in range(first, len(document) + 1):
            body = rules().body()
            pieces = document[:first], document[first:second], document[second:]
            assert b"".join(map(body.feed, pieces)) + body.finish() == expected


@pytest.mark.parametrize(
    ("piece", "held"),
    [
        (b'{"name": "Anna", "n": 1', b""),
        (b'{"name": "Ann', b""),
        (b'{"name": "', b'"'),
        (b'{"name": "ht', b'"ht'),
        (b'{"name": "HTTP:\\/\\/10.20.0.7:8080/cv', b'"HTTP:\\/\\/10.20.0.7:8080/cv'),
        (b'{"name": "http://10.20.0.7:8080/cv/interactions', b""),
        (b'{"name": "http://10.20.0.8', b""),
        (b'{"name": "http:\\u002', b'"http:\\u002'),
        (b'{"name": "\\"http', b""),
        (b'{"name": "say \\', b"\\"),
        (b"", b""),
    ],
)
def test_only_what_may_become_an_address_is_held_back(piece: bytes, held: bytes) -> None:
    body = rules().body()
    sent = body.feed(piece)
    assert body.finish() == held
    assert sent + held == piece.replace(b"http://10.20.0.7:8080/cv/", HERE.encode() + b"/")


@pytest.mark.parametrize("text", ["", "\ufeff{}", '"', '"http://10.20.0.7:8080/cv', "\\", '"\\'])
def test_what_is_not_json_to_its_end_goes_out_as_it_came(text: str) -> None:
    assert whole(rules(), text) == text


def test_other_encodings_of_unicode_go_out_as_they_came() -> None:
    document = '{"text": "http://10.20.0.7:8080/cv/a"}'
    for encoding in ("utf-16", "utf-32"):
        data = document.encode(encoding)
        body = rules().body()
        assert body.feed(data) + body.finish() == data


def test_rules_say_where_they_lead() -> None:
    assert repr(rules()) == f"<RewriteRules to {HERE}>"


def whole(rules: RewriteRules, document: str) -> str:
    body = rules.body()
    return (body.feed(document.encode()) + body.finish()).decode()
