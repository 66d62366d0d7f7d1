"""The token endpoint: keys changed under load, clients disabled everywhere, secrets guessed at.

    python -m benchmarks tokens

1. Two workers; clients that get tokens and use them, each on connections of its own, while the
   signing key is changed again and again as the manual says. No request may be answered with 401.
2. Two workers, and connections to both that hold good tokens: the client is disabled by an edit of
   its file, and a token revoked at one worker. How long until the last connection is refused, and
   that none is let in again.
3. One worker: 10,000 wrong secrets, from one address and from a thousand, beside honest requests at a
   fixed rate and honest requests for tokens. Bound: twice as long, and no growth.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.generator import Report, command
from benchmarks.process_tree import worker_of
from benchmarks.processes import (
    GATEWAY_CORE,
    OTHER_CORE,
    free_port,
    pinned,
    result_of,
    rss_mib,
)
from benchmarks.site import Site
from gateway.authn.passwords import hash_password
from gateway.issuer.keys import RIPE_SECONDS
from gateway.issuer.secrets import GENERATED_COSTS
from gateway.settings import Address
from tests.support.raw import RawClient, request

__all__ = ["run"]

_ROTATIONS = 4
_CLIENTS = 6
_ENDS = 8
_WATCHERS = 12
_SECRETS = 10_000
_RATE = 300
_SECONDS = 6
_ROUNDS = 3
_AIM_FACTOR = 2.0
_GROWTH_MIB = 8.0
_ID = "0b3c7c1e-6f0e-4c4e-9a39-0d8f4c1f6a52"
_SECRET = "a-secret-of-the-bench"
_TARGET = "/profiles/0004Va58A92T0017"


def run() -> None:
    """Print what was measured; exit 1 where something was not as promised."""
    sound = [_rotation(), _endings(), _guessing()]
    if not all(sound):
        sys.exit(1)


class _House(Site):
    """A site whose clients get their tokens here."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._hash = hash_password(_SECRET, GENERATED_COSTS)
        (folder / "policy").mkdir()
        (folder / "policy" / "p.yaml").write_text(
            "roles: {reader: {permissions: [UCS.Customer.readCustomerProfile]}}\n"
            "clients: {bench: {roles: [reader]}}\n"
            "users: {olga: {roles: [reader]}}\n"
        )
        self.write_clients()
        self.write_key("now.pem", self.new_key())
        self.write_key("before.pem", (folder / "now.pem").read_bytes())

    @staticmethod
    def new_key() -> bytes:
        key = Ed25519PrivateKey.generate()
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write_key(self, name: str, key: bytes) -> None:
        new = self.folder / f".{name}"
        new.write_bytes(key)
        new.replace(self.folder / name)

    def write_clients(self, state: str = "active") -> None:
        entry = {"id": _ID, "secret_hashes": [self._hash], "state": state}
        new = self.folder / ".clients"
        new.write_text(json.dumps({"clients": {"bench": entry}}))
        new.replace(self.folder / "clients.yaml")

    def settings(self, port: int, upstream: int, workers: int) -> Path:
        # Whoever watches a token asks as fast as it is answered, on one connection.
        limits = {"max_requests_per_connection": 10_000_000}
        config = self.gateway(port, free_port(), upstream, limits=limits)
        text = config.read_text().replace("policy: ", f"policy: {self.folder}/policy #")
        clients = {
            "file": "clients.yaml", "issuer": "https://gateway.bench", "revocations": "revoked",
            "signing_keys": ["now.pem", "before.pem"],
        }  # fmt: skip
        text = text.replace("identity:\n", f"identity:\n  clients: {json.dumps(clients)}\n")
        config.write_text(f"{text}workers: {workers}\n")
        return config


