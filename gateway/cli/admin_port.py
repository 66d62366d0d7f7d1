"""The admin port of the gateway that runs with a settings file, as its operator calls it."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.settings import load_admin

__all__ = ["asked", "fault_of"]

# A large policy takes seconds to compile, and the answer comes when every worker has it.
_PATIENCE_SECONDS = 330.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not listened on


def asked(
    config: Path,
    method: str,
    path: str,
    arguments: Mapping[str, object] | None = None,
    *,
    expected: frozenset[int] = frozenset({200}),
) -> tuple[int, Any]:
    """The status, one of `expected`, and the JSON of the answer; ClickException otherwise."""
    code, answer = _answer(config, method, path, arguments)
    if code not in expected:
        raise click.ClickException(fault_of(answer))
    return code, answer


def fault_of(answer: Any) -> str:
    """What an answer that is a refusal says."""
    return str(answer.get("message", answer) if isinstance(answer, dict) else answer)


def _answer(
    config: Path, method: str, path: str, arguments: Mapping[str, object] | None
) -> tuple[int, Any]:
    admin = load_admin(config, os.environ)
    host, port = admin.address.host, admin.address.port
    host = _EVERYWHERE.get(host, host)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = {}
    if admin.token_file is not None:
        headers["Authorization"] = f"Bearer {admin.token_file.value.decode()}"
    data = None
    if arguments is not None:
        data = json.dumps(arguments).encode()
        headers["Content-Type"] = "application/json"
    call = urllib.request.Request(
        f"http://{where}{path}", method=method, headers=headers, data=data
    )
    # No proxy of the environment may see the token.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(call, timeout=_PATIENCE_SECONDS) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        with refused:
            try:
                return refused.code, json.load(refused)
            except ValueError:
                raise click.ClickException(f"{where} is no gateway's admin port") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        why = getattr(why, "strerror", None) or str(why)
        raise click.ClickException(f"no gateway answers at {where}: {why.lower()}") from None
