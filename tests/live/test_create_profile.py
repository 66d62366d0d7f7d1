"""`POST /profiles`, the operation that the product is about, in front of the stand-in UCS.

Who may create profiles but not extensions meets every way in which an extension can be written;
what arrived at the UCS is the UCS's own record, and what exists there is asked of the UCS itself.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.standin import Running, StandinConfig, running
from tests.support.raw import Reply, request
from tests.support.site import Audit, Site, running_site, ucs
from tests.support.tokens import bearer

CREATE = "UCS.Customer.createProfile"
EXTENSION = "UCS.Customer.createProfileExtension"
PHONE = b'[{"PhoneType": 1, "prefix": "+1", "PhoneNumber": "555-1918"}]'
LIMIT = 2048


@pytest.fixture
async def standin() -> AsyncIterator[Running]:
    async with running(StandinConfig()) as server:
        yield server


@pytest.fixture
async def site(tmp_path: Path, standin: Running) -> AsyncIterator[Site]:
    limits = {"max_inspected_body_bytes": LIMIT}
    async with running_site(tmp_path, [ucs(standin.url)], limits=limits) as running:
        yield running


def posted(standin: Running) -> list[tuple[str, str, int]]:
    return [(r.method, r.target, r.body_bytes) for r in standin.received.requests]


async def create(
    site: Site,
    body: bytes,
    *,
    roles: tuple[str, ...],
    content_type: str | None = "application/json",
) -> Reply:
    return await site.ask("POST", "/profiles", roles=roles, body=body, content_type=content_type)


async def test_core_attributes_alone_need_one_task(site: Site, standin: Running) -> None:
    body = b'{"FirstName": "Ada", "EmailAddress": ["ada@example.com"]}'
    reply = await create(site, body, roles=(CREATE,))
    assert reply.status == 201
    created = json.loads(reply.body)["customer_id"]
    assert reply.header("location") == f"/profiles/{created}"
    assert posted(standin) == [("POST", "/profiles", len(body))]


async def test_with_both_tasks_an_extension_is_created(site: Site, standin: Running) -> None:
    body = b'{"FirstName": "Ada", "Phone": ' + PHONE + b"}"
    reply = await create(site, body, roles=(CREATE, EXTENSION))
    assert reply.status == 201
    assert posted(standin) == [("POST", "/profiles", len(body))]


@pytest.mark.parametrize(
    "extension",
    [
        b'"Phone": ' + PHONE,
        b'"PHONE": ' + PHONE,
        b'"phone": []',
        b'"Phone": null',
        b'"Phone": {}',
        b'"Ph\\u006fne": []',
        b'"Phone": "555-1918"',
    ],
)
async def test_an_extension_in_any_form_needs_the_second_task(
    site: Site, standin: Running, tmp_path: Path, extension: bytes
) -> None:
    reply = await create(site, b'{"FirstName": "Ada", ' + extension + b"}", roles=(CREATE,))
    assert (reply.status, reply.header("x-gateway-refusal")) == (403, "permission-missing")
    assert json.loads(reply.body)["missing"] == {"all_of": [EXTENSION]}
    assert posted(standin) == []
    await site.gateway.close()
    [line] = Audit(tmp_path).lines()
    assert line["missing"]["all_of"] == [EXTENSION]
    assert line["because"] == ["body has keys outside `core_attributes`"]


async def test_the_second_task_alone_creates_nothing(site: Site, standin: Running) -> None:
    reply = await create(site, b'{"Phone": ' + PHONE + b"}", roles=(EXTENSION,))
    assert (reply.status, json.loads(reply.body)["missing"]) == (403, {"all_of": [CREATE]})
    assert posted(standin) == []


@pytest.mark.parametrize(
    ("status", "code", "body", "content_type"),
    [
        (400, "body-unreadable", b'{"FirstName": "A", "FirstName": "B"}', "application/json"),
        (400, "body-unreadable", b'{"FirstName": 1, "First\\u004eame": 2}', "application/json"),
        (400, "body-unreadable", b'{"FirstName": "A", "firstname": "B"}', "application/json"),
        (400, "body-unreadable", b'[{"FirstName": "Ada"}]', "application/json"),
        (400, "body-unreadable", b'{"FirstName": "Ada"} {"Phone": []}', "application/json"),
        (400, "body-unreadable", b"", "application/json"),
        (400, "body-unreadable", b"null", "application/json"),
        (400, "body-unreadable", '{"a": 1}'.encode("utf-16"), "application/json"),
        (400, "body-unreadable", b"\xef\xbb\xbf{}", "application/json"),
        (400, "body-unreadable", b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "application/json"),
        (415, "body-type-refused", b"{}", "text/plain"),
        (415, "body-type-refused", b"{}", "application/json; charset=utf-16"),
        (415, "body-type-refused", b"{}", "application/jsonx"),
        (415, "body-type-refused", b"{}", "multipart/form-data"),
        (415, "body-type-refused", b"{}", None),
        (413, "body-too-large", b'{"FirstName": "' + b"A" * LIMIT + b'"}', "application/json"),
    ],
)
async def test_a_body_that_cannot_be_judged_is_refused(
    site: Site, standin: Running, status: int, code: str, body: bytes, content_type: str | None
) -> None:
    reply = await create(site, body, roles=(CREATE,), content_type=content_type)
    assert (reply.status, reply.header("x-gateway-refusal")) == (status, code)
    assert posted(standin) == []


async def test_a_chunked_body_is_judged_like_any_other(site: Site, standin: Running) -> None:
    client = await site.connect()
    head = (
        b"POST /profiles HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nAuthorization: " + bearer(roles=(CREATE,)) + b"\r\n\r\n"
    )
    await client.send(head + b'c\r\n{"FirstName"\r\n7\r\n:"Ada"}\r\n0\r\n\r\n')
    assert (await client.reply()).status == 201
    await client.send(head + b'8\r\n{"Phone"\r\n')
    await client.send(b"4\r\n:[]}\r\n0\r\n\r\n")
    assert (await client.reply()).status == 403
    assert posted(standin) == [("POST", "/profiles", 19)]


async def test_a_chunked_body_beyond_the_limit_is_cut_off(site: Site, standin: Running) -> None:
    client = await site.connect()
    head = (
        b"POST /profiles HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nAuthorization: " + bearer(roles=(CREATE,)) + b"\r\n\r\n"
    )
    await client.send(head + b"fff\r\n" + b"x" * 4095 + b"\r\n")
    raw = await client.rest()
    assert raw.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in raw
    assert posted(standin) == []


async def test_an_encoded_body_is_refused(site: Site, standin: Running) -> None:
    client = await site.connect()
    await client.send(
        request(
            "POST",
            "/profiles",
            authorization=bearer(roles=(CREATE,)),
            body=b"{}",
            headers={"Content-Encoding": "gzip"},
        )
    )
    reply = await client.reply()
    assert (reply.status, reply.header("x-gateway-refusal")) == (415, "body-type-refused")
    assert posted(standin) == []


async def test_who_holds_both_tasks_streams_unread(site: Site, standin: Running) -> None:
    """The outcome does not depend on the body, so the UCS judges it: its 400, not the gateway's."""
    reply = await create(site, b"not json", roles=(CREATE, EXTENSION))
    assert (reply.status, reply.header("x-gateway-refusal")) == (400, None)
    assert posted(standin) == [("POST", "/profiles", 8)]


async def test_a_path_and_a_body_that_name_two_customers_are_refused(
    site: Site, standin: Running
) -> None:
    roles = ("UCS.Customer.updateCustomerProfile", "UCS.Customer.updateProfileExtension")
    other = b'{"customer_id": "0004Va58A92T0099", "FirstName": "Eve"}'
    reply = await site.ask("PUT", "/profiles/0004Va58A92T0017", roles=roles, body=other)
    assert (reply.status, reply.header("x-gateway-refusal")) == (400, "guard-failed")
    assert posted(standin) == []


async def test_a_merge_may_come_without_its_optional_body(site: Site, standin: Running) -> None:
    """8.x documents the merge's fields as optional; the guard has nothing to object to then."""
    merge = "/profiles/0004Va58A92T0017/merge/0004Va58A92T0018"
    reply = await site.ask("PUT", merge, roles=("UCS.Customer.mergeCustomerProfile",))
    assert reply.header("x-gateway-refusal") is None
    assert posted(standin) == [("PUT", merge, 0)]