@contextmanager
def _running(workers: int, cores: set[int]) -> Iterator[tuple[_House, Address, int]]:
    with tempfile.TemporaryDirectory() as name:
        house = _House(Path(name))
        upstream, port, log = free_port(), free_port(), Path(name) / "log"
        echo = [sys.executable, "-m", "benchmarks.upstream", str(upstream)]
        serve = [sys.executable, "-m", "gateway.cli", "serve", "--config",
                 str(house.settings(port, upstream, workers))]  # fmt: skip
        with (
            pinned(echo, cores=OTHER_CORE, port=upstream, log=log),
            pinned(serve, cores=cores, port=port, log=log) as pid,
        ):
            yield house, Address("127.0.0.1", port), pid


def _form(path: str, body: bytes) -> bytes:
    word = b64encode(f"{_ID}:{_SECRET}".encode())
    return (
        b"POST %b HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic %b\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b"
    ) % (path.encode(), word, len(body), body)


_ASK = _form("/oauth/token", b"grant_type=client_credentials")


async def _token(client: RawClient) -> tuple[int, bytes]:
    await client.send(_ASK)
    reply = await client.reply("POST")
    told = json.loads(reply.body) if reply.status == 200 else {}
    return reply.status, str(told.get("access_token", "")).encode()


async def _used(client: RawClient, token: bytes) -> int:
    await client.send(request("GET", _TARGET, authorization=b"Bearer " + token))
    return (await client.reply()).status


# --- 1 --------------------------------------------------------------------------------------------


def _rotation() -> bool:
    with _running(2, GATEWAY_CORE | OTHER_CORE) as (house, address, _):
        statuses, kids = uvloop.run(_rotated(house, address))
    print(
        f"tokens: {_ROTATIONS} changes of the signing key under load, two workers:"
        f" {sum(statuses.values()):,} requests, answers {dict(sorted(statuses.items()))},"
        f" {kids} keys signed"
    )
    return set(statuses) == {200} and kids == _ROTATIONS + 1


async def _rotated(house: _House, address: Address) -> tuple[Counter[int], int]:
    statuses: Counter[int] = Counter()
    kids: set[bytes] = set()
    ended = asyncio.Event()

    async def client() -> None:
        tokens: list[bytes] = []
        while not ended.is_set():
            one, other = await RawClient.connect(address), await RawClient.connect(address)
            for _ in range(10):
                status, token = await _token(one)
                statuses[status] += 1
                kids.add(token.partition(b".")[0])
                # Some that are as old as the key before.
                tokens = [*tokens[-40:], token]
                for each in (tokens[-1], tokens[0]):
                    statuses[await _used(one, each)] += 1
                    statuses[await _used(other, each)] += 1
            await one.close()
            await other.close()

    async def rotate() -> None:
        for _ in range(_ROTATIONS):
            # As the manual says: what signs now becomes the one before, then the new one is put.
            house.write_key("before.pem", (house.folder / "now.pem").read_bytes())
            house.write_key("now.pem", house.new_key())
            await asyncio.sleep(RIPE_SECONDS + 2)
        ended.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(rotate())
        for _ in range(_CLIENTS):
            group.create_task(client())
    return statuses, len(kids)


# --- 2 --------------------------------------------------------------------------------------------


def _endings() -> bool:
    with _running(2, GATEWAY_CORE | OTHER_CORE) as (house, address, _):
        disabled = uvloop.run(_ended(house, address, by_file=True))
        revoked = uvloop.run(_ended(house, address, by_file=False))
    for what, times in (("disabled in its file", disabled), ("revoked at one worker", revoked)):
        print(
            f"tokens: {what}, until the last of {_WATCHERS} connections to two workers is refused:"
            f" median {statistics.median(times):.2f} s, worst {max(times):.2f} s of {_ENDS}"
        )
    return max(disabled + revoked) < 1


async def _ended(house: _House, address: Address, *, by_file: bool) -> list[float]:
    """Seconds until a token is refused everywhere, for each time that one was ended."""
    times = []
    for _ in range(_ENDS):
        house.write_clients()
        connection = await RawClient.connect(address)
        token = b""
        while not token:  # until the client is active again
            _, token = await _token(connection)
        watchers = [await RawClient.connect(address) for _ in range(_WATCHERS)]
        while {await _used(each, token) for each in watchers} != {200}:
            pass
        begun = time.perf_counter()
        if by_file:
            house.write_clients("disabled")
        else:
            await connection.send(_form("/oauth/revoke", b"token=" + token))
            if (await connection.reply("POST")).status != 200:
                sys.exit("the token was not revoked")
        last = await asyncio.gather(*(_refused(each, token) for each in watchers))
        times.append(max(last) - begun)
        for each in (connection, *watchers):
            await each.close()
    return times


