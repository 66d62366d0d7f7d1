"""Clients of a gateway's own token endpoint: keys, a clients file and the requests that they send."""

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gateway.authn.passwords import Costs, hash_password
from tests.support.issuer import private_key
from tests.support.raw import Reply
from tests.support.site import Site

CHEAP = Costs(time_cost=1, memory_kib=8, lanes=1)
ISSUER = "https://gateway.example.com"
SECRET = "correct-horse"
VSM = "0b3c7c1e-6f0e-4c4e-9a39-0d8f4c1f6a52"
MINDFUL = "5d0f1d3a-3c55-4a52-8c1e-2f9f0f6f7a10"
NOBODY = "ffffffff-ffff-4fff-8fff-ffffffffffff"


@cache
def cheap_hash(secret: str) -> str:
    """An Argon2id hash that is checked in no time."""
    return hash_password(secret, CHEAP)


def private_pem(name: str) -> bytes:
    """`ed25519`, `p256/b`, `rsa`: see `tests.support.issuer`."""
    return private_key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def entry(id_: str = VSM, *secrets: str, **changes: Any) -> dict[str, Any]:
    """One client of the file."""
    return {
        "id": id_,
        "secret_hashes": [cheap_hash(each) for each in secrets or (SECRET,)],
        **changes,
    }


def write_clients(folder: Path, clients: Mapping[str, Any]) -> Path:
    """`clients.yaml`, put in place at once."""
    new, path = folder / ".clients.new", folder / "clients.yaml"
    new.write_text(json.dumps({"clients": dict(clients)}))
    return new.replace(path)


def write_key(folder: Path, name: str, *keys: str) -> Path:
    """A file of private keys, put in place at once."""
    new, path = folder / f".{name}.new", folder / name
    new.write_bytes(b"".join(map(private_pem, keys)))
    return new.replace(path)


def settings_of(
    folder: Path, clients: Mapping[str, Any] | None = None, *, keys: tuple[str, ...] = ("ed25519",),
    **changes: Any,
) -> dict[str, Any]:  # fmt: skip
    """`identity.clients`, with its files in `folder`."""
    write_clients(folder, {"vsm": entry()} if clients is None else clients)
    files = [write_key(folder, f"key-{number}.pem", key) for number, key in enumerate(keys)]
    return {
        "file": str(folder / "clients.yaml"),
        "issuer": ISSUER,
        "signing_keys": [str(each) for each in files],
        "revocations": str(folder / "revoked"),
        **changes,
    }


def basic(id_: str = VSM, secret: str = SECRET) -> bytes:
    """RFC 6749 section 2.3.1: both escaped as in a form."""
    return b"Basic " + b64encode(f"{quote_plus(id_)}:{quote_plus(secret)}".encode())


async def post(
    site: Site, path: str, form: Mapping[str, str], authorization: bytes | None = None
) -> Reply:
    """A form, on a connection of its own."""
    client = await site.connect()
    body = urlencode(form).encode()
    lines = [
        b"POST %b HTTP/1.1" % path.encode(), b"Host: gateway.test",
        b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: %d" % len(body),
    ]  # fmt: skip
    if authorization is not None:
        lines.append(b"Authorization: " + authorization)
    await client.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    reply = await client.reply("POST")
    await client.close()
    return reply


async def get_token(site: Site, authorization: bytes | None = None, **form: str) -> Reply:
    """Ask for a token."""
    wanted = {"grant_type": "client_credentials", **form}
    return await post(site, "/oauth/token", wanted, authorization or basic())


async def token_of(site: Site, authorization: bytes | None = None, **form: str) -> str:
    """A token, which there has to be."""
    reply = await get_token(site, authorization, **form)
    assert reply.status == 200, reply.body
    token: str = json.loads(reply.body)["access_token"]
    return token


async def call(site: Site, token: str, method: str = "GET", target: str = "/profiles/x1") -> Reply:
    """A request with a token, on a connection of its own."""
    client = await site.connect()
    await client.send(
        f"{method} {target} HTTP/1.1\r\nHost: gateway.test\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
    )
    reply = await client.reply(method)
    await client.close()
    return reply
