"""Permissions as administrators write them: by name, or by the display name that people see."""

import re
from collections.abc import Mapping

from policy.diagnostics import visible
from policy.editing.errors import EditRefused
from policy.permission_names import GrantedNames
from policy.suggest import Suggestions

__all__ = ["permission_named"]


def permission_named(said: str, titles: Mapping[str, str]) -> str:
    """The name of the permission that is meant; raises EditRefused, with a suggestion, if none is.

    `UCS.Customer.createProfile` or `Create Customer Profile`; of display names neither case nor
    the spaces around `>` count. Several at once are named by `a:b:*` or `A > B > All Permissions`,
    and the answer is `a:b:*`.
    """
    if said in titles:
        return said
    meant = [name for name, title in titles.items() if _plain(title) == _plain(said)]
    if len(meant) == 1:
        return meant[0]
    if meant:
        names = ", ".join(f"`{name}`" for name in meant)
        raise EditRefused(f"`{visible(said)}` is what people see of {names}", "name one of them")
    if written := GrantedNames(titles).written(said):
        return written
    if "*" in said:
        raise EditRefused(
            f"`{visible(said)}` is a pattern, and patterns are not read",
            "name each permission by itself",
        )
    advice = Suggestions([*titles, *titles.values()]).help_for(said)
    raise EditRefused(f"no catalogue knows the permission `{visible(said)}`", advice)


def _plain(title: str) -> str:
    return re.sub(r"\s*>\s*", " > ", " ".join(title.split())).casefold()
