"""Serving: sockets, and their orderly end."""

from gateway.server.listener import Listener

__all__ = ["Listener"]
