"""From the settings file to Settings, or to every finding at once.

Each finding stands at the key it is about: a secret that cannot be read, a file that is not
there and a misspelt key are told in one go, `file:line:col: code: message`.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from gateway.errors import SettingsInvalid
from gateway.settings.base import Surroundings, within
from gateway.settings.listen import Admin
from gateway.settings.root import Settings
from policy import Code, Diagnostic, Location, PolicyInvalid, parse_yaml, read_model

__all__ = ["load_admin", "load_settings"]


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read the settings in `path`; relative paths in it start from its folder."""
    try:
        content = path.read_bytes()
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
        said = f"the settings cannot be read: {why}"
        advice = "`--config` names another file" if isinstance(error, FileNotFoundError) else None
        found = Diagnostic(Location(str(path)), Code.BAD_VALUE, said, advice)
        raise SettingsInvalid((found,)) from None
    try:
        source = parse_yaml(content, str(path))
        with within(Surroundings(folder=path.absolute().parent, environ=environ)):
            return read_model(Settings, source)
    except PolicyInvalid as invalid:
        raise SettingsInvalid(invalid.diagnostics) from None


def load_admin(path: Path, environ: Mapping[str, str]) -> Admin:
    """Only where the admin port is: whoever asks it must be able to when all the rest is broken.

    Raises SettingsInvalid with every finding of the file where not even that can be told.
    """
    try:
        value = parse_yaml(path.read_bytes(), str(path)).value
        admin = value.get("admin", {}) if isinstance(value, dict) else None
        with within(Surroundings(folder=path.absolute().parent, environ=environ)):
            return Admin.model_validate(admin)
    except (OSError, PolicyInvalid, ValidationError):
        return load_settings(path, environ).admin
