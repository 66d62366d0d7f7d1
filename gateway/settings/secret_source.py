"""A secret that may come from a file or from the environment, and from one of them only."""

from gateway.settings.base import Section, finding, refuse
from gateway.settings.secret import Secret

__all__ = ["FromFileOrEnvironment"]


class FromFileOrEnvironment(Section):
    """Exactly one source for one secret."""

    def only(self, what: str, file: Secret | None, variable: Secret | None) -> Secret:
        """The secret that is given; refused where there is none, or two."""
        secret = file or variable
        if secret is None or (file and variable):
            message = "exactly one of `{what}_file` and `{what}_env` has to be given"
            refuse([finding("secret-source", message, what=what)])
        assert secret is not None  # noqa: S101 - refused above
        return secret
