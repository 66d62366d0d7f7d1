"""Client certificates as a gate, and as one more means of identity (threat J-14)."""

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import (
    AUTHORITY,
    HOST,
    PAST,
    SERVER,
    STRANGER,
    Authority,
    Shown,
    client_context,
    self_signed,
    server,
)
from tests.support.raw import RawClient, Reply, request
from tests.support.site import UCS, Audit, Site, permissions_of, running_site, ucs, write_policy
from tests.support.tokens import AUDIENCE, ISSUER, bearer, public_pem
from tests.support.upstream import RecordingUpstream

READ = "UCS.Customer.readCustomerProfile"
PROFILE = "/profiles/0004Va58A92T0017"

JOB = AUTHORITY.issue("import-job")


@asynccontextmanager
async def serving(
    folder: Path,
    upstream: RecordingUpstream,
    *,
    authority: Authority = AUTHORITY,
    certificates: Mapping[str, str] | None = None,
    **tls: str,
) -> AsyncIterator[Site]:
    """A gateway that knows `cert:import-job` as somebody who may read profiles."""
    certificate, private = server().write(folder, "server")
    issuer = {
        "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["ES256"], "subject_prefix": "",
        "pem_file": str(public_pem(folder)),
    }  # fmt: skip
    policy = write_policy(folder / "policy", permissions_of(UCS))
    job = {"users": {"cert:import-job": {"roles": [READ]}}}
    (policy / "users.yaml").write_text(json.dumps(job))
    files = {
        "certificate_file": str(certificate),
        "key_file": str(private),
        "client_ca_file": str(authority.write(folder)),
    }
    identity: dict[str, Any] = {"jwt": [issuer]}
    if certificates is not None:
        identity["certificates"] = certificates
    async with running_site(
        folder, [ucs(upstream.url)], tls=files | tls, identity=identity, policy=policy
    ) as site:
        yield site


NAMED = {"name_from": "common-name", "subject_prefix": "cert:"}


async def ask(site: Site, shown: Shown | None, sent: bytes) -> Reply:
    return await ask_with(client_context(site.folder, shown), site, sent)


async def ask_with(context: ssl.SSLContext, site: Site, sent: bytes) -> Reply:
    """In TLS 1.3 a client is done before the server has looked at its certificate, and so learns
    what came of it with the reply.
    """
    client = await RawClient.connect(site.address, context, server_name=HOST)
    try:
        await client.send(sent)
        return await client.reply()
    finally:
        await client.close()


def asking(method: str = "GET", authorization: bytes | None = None) -> bytes:
    return request(method, PROFILE, authorization=authorization)


async def test_a_certificate_names_its_caller_who_is_allowed_and_denied_by_the_policy(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(tmp_path, upstream, certificates=NAMED) as site:
        client = await RawClient.connect(
            site.address, client_context(tmp_path, JOB), server_name=HOST
        )
        replies = []
        for method in ("GET", "DELETE", "GET"):
            await client.send(asking(method))
            replies.append(await client.reply())
        await client.close()
    assert [reply.status for reply in replies] == [200, 403, 200]
    assert replies[1].header("x-gateway-refusal") == "permission-missing"
    assert len(upstream.requests) == 2
    assert all(b"\r\nX-Gateway-Caller: cert:import-job\r\n" in each for each in upstream.requests)
    told = [
        (line["subject"], line["kind"], line["means"], line["effect"], line["reason"])
        for line in Audit(tmp_path).lines()
    ]
    caller = ("cert:import-job", "service", "certificate")
    assert told == [
        (*caller, "allow", "permitted"),
        (*caller, "deny", "permission-missing"),
        (*caller, "allow", "permitted"),
    ]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("shown", "alert"),
    [
        (None, "CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"),
        (STRANGER.issue("import-job"), "UNKNOWN_CA"),
        (self_signed("import-job"), "UNKNOWN_CA"),
        (AUTHORITY.issue("import-job", until=PAST), "CERTIFICATE_EXPIRED"),
        (AUTHORITY.issue("import-job", purpose=SERVER), "UNSUPPORTED_CERTIFICATE|BAD_CERTIFICATE"),
    ],
    ids=["none", "other authority", "self-signed", "expired", "for servers"],
)
async def test_a_certificate_that_does_not_verify_ends_the_connection_and_the_client_is_told(
    tmp_path: Path,
    upstream: RecordingUpstream,
    version: ssl.TLSVersion,
    shown: Shown | None,
    alert: str,
) -> None:
    context = client_context(tmp_path, shown)
    context.maximum_version = version
    async with serving(tmp_path, upstream, certificates=NAMED) as site:
        with pytest.raises(ssl.SSLError, match=alert):
            await ask_with(context, site, asking(authorization=bearer(roles=(READ,))))
    assert upstream.conversations == []
    assert Audit(tmp_path).lines() == []


