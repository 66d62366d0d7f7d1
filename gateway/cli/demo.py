"""`ucs-gateway demo`: a UCS, the gateway in front of it, and what each caller gets.

The UCS is the stand-in, in this very process; everything else is real: the shipped catalogues and
sample policy, sockets, Argon2 passwords, a signed token, the audit file. The last column is the
stand-in's own record of what arrived, which is how one can see that a refused request did not.
"""

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import click
import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from yarl import URL

from gateway.app import load_table
from gateway.app import running as running_gateway
from gateway.authn import hash_password, sign_token
from gateway.cli.output import Exit
from gateway.logs import configure
from gateway.settings import Settings, load_settings
from gateway.standin import Running, StandinConfig, running

__all__ = ["command"]

_ISSUER = "https://demo.invalid/"
_AUDIENCE = "ucs-gateway"
_ANNA = "/profiles/0004Va58A92T0017"
_USERS = ("anna", "sam", "carl", "olga")
_PHONE = [{"PhoneType": 1, "prefix": "+33", "PhoneNumber": "555-1918"}]


@dataclass(frozen=True, slots=True)
class _Call:
    """One row: who asks for what, and what that shows."""

    who: str
    method: str
    target: str
    shows: str
    body: Mapping[str, Any] | None = None


_CALLS = (
    _Call("anna", "GET", _ANNA, "her role may read profiles"),
    _Call("anna", "PUT", _ANNA, "and correct core attributes", {"LastName": "Example"}),
    _Call("anna", "PUT", _ANNA, "but not an extension", {"LastName": "Example", "Phone": _PHONE}),
    _Call("sam", "GET", f"{_ANNA}?extensions=Phone", "reading an extension is a task of its own"),
    _Call("sam", "DELETE", _ANNA, "a task that no role of his has"),
    _Call("carl", "POST", "/profiles", "may create profiles", {"FirstName": "Ada"}),
    _Call(
        "carl", "POST", "/profiles", "but not with an extension: nothing is created",
        {"FirstName": "Ada", "phone": []},
    ),
    _Call("olga", "POST", "/profiles", "has both tasks", {"FirstName": "Ada", "Phone": _PHONE}),
    _Call("olga", "POST", "/server/mode", "no catalogue knows it: denied to everyone", {}),
    _Call("olga", "GET", "/profiles/%2e%2e/metadata", "more than one reading: refused unread"),
    _Call("nobody", "GET", _ANNA, "no credentials"),
    _Call("intruder", "GET", _ANNA, "a wrong password"),
    _Call("token", "GET", "/genesys/1/cs/services/1", "a supervisor may read services"),
    _Call("token", "POST", "/genesys/1/cs/services/start", "but not write them", {}),
)  # fmt: skip


@click.command("demo")
@click.option("--once", is_flag=True, help="End after the table instead of staying up.")
@click.option(
    "--config-folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("config"),
    show_default=True,
    help="Where the shipped catalogues and the sample policy are.",
)
@click.option(
    "--audit",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to keep the audit, which is thrown away otherwise.",
)
def command(*, once: bool, config_folder: Path, audit: Path | None) -> int:
    """Start a stand-in UCS with the gateway in front, and show who may do what."""
    configure("console", "warning")
    try:
        return uvloop.run(_demo(config_folder.absolute(), audit and audit.absolute(), once=once))
    except KeyboardInterrupt:
        return Exit.YES


async def _demo(config_folder: Path, audit: Path | None, *, once: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="ucs-gateway-demo-") as name:
        folder = Path(name)
        credentials = _credentials(folder)
        async with running(StandinConfig()) as standin:
            record = folder / "audit.jsonl" if audit is None else audit
            settings = _settings(folder, config_folder, standin, record)
            async with running_gateway(settings, load_table(settings)) as gateway:
                base = f"http://{gateway.address}"
                faults = await _show(base, standin, credentials)
                if once:
                    return Exit.COULD_NOT if faults else Exit.YES
                _tell(base, str(gateway.admin_address), standin.url, record, credentials)
                await _told_to_stop()
    return Exit.YES


def _credentials(folder: Path) -> dict[str, str | None]:
    """Keys and passwords of this run only; the `Authorization` value of each caller."""
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "issuer.pem").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    lines = [f"  {user}: {{password_hash: '{hash_password(user)}'}}" for user in _USERS]
    (folder / "users.yaml").write_text("\n".join(["users:", *lines, ""]))
    token = sign_token(
        key, subject="stella", roles=["contact-center-supervisors"], issuer=_ISSUER,
        audience=_AUDIENCE, algorithm="ES256", seconds=86400,
    )  # fmt: skip
    known = {user: aiohttp.encode_basic_auth(user, user) for user in _USERS}
    wrong = aiohttp.encode_basic_auth("anna", "guess")
    return {**known, "intruder": wrong, "token": f"Bearer {token}", "nobody": None}


