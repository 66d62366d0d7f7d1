"""What clients do with their tokens, over real sockets: use, revoke, introspect and lose them."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.support.clients import (
    ISSUER,
    MINDFUL,
    NOBODY,
    SECRET,
    VSM,
    basic,
    call,
    entry,
    get_token,
    post,
    settings_of,
    token_of,
    write_clients,
)
from tests.support.issuer import private_key
from tests.support.site import Audit, Site, running_site, ucs

CLIENTS = {
    "vsm": entry(title="Virsae Genesys", token_seconds=600),
    "mindful": entry(MINDFUL),
    "reader": entry("44444444-4444-4444-8444-444444444444", may_introspect=True),
}
READER = basic("44444444-4444-4444-8444-444444444444")
OTHER = basic(MINDFUL)
# A caller that is known and has no permission; a stranger would get 401.
KNOWN = 403


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    identity = {"clients": settings_of(tmp_path, CLIENTS)}
    async with running_site(tmp_path, [ucs("http://127.0.0.1:9")], identity=identity) as running:
        yield running


def claims_in(token: str, key: str = "ed25519", algorithm: str = "EdDSA") -> dict[str, Any]:
    public = private_key(key).public_key()
    claims: dict[str, Any] = jwt.decode(
        token, public, [algorithm], audience="ucs-gateway", issuer=ISSUER
    )
    return claims


async def introspected(site: Site, token: str, authorization: bytes = READER) -> dict[str, Any]:
    reply = await post(site, "/oauth/introspect", {"token": token}, authorization)
    assert reply.status == 200
    told: dict[str, Any] = json.loads(reply.body)
    return told


# --- tokens --------------------------------------------------------------------------------------


async def test_a_token_says_who_it_was_issued_to_and_until_when(site: Site) -> None:
    reply = await get_token(site)
    told = json.loads(reply.body)
    claims = claims_in(told["access_token"])
    assert claims.keys() == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti"}
    assert claims["sub"] == claims["client_id"] == VSM
    assert claims["exp"] - claims["iat"] == told["expires_in"] == 600
    header = jwt.get_unverified_header(told["access_token"])
    assert (header["typ"], header["alg"]) == ("at+jwt", "EdDSA")


async def test_no_two_tokens_are_the_same(site: Site) -> None:
    tokens = [claims_in(await token_of(site))["jti"] for _ in range(5)]
    assert len(set(tokens)) == 5


@pytest.mark.parametrize(
    ("key", "algorithm"), [("ed25519", "EdDSA"), ("p256", "ES256"), ("rsa", "RS256")]
)
async def test_the_key_says_how_tokens_are_signed(tmp_path: Path, key: str, algorithm: str) -> None:
    identity = {"clients": settings_of(tmp_path, keys=(key,))}
    async with running_site(tmp_path, [ucs("http://127.0.0.1:9")], identity=identity) as site:
        token = await token_of(site)
        assert claims_in(token, key, algorithm)["sub"] == VSM
        assert (await call(site, token)).status == KNOWN


async def test_a_token_of_another_key_is_nobodys(site: Site) -> None:
    """J-2, J-4: a key that we do not have, whatever name it bears."""
    claims = claims_in(await token_of(site))
    for kid in (jwt.get_unverified_header(await token_of(site))["kid"], "../../x", None):
        header = {"typ": "at+jwt"} | ({} if kid is None else {"kid": kid})
        forged = jwt.encode(claims, private_key("ed25519/other"), "EdDSA", headers=header)
        assert (await call(site, forged)).status == 401


# --- revocation ----------------------------------------------------------------------------------


async def test_a_revoked_token_is_nobodys_at_once(site: Site) -> None:
    token, other = await token_of(site), await token_of(site)
    assert (await call(site, token)).status == KNOWN
    reply = await post(site, "/oauth/revoke", {"token": token}, basic())
    assert (reply.status, reply.body) == (200, b"")
    assert (await call(site, token)).status == 401
    assert (await call(site, other)).status == KNOWN


@pytest.mark.parametrize("token", ["no.token.atall", "x", "a.b.c"])
async def test_revoking_what_is_no_token_is_no_error(site: Site, token: str) -> None:
    """RFC 7009 section 2.2."""
    assert (await post(site, "/oauth/revoke", {"token": token}, basic())).status == 200


async def test_nobody_revokes_what_is_anothers(site: Site) -> None:
    token = await token_of(site)
    reply = await post(site, "/oauth/revoke", {"token": token}, OTHER)
    assert (reply.status, json.loads(reply.body)["error"]) == (400, "unauthorized_client")
    assert (await call(site, token)).status == KNOWN


@pytest.mark.parametrize("path", ["/oauth/revoke", "/oauth/introspect"])
async def test_only_a_client_may_ask(site: Site, path: str) -> None:
    token = await token_of(site)
    reply = await post(site, path, {"token": token}, basic(secret="wrong"))
    assert (reply.status, json.loads(reply.body)["error"]) == (401, "invalid_client")
    reply = await post(site, path, {"token": token})
    assert reply.status == 401
    reply = await post(site, path, {}, basic())
    assert (reply.status, json.loads(reply.body)["error"]) == (400, "invalid_request")
    assert (await call(site, token)).status == KNOWN


async def test_what_cannot_be_recorded_is_not_revoked_and_says_so(
    site: Site, tmp_path: Path
) -> None:
    token = await token_of(site)
    (tmp_path / "revoked").unlink()
    (tmp_path / "revoked").mkdir()
    reply = await post(site, "/oauth/revoke", {"token": token}, basic())
    assert (reply.status, json.loads(reply.body)["error"]) == (503, "temporarily_unavailable")
    assert (await call(site, token)).status == KNOWN


async def test_a_restart_revives_no_token(tmp_path: Path) -> None:
    clients = settings_of(tmp_path, CLIENTS)
    services = [ucs("http://127.0.0.1:9")]
    async with running_site(tmp_path, services, identity={"clients": clients}) as site:
        token, other = await token_of(site), await token_of(site)
        await post(site, "/oauth/revoke", {"token": token}, basic())
    async with running_site(tmp_path, services, identity={"clients": clients}) as site:
        assert (await call(site, token)).status == 401
        assert (await call(site, other)).status == KNOWN


# --- introspection -------------------------------------------------------------------------------


async def test_who_may_introspect_learns_what_a_token_says(site: Site) -> None:
    token = await token_of(site)
    claims = claims_in(token)
    told = await introspected(site, token)
    assert told == {
        "active": True, "client_id": VSM, "username": "vsm", "token_type": "bearer",
        **{name: claims[name] for name in ("exp", "iat", "sub", "aud", "iss", "jti")},
    }  # fmt: skip


async def test_a_client_may_introspect_its_own_tokens_only(site: Site) -> None:
    token = await token_of(site)
    assert (await introspected(site, token, basic()))["active"] is True
    assert await introspected(site, token, OTHER) == {"active": False}


@pytest.mark.parametrize("token", ["x", "a.b.c"])
async def test_what_is_no_token_is_not_active_and_no_more_is_said(site: Site, token: str) -> None:
    assert await introspected(site, token) == {"active": False}


async def test_a_revoked_token_is_not_active(site: Site) -> None:
    token = await token_of(site)
    await post(site, "/oauth/revoke", {"token": token}, basic())
    assert await introspected(site, token) == {"active": False}


# --- clients -------------------------------------------------------------------------------------


async def reloaded(site: Site, folder: Path, **changes: Any) -> None:
    write_clients(folder, CLIENTS | changes)
    assert not await site.gateway.reload()


async def test_disabling_a_client_ends_its_tokens(site: Site, tmp_path: Path) -> None:
    token, other = await token_of(site), await token_of(site, OTHER)
    await reloaded(site, tmp_path, vsm=entry(state="disabled"))
    assert (await call(site, token)).status == 401
    assert (await get_token(site)).status == 401
    assert await introspected(site, token) == {"active": False}
    assert (await call(site, other)).status == KNOWN


async def test_an_inactive_client_keeps_its_tokens_and_gets_no_new_ones(
    site: Site, tmp_path: Path
) -> None:
    token = await token_of(site)
    await reloaded(site, tmp_path, vsm=entry(state="inactive"))
    assert (await get_token(site)).status == 400
    assert (await call(site, token)).status == KNOWN
    assert (await post(site, "/oauth/revoke", {"token": token}, basic())).status == 200
    assert (await call(site, token)).status == 401


async def test_a_client_that_is_gone_has_no_tokens(site: Site, tmp_path: Path) -> None:
    token = await token_of(site, OTHER)
    del CLIENTS["mindful"]
    try:
        await reloaded(site, tmp_path)
    finally:
        CLIENTS["mindful"] = entry(MINDFUL)
    assert (await call(site, token)).status == 401


async def test_enabling_a_client_again_revives_no_token_of_before(
    site: Site, tmp_path: Path
) -> None:
    token = await token_of(site)
    await reloaded(site, tmp_path, vsm=entry(tokens_since="2100-01-01T00:00:00Z"))
    assert (await call(site, token)).status == 401
    await reloaded(site, tmp_path, vsm=entry(tokens_since="2001-01-01T00:00:00Z"))
    assert (await call(site, await token_of(site))).status == KNOWN


async def test_while_a_secret_is_changed_both_are_good(site: Site, tmp_path: Path) -> None:
    await reloaded(site, tmp_path, vsm=entry(VSM, SECRET, "new-secret"))
    for secret in (SECRET, "new-secret"):
        assert (await get_token(site, basic(secret=secret))).status == 200
    assert (await get_token(site, basic(secret="other"))).status == 401
    await reloaded(site, tmp_path, vsm=entry(VSM, "new-secret"))
    assert (await get_token(site)).status == 401
    assert (await get_token(site, basic(secret="new-secret"))).status == 200


async def test_a_broken_clients_file_leaves_the_last_good_one(site: Site, tmp_path: Path) -> None:
    token = await token_of(site)
    (tmp_path / "clients.yaml").write_text("clients: {vsm: {id: x}}")
    why = await site.gateway.reload()
    assert "expected a GUID" in why
    assert "clients.yaml" in why
    assert (await call(site, token)).status == KNOWN
    assert (await get_token(site)).status == 200
    assert b"gateway_clients_stale 1.0" in site.metrics()
    assert "last good" in site.gateway.checks()["identity"][1]
    await reloaded(site, tmp_path)
    assert b"gateway_clients_stale 0.0" in site.metrics()


# --- what is published ---------------------------------------------------------------------------


async def test_the_metadata_lead_to_endpoints_that_are_there(site: Site) -> None:
    """RFC 8414 section 3."""
    reply = await site.ask("GET", "/.well-known/oauth-authorization-server", roles=None)
    told = json.loads(reply.body)
    assert (reply.status, told["issuer"]) == (200, ISSUER)
    assert told["grant_types_supported"] == ["client_credentials"]
    assert told["token_endpoint_auth_methods_supported"] == [
        "client_secret_basic", "client_secret_post",
    ]  # fmt: skip
    assert told["response_types_supported"] == []
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        path = told[name].removeprefix(ISSUER)
        assert (await post(site, path, {}, basic())).status == 400
    keys = await site.ask("GET", told["jwks_uri"].removeprefix(ISSUER), roles=None)
    assert keys.status == 200


async def test_what_is_published_verifies_tokens_and_holds_nothing_private(site: Site) -> None:
    reply = await site.ask("GET", "/oauth/jwks", roles=None)
    token = await token_of(site)
    kid = jwt.get_unverified_header(token)["kid"]
    (key,) = [each for each in jwt.PyJWKSet.from_dict(json.loads(reply.body)).keys
              if each.key_id == kid]  # fmt: skip
    assert jwt.decode(token, key, ["EdDSA"], audience="ucs-gateway")["sub"] == VSM
    assert json.loads(reply.body)["keys"][0].keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    head = await site.ask("HEAD", "/oauth/jwks", roles=None)
    assert (head.status, head.body) == (200, b"")


async def test_the_login_has_a_prefix_of_its_own(tmp_path: Path) -> None:
    clients = settings_of(tmp_path, prefix="/login", issuer=f"{ISSUER}/login/")
    services = [ucs("http://127.0.0.1:9", prefix="/api")]
    async with running_site(tmp_path, services, identity={"clients": clients}) as site:
        form = {"grant_type": "client_credentials"}
        assert (await post(site, "/login/oauth/token", form, basic())).status == 200
        assert (await post(site, "/oauth/token", form, basic())).status == 401
        path = "/.well-known/oauth-authorization-server/login"
        told = json.loads((await site.ask("GET", path, roles=None)).body)
        assert told["token_endpoint"] == f"{ISSUER}/login/oauth/token"
        assert told["jwks_uri"] == f"{ISSUER}/login/oauth/jwks"


async def test_without_clients_there_is_no_endpoint(tmp_path: Path) -> None:
    async with running_site(tmp_path, [ucs("http://127.0.0.1:9")]) as site:
        form = {"grant_type": "client_credentials"}
        assert (await post(site, "/oauth/token", form)).status == 401
        assert (await site.ask("GET", "/oauth/jwks", roles=())).status == 403


# --- the record ----------------------------------------------------------------------------------


async def test_each_request_has_one_line_and_no_line_a_secret(tmp_path: Path) -> None:
    clients = settings_of(tmp_path, CLIENTS)
    services = [ucs("http://127.0.0.1:9")]
    async with running_site(tmp_path, services, identity={"clients": clients}) as site:
        token = await token_of(site)
        await get_token(site, basic(secret="wr0ng-secret"))
        await get_token(site, basic(NOBODY))
        await post(site, "/oauth/revoke", {"token": token}, basic())
        await call(site, token)
        counted = site.metrics()
    lines = Audit(tmp_path).lines()
    seen = [(line["route"], line["effect"], line["reason"], line["subject"], line["status"])
            for line in lines]  # fmt: skip
    assert seen == [
        ("oauth-token", "allow", "token-issued", "vsm", 200),
        ("oauth-token", "deny", "invalid-client", "", 401),
        ("oauth-token", "deny", "invalid-client", "", 401),
        ("oauth-revoke", "allow", "token-revoked", "vsm", 200),
        (None, "deny", "credentials-refused", "", 401),
    ]
    jti = claims_in(token)["jti"]
    assert [line["because"] for line in lines[:4]] == [
        [f"token {jti}"], ["client", "vsm"], ["client", "-"], [f"token {jti}"],
    ]  # fmt: skip
    assert {(line["kind"], line["means"]) for line in lines[:1]} == {
        ("service", "client-credentials")
    }
    text = (tmp_path / "audit.jsonl").read_text()
    for secret in (token, token.rpartition(".")[2], SECRET, "wr0ng-secret", "argon2", NOBODY):
        assert secret not in text
    assert b'gateway_tokens_issued_total{result="token-issued"} 1.0' in counted
    assert b'gateway_tokens_issued_total{result="invalid-client"} 2.0' in counted
    assert b"gateway_tokens_revoked 1.0" in counted


# --- failures ------------------------------------------------------------------------------------


async def test_who_guesses_is_turned_away_and_who_knows_is_not(tmp_path: Path) -> None:
    """J-12, J-16."""
    two = CLIENTS | {"mindful": entry(MINDFUL, "another-secret")}
    clients = settings_of(tmp_path, two, max_failures_per_address=3)
    services = [ucs("http://127.0.0.1:9")]
    async with running_site(tmp_path, services, identity={"clients": clients}) as site:
        assert (await get_token(site)).status == 200
        replies = [await get_token(site, basic(secret=f"guess-{n}")) for n in range(5)]
        assert [reply.status for reply in replies] == [401, 401, 401, 429, 429]
        assert json.loads(replies[-1].body)["error"] == "too_many_requests"
        # An SDK would obey it in silence, and try the same wrong secret again.
        assert replies[-1].header("retry-after") is None
        assert (await get_token(site, basic(NOBODY))).status == 429
        assert (await get_token(site)).status == 200
        # Right, but never heard before: it cannot be told from a guess without paying for it.
        assert (await get_token(site, basic(MINDFUL, "another-secret"))).status == 429


async def test_guesses_that_come_together_are_counted_before_they_are_tried(
    tmp_path: Path,
) -> None:
    clients = settings_of(tmp_path, CLIENTS, max_failures_per_address=3)
    services = [ucs("http://127.0.0.1:9")]
    async with running_site(tmp_path, services, identity={"clients": clients}) as site:
        guesses = (get_token(site, basic(secret=f"guess-{n}")) for n in range(12))
        statuses = sorted(reply.status for reply in await asyncio.gather(*guesses))
        assert statuses == [401] * 3 + [429] * 9


async def test_a_right_secret_that_comes_many_times_at_once_is_no_guess(tmp_path: Path) -> None:
    clients = settings_of(tmp_path, CLIENTS, max_failures_per_address=3)
    services = [ucs("http://127.0.0.1:9")]
    async with running_site(tmp_path, services, identity={"clients": clients}) as site:
        replies = await asyncio.gather(*(get_token(site) for _ in range(40)))
        assert {reply.status for reply in replies} == {200}


async def test_a_secret_that_was_right_is_checked_once(tmp_path: Path) -> None:
    clients = settings_of(tmp_path, CLIENTS)
    services = [ucs("http://127.0.0.1:9")]
    async with running_site(tmp_path, services, identity={"clients": clients}) as site:
        assert site.gateway.own.issuer is not None
        proofs = site.gateway.own.issuer.secrets
        tried: list[str] = []
        known = proofs._argon2

        def counted(password_hash: str, password: bytes) -> bool:
            tried.append(password_hash)
            return known(password_hash, password)

        proofs._argon2 = counted
        for _ in range(5):
            assert (await get_token(site)).status == 200
        assert len(tried) == 1
