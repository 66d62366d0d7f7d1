"""The administrators' steps of two integrations' manuals, as commands, up to a token that works.

The one creates a role, gives it to a user so that it can be chosen, creates a client, switches the
role on for it, authorizes scopes, approves, and takes the role from the user again. The other swaps
a client's Master Admin for a role of its own, in the divisions where it is needed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.app import load_table, running
from gateway.cli.output import Exit
from gateway.settings import load_settings
from tests.cli.conftest import Ask, Said
from tests.support.clients import basic, call, get_token, settings_of
from tests.support.site import Site as Running
from tests.support.upstream import recording_upstream

CATALOGUE = {
    "catalogue": "platform",
    "scopes": ["routing", "routing:readonly", "outbound", "telephony:readonly"],
    "division_aware": ["routing:queue:view"],
    "permissions": {
        "routing:queue:view": "Routing > Queue > View",
        "routing:queue:delete": "Routing > Queue > Delete",
        "outbound:contact:add": "Outbound > Contact > Add",
    },
    "operations": {
        "list-queues": {
            "request": "GET /api/v2/routing/queues",
            "requires": "routing:queue:view",
            "scopes": ["routing", "routing:readonly"],
        },
        "delete-queue": {
            "request": "DELETE /api/v2/routing/queues/{queueId}",
            "requires": "routing:queue:delete",
            "scopes": ["routing"],
        },
        "add-contact": {
            "request": "POST /api/v2/outbound/contactlists/{contactListId}/contacts",
            "requires": "outbound:contact:add",
            "scopes": ["outbound"],
        },
    },
}
QUEUES = "/api/v2/routing/queues"


class Desk:
    """A deployment's files, and an administrator in front of them."""

    def __init__(self, folder: Path, ask: Ask, nodes: Sequence[str]) -> None:
        self.folder = folder
        self._ask = ask
        (folder / "policy").mkdir()
        (folder / "policy" / "roles.yaml").write_text(
            "# Who may do what.\n"
            "roles:\n"
            "  Master Admin:\n"
            "    permissions: [routing:queue:view, routing:queue:delete, outbound:contact:add]\n"
            "users:\n"
            "  ada: {roles: [Master Admin]}\n"
        )
        (folder / "platform.yaml").write_text(yaml.safe_dump(CATALOGUE))
        settings = {
            "listen": {"address": "127.0.0.1:0"},
            "admin": {"address": "127.0.0.1:0"},
            "services": [
                {"name": "platform", "catalogue": "platform.yaml",
                 "upstream": {"nodes": list(nodes)}}
            ],
            "policy": "policy",
            "identity": {"clients": settings_of(folder, {})},
            "audit": {"file": None},
        }  # fmt: skip
        (folder / "gateway.yaml").write_text(json.dumps(settings))

    def __call__(self, *arguments: str) -> Said:
        said = self._ask(*arguments, "--config", self.folder / "gateway.yaml")
        assert said.code == Exit.YES, said.err
        return said

    def refused(self, *arguments: str) -> str:
        said = self._ask(*arguments, "--config", self.folder / "gateway.yaml")
        assert said.code != Exit.YES
        return said.err

    def policy(self) -> Any:
        return yaml.safe_load((self.folder / "policy" / "roles.yaml").read_text())

    def created(self, *arguments: str) -> bytes:
        """A new client's credentials."""
        told = json.loads(self("client", "create", *arguments, "--format", "json").out)
        return basic(told["client_id"], told["client_secret"])


def test_the_monitoring_is_set_up_step_by_step(tmp_path: Path, ask: Ask) -> None:
    desk = Desk(tmp_path, ask, ["http://127.0.0.1:9"])
    desk("role", "create", "VSM Role", "--permission", "Routing > Queue > View")
    desk("user", "assign", "ada", "VSM Role")
    desk.created("vsm", "--title", "Virsae Genesys", "--pending")
    assert "has no role" in desk.refused("client", "approve", "vsm")
    assert "nobody may call more" in desk("client", "grant", "vsm", "VSM Role").out
    # Both are needed, a permission and a scope; now it has both.
    opened = desk("client", "authorize", "vsm", "routing:readonly", "telephony:readonly").out
    assert "opens 1 operation (0 writes) for 1 client (`vsm`)" in opened
    told = desk("client", "approve", "vsm").out
    assert "client `vsm` is approved" in told
    assert "roles: VSM Role" in told
    assert "scopes: routing:readonly, telephony:readonly" in told
    desk("user", "remove", "ada", "VSM Role")
    assert desk.policy()["clients"] == {
        "vsm": {"roles": ["VSM Role"], "scopes": ["routing:readonly", "telephony:readonly"]}
    }
    assert desk.policy()["users"] == {"ada": {"roles": ["Master Admin"]}}
    shown = desk("client", "show", "vsm").out
    assert "client `vsm`, active" in shown
    assert "roles: VSM Role\nscopes: routing:readonly, telephony:readonly" in shown
    assert "may call 1 operation (0 writes)" in shown
    text = (tmp_path / "policy" / "roles.yaml").read_text()
    assert text.startswith("# Who may do what.\n")


