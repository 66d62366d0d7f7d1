"""Tell systemd where we stand (sd_notify(3)), if it asks: one datagram, no answer."""

import os
import socket
from collections.abc import Mapping

__all__ = ["notify"]


def notify(state: str, environ: Mapping[str, str]) -> None:
    """Send `state`, such as `READY=1`, to the socket that `NOTIFY_SOCKET` names."""
    path = environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.connect("\0" + path[1:] if path[0] == "@" else os.fsencode(path))
            channel.sendall(state.encode())
        except OSError:
            return  # nobody listens: systemd is not what started us
