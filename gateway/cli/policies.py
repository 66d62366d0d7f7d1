"""Policies that commands are given besides the one of the settings: by what they are called."""

import os
from pathlib import Path

import click

import policy
from gateway.app import load_table
from gateway.errors import SettingsInvalid
from gateway.settings import Settings, load_settings, specs
from policy import DecisionTable, PolicyInvalid

__all__ = ["policy_at", "settings_at"]

_SECTIONS = frozenset({"roles", "users", "groups", "claims"})


def policy_at(where: Path, settings: Settings) -> DecisionTable:
    """The compiled policy at `where`: a settings file, or a folder of policy files.

    A folder holds who may do what; the services are those of `settings`. A settings file brings
    its own services, catalogues and policy. Raises what reading them raises.
    """
    if where.is_dir():
        return policy.compile(policy.load(policy.read(specs(settings), where)))
    return load_table(settings_at(where))


def settings_at(where: Path) -> Settings:
    """The settings in that file; ClickException if it is a file of a policy, named by mistake."""
    try:
        return load_settings(where, os.environ)
    except SettingsInvalid:
        if _is_of_a_policy(where):
            said = f"{where} is one file of a policy, and no settings file"
            advice = f"name the folder of the policy: {where.parent}"
            raise click.ClickException(f"{said}\n  help: {advice}") from None
        raise


def _is_of_a_policy(file: Path) -> bool:
    try:
        value = policy.parse_yaml(file.read_bytes(), str(file)).value
    except (OSError, PolicyInvalid):
        return False
    return isinstance(value, dict) and bool(value) and value.keys() <= _SECTIONS
