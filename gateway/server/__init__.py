"""Serving: sockets, and their orderly end."""

from gateway.server.listener import Listener
from gateway.server.tls import PublicTls

__all__ = ["Listener", "PublicTls"]
