"""Listening sockets: one for each worker, none by accident, all of them served after a takeover."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.server.doors import (
    CannotListen,
    Doors,
    activated,
    give_up,
    open_doors,
    open_one,
    take_over,
    where,
)
from gateway.settings.values import Activated, Address, UnixPath

ANY = Address("127.0.0.1", 0)


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def kept(closing: ExitStack, doors: Doors) -> Doors:
    for sockets in doors:
        for each in sockets:
            closing.callback(each.close)
    return doors


def connect(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_every_worker_has_a_socket_of_its_own_on_one_port(closing: ExitStack) -> None:
    doors = kept(closing, open_doors(ANY, 3, {}))

    assert [len(sockets) for sockets in doors] == [1, 1, 1]
    assert len({sockets[0].getsockname() for sockets in doors}) == 1
    assert len({os.fstat(sockets[0].fileno()).st_ino for sockets in doors}) == 3


def test_a_port_that_is_taken_is_not_joined_by_accident(closing: ExitStack) -> None:
    doors = kept(closing, open_doors(ANY, 2, {}))
    port = doors[0][0].getsockname()[1]

    with pytest.raises(CannotListen, match=rf"\('127.0.0.1', {port}\): address already in use"):
        open_one(Address("127.0.0.1", port), {})


def test_a_name_that_is_no_address_here_is_told() -> None:
    with pytest.raises(CannotListen, match=r"`nowhere\.invalid` is no address of this host"):
        open_one(Address("nowhere.invalid", 0), {})


def test_a_unix_socket_is_one_that_all_workers_share(closing: ExitStack, tmp_path: Path) -> None:
    doors = kept(closing, open_doors(UnixPath(tmp_path / "gateway.sock"), 2, {}))

    assert len({os.fstat(sockets[0].fileno()).st_ino for sockets in doors}) == 1
    assert where(doors[0][0]) == f"unix:{tmp_path / 'gateway.sock'}"
    assert list(tmp_path.iterdir()) == [tmp_path / "gateway.sock"]


def test_a_socket_file_that_nobody_serves_is_replaced(closing: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    open_one(UnixPath(path), {})[0].close()
    assert path.is_socket()

    (again,) = kept(closing, [open_one(UnixPath(path), {})])[0]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        accepted, _ = again.accept()
        accepted.close()


def test_a_socket_file_that_somebody_serves_is_in_use(closing: ExitStack, tmp_path: Path) -> None:
    path = UnixPath(tmp_path / "gateway.sock")
    kept(closing, [open_one(path, {})])

    with pytest.raises(CannotListen, match="address already in use"):
        open_one(path, {})


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")

    with pytest.raises(CannotListen, match="exists and is not a socket"):
        open_one(UnixPath(path), {})
    assert path.read_text() == "data"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "all"},
    ],
    ids=["nothing", "for another process", "none", "no number"],
)
def test_without_sockets_of_systemd_it_says_how_to_get_them(environ: dict[str, str]) -> None:
    with pytest.raises(CannotListen, match="start it through the socket unit"):
        activated(environ)


def test_a_worker_gives_up_its_own_socket_and_gets_one_again(closing: ExitStack) -> None:
    doors = kept(closing, open_doors(ANY, 2, {}))
    port = doors[0][0].getsockname()[1]

    reopen = give_up(doors[1])
    for _ in range(20):
        connect(port)  # all of them to the other worker
    doors[1] = reopen()
    kept(closing, doors)

    assert doors[1][0].getsockname()[1] == port
    assert doors[1][0].getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


def test_a_shared_socket_is_never_given_up(closing: ExitStack, tmp_path: Path) -> None:
    doors = kept(closing, open_doors(UnixPath(tmp_path / "gateway.sock"), 2, {}))

    assert give_up(doors[1])() == doors[1]
    assert doors[1][0].fileno() >= 0


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 3), (3, 1), (2, 3), (4, 2)])
def test_after_a_takeover_every_socket_is_served_and_every_worker_has_one(
    closing: ExitStack, before: int, after: int
) -> None:
    given = [sockets[0] for sockets in kept(closing, open_doors(ANY, before, {}))]
    address = Address("127.0.0.1", given[0].getsockname()[1])

    doors = kept(closing, take_over(given, address, after, {}))

    assert len(doors) == after
    assert all(doors)
    served = {each.fileno() for sockets in doors for each in sockets}
    assert {each.fileno() for each in given} <= served
    assert len({each.getsockname() for sockets in doors for each in sockets}) == 1


def test_what_listens_at_another_address_is_closed_and_ours_opened(closing: ExitStack) -> None:
    (given,) = open_one(ANY, {})

    doors = kept(closing, take_over([given], ANY, 1, {}))
    assert doors == [[given]]  # any port will do

    (other,) = open_one(ANY, {})
    port = given.getsockname()[1]
    doors = kept(closing, take_over([given, other], Address("127.0.0.1", port), 1, {}))
    assert doors == [[given]]
    assert other.fileno() == -1


def test_a_unix_socket_is_taken_over_as_it_is(closing: ExitStack, tmp_path: Path) -> None:
    at = UnixPath(tmp_path / "gateway.sock")
    given = open_one(at, {})

    doors = kept(closing, take_over(given, at, 2, {}))

    assert {os.fstat(sockets[0].fileno()).st_ino for sockets in doors} == {
        os.fstat(given[0].fileno()).st_ino
    }


def test_with_socket_activation_the_service_manager_has_the_sockets(closing: ExitStack) -> None:
    given = open_one(ANY, {})

    with pytest.raises(CannotListen, match="no socket was given"):
        take_over(given, Activated(), 1, {})
    assert given[0].fileno() == -1


BOTH = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")]


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> Address:
    """A name that stands for two addresses, as `localhost` often does."""
    found = [(family, socket.SOCK_STREAM, 6, "", (host, 0)) for family, host in BOTH]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    return Address("both.test", 0)


def hosts_of(sockets: list[socket.socket]) -> set[str]:
    return {each.getsockname()[0] for each in sockets}


def test_with_several_addresses_every_worker_has_each(
    closing: ExitStack, two_addresses: Address
) -> None:
    doors = kept(closing, open_doors(two_addresses, 2, {}))

    assert [hosts_of(sockets) for sockets in doors] == [{"127.0.0.1", "127.0.0.2"}] * 2
    assert len({each.getsockname()[1] for sockets in doors for each in sockets}) == 1


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 3), (2, 2), (3, 1)])
def test_after_a_takeover_every_worker_has_each_address(
    closing: ExitStack, two_addresses: Address, before: int, after: int
) -> None:
    running = kept(closing, open_doors(two_addresses, before, {}))
    given = [each for sockets in running for each in sockets]

    doors = kept(closing, take_over(given, two_addresses, after, {}))

    assert [hosts_of(sockets) for sockets in doors] == [{"127.0.0.1", "127.0.0.2"}] * after
    assert {each.fileno() for each in given} <= {each.fileno() for d in doors for each in d}


def test_an_address_that_the_running_one_did_not_have_is_opened(
    closing: ExitStack, two_addresses: Address
) -> None:
    first, second = kept(closing, open_doors(two_addresses, 1, {}))[0]
    second.close()

    (sockets,) = kept(closing, take_over([first], two_addresses, 1, {}))

    assert hosts_of(sockets) == {"127.0.0.1", "127.0.0.2"}
    assert len({each.getsockname()[1] for each in sockets}) == 1


@pytest.mark.parametrize("missing", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
def test_of_a_name_only_the_addresses_that_are_here_are_served(
    closing: ExitStack, two_addresses: Address, monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    class WithoutTheSecond(socket.socket):
        def bind(self, address: object) -> None:
            if isinstance(address, tuple) and address[0] == "127.0.0.2":
                raise OSError(missing, os.strerror(missing))
            super().bind(address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "socket", WithoutTheSecond)
    (sockets,) = kept(closing, open_doors(two_addresses, 1, {}))

    assert hosts_of(sockets) == {"127.0.0.1"}


def test_a_socket_file_whose_server_is_too_busy_to_answer_is_in_use(
    closing: ExitStack, tmp_path: Path
) -> None:
    path = tmp_path / "gateway.sock"
    busy = closing.enter_context(socket.socket(socket.AF_UNIX))
    busy.bind(str(path))
    busy.listen(0)
    for _ in range(8):  # more than wait in its queue
        waiting = closing.enter_context(socket.socket(socket.AF_UNIX))
        waiting.setblocking(False)
        waiting.connect_ex(str(path))

    with pytest.raises(CannotListen, match="address already in use"):
        open_one(UnixPath(path), {})
    assert path.is_socket()
