"""The token endpoint held to RFC 6749, each case of `token.yaml` over a real socket."""

import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from gateway.issuer import Result
from tests.support.cases import ROOT
from tests.support.clients import SECRET, VSM, basic, entry, settings_of
from tests.support.raw import Reply
from tests.support.site import Site, running_site, ucs

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "token.yaml").read_text("utf-8")
)
CLIENTS = {
    "vsm": entry(),
    "leaving": entry("22222222-2222-4222-8222-222222222222", state="inactive"),
    "gone": entry("33333333-3333-4333-8333-333333333333", state="disabled"),
}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    identity = {"clients": settings_of(tmp_path, CLIENTS)}
    async with running_site(tmp_path, [ucs("http://127.0.0.1:9")], identity=identity) as running:
        yield running


def meant(text: str) -> str:
    return text.replace("VSM", VSM).replace("SECRET", SECRET)


def authorization_of(case: Mapping[str, Any]) -> bytes | None:
    if "raw" in case:
        word = re.compile(r"\{(.*)\}")
        return word.sub(lambda it: b64encode(it[1].encode()).decode(), meant(case["raw"])).encode()
    if "secret_bytes" in case:
        return basic(VSM, "x" * case["secret_bytes"])
    said = case.get("basic", ["VSM", "SECRET"])
    return None if said is None else basic(*map(meant, said))


def body_of(case: Mapping[str, Any]) -> bytes | None:
    if "body" in case:
        return None if case["body"] is None else case["body"].encode()
    form = {name: meant(value) for name, value in case.get("form", GRANT).items()}
    if "long" in case:
        form["x"] = "y" * (case["long"] - len(urlencode({**form, "x": ""})))
    if "many" in case:
        form |= {f"x{number}": "1" for number in range(case["many"] - len(form))}
    if "scope_length" in case:
        form["scope"] = "a" * case["scope_length"]
    return urlencode(form).encode()


GRANT = {"grant_type": "client_credentials"}


async def ask(site: Site, case: Mapping[str, Any]) -> Reply:
    method = case.get("method", "POST")
    lines = [f"{method} {meant(case.get('path', '/oauth/token'))} HTTP/1.1", "Host: gateway.test"]
    if authorization := authorization_of(case):
        lines.append(f"Authorization: {authorization.decode()}")
    body = body_of(case)
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
        if kind := case.get("content_type", "application/x-www-form-urlencoded"):
            lines.append(f"Content-Type: {kind}")
    client = await site.connect()
    await client.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
    reply = await client.reply(method)
    await client.close()
    return reply


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"].replace(" ", "-"))
async def test_the_endpoint_answers_as_the_rfc_says(site: Site, case: dict[str, Any]) -> None:
    reply = await ask(site, case)
    told = json.loads(reply.body)
    assert (reply.status, told.get("error")) == (case["status"], case.get("error"))
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("pragma") == "no-cache"
    assert reply.header("allow") == case.get("allow")
    if reply.status == 200:
        assert told.keys() == {"access_token", "token_type", "expires_in"}
        assert (told["token_type"].lower(), told["expires_in"]) == ("bearer", 86_400)
        assert reply.header("x-gateway-refusal") is None
    else:
        # Genesys Cloud's own form has the sentence twice.
        assert told.keys() == {"error", "description", "error_description"}
        assert told["description"] == told["error_description"]
        assert re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+", told["error_description"])
        assert reply.header("x-gateway-refusal") == case["error"].replace("_", "-")
        assert SECRET.encode() not in reply.body
        assert VSM.encode() not in reply.body
    challenge = reply.header("www-authenticate")
    assert (challenge is not None) == (reply.status == 401)
    assert challenge is None or challenge.startswith('Basic realm="')


def test_each_case_says_where_it_is_from() -> None:
    assert all(re.match(r"[0-9]{4} [0-9A-Z]", str(case["rfc"])) for case in CASES)
    assert len({case["case"] for case in CASES}) == len(CASES)


async def test_whatever_is_wrong_with_a_client_sounds_the_same(site: Site) -> None:
    """J-12: an unknown id, a wrong secret, a disabled client, and no credentials at all."""
    wrong = [case for case in CASES if case.get("error") == "invalid_client"]
    assert len(wrong) > 10
    replies = [await ask(site, case) for case in wrong]
    bodies = {reply.body for reply in replies}
    assert len(bodies) == 1
    own = {"x-request-id", "connection"}
    heads = [{name: reply.headers[name] for name in reply.headers if name not in own}
             for reply in replies]  # fmt: skip
    assert all(head == heads[0] for head in heads)


def test_every_result_is_in_the_readme() -> None:
    page = (ROOT / "README.md").read_text("utf-8").split("## OAuth clients")[1].split("\n## ")[0]
    for result in Result:
        assert f"`{result.value}`" in page
        if result.oauth_error:
            row = f"| `{result.oauth_error}` | {result.status} | `{result.value}` |"
            assert row in page
