"""How an edit fails: it was understood and cannot be made; nothing has been changed."""

__all__ = ["EditRefused"]


class EditRefused(Exception):
    """Why a policy file is not edited, in words for whoever asked; `help` says what would do."""

    def __init__(self, message: str, help: str | None = None) -> None:  # noqa: A002 - as in findings
        self.help = help
        super().__init__(message if help is None else f"{message}\n  help: {help}")
