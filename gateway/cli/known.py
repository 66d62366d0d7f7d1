"""Names that are typed: whether the policy knows them, and which one may be meant if not."""

from collections.abc import Iterable

import click

from policy import visible
from policy.editing import suggestion

__all__ = ["looked_up"]

_NOWHERE = {
    "role": "no policy file defines the role",
    "group": "no policy file defines the group",
    "user": "no policy file defines the user",
    "claim": "no policy file maps the claim",
    "service": "the settings have no service",
}


def looked_up(name: str, names: Iterable[str], kind: str) -> None:
    """Refuse a name that is none of `names`, with the one that may be meant."""
    known = tuple(names)
    if name in known:
        return
    said = f"{_NOWHERE[kind]} `{visible(name)}`"
    advice = suggestion(name, known)
    raise click.ClickException(said if advice is None else f"{said}\n  help: {advice}")
