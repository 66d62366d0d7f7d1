"""A token issuer for tests: real keys, real signatures, a real server for its key set.

`forged` builds tokens that no decent library would sign; everything else goes through PyJWT.
"""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Self

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.support.clock import FakeClock

ISSUER = "https://login.example.com/"
AUDIENCE = "ucs-gateway"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_MAKERS: Mapping[str, Callable[[], PrivateKey]] = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "p256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


@cache
def private_key(name: str) -> PrivateKey:
    """One key a name and run: `rsa`, or `rsa/b` where a test needs several."""
    return _MAKERS[name.partition("/")[0]]()


def public_pem(name: str, encoding: Encoding = Encoding.PEM) -> bytes:
    return private_key(name).public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def public_jwk(name: str, **members: Any) -> dict[str, Any]:
    key = private_key(name).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        jwk = ECAlgorithm.to_jwk(key, as_dict=True)
    else:
        jwk = OKPAlgorithm.to_jwk(key, as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, **members}


def key_set(**names: str) -> bytes:
    """A JWKS: `key_set(a="rsa")` is one RSA key whose `kid` is `a`."""
    keys = [public_jwk(name, kid=kid, use="sig") for kid, name in names.items()]
    return json.dumps({"keys": keys}).encode()


def claims_at(clock: FakeClock, **claims: Any) -> dict[str, Any]:
    """Good claims, with changes; None takes a claim away."""
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "anna",
        "roles": ["profile-editor"],
        "exp": int(clock.wall()) + 600,
        **claims,
    }
    return {name: value for name, value in good.items() if value is not None}


def signed(
    claims: Mapping[str, Any], key: str = "rsa", *, algorithm: str = "RS256", **header: Any
) -> bytes:
    return (
        jwt.PyJWS()
        .encode(json.dumps(claims).encode(), private_key(key), algorithm, headers=header)
        .encode()
    )


def encoded(part: Mapping[str, Any] | bytes) -> bytes:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(text).rstrip(b"=")


def forged(
    header: Mapping[str, Any] | bytes,
    claims: Mapping[str, Any] | bytes,
    signature: Callable[[bytes], bytes] = lambda _signing_input: b"",
) -> bytes:
    signing_input = encoded(header) + b"." + encoded(claims)
    return signing_input + b"." + encoded(signature(signing_input))


def signature_of(key: str, algorithm: str) -> Callable[[bytes], bytes]:
    """A right signature over whatever was forged."""
    method = jwt.get_algorithm_by_name(algorithm)
    return lambda signing_input: method.sign(signing_input, private_key(key))


class KeyServer:
    """Publishes `document` on loopback, as rudely as told, and counts who asks."""

    def __init__(self, document: bytes = b"{}") -> None:
        self.document = document
        self.status = 200
        self.headers: dict[str, str] = {"Content-Type": "application/json"}
        self.asked = 0
        self.others_asked = 0
        self.request_headers: Mapping[str, str] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/jwks.json", self._answer)
        app.router.add_route("*", "/{other:.*}", self._other)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port, *_ = self._runner.addresses[0]
        self.url = f"http://{host}:{port}/jwks.json"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.request_headers = dict(request.headers)
        self.arrived.set()
        await self.gate.wait()
        return web.Response(body=self.document, status=self.status, headers=self.headers)

    async def _other(self, _request: web.Request) -> web.Response:
        self.others_asked += 1
        return web.Response(body=self.document)
