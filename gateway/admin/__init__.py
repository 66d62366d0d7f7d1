"""The side door, on a port of its own: is the gateway alive, is it ready, how is it doing."""

from gateway.admin.server import AdminServer, Check

__all__ = ["AdminServer", "Check"]
