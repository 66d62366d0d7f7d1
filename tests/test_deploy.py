"""What is shipped for running the gateway agrees with it: image, settings, compose, unit, lock."""

import asyncio
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gateway.admin import AdminServer
from gateway.app import load_table
from gateway.cli.output import Exit
from gateway.server.doors import BACKLOG, open_one
from gateway.settings import Address, Settings, load_settings
from tests.support.deployment import (
    DEPLOY,
    ROOT,
    compose,
    exec_form,
    last,
    parse,
    pinned,
    stages,
    unit,
)

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
BUILD, FINAL = stages(DOCKERFILE)
SERVICE = (DEPLOY / "ucs-gateway.service").read_text()
UNIT = unit(SERVICE)
SOCKET = unit((DEPLOY / "ucs-gateway.socket").read_text())
PAGE = (DEPLOY / "README.md").read_text()
AUDIT_PATIENCE_SECONDS = 10

# Argon2id of a word that nobody needs; only its form matters here.
USERS = (
    'users: {anna: {password_hash: "$argon2id$v=19$m=65536,t=3,p=1$lIhrtcc6pvrIMjUpmazUVQ'
    '$6Z8e2OJpxsTK9PG/8hBlAXqJ89ub0w4A1yH3YJNsMA8"}}\n'
)
SECRETS = {"ucs-password": "pw\n", "users.yaml": USERS, "audit-digest-key": "0123456789abcdef\n"}


def settings_of(name: str, root: Path, secrets: str) -> Settings:
    """A sample's settings as its container or host would see them, with `root` as the root."""
    etc, held, log = root / "etc", root / "secrets", root / "log"
    for folder in (etc, held, log):
        folder.mkdir()
    text = (DEPLOY / "config" / name).read_text()
    assert secrets in text
    text = text.replace(secrets, str(held)).replace("/var/log/ucs-gateway", str(log))
    (etc / "gateway.yaml").write_text(text)
    shutil.copytree(ROOT / "config" / "catalogues", etc / "catalogues")
    shutil.copytree(ROOT / "config" / "policy", etc / "policy")
    for secret, content in SECRETS.items():
        (held / secret).write_text(content)
    return load_settings(etc / "gateway.yaml", {})


@pytest.fixture
def container(tmp_path: Path) -> Settings:
    return settings_of("container.yaml", tmp_path, "/run/secrets")


@pytest.fixture
def host(tmp_path: Path) -> Settings:
    return settings_of("host.yaml", tmp_path, "/run/credentials/ucs-gateway.service")


# --- the image ---------------------------------------------------------------------------------


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    user, _, group = last(FINAL, "USER").partition(":")

    assert int(user) > 0
    assert int(group) > 0


def test_both_stages_stand_on_one_base_that_is_pinned_to_a_patch_version() -> None:
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.11\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert BUILD[0] == ("FROM", "${PYTHON_IMAGE} AS build")
    assert FINAL[0] == ("FROM", "${PYTHON_IMAGE}")


def test_the_image_starts_serve_with_the_settings_below_etc() -> None:
    command, *arguments = exec_form(last(FINAL, "ENTRYPOINT")) + exec_form(last(FINAL, "CMD"))
    serve = parse(arguments)

    assert command == "ucs-gateway"
    assert serve.command.name == "serve"
    assert serve.params["config"] == Path("/etc/ucs-gateway/gateway.yaml")
    assert last(FINAL, "STOPSIGNAL") == "SIGTERM"


def test_everything_is_installed_by_hash_and_what_runs_by_the_runtime_lock_alone() -> None:
    installs = re.findall(
        r"--python (\S+)/bin/python install\s+(.*?)(?:&&|$)",
        "\n".join(rest for word, rest in BUILD if word == "RUN"),
        re.MULTILINE,
    )
    what = [(where, re.search(r"--requirement (\S+)", how), how) for where, how in installs]

    assert [(where, file and file[1]) for where, file, _ in what] == [
        ("/opt/ucs-gateway", "requirements.runtime.lock"),
        ("/opt/tools", "requirements.lock"),
        ("/opt/ucs-gateway", None),
    ]
    assert all("--require-hashes --only-binary :all:" in how for _, file, how in what if file)
    assert installs[-1][1].startswith("--no-deps --no-index")


def test_the_final_stage_takes_over_what_runs_and_nothing_of_the_tools() -> None:
    copied = [rest for word, rest in FINAL if word == "COPY"]

    assert copied == [
        "--from=build /opt/ucs-gateway /opt/ucs-gateway",
        "LICENSE /usr/share/doc/ucs-gateway/LICENSE",
        "config/catalogues/ /etc/ucs-gateway/catalogues/",
    ]
    assert not re.search(r"\binstall --(?!directory)|apt-get", last(FINAL, "RUN"))