async def _refused(client: RawClient, token: bytes) -> float:
    """When it was first refused; it has to stay so."""
    while await _used(client, token) != 401:
        pass
    at = time.perf_counter()
    for _ in range(50):
        if await _used(client, token) != 401:
            sys.exit("a token that had ended was good again")
    return at


# --- 3 --------------------------------------------------------------------------------------------


def _guessing() -> bool:
    sound = True
    for addresses in (1, 1_000):
        with _running(1, GATEWAY_CORE) as (_, address, pid):
            sound = uvloop.run(_guessed_at(address, pid, addresses)) and sound
    return sound


async def _guessed_at(address: Address, pid: int, addresses: int) -> bool:
    connection = await RawClient.connect(address)
    _, token = await _token(connection)
    await connection.close()
    authorization = f"Bearer {token.decode()}"
    guesses = ["-m", "benchmarks.guessing", str(address.port), _ID,
               "--secrets", str(_SECRETS), "--addresses", str(addresses)]  # fmt: skip
    quiet = [await _honest(address, authorization) for _ in range(_ROUNDS)]
    before = rss_mib(worker_of(pid))
    guessing = _begun(guesses)
    during = []
    while not guessing.done() and len(during) < _ROUNDS:
        during.append(await _honest(address, authorization))
    told = await guessing
    after = rss_mib(worker_of(pid))
    medians = {
        each: [statistics.median(round_[each] for round_ in rounds) for rounds in (quiet, during)]
        for each in ("p50", "p99", "token")
    }
    factors = {each: there / here for each, (here, there) in medians.items()}
    print(
        f"tokens: {_SECRETS:,} wrong secrets from {addresses:,} addresses in"
        f" {told['seconds']:.1f} s, answers {told['statuses']}; memory {before:.1f} and"
        f" {after:.1f} MiB; honest ones without and with them, medians of {len(during)} rounds:"
    )
    for name, words in (
        ("p50", f"p50 of {_RATE} requests a second"),
        ("p99", "p99 of these"),
        ("token", "a token, median"),
    ):
        here, there = medians[name]
        spread = ", ".join(f"{round_[name]:.2f}" for round_ in during)
        print(f"  {words}: {here:.2f} and {there:.2f} ms ({spread}), factor {factors[name]:.2f}")
    print(f"  aim: {_AIM_FACTOR:g} or less, and no more than {_GROWTH_MIB:g} MiB")
    return max(factors.values()) <= _AIM_FACTOR and after - before < _GROWTH_MIB


def _begun(words: list[str]) -> asyncio.Future[Any]:
    """One of our programs; what it printed, in the end."""
    loop = asyncio.get_running_loop()
    return loop.run_in_executor(None, partial(result_of, words, cores=OTHER_CORE))


async def _honest(address: Address, authorization: str) -> dict[str, float]:
    """Milliseconds of requests at a fixed rate, and of requests for tokens beside them."""
    load = command(address.port, authorization, connections=20, rate=_RATE, seconds=_SECONDS)
    running = _begun(load)
    taken = []
    while not running.done():
        connection = await RawClient.connect(address)
        begun = time.perf_counter()
        status, _ = await _token(connection)
        taken.append(1000 * (time.perf_counter() - begun))
        await connection.close()
        if status != 200:
            sys.exit(f"an honest client got {status} instead of a token")
        await asyncio.sleep(0.05)
    report = Report(**await running)
    if report.sent - report.useful > 0:
        sys.exit(f"honest requests were not answered: {report}")
    return {"p50": report.p50_ms, "p99": report.p99_ms, "token": statistics.median(taken)}