async def test_where_certificates_are_optional_a_bad_one_is_still_no_way_in(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(
        tmp_path, upstream, certificates=NAMED, client_certificate="optional"
    ) as site:
        with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
            await ask(site, STRANGER.issue("import-job"), asking())
        nobody = await ask(site, None, asking())
        token = await ask(site, None, asking(authorization=bearer(roles=(READ,))))
        job = await ask(site, JOB, asking())
    assert [reply.status for reply in (nobody, token, job)] == [401, 200, 200]
    assert nobody.header("x-gateway-refusal") == "not-authenticated"
    assert nobody.header("www-authenticate") == 'Bearer realm="ucs-gateway"'


@pytest.mark.parametrize(
    "shown", [AUTHORITY.issue("import-job", "administrator"), AUTHORITY.issue("import-job\0"),
              AUTHORITY.issue()],
    ids=["two names", "control character", "no name"],
)  # fmt: skip
async def test_a_certificate_whose_name_is_in_doubt_names_nobody(
    tmp_path: Path, upstream: RecordingUpstream, shown: Shown
) -> None:
    async with serving(tmp_path, upstream, certificates=NAMED) as site:
        reply = await ask(site, shown, asking())
        token = await ask(site, shown, asking(authorization=bearer(roles=(READ,))))
    assert (reply.status, reply.header("x-gateway-refusal")) == (401, "credentials-refused")
    assert token.status == 200
    told = [(line["subject"], line["means"]) for line in Audit(tmp_path).lines()]
    assert told == [("", "none"), ("anna", "jwt")]


async def test_a_token_decides_alone_whatever_the_certificate_says(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(tmp_path, upstream, certificates=NAMED) as site:
        weaker = await ask(site, JOB, asking(authorization=bearer(roles=())))
        wrong = await ask(site, JOB, asking(authorization=b"Bearer e30.e30.e30"))
        other = await ask(site, JOB, asking(authorization=b"Negotiate abc"))
    assert [reply.status for reply in (weaker, wrong, other)] == [403, 401, 401]
    assert upstream.conversations == []
    told = [(line["subject"], line["means"], line["reason"]) for line in Audit(tmp_path).lines()]
    assert told == [
        ("anna", "jwt", "permission-missing"),
        ("", "none", "credentials-refused"),
        ("", "none", "credentials-refused"),
    ]


async def test_requests_of_one_connection_are_told_apart_by_their_headers(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """What is remembered of a header section belongs to it, and not to the connection."""
    sent = [asking(), asking(authorization=bearer(roles=(READ,)))] * 2
    async with serving(tmp_path, upstream, certificates=NAMED) as site:
        client = await RawClient.connect(
            site.address, client_context(tmp_path, JOB), server_name=HOST
        )
        await client.send(b"".join(sent))
        assert [(await client.reply()).status for _ in sent] == [200] * 4
        await client.close()
    subjects = [line["subject"] for line in Audit(tmp_path).lines()]
    assert subjects == ["cert:import-job", "anna", "cert:import-job", "anna"]


async def test_without_a_mapping_certificates_only_decide_who_may_connect(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(tmp_path, upstream) as site:
        nobody = await ask(site, JOB, asking())
        token = await ask(site, JOB, asking(authorization=bearer(roles=(READ,))))
    assert (nobody.status, token.status) == (401, 200)
    assert nobody.header("x-gateway-refusal") == "not-authenticated"


async def test_the_authority_that_issues_may_stand_for_itself(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """Naming an authority below the root trusts that one, and no sibling of it."""
    ours, sibling = (Authority(name, issuer=AUTHORITY) for name in ("issuing", "sibling"))
    async with serving(tmp_path, upstream, authority=ours, certificates=NAMED) as site:
        assert (await ask(site, ours.issue("import-job"), asking())).status == 200
        with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
            await ask(site, sibling.issue("import-job"), asking())


async def test_an_authority_that_was_taken_out_vouches_for_no_new_connection(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    context = client_context(tmp_path, JOB)
    async with serving(tmp_path, upstream, certificates=NAMED) as site:
        early = await RawClient.connect(site.address, context, server_name=HOST)
        await early.send(asking())
        assert (await early.reply()).status == 200
        (tmp_path / "authority.pem").write_bytes(STRANGER.pem)
        assert site.gateway._listener is not None
        site.gateway._listener.renew_tls()
        with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
            await ask_with(context, site, asking())
        await early.send(asking())
        assert (await early.reply()).status == 200
        await early.close()


async def test_certificates_alone_are_enough_of_an_identity(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    certificate, private = server().write(tmp_path, "server")
    tls = {
        "certificate_file": str(certificate),
        "key_file": str(private),
        "client_ca_file": str(AUTHORITY.write(tmp_path)),
    }
    policy = write_policy(tmp_path / "policy", permissions_of(UCS))
    (policy / "users.yaml").write_text(json.dumps({"users": {"import-job": {"roles": [READ]}}}))
    identity = {"certificates": {"name_from": "common-name"}}
    async with running_site(
        tmp_path, [ucs(upstream.url)], tls=tls, identity=identity, policy=policy
    ) as site:
        assert (await ask(site, JOB, asking())).status == 200
        refused = await ask(site, JOB, asking(authorization=bearer()))
        assert site.gateway._authenticator.ready() == (True, "certificates: named by common-name")
    assert refused.status == 401
    assert refused.header("www-authenticate") == 'Bearer realm="ucs-gateway"'
