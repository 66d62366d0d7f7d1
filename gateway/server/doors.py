"""Listening sockets: opened here, taken over from another gateway, or given by systemd.

Over TCP every worker has a socket of its own on the same port (SO_REUSEPORT), and the kernel deals
new connections out among them. The supervising process keeps a handle of each: what waits in the
queue of a worker that died is served by its successor. A Unix socket, or one that systemd opened,
is a single one that all workers share.

The kernel lets anybody of the same user join such a port, also by accident; so a port is first
tried without sharing, and "address already in use" means what it says.
"""

import errno
import os
import socket
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway.settings.values import Activated, Address, ListenAt, UnixPath

__all__ = ["BACKLOG", "CannotListen", "Doors", "activated", "give_up", "open_doors",
           "open_one", "shared", "take_over", "where"]  # fmt: skip

# As many connections may wait to be accepted, per socket; the kernel caps it at net.core.somaxconn.
BACKLOG = 4096

_FIRST_ACTIVATED = 3  # sd_listen_fds(3)

Doors = list[list[socket.socket]]
"""For each worker the sockets that it accepts from."""


class CannotListen(OSError):
    """No socket can be had at the address; the message says why."""


def open_doors(at: ListenAt, workers: int, environ: Mapping[str, str]) -> Doors:
    """The sockets of all workers. Raises CannotListen."""
    if isinstance(at, Address):
        return _tcp(at, workers)
    if isinstance(at, UnixPath):
        return shared([_unix(at.path)], workers)
    return shared(activated(environ), workers)


def open_one(at: ListenAt, environ: Mapping[str, str]) -> list[socket.socket]:
    """The sockets of a gateway that is one process."""
    return open_doors(at, 1, environ)[0]


def shared(sockets: Sequence[socket.socket], workers: int) -> Doors:
    """Every worker accepts from all of them."""
    return [list(sockets), *([each.dup() for each in sockets] for _ in range(workers - 1))]


def take_over(
    given: Sequence[socket.socket], at: ListenAt, workers: int, environ: Mapping[str, str]
) -> Doors:
    """The sockets of a running gateway, dealt out among our workers; what is missing is opened.

    Every one at our address has to be served by somebody, or what waits in its queue would wait
    for ever; what is at another address is closed.
    """
    if isinstance(at, Activated):
        for each in given:
            each.close()
        return open_doors(at, workers, environ)
    ours = [each for each in given if _is_at(each, at)]
    for each in given:
        if each not in ours:
            each.close()
    if not ours:
        return open_doors(at, workers, environ)
    if isinstance(at, UnixPath):
        return _dealt(ours, workers)
    doors: Doors = [[] for _ in range(workers)]
    port = at.port or int(ours[0].getsockname()[1])
    for family, host in _hosts(at):
        there = [each for each in ours if each.getsockname()[:2] == (host, port)]
        dealt = _dealt(there, workers) if there else _opened(family, host, port, workers)
        for sockets, more in zip(doors, dealt, strict=True):
            sockets.extend(more)
    return doors


def _is_at(each: socket.socket, at: Address | UnixPath) -> bool:
    if isinstance(at, UnixPath):
        return each.family == socket.AF_UNIX and os.fsdecode(each.getsockname()) == str(at.path)
    if each.family == socket.AF_UNIX:
        return False
    host, port = each.getsockname()[:2]
    return port == (at.port or port) and host in {name for _, name in _hosts(at)}


def _dealt(sockets: Sequence[socket.socket], workers: int) -> Doors:
    """All of them, at one address, to one worker each; a worker for whom none is left gets one."""
    doors = [list(sockets[slot::workers]) for slot in range(workers)]
    for without in filter(lambda each: not each, doors):
        without.append(_joined(sockets[0]) if _is_shared_out(sockets[0]) else sockets[0].dup())
    return doors


def _joined(other: socket.socket) -> socket.socket:
    """One more socket on the port of `other`."""
    host, port = other.getsockname()[:2]
    joined = _bound(other.family, host, port, alone=False)
    joined.listen(BACKLOG)
    return joined