def _settings(folder: Path, config_folder: Path, standin: Running, audit: Path) -> Settings:
    path = folder / "gateway.yaml"
    path.write_text(f"""\
listen: {{address: "127.0.0.1:{_free(8080)}"}}
admin: {{address: "127.0.0.1:{_free(9090)}"}}
services:
  - name: ucs
    catalogue: {config_folder}/catalogues/ucs-customer-profiles.yaml
    upstream: {{nodes: ["{standin.url}"]}}
    errors: ucs
  - name: gms
    catalogue: {config_folder}/catalogues/gms-context-services.yaml
    prefix: /genesys/1/cs
    upstream: {{nodes: ["{standin.url}"], base_path: /genesys/1/cs}}
    errors: gms
policy: {config_folder}/policy
identity:
  jwt: [{{issuer: "{_ISSUER}", audience: {_AUDIENCE}, algorithms: [ES256], pem_file: issuer.pem,
         subject_prefix: ""}}]
  basic: {{users: users.yaml, realm: UCS}}
audit: {{file: "{audit}"}}
log: {{format: console, level: warning}}
""")
    return load_settings(path, os.environ)


def _free(port: int) -> int:
    """The usual port, or 0 (any) where somebody else has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


async def _show(base: str, standin: Running, credentials: Mapping[str, str | None]) -> int:
    """Make the calls and print the table; how many refused ones the stand-in saw."""
    rows = []
    refused = leaked = 0
    async with aiohttp.ClientSession() as session:
        for call in _CALLS:
            before = len(standin.received.requests)
            status, reason, missing = await _make(session, base, call, credentials[call.who])
            arrived = len(standin.received.requests) - before
            if reason is not None:
                refused += 1
                leaked += arrived
            why = f"{call.shows}; missing: {', '.join(missing)}" if missing else call.shows
            rows.append((call, status, reason or "permitted", "yes" if arrived else "no", why))
    _print(rows)
    click.echo(f"{refused} requests were refused; the UCS's own record shows {leaked} of them.")
    return leaked


_ROW = "{:9} {:58} {:6}  {:20} {}"


def _print(rows: Iterable[tuple[_Call, int, str, str, str]]) -> None:
    """A line for what happened, and one below it for what that shows."""
    click.secho(_ROW.format("caller", "request", "status", "decision", "seen by UCS"), bold=True)
    for call, status, decision, seen, why in rows:
        request = f"{call.method} {call.target}"
        if call.body:
            request += f"  {{{', '.join(call.body)}}}"
        line = _ROW.format(call.who, request, status, decision, seen)
        click.secho(line, fg="green" if seen == "yes" else "red")
        click.echo(f"{'':10}{why}")


async def _make(
    session: aiohttp.ClientSession, base: str, call: _Call, authorization: str | None
) -> tuple[int, str | None, list[str]]:
    headers = {} if authorization is None else {"Authorization": authorization}
    url = URL(base + call.target, encoded=True)
    async with session.request(call.method, url, headers=headers, json=call.body) as reply:
        reason = reply.headers.get("X-Gateway-Refusal")
        missing: list[str] = []
        if reason == "permission-missing":
            lacking = (await reply.json())["missing"]
            missing = lacking.get("all_of", [])
            missing += [" or ".join(group) for group in lacking.get("any_of", [])]
        return reply.status, reason, missing


async def _told_to_stop() -> None:
    """Ctrl-C or SIGTERM; after either everything ends in order and leaves nothing behind."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _tell(
    base: str, admin: str, standin: str, audit: Path, credentials: Mapping[str, str | None]
) -> None:
    click.echo(f"""
The gateway listens on {base} until Ctrl-C. Try it by hand (passwords are the names):

  curl -i -u anna:anna {base}{_ANNA}
  curl -i -u sam:sam -X DELETE {base}{_ANNA}
  curl -i -H 'Authorization: {credentials["token"]}' {base}/genesys/1/cs/services/1

  audit      tail -f {audit}
  metrics    curl http://{admin}/metrics      readiness  curl http://{admin}/readyz
  stand-in   curl {standin}/_standin/received
""")
