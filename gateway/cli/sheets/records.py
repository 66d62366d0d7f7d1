"""The matrix as values for JSON: per operation, the roles that have the same answer together."""

from gateway.cli.sheets.sheet import Sheet
from policy import Role
from policy.analysis import Lack, Row

__all__ = ["as_records"]


def as_records(sheet: Sheet) -> dict[str, object]:
    """Everything there is to say, in plain values."""
    return {
        "policy": sheet.table.version,
        "services": [
            {"name": service.name, "prefix": service.prefix, "use_role": service.use_role}
            for service, _ in sheet.by_service()
        ],
        "roles": [_role(sheet, role) for role in sheet.roles],
        "operations": [_operation(sheet, row) for row in sheet.rows],
    }


def _role(sheet: Sheet, role: Role) -> dict[str, object]:
    return {
        "name": role.name,
        "title": role.title,
        "enabled": role.enabled,
        "includes": role.includes,
        "permissions": sheet.table.names_of(role.mask),
        "where": str(role.where),
    }


def _operation(sheet: Sheet, row: Row) -> dict[str, object]:
    names: list[list[str]] = [[] for _ in row.kinds]
    for role, kind in zip(sheet.roles, row.cells, strict=True):
        names[kind].append(role.name)
    route = row.route
    return {
        "service": route.service,
        "id": route.id,
        "title": route.title,
        "method": route.method,
        "path": route.template,
        "where": str(route.where),
        "open_to": row.open_to,
        "reachable": row.reachable,
        "needs": row.needs,
        "conditions": [_lack(each) for each in row.conditions],
        "guards": row.guards,
        "cells": [
            {"state": cell.state, "lacks": [_lack(each) for each in cell.lacks], "roles": having}
            for cell, having in zip(row.kinds, names, strict=True)
            if having
        ],
    }


def _lack(lack: Lack) -> dict[str, object]:
    return {"when": lack.when, "missing": lack.missing}
