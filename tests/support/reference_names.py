"""Which permissions a line of a role stands for, as plainly as it can be said."""

from collections.abc import Mapping

from policy import PolicyDocument

__all__ = ["stands_for", "titles_of"]


def titles_of(document: PolicyDocument) -> dict[str, str]:
    known: dict[str, str] = {}
    for service in document.services:
        for file in (service.catalogue, service.overrides):
            if file is not None:
                known |= file.entries.permissions
                known |= file.entries.interface_only
    return known


def stands_for(line: str, known: Mapping[str, str]) -> set[str]:
    """The permissions that a line of a role means, by its parts or by those of a screen."""
    if line in known:
        return {line}
    if ">" not in line:
        wanted = line.split(":")
        return {name for name in known if _alike(wanted, name.split(":"))}
    wanted = [_letters(part) for part in line.split(">")]
    if wanted[-1] == "allpermissions":
        wanted[-1] = "*"
    by_name = {name for name in known if _alike(wanted, list(map(_letters, name.split(":"))))}
    return by_name or {
        name
        for name, title in known.items()
        if ">" in title and _alike(wanted, list(map(_letters, title.split(">"))))
    }


def _letters(part: str) -> str:
    return "*" if part.strip() == "*" else "".join(c for c in part.casefold() if c.isalnum())


def _alike(wanted: list[str], parts: list[str]) -> bool:
    if len(parts) < 2 or len(parts) != len(wanted):
        return False
    return all(wanted[place] in ("*", parts[place]) for place in range(len(parts)))