def test_only_what_is_copied_reaches_the_builder() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {rule[1:].rstrip("/") for rule in rules if rule.startswith("!")}
    copied = {
        source.rstrip("/")
        for stage in (BUILD, FINAL)
        for word, rest in stage
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }

    assert "*" in rules
    assert let_in - {"config"} == copied
    assert "config/*" in rules
    assert all((ROOT / source).exists() for source in copied)


async def test_the_health_check_tells_a_gateway_that_answers_from_one_that_does_not() -> None:
    words = exec_form(last(FINAL, "HEALTHCHECK").partition(" CMD ")[2])
    assert words[:2] == ["python", "-c"]

    async def outcome(port: int) -> int:
        code = words[2].replace("9090", str(port))
        check = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stderr=asyncio.subprocess.DEVNULL
        )
        return await check.wait()

    async def nothing() -> Any:
        return {}

    sockets = open_one(Address("127.0.0.1", 0), {})
    server = AdminServer(sockets, snapshot=nothing, checks=nothing)
    await server.start()
    port = sockets[0].getsockname()[1]
    assert await outcome(port) == 0
    await server.close()
    assert await outcome(port) == 1


def test_the_settings_listen_where_the_image_exposes_and_is_asked_for_its_health(
    container: Settings,
) -> None:
    listen, admin = container.listen.address, container.admin.address

    assert last(FINAL, "EXPOSE").split() == [str(listen.port), str(admin.port)]
    assert f"'127.0.0.1', {admin.port}" in last(FINAL, "HEALTHCHECK")
    assert {listen.host, admin.host} == {"0.0.0.0"}


# --- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", ["container", "host"])
def test_the_sample_settings_and_the_sample_policy_have_no_finding(
    sample: str, request: pytest.FixtureRequest
) -> None:
    settings: Settings = request.getfixturevalue(sample)

    assert load_table(settings).findings == ()
    assert all(str(service.use_role) == "true" for service in settings.services)


def test_on_a_host_the_gateway_listens_on_loopback_only(host: Settings) -> None:
    assert {host.listen.address.host, host.admin.address.host} == {"127.0.0.1"}


