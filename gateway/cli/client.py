"""`ucs-gateway client …`: the administrators' steps with OAuth clients.

What a client is (its id, its secret, its state) stands in the clients file; what it may do (roles
and scopes) in the policy. Each command edits the one that it is about, in place.
"""

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gateway.authn.passwords import hash_password
from gateway.cli.client_file import (
    Edit,
    Entries,
    client_named,
    edit_clients,
)
from gateway.cli.client_policy import add_commands
from gateway.cli.client_shown import add_shown
from gateway.cli.editing import edit_options
from gateway.clock import SystemClock
from gateway.issuer.clients import (
    DEFAULT_TOKEN_SECONDS,
    LONGEST_TOKEN_SECONDS,
    SHORTEST_TOKEN_SECONDS,
    ClientState,
)
from gateway.issuer.secrets import GENERATED_COSTS, new_secret
from policy.editing import Add, Change, Drop, Put, Take

__all__ = ["command"]

_ORDER = (
    "id", "title", "secret_hashes", "state", "token_seconds", "tokens_since", "may_introspect",
)  # fmt: skip
_ONCE = "the secret is shown this once: only its hash is kept"
_SECONDS = click.IntRange(SHORTEST_TOKEN_SECONDS, LONGEST_TOKEN_SECONDS)


@click.group("client")
def command() -> None:
    """Create OAuth clients, change their state, secrets, roles and scopes, and show them."""


add_commands(command)
add_shown(command)


@command.command("create")
@click.argument("name")
@click.option("--title", help="What people call it.")
@click.option(
    "--token-seconds",
    type=_SECONDS,
    default=DEFAULT_TOKEN_SECONDS,
    show_default=True,
    help="How long each of its tokens is good.",
)
@click.option("--may-introspect", is_flag=True, help="Let it ask what others' tokens say.")
@click.option("--pending", is_flag=True, help="No tokens until `client approve`.")
@edit_options
def create(
    name: str,
    title: str | None,
    token_seconds: int,
    may_introspect: bool,
    pending: bool,
    config: Path,
    dry_run: bool,
    format_: str,
) -> int:
    """Create a client, and show its id and its secret, this once."""

    def plan(entries: Entries) -> Edit:
        if name in entries:
            raise click.ClickException(f"there is a client `{name}` already")
        secret = new_secret()
        entry: dict[str, Any] = {"id": str(uuid.uuid4())}
        if title is not None:
            entry["title"] = title
        entry["secret_hashes"] = [hash_password(secret, GENERATED_COSTS)]
        if pending:
            entry["state"] = ClientState.INACTIVE.value
        entry["token_seconds"] = token_seconds
        if may_introspect:
            entry["may_introspect"] = True
        told = {} if dry_run else {"client_id": entry["id"], "client_secret": secret}
        waits = ", and gets no tokens until it is approved" if pending else ""
        return Edit(
            changes=[Put(("clients", name), entry)],
            said=[f"client `{name}` is new{waits}"],
            notes=[] if dry_run else [_ONCE],
            told=told,
        )

    return edit_clients(plan, config=config, dry_run=dry_run, format_=format_)


@command.command("rotate-secret")
@click.argument("name")
@click.option("--at-once", is_flag=True, help="The old secret is no longer good from now on.")
@edit_options
def rotate_secret(name: str, at_once: bool, config: Path, dry_run: bool, format_: str) -> int:
    """Give a client a new secret; the old one stays good until `end-secret`."""

    def plan(entries: Entries) -> Edit:
        entry = client_named(name, entries)
        secret = new_secret()
        # The newest stands last.
        out = entry.secret_hashes if at_once else entry.secret_hashes[:-1]
        path = ("clients", name, "secret_hashes")
        changes: list[Change] = [Add(path, (hash_password(secret, GENERATED_COSTS),))]
        if out:
            changes.append(Take(path, out))
        said = [f"client `{name}` has a new secret"]
        said.append(
            "the old secret is no longer good"
            if at_once
            else f"the old secret stays good until `client end-secret {name}`"
        )
        if len(entry.secret_hashes) > 1 and not at_once:
            said.append("the secret before that one is no longer good")
        told = {} if dry_run else {"client_id": entry.id, "client_secret": secret}
        return Edit(changes=changes, said=said, notes=[] if dry_run else [_ONCE], told=told)

    return edit_clients(plan, config=config, dry_run=dry_run, format_=format_)


