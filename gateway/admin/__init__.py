"""The side door, on a port of its own: is the gateway alive, is it ready, how is it doing."""

from gateway.admin.server import AdminServer, Checks

__all__ = ["AdminServer", "Checks"]
