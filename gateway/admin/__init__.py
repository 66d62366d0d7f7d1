"""The side door, on a port of its own: is the gateway alive and ready, how is it doing, by what policy."""

from gateway.admin.server import AdminServer, Checks

__all__ = ["AdminServer", "Checks"]
