"""Policies that commands are given besides the one of the settings: by what they are called."""

import os
from pathlib import Path

import policy
from gateway.app import load_table
from gateway.settings import Settings, load_settings, specs
from policy import DecisionTable

__all__ = ["policy_at"]


def policy_at(where: Path, settings: Settings) -> DecisionTable:
    """The compiled policy at `where`: a settings file, or a folder of policy files.

    A folder holds who may do what; the services are those of `settings`. A settings file brings
    its own services, catalogues and policy. Raises what reading them raises.
    """
    if where.is_dir():
        return policy.compile(policy.load(policy.read(specs(settings), where)))
    return load_table(load_settings(where, os.environ))
