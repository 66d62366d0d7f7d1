"""How lints speak: a warning, and lists of names that stay short."""

from collections.abc import Collection

from policy.diagnostics import Code, Diagnostic, Location, Severity

__all__ = ["named", "warning"]

_MOST_NAMES = 3


def warning(where: Location, code: Code, message: str, advice: str | None = None) -> Diagnostic:
    return Diagnostic(where, code, message, advice, Severity.WARNING)


def named(names: Collection[str]) -> str:
    """The first few of `names`, and how many more there are."""
    shown = [f"`{name}`" for name in list(names)[:_MOST_NAMES]]
    if more := len(names) - len(shown):
        shown.append(f"{more} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