def test_a_client_is_swapped_from_master_admin_to_a_role_of_its_own(
    tmp_path: Path, ask: Ask
) -> None:
    desk = Desk(tmp_path, ask, ["http://127.0.0.1:9"])
    desk.created("mindful")
    desk("client", "grant", "mindful", "Master Admin")
    desk("role", "create", "Mindful Feedback App", "--permission", "routing:queue:view")
    desk("role", "grant", "Mindful Feedback App", "outbound:contact:add")
    desk("client", "revoke", "mindful", "Master Admin")
    desk("client", "grant", "mindful", "Mindful Feedback App", "--division", "north")
    desk("client", "grant", "mindful", "Mindful Feedback App", "--division", "south")
    assert desk.policy()["clients"]["mindful"]["roles"] == [
        {"role": "Mindful Feedback App", "divisions": ["north", "south"]}
    ]
    desk("client", "revoke", "mindful", "Mindful Feedback App", "--division", "north")
    assert "roles: Mindful Feedback App (south)" in desk("client", "approve", "mindful").out
    desk("client", "revoke", "mindful", "--all")
    assert not desk.policy().get("clients")


def test_a_scope_that_no_catalogue_has_is_not_written(tmp_path: Path, ask: Ask) -> None:
    desk = Desk(tmp_path, ask, ["http://127.0.0.1:9"])
    desk.created("vsm")
    before = desk.policy()
    told = desk.refused("client", "authorize", "vsm", "rooting:readonly")
    assert "routing:readonly" in told
    assert desk.policy() == before


def test_a_role_that_no_file_has_is_named_with_the_nearest(tmp_path: Path, ask: Ask) -> None:
    desk = Desk(tmp_path, ask, ["http://127.0.0.1:9"])
    desk.created("vsm")
    assert "did you mean `Master Admin`" in desk.refused("client", "grant", "vsm", "Master Admn")


def test_giving_something_to_a_client_that_is_not_there_is_noted(tmp_path: Path, ask: Ask) -> None:
    desk = Desk(tmp_path, ask, ["http://127.0.0.1:9"])
    desk.created("vsm")
    said = desk("client", "grant", "vsn", "Master Admin")
    assert "the clients file has no client `vsn` yet: did you mean `vsm`?" in said.out + said.err


@pytest.mark.parametrize(
    "words",
    [
        ["revoke", "vsm"], ["revoke", "vsm", "x", "--all"], ["unauthorize", "vsm"],
        ["unauthorize", "vsm", "x", "--all"], ["grant", "vsm"], ["authorize", "vsm"],
        ["revoke", "vsm", "--all", "--division", "x"],
    ],
)  # fmt: skip
def test_half_a_command_is_refused(tmp_path: Path, ask: Ask, words: list[str]) -> None:
    desk = Desk(tmp_path, ask, ["http://127.0.0.1:9"])
    assert desk.refused("client", *words)


async def test_what_was_set_up_works(tmp_path: Path, ask: Ask) -> None:
    async with recording_upstream() as upstream:
        desk = Desk(tmp_path, ask, [upstream.url])
        desk("role", "create", "VSM Role", "--permission", "routing:queue:view")
        desk("role", "grant", "VSM Role", "routing:queue:delete")
        vsm = desk.created("vsm", "--token-seconds", "300")
        desk("client", "grant", "vsm", "VSM Role")
        desk("client", "authorize", "vsm", "routing:readonly")
        settings = load_settings(tmp_path / "gateway.yaml", {})
        async with running(settings, load_table(settings)) as gateway:
            site = Running(tmp_path, gateway)
            told = json.loads((await get_token(site, vsm)).body)
            assert (told["scope"], told["expires_in"]) == ("routing:readonly", 300)
            token = told["access_token"]
            assert (await call(site, token, target=QUEUES)).status == 200
            # The role has it, and no scope of the client's.
            assert (await call(site, token, "DELETE", f"{QUEUES}/q1")).status == 403
            desk("client", "disable", "vsm")
            assert not await site.gateway.reload()
            assert (await call(site, token, target=QUEUES)).status == 401
            desk("client", "enable", "vsm")
            assert not await site.gateway.reload()
            assert (await call(site, token, target=QUEUES)).status == 401
            await site.hang_up()
    assert len(upstream.requests) == 1