# --- compose -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gateway", "standin"])
def test_every_container_is_read_only_and_without_privileges(name: str) -> None:
    service = compose()["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "user", "cap_add", "network_mode", "pid"} & service.keys()
    assert service["image"] == f"ucs-gateway:{project()['version']}"


def test_the_stand_in_is_reached_through_the_gateway_only() -> None:
    networks, services = compose()["networks"], compose()["services"]

    assert networks["ucs"] == {"internal": True}
    assert services["standin"]["networks"] == ["ucs"]
    assert "ports" not in services["standin"]
    assert set(services["gateway"]["networks"]) == {"clients", "ucs"}


def test_the_gateway_is_published_on_loopback(container: Settings) -> None:
    ports = (container.listen.address.port, container.admin.address.port)

    assert compose()["services"]["gateway"]["ports"] == [
        f"127.0.0.1:{port}:{port}" for port in ports
    ]


def test_the_stand_in_listens_where_the_settings_look_for_it(
    container: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    [script] = compose()["services"]["standin"]["command"]
    monkeypatch.setenv("UCS_PASSWORD", "pw")
    standin = parse(script.split("exec ucs-gateway ")[1].split())
    _, port = standin.params["address"]

    for service in container.services:
        assert [str(node) for node in service.upstream.nodes] == [f"http://standin:{port}"]
        credential = service.upstream.credential
        assert credential is not None
        assert credential.basic is not None
        assert standin.params["basic"] == f"{credential.basic.username}:UCS_PASSWORD"


def test_compose_hands_over_exactly_the_secrets_that_the_settings_name() -> None:
    named = set(re.findall(r"/run/secrets/([\w.-]+)", container_text()))

    assert set(compose()["services"]["gateway"]["secrets"]) == named == set(SECRETS)
    assert compose()["secrets"] == {name: {"file": f"secrets/{name}"} for name in SECRETS}
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_compose_mounts_files_that_exist_and_a_volume_for_the_audit() -> None:
    mounts = {mount["target"]: mount for mount in compose()["services"]["gateway"]["volumes"]}

    for mount in mounts.values():
        if mount["type"] == "bind":
            assert (DEPLOY / mount["source"]).exists()
            assert mount["read_only"] is True
    assert mounts["/var/log/ucs-gateway"]["source"] in compose()["volumes"]
    assert "file: /var/log/ucs-gateway/" in container_text()
    assert "/var/log/ucs-gateway" in last(FINAL, "RUN")


def test_nothing_is_killed_while_it_may_still_be_ending(container: Settings) -> None:
    needed = container.limits.shutdown_seconds + AUDIT_PATIENCE_SECONDS

    assert int(compose()["services"]["gateway"]["stop_grace_period"].rstrip("s")) > needed
    assert int(UNIT["TimeoutStopSec"][0]) > needed


# --- the unit ----------------------------------------------------------------------------------


def test_the_unit_starts_serve_with_the_settings_below_etc() -> None:
    program, *arguments = UNIT["ExecStart"][0].split()

    assert program == "/opt/ucs-gateway/bin/ucs-gateway"
    assert parse(arguments).params["config"] == Path("/etc/ucs-gateway/gateway.yaml")
    assert UNIT["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_the_unit_hands_over_exactly_the_secrets_that_the_settings_name() -> None:
    folder = "/run/credentials/ucs-gateway.service"
    named = set(re.findall(rf"{folder}/([\w.-]+)", (DEPLOY / "config" / "host.yaml").read_text()))

    assert {line.partition(":")[0] for line in UNIT["LoadCredential"]} == named == set(SECRETS)


def test_an_invalid_configuration_is_not_tried_again() -> None:
    assert UNIT["Restart"] == ["on-failure"]
    assert UNIT["RestartPreventExitStatus"] == [str(int(Exit.INVALID))]


def test_there_are_descriptors_for_every_client_and_its_upstream(host: Settings) -> None:
    needed = 2 * host.limits.max_connections

    assert int(UNIT["LimitNOFILE"][0]) > needed
    assert compose()["services"]["gateway"]["ulimits"]["nofile"] > needed


def test_container_unit_and_page_allow_as_many_processes_and_threads() -> None:
    (asked,) = re.findall(r"--pids-limit (\d+)", PAGE)
    assert UNIT["TasksMax"] == [asked]
    assert compose()["services"]["gateway"]["pids_limit"] == int(asked)


def test_one_worker_that_is_killed_for_want_of_memory_does_not_take_the_others_along() -> None:
    assert UNIT["OOMPolicy"] == ["continue"]


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "ucs-gateway.service"
    copy.write_text(runnable(SERVICE))

    assert analyzed("verify", copy) == (0, "")
    # 0 is closed, 100 open; the page says 11.
    status, said = analyzed("security", "--offline=true", "--threshold=11", "--no-pager", copy)
    assert status == 0, said[-400:]


# --- socket activation -------------------------------------------------------------------------


def activated(service: str) -> str:
    """The service's unit as the page says to change it."""
    assert service.count("\n#Sockets=") == 1
    return service.replace("\n#Sockets=", "\nSockets=")


def test_the_socket_unit_opens_the_port_of_the_settings_and_as_long_a_queue(
    host: Settings,
) -> None:
    assert SOCKET["ListenStream"] == [str(host.listen.address)]
    assert SOCKET["Backlog"] == [str(BACKLOG)]


def test_the_socket_unit_opens_one_socket_for_all_connections_and_workers() -> None:
    """A socket that nobody accepts from would take its share of the connections."""
    assert SOCKET.keys() == {"Description", "ListenStream", "Backlog", "WantedBy"}
    assert SOCKET["WantedBy"] == ["sockets.target"]


def test_the_service_is_started_for_its_socket_and_with_it() -> None:
    assert "Sockets" not in UNIT
    assert unit(activated(SERVICE))["Sockets"] == ["ucs-gateway.socket"]
    # Ready when it says so: what comes before waits in the socket's queue.
    assert (UNIT["Type"], UNIT["NotifyAccess"]) == (["notify"], ["main"])


def test_systemd_finds_nothing_wrong_with_service_and_socket_together(tmp_path: Path) -> None:
    service, port = tmp_path / "ucs-gateway.service", tmp_path / "ucs-gateway.socket"
    service.write_text(runnable(activated(SERVICE)))
    text = (DEPLOY / port.name).read_text()
    port.write_text(text)
    assert analyzed("verify", service, port) == (0, "")

    # The other kind of socket, which stands there as a comment.
    assert text.count("\nListenStream=") == 1
    other = re.sub(
        r"^#(?=Listen|Socket)", "", text.replace("\nListenStream=", "\n#"), flags=re.MULTILINE
    )
    assert "\nListenStream=/run/ucs-gateway.sock\n" in other
    port.write_text(other)
    assert analyzed("verify", service, port) == (0, "")


def test_with_the_socket_unit_the_sample_settings_listen_where_systemd_does(
    host: Settings, tmp_path: Path
) -> None:
    [line] = re.findall(r"^listen: .*systemd.*$", PAGE, re.MULTILINE)
    assert str(with_line(tmp_path, line).listen.address) == "systemd"


# --- takeover ----------------------------------------------------------------------------------


def test_the_sample_settings_can_be_taken_over_as_the_page_says(
    host: Settings, tmp_path: Path
) -> None:
    [line] = re.findall(r"^listen: .*takeover_socket.*$", PAGE, re.MULTILINE)
    folder = tmp_path / "run"
    folder.mkdir()
    settings = with_line(tmp_path, line.replace("/run/ucs-gateway/", f"{folder}/"))

    assert settings.listen.address == host.listen.address
    assert settings.listen.takeover_socket == folder / "takeover.sock"


def test_two_versions_can_run_side_by_side_as_the_page_says(tmp_path: Path) -> None:
    [drop_in] = re.findall(r"^```ini\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    changed = unit(SERVICE + drop_in)
    [_, emptied, start] = changed["ExecStart"]
    program, *arguments = start.replace("%i", "0.2.0").split()

    assert emptied == ""
    assert program == "/opt/ucs-gateway-0.2.0/bin/ucs-gateway"
    assert parse(arguments).params["config"] == Path("/etc/ucs-gateway-0.2.0/gateway.yaml")
    # The folder of `takeover_socket`, which the end of one instance leaves to the other.
    assert changed["RuntimeDirectory"] == ["ucs-gateway"]
    assert changed["RuntimeDirectoryPreserve"] == ["yes"]

    template = tmp_path / "ucs-gateway@.service"
    template.write_text(SERVICE)
    (tmp_path / "ucs-gateway@.service.d").mkdir()
    text = drop_in.replace(start.split()[0], sys.executable)
    (tmp_path / "ucs-gateway@.service.d" / "takeover.conf").write_text(text)
    assert analyzed("verify", tmp_path / "ucs-gateway@0.2.0.service") == (0, "")


# --- the lock of what runs ---------------------------------------------------------------------


def test_the_runtime_lock_is_a_part_of_the_lock_that_the_tests_ran_with() -> None:
    lock, runtime = (
        pinned((ROOT / name).read_text())
        for name in ("requirements.lock", "requirements.runtime.lock")
    )

    assert runtime.items() <= lock.items()


def test_the_runtime_lock_holds_what_runs_and_nothing_else() -> None:
    lock = pinned((ROOT / "requirements.runtime.lock").read_text())
    here = {name for name, (version, _) in lock.items() if holds_here(f"{name}=={version}")}

    assert here == with_what_they_need(project()["dependencies"])


def test_the_licence_is_what_the_package_says() -> None:
    assert project()["license"] == "Apache-2.0"
    assert (
        "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text()
    )


def test_a_command_that_is_not_there_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        parse(["start", "--config", "gateway.yaml"])
    with pytest.raises(click.UsageError):
        parse(["serve", "--settings", "gateway.yaml"])


# --- what the tests above ask ------------------------------------------------------------------


def project() -> dict[str, Any]:
    value: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return value


def runnable(service: str) -> str:
    """With a program that is there, which systemd looks for."""
    return service.replace(UNIT["ExecStart"][0].split()[0], sys.executable)


def analyzed(*arguments: str | Path) -> tuple[int, str]:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    result = subprocess.run([analyze, *arguments], capture_output=True, text=True, check=False)
    return result.returncode, result.stderr or result.stdout


def with_line(root: Path, line: str) -> Settings:
    """The host's settings with another `listen`; the `host` fixture has made the rest."""
    file = root / "etc" / "gateway.yaml"
    text, count = re.subn(r"^listen: .*$", line, file.read_text(), flags=re.MULTILINE)
    assert count == 1
    file.write_text(text)
    return load_settings(file, {})


def container_text() -> str:
    return (DEPLOY / "config" / "container.yaml").read_text()


def holds_here(line: str, extra: str = "") -> bool:
    marker = Requirement(line).marker
    return marker is None or marker.evaluate({"extra": extra})


def with_what_they_need(lines: list[str], extra: str = "") -> set[str]:
    """The names that these requirements lead to on this machine."""
    found: set[str] = set()
    for line in lines:
        requirement = Requirement(line)
        if not holds_here(line, extra):
            continue
        found.add(canonicalize_name(requirement.name))
        for wanted in ("", *requirement.extras):
            found |= with_what_they_need(requires(requirement.name) or [], wanted)
    return found