def give_up(sockets: list[socket.socket]) -> Callable[[], list[socket.socket]]:
    """Close those that a worker has for itself; what comes back opens them again.

    What all workers share stays open: the others accept from it.
    """
    own = [each for each in sockets if _is_shared_out(each)]
    names = [(each.family, *each.getsockname()[:2]) for each in own]
    kept = [each for each in sockets if each not in own]
    for each in own:
        each.close()

    def reopen() -> list[socket.socket]:
        opened = [_bound(family, host, port, alone=False) for family, host, port in names]
        for each in opened:
            each.listen(BACKLOG)
        return kept + opened

    return reopen


def _is_shared_out(each: socket.socket) -> bool:
    if each.family == socket.AF_UNIX:
        return False
    return bool(each.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))


def where(listening: socket.socket) -> str:
    """The address of a listening socket, as an operator would write it."""
    name = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        return f"unix:{os.fsdecode(name)}"
    return str(Address(name[0], name[1]))


def _tcp(at: Address, workers: int) -> Doors:
    doors: Doors = [[] for _ in range(workers)]
    port = at.port
    for family, host in _hosts(at):
        for sockets, more in zip(doors, _opened(family, host, port, workers), strict=True):
            sockets.extend(more)
        port = int(doors[0][0].getsockname()[1])  # where the system chose: the same for all
    return doors


def _opened(family: int, host: str, port: int, workers: int) -> Doors:
    """A socket for each worker; CannotListen if anybody listens there."""
    with _bound(family, host, port, alone=True) as bound:
        port = int(bound.getsockname()[1])
    doors = [[_bound(family, host, port, alone=False)] for _ in range(workers)]
    for (each,) in doors:
        each.listen(BACKLOG)
    return doors


def _hosts(at: Address) -> list[tuple[int, str]]:
    """The addresses that a name stands for, of those kinds that this host has."""
    try:
        found = socket.getaddrinfo(
            at.host, at.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise CannotListen(f"`{at.host}` is no address of this host: {error.strerror}") from None
    hosts = list(dict.fromkeys((int(family), str(name[0])) for family, _, _, _, name in found))
    return [each for each in hosts if len(hosts) == 1 or _is_here(*each)] or hosts


def _is_here(family: int, host: str) -> bool:
    """Not so for `::1` of `localhost` where IPv6 is switched off."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
    except OSError as error:
        return error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
    return True


def _bound(family: int, host: str, port: int, *, alone: bool) -> socket.socket:
    try:
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise CannotListen(error.errno, f"{host!r}: {error.strerror}") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not alone:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        why = (error.strerror or str(error)).lower()
        raise CannotListen(
            error.errno, f"error while attempting to bind on address ({host!r}, {port}): {why}"
        ) from None
    bound.setblocking(False)
    return bound


def _unix(path: Path) -> socket.socket:
    _refuse_if_taken(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        listening.bind(str(path))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        why = (error.strerror or str(error)).lower()
        raise CannotListen(error.errno, f"`{path}`: {why}") from None
    listening.setblocking(False)
    return listening


def _refuse_if_taken(path: Path) -> None:
    """A socket file that nobody listens on is left over from a crash; anything else is not ours."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise CannotListen(errno.EEXIST, f"`{path}` exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return
        except OSError:
            pass  # busy, or not for us to see
    raise CannotListen(errno.EADDRINUSE, f"`{path}`: address already in use")


def activated(environ: Mapping[str, str]) -> list[socket.socket]:
    """The sockets that systemd opened for this process (sd_listen_fds(3)). Raises CannotListen."""
    ours = environ.get("LISTEN_PID") == str(os.getpid())
    count = environ.get("LISTEN_FDS", "0")
    if not ours or not count.isdecimal() or int(count) == 0:
        raise CannotListen(
            errno.EINVAL,
            "no socket was given: start it through the socket unit (`systemctl start"
            " ucs-gateway.socket`)",
        )
    sockets = []
    for descriptor in range(_FIRST_ACTIVATED, _FIRST_ACTIVATED + int(count)):
        each = socket.socket(fileno=descriptor)
        if each.type != socket.SOCK_STREAM or not _listens(each):
            raise CannotListen(errno.EINVAL, f"descriptor {descriptor} is not a listening socket")
        each.set_inheritable(False)
        each.setblocking(False)
        sockets.append(each)
    return sockets


def _listens(each: socket.socket) -> bool:
    return bool(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
