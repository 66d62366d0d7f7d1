"""The steps of whoever authorizes OAuth clients: the scopes that they may use."""

from collections.abc import Sequence

from policy.diagnostics import visible
from policy.editing.changes import Add, Put, Take
from policy.editing.errors import EditRefused
from policy.editing.files import PolicyFiles, Step, name_for
from policy.scope_names import ScopeNames

__all__ = ["authorize", "unauthorize"]

_ORDER = ("title", "roles", "scopes", "use_scopes")


def authorize(
    files: PolicyFiles, name: str, scopes: Sequence[str], *, file: str | None = None
) -> Step:
    """The client may use these scopes as well; one that policy files do not name yet is added."""
    name_for("client", name)
    has = files.listed("clients", name, "scopes")
    wanted = tuple(dict.fromkeys(scopes))
    known = ScopeNames(files.scopes)
    unknown = [each for each in wanted if each not in files.scopes]
    if unknown:
        raise EditRefused("\n".join(_unknown(each, known) for each in unknown))
    new = tuple(each for each in wanted if each not in has)
    step = Step(said=[f"client `{name}` is authorized for scope `{each}`" for each in new])
    step.notes += [
        f"client `{name}` is authorized for `{each}` already" for each in wanted if each in has
    ]
    if not new:
        return step
    there = files.where("clients", name)
    if there is None:
        there = files.home("clients", file)
        step.said.insert(0, f"client `{name}` is new, in {there}")
        step.change(there, Put(("clients", name), {"scopes": list(new)}))
    else:
        step.change(there, Add(("clients", name, "scopes"), new, _ORDER))
    return step


def _unknown(scope: str, known: ScopeNames) -> str:
    said, advice = f"no catalogue has the scope `{visible(scope)}`", known.help_for(scope)
    return said if advice is None else f"{said}\n  help: {advice}"


def unauthorize(files: PolicyFiles, name: str, scopes: Sequence[str]) -> Step:
    """The client may no longer use these scopes; without any, none at all."""
    file = files.known("clients", name)
    has = files.listed("clients", name, "scopes")
    wanted = tuple(dict.fromkeys(scopes)) or has
    gone = tuple(each for each in wanted if each in has)
    step = Step(said=[f"client `{name}` is no longer authorized for `{each}`" for each in gone])
    step.notes += [
        f"client `{name}` is not authorized for `{each}`" for each in wanted if each not in has
    ]
    if gone:
        step.change(file, Take(("clients", name, "scopes"), gone))
    return step