@command.command("end-secret")
@click.argument("name")
@edit_options
def end_secret(name: str, config: Path, dry_run: bool, format_: str) -> int:
    """End the old secret of a client that has got a new one."""

    def plan(entries: Entries) -> Edit:
        hashes = client_named(name, entries).secret_hashes
        if len(hashes) == 1:
            return Edit(notes=[f"client `{name}` has one secret only"])
        return Edit(
            changes=[Take(("clients", name, "secret_hashes"), hashes[:-1])],
            said=[f"the old secret of client `{name}` is no longer good"],
        )

    return edit_clients(plan, config=config, dry_run=dry_run, format_=format_)


@command.command("set")
@click.argument("name")
@click.option("--title", help="What people call it.")
@click.option("--token-seconds", type=_SECONDS, help="How long each of its tokens is good.")
@click.option("--may-introspect/--may-not-introspect", default=None,
              help="Whether it may ask what others' tokens say.")  # fmt: skip
@edit_options
def set_(
    name: str,
    title: str | None,
    token_seconds: int | None,
    may_introspect: bool | None,
    config: Path,
    dry_run: bool,
    format_: str,
) -> int:
    """Change a client's title, the duration of its tokens, or what it may ask."""
    wanted: dict[str, str | int | None] = {
        "title": title, "token_seconds": token_seconds, "may_introspect": may_introspect,
    }  # fmt: skip
    if all(value is None for value in wanted.values()):
        raise click.UsageError("name what to change")

    def plan(entries: Entries) -> Edit:
        entry = client_named(name, entries)
        step = Edit()
        for key, value in wanted.items():
            if value is not None and value != getattr(entry, key):
                step.changes.append(Put(("clients", name, key), value, _ORDER))
                step.said.append(f"client `{name}` has `{key}` {str(value).lower()} now")
        if step.changes and token_seconds is not None:
            step.notes.append("tokens that were issued before end when they said they would")
        return step

    return edit_clients(plan, config=config, dry_run=dry_run, format_=format_)


def _switch(name: str, state: ClientState, said: str, *, ends_tokens: bool = False) -> Any:
    def plan(entries: Entries) -> Edit:
        entry = client_named(name, entries)
        if entry.state is state:
            return Edit(notes=[f"client `{name}` is {state.value} already"])
        step = Edit(said=[f"client `{name}` is {state.value}: {said}"])
        step.changes.append(Put(("clients", name, "state"), state.value, _ORDER))
        if ends_tokens:
            # A token says its second only, and those of this one are to end as well.
            since = datetime.fromtimestamp(int(SystemClock().wall()) + 1, UTC)
            text = since.strftime("%Y-%m-%dT%H:%M:%SZ")
            step.changes.append(Put(("clients", name, "tokens_since"), text, _ORDER))
        return step

    return plan


@command.command("enable")
@click.argument("name")
@edit_options
def enable(name: str, config: Path, dry_run: bool, format_: str) -> int:
    """Let a client get tokens again."""
    plan = _switch(name, ClientState.ACTIVE, "it may get tokens")
    return edit_clients(plan, config=config, dry_run=dry_run, format_=format_)


@command.command("deactivate")
@click.argument("name")
@edit_options
def deactivate(name: str, config: Path, dry_run: bool, format_: str) -> int:
    """Give a client no new tokens; those that it has stay good."""
    plan = _switch(
        name, ClientState.INACTIVE, "it gets no new tokens, and those that it has stay good"
    )
    return edit_clients(plan, config=config, dry_run=dry_run, format_=format_)


@command.command("disable")
@click.argument("name")
@edit_options
def disable(name: str, config: Path, dry_run: bool, format_: str) -> int:
    """Give a client no new tokens, and end those that it has, for good."""
    said = "it gets no new tokens, and those that it had have ended for good"
    plan = _switch(name, ClientState.DISABLED, said, ends_tokens=True)
    return edit_clients(plan, config=config, dry_run=dry_run, format_=format_)


@command.command("delete")
@click.argument("name")
@edit_options
def delete(name: str, config: Path, dry_run: bool, format_: str) -> int:
    """Delete a client; its tokens end."""

    def plan(entries: Entries) -> Edit:
        client_named(name, entries)
        return Edit(
            changes=[Drop(("clients", name))],
            said=[f"client `{name}` is gone, and its tokens have ended"],
        )

    return edit_clients(plan, config=config, dry_run=dry_run, format_=format_)
